#!/bin/sh
# Databases on a simulated disk that crashes: [DUR-1] [DUR-3] [DUR-5] [DUR-7] [DUR-8] [DUR-10] [DUR-11] [SWARM-2].
set -eu
unset HARD_SEEDS
"$1/hard/crash_suite"
