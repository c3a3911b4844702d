# demo_code.sh -- the part of demo.sh about code, graphs, search and tasks. Sourced by demo.sh, whose variables and
# functions it uses.
#
# DEMO_CODE_COMMITS=n  newest commits whose code is read (default 60)
# DEMO_DATA=path       the developers' data set (default ../shared/data beside the repository)
tab=$(printf '\t')
code=$work/code.db
code_commits=${DEMO_CODE_COMMITS:-60}
data=${DEMO_DATA:-$here/../shared/data}

# edges DATABASE TREE: FROM, TYPE and TO between tabs, of all edges whose names need no escapes.
edges() {
    "$tool" scan "$1" --tree "$2" --keys-only -f jsonl | sed -n 's/^{"key":"\(.*\)"}$/\1/p' |
        sed "s/\\\\u0000/$tab/g" | awk -F '\t' 'NF == 3 && !/\\/'
}
# The end of the edges that most lead to.
busiest() { awk -F '\t' -v type="$1" '$2 == type { ++count[$3] } END { for (to in count) print count[to] "\t" to }' "$2" |
    sort -t "$tab" -k 1,1nr -k 2 | sed -n '1s/^[0-9]*.//p'; }
# reaching TYPE START EDGES: a plain search against the edges.
reaching() {
    awk -F '\t' -v type="$1" -v start="$2" '
        $2 == type { from[$3] = from[$3] "\t" $1 }
        END {
            seen[start] = 1; open[n = 1] = start
            for (at = 1; at <= n; ++at) {
                count = split(from[open[at]], next_ones, "\t")
                for (i = 2; i <= count; ++i) if (!seen[next_ones[i]]++) { open[++n] = next_ones[i]; print next_ones[i] }
            }
        }' "$3" | sort
}

title "code: functions, calls and imports of every commit"
say "ingest-code reads C, C++, Python, Go, Rust, JavaScript and TypeScript by lexical rules; each commit is a transaction."
show_timed ingest-code "$code" "$repo" --commits "$code_commits"
edges "$code" code/calls >"$work/calls"
edges "$code" code/includes >"$work/includes"
function=$(busiest calls "$work/calls")

if [ -z "$function" ]; then
    echo "SKIPPED: $repo has no calls that the readers place"
