"""Reads Northstar database files, format version 1, by the documents in spec/ alone (see ../README.md)."""
