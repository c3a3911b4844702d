#!/bin/sh
# Allocations fail, a sample of them one after the other; "make hard" has every one fail.
set -eu
NORTHSTAR_NTH_ALLOCATION_EVERY=${NORTHSTAR_NTH_ALLOCATION_EVERY:-97} "$1/hard/nth_allocation_suite"