else
    name=${function##*[:.]}
    title "who calls $name"
    show_timed code callers "$code" "$function" -n 6
    "$tool" code callers "$code" "$function" | sed "s/$tab.*//" | sort -u >"$work/ours"
    awk -F '\t' -v to="$function" '$3 == to { print $1 }' "$work/calls" | sort -u >"$work/theirs"
    cmp "$work/ours" "$work/theirs" || fail "the callers are not those of the edges"
    if [ "$kind" = git ]; then
        "$tool" code callers "$code" "$function" | sed "s/.*$tab//;s/,.*//" | head -n 20 | while IFS=: read -r file line; do
            git -C "$repo" show "HEAD:$file" | sed -n "${line}p" | grep -q -F "$name" ||
                fail "line $line of $file does not call $name"
        done
    fi
    echo "$(wc -l <"$work/ours") callers, the same as counting edges; the first 20 lines do name it"

    file=$(busiest includes "$work/includes")
    if [ -n "$file" ]; then
        title "what a change of $file may break"
        show_timed code impact "$code" "$file" -n 6
        "$tool" code impact "$code" "$file" | sed -n "s/${tab}includes.*//p" | sort >"$work/ours"
        reaching includes "$file" "$work/includes" | grep -v -x -F "$file" >"$work/theirs" || true
        cmp "$work/ours" "$work/theirs" || fail "the impact is not what a plain search finds"
        echo "$(wc -l <"$work/ours") files include it, directly or not; a breadth-first search by awk finds the same"
    fi

    title "search by words, and pieces that are written alike"
    question="$name"
    [ "$repo" != "$here" ] || question='"end of the log"'
    show_timed code search "$code" "$question" -n 4 || [ $? -eq 1 ]
    show_timed code similar "$code" "$function" -n 4

    if [ "$kind" = git ]; then
        then=$(git -C "$repo" rev-list --topo-order -n "$code_commits" HEAD | tail -n 1)
        title "the same AS OF commit $(printf %.12s "$then")"
        show_timed code callers "$code" "$function" --as-of "$then" -n 3 || [ $? -eq 1 ]
        # A database that knows that commit alone must hold the same edges.
        git clone -q -s -n "$repo" "$work/alone" 2>/dev/null && git -C "$work/alone" update-ref --no-deref HEAD "$then"
        "$tool" ingest-code "$work/alone.db" "$work/alone" --commits 1 --no-cartridges -q
        for tree in code/calls code/includes code/chunks; do
            "$tool" scan "$code" --tree "$tree" --as-of "git=$then" --hex >"$work/ours"
            "$tool" scan "$work/alone.db" --tree "$tree" --hex >"$work/theirs"
            cmp "$work/ours" "$work/theirs" || fail "$tree as of $then is not what that commit alone gives"
        done
        echo "$("$tool" scan "$work/alone.db" --tree code/calls --count) calls and functions as of then, the same as of that commit read alone"
    fi

    picture=$(dirname "$tool")
    [ -w "$picture" ] || picture=$work
    title "a picture of the calls around $name"
    for form in svg dot; do
        echo "\$ northstar graph $form code.db $function -c code.calls --depth 1 -n 24 >callgraph.$form"
        "$tool" graph "$form" "$code" "$function" -c code.calls --depth 1 -n 24 >"$picture/callgraph.$form"
    done
    echo "$picture/callgraph.svg and .dot"
fi

# ---- agents that share work --------------------------------------------------------------------------------------

title "100 agents drain a queue"
agents=$(dirname "$tool")/examples/example_task_queue
if [ ! -x "$agents" ]; then
    echo "SKIPPED: $agents was not built (make demo does)"
else
    say "Each task takes effect once: an agent's result and the end of its task are one transaction."
    tasks=$work/tasks.db
    "$tool" scan "$code" --tree code/functions --keys-only -f tsv | sed 1d | sort -u | head -n 1000 >"$work/payloads"
    [ -s "$work/payloads" ] || awk 'BEGIN { for (i = 1; i <= 200; ++i) print "task " i }' >"$work/payloads"
    (
        IFS='
'
        set -f
        # shellcheck disable=SC2046  # a word each line
        "$agents" "$tasks" add review $(cat "$work/payloads") >/dev/null
    )
    since=$(milliseconds)
    "$agents" "$tasks" work review 100
    echo "($(($(milliseconds) - since)) ms)"
    [ "$("$tool" scan "$tasks" --tree results --count)" = "$(wc -l <"$work/payloads")" ] || fail "a task was lost"
    show task stats "$tasks"
fi

# ---- a larger graph and a judged set of texts --------------------------------------------------------------------

title "the call graph of Redis, and texts that people judged"
if [ ! -f "$data/graphs/callgraph-redis.txt" ] || [ ! -f "$data/text/cranfield_docs.tsv" ]; then
    echo "SKIPPED: $data has no data set"
else
    sample=$work/sample.db
    awk 'FNR == NR { name[FNR - 1] = $1; next } !/^#/ { print name[$1] "\tcalls\t" name[$2] }' \
        "$data/graphs/callgraph-redis.names" "$data/graphs/callgraph-redis.txt" >"$work/redis"
    show_timed graph load "$sample" "$work/redis" --tree redis
    show_timed cartridge build "$sample" redis closure tree=redis
    name=zmalloc
    show_timed graph impact "$sample" "$name" -c redis -n 5
    "$tool" graph impact "$sample" "$name" -c redis | sort >"$work/ours"
    reaching calls "$name" "$work/redis" | grep -v -x -F "$name" >"$work/theirs"
    cmp "$work/ours" "$work/theirs" || fail "the impact is not what a plain search finds"
    echo "$(wc -l <"$work/ours") functions reach $name; a breadth-first search by awk finds the same"
    "$tool" import "$sample" "$data/text/cranfield_docs.tsv" --tree documents --format tsv --no-header -q
    show_timed cartridge build "$sample" text text stemming=porter
    show_timed search "$sample" --plain "$(sed -n '1s/^[^\t]*\t//p' "$data/text/cranfield_queries.tsv")" -n 3 -w 12
fi
