#!/bin/sh
# Every call of the file layer fails in turn.
set -eu
"$1/hard/nth_call_suite"
