"""A database as one of its generations and the log behind it show it: trees, what the catalog knows, all commits."""

import hashlib
from typing import NamedTuple, Optional

from . import records
from .cursor import Cursor, Damage
from .ledger import Ledger
from .log import NO_CHAIN, Log, follow_chain
from .nodes import Entry, Tree
from .pages import NOTHING, RETENTION, Pages
from .unfinished import restate


class NamedTree:
    """One tree: who it is, and its entries in no particular order of keys."""

    def __init__(self, number, name, own_history, history, made, entries):
        self.number = number
        self.name = name
        self.own_history = own_history  # whether it has a retention of its own
        self.history = history  # (kind, amount)
        self.made = made
        self.entries = entries


class Redacted(NamedTuple):
    original: bytes
    remaining: bytes
    newest: int


class TreeHorizon(NamedTuple):
    txn: int
    state_hash: Optional[bytes]


class Catalog:
    """Everything the catalog of one generation says; also changed by replay."""

    def __init__(self, pages, root, entries, generation, what):
        self.pages = []
        self.trees = {}  # number -> NamedTree
        self.names = {}  # name -> number
        self.dropped = {}  # number -> name
        self.redacted = {}  # (txn, part) -> Redacted
        self.horizons = {}  # number, 0: all -> TreeHorizon
        tree = Tree(pages, root, generation, True, f"catalog of {what}")
        self.pages += tree.pages
        if len(tree.entries) != entries:
            raise Damage(f"catalog of {what}: {len(tree.entries)} entries, its owner says {entries}")
        for key, entry in tree.entries.items():
            self._take_in(pages, key, entry.value, generation, what)
        if self.names != {tree.name: number for number, tree in self.trees.items()}:
            raise Damage(f"catalog of {what}: names and numbers of trees do not fit")

    def _take_in(self, pages, key, value, generation, what):
        what = f"catalog of {what}, {key!r}"
        text, value = Cursor(key, what), Cursor(value, what)
        letter = text.take(1)
        root = value.u64()
        if letter == b"i":
            number = _big_endian(text, 8)
            count = value.u64()
            if value.u64() != number:
                value.damage("number of the tree")
            own, kind, amount, made = value.u8(), value.u8(), value.u64(), value.u64()
            name = value.take(value.left())
            if own > 1 or kind >= len(RETENTION):
                value.damage("retention")
            tree = Tree(pages, root, generation, False, f"tree {number}")
            self.pages += tree.pages
            if len(tree.entries) != count:
                value.damage(f"{len(tree.entries)} entries, not {count}")
            self.trees[number] = NamedTree(number, name, own == 1, (kind, amount), made, tree.entries)
        elif letter == b"n":
            self.names[text.take(text.left())] = value.u64()
        elif letter == b"d":
            self.dropped[_big_endian(text, 8)] = value.take(value.left())
        elif letter == b"r":
            txn, part = _big_endian(text, 8), _big_endian(text, 4)
            self.redacted[txn, part] = Redacted(value.take(32), value.take(32), value.u64())
        elif letter == b"h":
            self.horizons[_big_endian(text, 8)] = TreeHorizon(value.u64(), value.take(32) if value.left() else None)
        else:
            text.damage("an entry of unknown kind")
        if letter != b"i" and root or text.left() or value.left():
            text.damage("bytes left over")

    def horizon(self, number):
        return self.horizons[number].txn if number in self.horizons else 0

    def raise_horizon(self, number, txn, state_hash_there=None):
        if self.horizon(number) < txn:
            self.horizons[number] = TreeHorizon(txn, state_hash_there)

    def name_of(self, number):
        if number in self.trees:
            return self.trees[number].name
        if number in self.dropped:
            return self.dropped[number]
        raise Damage(f"tree {number}: not known to the catalog")

    def facts(self):
        """What the catalog knows beside the entries of trees."""
        trees = {(tree.number, tree.name, tree.own_history, tree.history, tree.made) for tree in self.trees.values()}
        return trees, self.dropped, self.redacted, self.horizons

    def state_hash(self):
        return state_hash({name: {key: entry.value for key, entry in self.trees[number].entries.items()}
                           for name, number in self.names.items()})


