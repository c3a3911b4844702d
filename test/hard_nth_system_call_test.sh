#!/bin/sh
# System calls fail, a sample of them one after the other; "make hard" has every one fail.
set -eu
NORTHSTAR_NTH_CALL_EVERY=${NORTHSTAR_NTH_CALL_EVERY:-37} "$1/hard/nth_system_call_suite"
