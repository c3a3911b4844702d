#!/bin/sh
# Calls of the file layer fail, a sample of them one after the other; "make hard" has every one fail.
set -eu
NORTHSTAR_NTH_CALL_EVERY=${NORTHSTAR_NTH_CALL_EVERY:-11} "$1/hard/nth_call_suite"