class Database:
    """One generation, and everything its log says behind it."""

    def __init__(self, data, meta):
        self.meta = meta
        self.pages = Pages(data, meta)
        self.ledger = Ledger(self.pages, meta)
        what = f"generation {meta.generation}"
        self.catalog = Catalog(self.pages, meta.catalog_root, meta.catalog_entries, meta.generation, what)
        self.history = (meta.history_kind, meta.history_amount)
        self.txn, self.time = meta.txn, meta.time
        self._kept_there = self.keeps_history()
        self.log = Log(self.pages, meta.uuid, meta.log_align, self.ledger.extents, meta.log_position)
        if meta.redaction_txn:
            horizon = self.ledger.horizon
            begin = horizon.position if horizon and horizon.position else meta.oldest_position
            restate(self.log, begin, meta.redaction_position, meta.log_position)
        self.behind = list(self.log.commits(meta.log_position, meta.log_epoch, meta.txn))
        self.log.check_end(meta.log_position)
        for commit in self.behind:
            self._replay(commit)
        follow_chain(self.behind, meta.chain, self.digests_before_redaction())
        self.chain = self.behind[-1].chain if self.behind else meta.chain

    @property
    def oldest(self):
        """The oldest txn whose state can be read."""
        if not self.keeps_history():
            return self.txn
        horizon = self.ledger.horizon
        return max(horizon.txn if horizon else 0, self.catalog.horizon(0))

    def history_of(self, number):
        """Retention of a tree; of one that was dropped that of the database."""
        tree = self.catalog.trees.get(number)
        return tree.history if tree and tree.own_history else self.history

    def keeps_history(self):
        return self.history[0] != NOTHING or any(self.history_of(number)[0] != NOTHING for number in self.catalog.trees)

    def digests_before_redaction(self):
        return {place: redacted.original for place, redacted in self.catalog.redacted.items()}

    def erasing(self):
        """{(tree, key, txn)}: values that redactions name which nobody finished, or may have finished unsaid."""
        meta, found = self.meta, self.behind
        if meta.redaction_txn:
            found = self.commits_from(meta.redaction_position, *self.log.reading_at(meta.redaction_position))
        return {(op.tree, op.key, records.redaction(op.value, record.what).txn)
                for commit in found for record, op in commit.operations() if op.kind == records.REDACT}

    def commits(self):
        """Every commit that the log still has, from the horizon on; with chain hashes as far as they can be known."""
        meta, horizon = self.meta, self.ledger.horizon
        known = {anchor.txn: anchor.chain for anchor in self.ledger.anchors}
        known.update({0: NO_CHAIN, meta.txn: meta.chain})
        if horizon:
            known[horizon.txn] = horizon.chain
        if horizon and horizon.position:
            found = self.commits_from(horizon.position, horizon.epoch, horizon.txn - 1)
        elif self._kept_there and meta.txn > (horizon.txn if horizon else 0) or self.log.begins_at(meta.oldest_position):
            found = self.commits_from(meta.oldest_position, *self.log.reading_at(meta.oldest_position))
        else:
            found = self.behind
        redacted = self.digests_before_redaction()
        if found and found[0].txn - 1 in known:
            follow_chain(found, known[found[0].txn - 1], redacted)
            return found
        for place, commit in enumerate(found, 1):
            if commit.txn in known:
                commit.chain = known[commit.txn]
                follow_chain(found[place:], commit.chain, redacted)
                break
        return found

    def commits_from(self, position, epoch, txn):
        """All of them, to the newest."""
        found = list(self.log.commits(position, epoch, txn))
        if self.log.end_txn != self.txn:
            raise Damage(f"log position {self.log.end_position}: damaged; txn {self.log.end_txn} is the last before "
                         f"it, but txn {self.txn} is the newest")
        return found

    def _replay(self, commit):
        for record, op in commit.operations():
            self._apply(op, commit.txn, record.what)
        self.txn, self.time = commit.txn, commit.time

    def _apply(self, op, txn, what):
        catalog = self.catalog
        if op.kind in (records.PUT, records.ERASE, records.ERASE_RANGE):
            if op.tree not in catalog.trees:
                raise Damage(f"{what}: writes into tree {op.tree}, which does not exist")
            entries = catalog.trees[op.tree].entries
            if op.kind == records.PUT:
                entries[op.key] = Entry(txn, b"" if op.redacted else op.value)
            elif op.kind == records.ERASE:
                entries.pop(op.key, None)
            else:
                for key in [key for key in entries if key >= op.key and (op.value is None or key < op.value)]:
                    del entries[key]
        elif op.kind == records.CREATE_TREE:
            if op.tree in catalog.trees or op.key in catalog.names:
                raise Damage(f"{what}: makes tree {op.tree}, which exists")
            history = records.retention(op.value, what)
            catalog.trees[op.tree] = NamedTree(op.tree, op.key, history != self.history, history, txn, {})
            catalog.names[op.key] = op.tree
        elif op.kind == records.DROP_TREE:
            self._drop_tree(op, txn, what)
        elif op.kind == records.SET_HISTORY:
            self._set_history(op, txn, what)
        elif op.kind == records.REDACT:
            found = records.redaction(op.value, what)
            if found.txn <= catalog.horizon(0):
                catalog.horizons[0] = TreeHorizon(catalog.horizon(0), None)
            if found.position:
                catalog.redacted[found.txn, found.part] = Redacted(found.original, found.remaining, txn)
        else:
            found = records.horizon(op.value, what)
            catalog.raise_horizon(0, found.txn, found.state_hash)

    def _drop_tree(self, op, txn, what):
        catalog = self.catalog
        if catalog.names.pop(op.key, None) != op.tree:
            raise Damage(f"{what}: drops tree {op.tree}, which does not exist")
        history = self.history_of(op.tree)
        if catalog.trees.pop(op.tree).made == txn:
            return
        catalog.dropped[op.tree] = op.key
        if NOTHING in (history[0], self.history[0]):
            catalog.raise_horizon(op.tree, txn)

    def _set_history(self, op, txn, what):
        """Where history is turned on, the past begins with this state."""
        catalog = self.catalog
        history = records.retention(op.value, what)
        if op.tree and op.tree not in catalog.trees:
            raise Damage(f"{what}: sets the retention of tree {op.tree}, which does not exist")
        before = self.history_of(op.tree) if op.tree else self.history
        if before[0] == NOTHING and history[0] != NOTHING:
            if not self.keeps_history():
                catalog.raise_horizon(0, txn)
            followers = [number for number, tree in catalog.trees.items() if not tree.own_history]
            for number in [op.tree] if op.tree else followers + list(catalog.dropped):
                if number in catalog.dropped or catalog.trees[number].made != txn:
                    catalog.raise_horizon(number, txn)
        if op.tree:
            catalog.trees[op.tree].own_history, catalog.trees[op.tree].history = True, history
        else:
            self.history = history


def newest(data, metas):
    """The database by the newer generation, or by the older one and its log where that is damaged."""
    damage = None
    for meta in metas:
        try:
            return Database(data, meta)
        except Damage as found:
            damage = damage or found
    raise damage


def state_hash(state):
    """As file_format.md says. state: name -> key -> value."""
    sha = hashlib.sha256()
    for name, entries in sorted(state.items()):
        sha.update(b"T" + _u64(len(name)) + name)
        for key, value in sorted(entries.items()):
            sha.update(b"E" + _u64(len(key)) + _u64(len(value)) + key + value)
    return sha.digest()


def _u64(number):
    return number.to_bytes(8, "little")


def _big_endian(cursor, size):
    return int.from_bytes(cursor.take(size), "big")
