#!/bin/sh
# The corpora of hostile inputs, and some changed ones; "make hard" tries more.
set -eu
HARD_SEEDS=150 "$1/hard/fuzz_suite"
