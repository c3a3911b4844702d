#!/bin/sh
# A few recorded histories of several processes, one of them killed now and then; "make hard" records more.
set -eu
"$1/hard/isolation_suite" 5
