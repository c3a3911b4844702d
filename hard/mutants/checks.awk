# checks.awk -- which bugs did each check of the crash suite see, and which of them did no other see?  For seeds.sh.
# First the checks (name, pattern of what it says), then what the seeds said (bug, seed, text). A seed that failed
# counts for the check that ended it.
NR == FNR { name[++checks] = $1; pattern[checks] = $2; next }
{ ++seeds[$1] }
$3 == "" { next }
{
    for (check = 1; check <= checks && $3 !~ pattern[check]; ++check) {}
    if (check > checks) { print "unknown: " $0 > "/dev/stderr"; unknown = 1; next }
    ++failed[$1]
    ++by[$1, check]
}
END {
    print "| check | bugs it saw | bugs that it alone saw, with their seeds |"
    print "|---|---|---|"
    for (check = 1; check <= checks; ++check) {
        saw = 0
        alone = ""
        for (bug in failed) {
            if (!((bug, check) in by)) continue
            ++saw
            if (by[bug, check] == failed[bug]) {
                text = "`" bug "` " failed[bug] " of " seeds[bug]
                alone = alone == "" ? text : alone ", " text
            }
        }
        print "| " name[check] " | " saw " | " (alone == "" ? "-" : alone) " |"
    }
    exit unknown
}
