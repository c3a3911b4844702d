#!/bin/sh
# The quick part of "make amalgamation-check": header, macros, reproducibility, rules of the manifest.
exec sh amalgamation/test/check.sh quick "$1"
