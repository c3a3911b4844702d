#!/usr/bin/env python3
"""read_database.py DATABASE [--log] [--history] [--check] -- reads a Northstar file by the documents in spec/ alone.

Prints the newest state: what the file is, and every entry of every tree in order. --log adds every commit, --history
every state and every version of every key, --check prints only what is wrong. Exit code 0: whole; 2: the command line;
3: damaged, or not a database that this reader understands. Standard library only; the file is read as it lies there and
must not be written meanwhile.
"""

import sys

sys.dont_write_bytecode = True  # leave no files beside the sources

from reader.check import check
from reader.cursor import Damage
from reader.database import newest
from reader.dump import dump
from reader.pages import NotUnderstood, read_metas


def main(arguments):
    options = {argument for argument in arguments if argument.startswith("--")}
    paths = [argument for argument in arguments if not argument.startswith("--")]
    if len(paths) != 1 or options - {"--log", "--history", "--check"}:
        print(__doc__, file=sys.stderr)
        return 2
    with open(paths[0], "rb") as file:
        data = file.read()
    try:
        metas, problems = read_metas(data)
        if "--check" in options:
            check(data, metas, problems)
            for problem in problems:
                print(problem)
            return 3 if problems else 0
        lines = dump(newest(data, metas), "--log" in options, "--history" in options)
    except (Damage, NotUnderstood) as problem:
        print(f"{paths[0]}: {problem}", file=sys.stderr)
        return 3
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
