#!/bin/sh
# Databases on a simulated disk that crashes.
set -eu
unset HARD_SEEDS
"$1/hard/crash_suite"
