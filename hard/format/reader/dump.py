"""The canonical text of a database. hard/format/text_of.hpp writes the same through the engine."""

import hashlib

from . import records
from .check import states
from .pages import RETENTION
from .past import PUT, REDACTED, Past

_SHOWN = 64  # longer texts are shown by length and hash


def quote(text):
    if len(text) > _SHOWN:
        return f"{len(text)} bytes sha256 {hashlib.sha256(text).hexdigest()}"
    return '"' + "".join(chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\x{byte:02x}"
                         for byte in text) + '"'


def dump(database, log=True, history=True):
    """The lines of all of it, or without the commits, or without states and versions of the past."""
    lines = [*dump_head(database), *dump_trees(database)]
    past = database.oldest != database.txn
    if log and past:
        lines += dump_log(database)
    if history and past:
        lines += dump_history(database, Past(database))
    return lines


def dump_head(database):
    meta = database.meta
    yield f"uuid {meta.uuid.hex()}"
    yield f"page_size {meta.page_size}"
    yield f"txn {database.txn}"
    yield f"oldest {database.oldest}"
    yield f"time {database.time}"
    yield f"chain {database.chain.hex()}"
    yield f"state {database.catalog.state_hash().hex()}"
    yield f"history {_retention(database.history)}"


def dump_trees(database):
    for name, number in sorted(database.catalog.names.items()):
        tree = database.catalog.trees[number]
        yield f"tree {quote(name)} entries {len(tree.entries)}"
        for key, entry in sorted(tree.entries.items()):
            yield f"  {quote(key)} = {quote(entry.value)} of {entry.txn}"


def dump_log(database):
    names = {}  # of trees that were made on the way: of one that its own transaction dropped nobody else knows it
    for commit in database.commits():
        names.update((op.tree, op.key) for _, op in commit.operations() if op.kind == records.CREATE_TREE)
        if commit.txn < database.oldest:
            continue
        if commit.txn == database.txn:
            commit.chain = database.chain
        yield f"commit {commit.txn} time {commit.time} chain {commit.chain.hex()}"
        for key, value in commit.record.notes:
            yield f"  annotation {quote(key)} = {quote(value)}"
        for _, op in commit.operations():
            if op.kind != records.PRUNE:
                name = names[op.tree] if op.tree in names else database.catalog.name_of(op.tree) if op.tree else None
                yield f"  {_operation(op, name)}"


def dump_history(database, past):
    for txn, found in states(database, past):
        yield f"state {txn} {found.hex() if found else 'before the horizon of a tree'}"
    catalog = database.catalog
    numbers = {}  # name -> trees that ever had it, newest first
    for number in sorted({*catalog.trees, *catalog.dropped}, reverse=True):
        numbers.setdefault(catalog.name_of(number), []).append(number)
    keys = sorted(_keys(database, past))
    for name in sorted(numbers):
        for key in keys:
            versions = [version for number in numbers[name] for version in past.history_of(number, key)]
            if versions:
                yield f"history {quote(name)} {quote(key)}"
                for txn, kind, value in versions:
                    shown = f"= {quote(value)}" if kind == PUT else "redacted" if kind == REDACTED else "erased"
                    yield f"  {txn} {shown}"


def _keys(database, past):
    """Every key that some readable state shows or some commit names."""
    found = {op.key for commit in database.commits() if commit.txn >= database.oldest for _, op in commit.operations()
             if op.kind in (records.PUT, records.ERASE)}
    for txn in range(database.oldest, database.txn + 1):
        for number in past.names_at(txn).values():
            if past.is_readable(number, txn):
                found.update(past.tree_at(number, txn))
    return found


def _operation(op, name):
    name = quote(name) if name is not None else ""
    if op.kind == records.PUT:
        return f"put {name} {quote(op.key)} {'redacted' if op.redacted else quote(op.value)}"
    if op.kind == records.ERASE:
        return f"erase {name} {quote(op.key)}"
    if op.kind == records.ERASE_RANGE:
        return f"erase_range {name} {quote(op.key)} {'end' if op.value is None else quote(op.value)}"
    if op.kind == records.CREATE_TREE:
        return f"create_tree {quote(op.key)}"
    if op.kind == records.DROP_TREE:
        return f"drop_tree {quote(op.key)}"
    if op.kind == records.SET_HISTORY:
        return f"set_history {quote(op.key)}"
    return f"redact {name} {quote(op.key)} of {records.redaction(op.value, 'redact').txn}"


def _retention(history):
    kind, amount = history
    return f"{RETENTION[kind]} {amount}" if kind >= 2 else RETENTION[kind]
