#!/bin/sh
# Every benchmark that spec/benchmarks.md names exists and runs, each suite at a tiny scale; numbers mean nothing here.
set -u
build=$(cd "$1" && pwd)
bench=$build/northstar-bench
tool=$build/northstar
work=$build/bench-suites
rm -rf "$work"
mkdir -p "$work"
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

# check NAME COMMAND...: the command succeeds.
check() {
    name=$1
    shift
    "$@" >"$work/log" 2>&1
    code=$?
    if [ "$code" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $name: exit code $code"
        tail -n 20 "$work/log"
    fi
}
# has FILE NAME: the result file has a benchmark of that name, with all that is said of every benchmark.
has() {
    tr -d '\n' <"$1" | tr '{' '\n' | grep -F "\"name\": \"$2\"" >"$work/entry" || { echo "$2 is missing in $1"; return 1; }
    for member in cost operations_per_second p50_ns p95_ns p99_ns p999_ns max_ns bytes_read_per_op bytes_written_per_op \
        flushes_per_op allocations_per_op page_copies_per_op; do
        grep -q "\"$member\": " "$work/entry" || { echo "$2 does not say $member"; return 1; }
    done
}

if ! "$bench" help >"$work/help" 2>&1; then
    echo "SKIPPED: northstar-bench was not built"
    echo "1 passed, 0 failed"
    exit 0
fi

if grep -q '^  micro ' "$work/help"; then
    check "the micro suites run" "$bench" micro --entries 1000 --rounds 1 --iterations 2 --dir "$work" --json "$work/micro.json"
    for name in open_close_empty read_page_random_hot read_page_random_cold commit_meta_fsync checksum_verify; do
        check "pager/$name" has "$work/micro.json" "pager/$name"
    done
    for name in build_sequential_insert_1m build_random_insert_1m point_get_hot_1m point_get_miss_1m point_get_cold_1m \
        point_put_update_10pct_hot/1 point_put_update_10pct_hot/10 point_put_update_10pct_hot/100 range_scan_1k_rows_hot \
        delete_10pct delete_range value_0 value_4k value_1m; do
        check "btree/$name" has "$work/micro.json" "btree/$name"
    done
    for name in snapshot_open_close readers_N_point_get_hot/threads:1 readers_N_point_get_hot/threads:4 \
        writer_commits_with_readers conflict_detection; do
        check "mvcc/$name" has "$work/micro.json" "mvcc/$name"
    done
    for name in append_commit_record encode decode chain_hash replay; do
        check "log/$name" has "$work/micro.json" "log/$name"
    done
    for name in open_snapshot_by_txn get_with_10_1k_100k_versions/10 get_with_10_1k_100k_versions/1000 \
        get_with_10_1k_100k_versions/100000 scan_as_of diff; do
        check "timetravel/$name" has "$work/micro.json" "timetravel/$name"
    done
    for name in feed/next care/backup care/compact care/prune care/redact; do
        check "$name" has "$work/micro.json" "$name"
    done
    check "results are equal to themselves" "$bench" compare "$work/micro.json" "$work/micro.json"
else
    echo "SKIPPED: northstar-bench was built without Google Benchmark"
    passed=$((passed + 1))
fi

check "the macro suites run" "$bench" macro --scale 0.005 --rounds 1 --data none --dir "$work" --json "$work/macro.json"
for name in task_queue_claims/threads/100 task_queue_claims/threads/1000 task_queue_claims/processes/100 \
    task_queue_claims/processes/1000 code_knowledge_graph/ingest code_knowledge_graph/query_mix agent_orchestration/steps \
    time_travel_replay/replay document_repo/search telemetry/ingest; do
    check "macro/$name" has "$work/macro.json" "macro/$name"
done
check "macro list names what ran" sh -c "'$bench' macro list | while read -r name; do
    grep -qF \"\\\"name\\\": \\\"\$name\\\"\" '$work/macro.json' || exit 1; done"

check "the scale suites run" "$bench" scale --entries 100,200,300 --limited-entries 100,200 --trees 1,2,3 --tables 1,2,3 --versions 1,2,3 \
    --snapshots 1,2,3 --threads 1,2 --processes 1,2 --rounds 1 --seconds 0.001 --dir "$work" --json "$work/scale.json" \
    --markdown "$work/SCALE.md" --svg "$work/scale.svg"
check "scale list names what ran" sh -c "'$bench' scale list | while read -r name; do
    grep -qF \"\\\"name\\\": \\\"\$name/\" '$work/scale.json' || exit 1; done"
check "the plot has a panel for each thing that grows" test "$(grep -c 'class="h"' "$work/scale.svg")" -eq 8

mkdir "$work/graphs"
awk 'BEGIN { for (i = 0; i < 500; ++i) print i, (i * 7 + 3) % 501 }' >"$work/graphs/ring.txt"
check "graphs are compared" "$bench" graphs --data "$work/graphs" --graphs ring --rounds 1 --dir "$work" \
    --json "$work/graphs.json"
check "what graphs say of themselves" grep -q '"graph": "ring"' "$work/graphs.json"
mkdir "$work/texts"
awk 'NF { print NR "\t" $0 }' spec/*.md >"$work/texts/specification_docs.tsv"
check "texts are compared" "$bench" texts --data "$work/texts" --sets specification --rounds 1 --questions 3 --dir "$work" \
    --json "$work/texts.json"
check "what texts say of themselves" grep -q '"subject": "northstar, positions"' "$work/texts.json"

if grep -q '^  sql ' "$work/help"; then
    check "SQL runs beside SQLite, and both give the same answers" "$bench" sql --rows 400 --scale 0.001 --rounds 1 \
        --seconds 0.002 --dir "$work" --json "$work/sql.json"
    for name in "B1 point select, prepared" "B4 bulk insert" "B8 group by strings" tpch/q01 tpch/q22 \
        "B10 TPC-C-lite, one session" "B11 as-of point read, depth 10" "B12 json, filter by a member"; do
        check "sql has $name" grep -qF "\"name\": \"$name\"" "$work/sql.json"
    done
else
    echo "SKIPPED: northstar-bench was built without SQLite"
    passed=$((passed + 1))
fi

"$tool" create "$work/own.db" >/dev/null
"$tool" put "$work/own.db" key value >/dev/null
check "northstar bench measures a given database" "$tool" bench "$work/own.db" --write-ops 20 --read-ops 20 --keyspace 10 \
    --read-miss-ratio 0.5 --json "$work/quick.json"
for name in quick/durable_write quick/lazy_write quick/read; do check "$name" has "$work/quick.json" "$name"; done
check "the database is as it was" test "$("$tool" get "$work/own.db" key) $("$tool" trees "$work/own.db" | wc -l)" = "value 1"
check "northstar bench measures a new database" sh -c "cd '$work' && '$tool' bench --write-ops 20 --read-ops 20 --keyspace 10"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
