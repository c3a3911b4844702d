#!/usr/bin/env python3
"""flip_bits.py DATABASE SEED COUNT -- flips single bits of a closed database and looks what the reader makes of it.

Bits are taken from each part of the file in turn: meta pages, ledger, nodes, runs, records of the log, free and dead
space. In all parts that the newest generation or its log needs every flipped bit must be reported by --check; elsewhere
it may be, and if it is not, the whole text of the database must be what it was. Without either of the meta pages it
must be that too. Prints how many flips of each part were reported; exit code 0: all as it should be, 1: not, with the
byte and bit.
"""

import random
import sys

sys.dont_write_bytecode = True  # leave no files beside the sources

from reader.check import check
from reader.database import Database, newest
from reader.dump import dump
from reader.pages import META_SIZE, NotUnderstood, read_metas
from reader.past import Past


def problems_of(data):
    try:
        metas, problems = read_metas(data)
        check(data, metas, problems)
    except NotUnderstood as problem:
        return [str(problem)]
    return problems


def text_of(data):
    metas, _ = read_metas(data)
    return dump(newest(data, metas))


def parts_of(data):
    """name -> [(first byte, bytes)]; those that must be reported have names in capitals."""
    metas, _ = read_metas(data)
    database = Database(data, metas[0])
    past = Past(database)
    size = database.pages.size
    parts = {"META PAGE": [(meta.generation % 2 * size, META_SIZE) for meta in metas], "LEDGER": [], "NODE": [],
             "LARGE VALUE": [], "HISTORY SEGMENT": [], "LOG RECORD": [], "free space": [], "dead space": []}
    parts["LEDGER"].append((database.meta.ledger_page * size, database.ledger.own_pages * size))
    for first, pages, whose in database.catalog.pages:
        parts["LARGE VALUE" if whose.startswith("large") else "NODE"].append((first * size, pages * size))
    for segment in past.segments:
        parts["HISTORY SEGMENT"].append((segment.place.page * size, segment.own_pages * size))
    for commit in database.commits():
        for record in commit.records + commit.others:
            parts["LOG RECORD"].append((database.log.offset_in_file(record.position), record.length))
    for first, pages in database.ledger.free:
        parts["free space"].append((first * size, pages * size))
    for dead in database.ledger.dead:
        parts["dead space"].append((dead.first * size, dead.pages * size))
    return {name: places for name, places in parts.items() if places}


def main(arguments):
    path, seed, count = arguments[0], int(arguments[1]), int(arguments[2])
    with open(path, "rb") as file:
        whole = file.read()
    if problems := problems_of(whole):
        print(f"{path} is not whole: {problems}")
        return 1
    text = text_of(whole)
    parts = parts_of(whole)
    dice = random.Random(seed)
    reported = {name: [0, 0] for name in parts}
    for number in range(count):
        name = list(parts)[number % len(parts)]
        first, size = dice.choice(parts[name])
        at, bit = first + dice.randrange(size), dice.randrange(8)
        data = whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1:]
        problems = problems_of(data)
        reported[name][0] += bool(problems)
        reported[name][1] += 1
        where = f"bit {bit} of byte {at} ({name}) flipped, seed {seed}"
        if not problems and name.isupper():
            print(f"{where}: not reported")
            return 1
        if (not problems or name == "META PAGE") and text_of(data) != text:
            print(f"{where}: another database")
            return 1
    counts = (f"{name.lower()} {found} of {tried}" for name, (found, tried) in reported.items())
    print(f"seed {seed}: " + ", ".join(counts))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
