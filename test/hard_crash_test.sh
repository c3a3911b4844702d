#!/bin/sh
# Databases on a simulated disk that crashes, and real processes that are killed.
set -eu
unset HARD_SEEDS
"$1/hard/crash_suite"
"$1/hard/kill_suite"
