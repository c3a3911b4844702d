#!/bin/sh
# The quick part of "make amalgamation-check": header, macros, reproducibility, rules of the manifest.
# [ONE-2] [ONE-5]
exec sh amalgamation/test/check.sh quick "$1"
