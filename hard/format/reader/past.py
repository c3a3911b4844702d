"""The past, from history segments, the retained base, young bases and the log: every version, every state."""

from . import records
from .checksums import crc32c
from .cursor import Cursor, Damage
from .database import Catalog, Entry, state_hash
from .pages import NOTHING
from .segments import ERASED, INLINED, LOGGED, Range, Segment

CATALOG = 0  # the tree of the names of trees
PUT, ERASE, REDACTED, RANGE = "put", "erase", "redacted", "erased with a range"


class Past:
    """versions: tree -> key -> [(txn, kind, value)] newest first; ranges: range deletions of all trees."""

    def __init__(self, database):
        self.database = database
        self.segments = [Segment(database.pages, place) for place in database.ledger.segments]
        self.versions, self.ranges, self.bases = {}, [], {}
        self._ignored = {}  # tree -> what segments say up to this txn counts for nothing
        self.base_pages = []
        self._take_bases()
        self._gather()

    def _take_bases(self):
        """Which trees of which generation say what was there before the versions that are kept."""
        database, meta = self.database, self.database.meta
        there = Catalog(database.pages, meta.catalog_root, meta.catalog_entries, meta.generation, "its generation")
        kept_there = meta.history_kind != NOTHING or any(
            tree.own_history and tree.history[0] != NOTHING for tree in there.trees.values())
        names = there.trees.values() if not kept_there else []
        if not kept_there:
            self._ignored[CATALOG] = meta.txn
        if meta.base_txn:
            base = Catalog(database.pages, meta.base_root, meta.base_entries, meta.generation, "the retained base")
            self.base_pages += base.pages
            self.bases.update((number, tree.entries) for number, tree in base.trees.items())
            names = base.trees.values() if kept_there else names
        for kept, numbers in database.ledger.young_bases:
            young = Catalog(database.pages, kept.root, kept.entries, kept.generation, "a young base")
            self.base_pages += young.pages
            for number in numbers:
                self.bases[number] = young.trees[number].entries if number in young.trees else {}
                self._ignored[number] = kept.txn
        for number, tree in there.trees.items():
            history = tree.history if tree.own_history else (meta.history_kind, meta.history_amount)
            if history[0] == NOTHING:
                self.bases[number] = tree.entries
                self._ignored[number] = meta.txn
        self.base_names = {tree.name: tree for tree in names}

    def _gather(self):
        for segment in self.segments:
            for version in segment.versions:
                if version.txn > self._ignored.get(version.tree, 0):
                    self._add(version.tree, version.key, version.txn, *self._resolve(version))
            self.ranges += [found for found in segment.ranges if found.txn > self._ignored.get(found.tree, 0)]
        for commit in self._unsealed():
            for key, (kind, value) in self._changes(commit).items():
                if commit.txn > self._ignored.get(key[0], 0):
                    self._add(*key, commit.txn, kind, value)
        for tree in self.versions.values():
            for versions in tree.values():
                versions.sort(key=lambda version: -version[0])
                if any(a[0] == b[0] for a, b in zip(versions, versions[1:])):
                    raise Damage("history: two versions of one key and transaction")
        self.ranges.sort(key=Range.place)

    def _add(self, tree, key, txn, kind, value):
        self.versions.setdefault(tree, {}).setdefault(key, []).append((txn, kind, value))

    def _resolve(self, version):
        """(kind, value) of a version in a segment; the log is asked for what it says today."""
        if version.kind == ERASED:
            return ERASE, None
        if version.kind == INLINED:
            return PUT, version.value
        if version.kind != LOGGED:
            return REDACTED, b""
        log = self.database.log
        what = f"log position {version.position}, which a history segment names"
        head = Cursor(log.bytes_at(version.position, 1 + 10 + 10 + 10), what)
        kind, tree, key_length, value_length = head.u8(), head.varint(), head.varint(), head.varint()
        body = log.bytes_at(version.position + head.offset, key_length + value_length)
        key, value = body[:key_length], body[key_length:]
        if kind & 15 != records.PUT or (tree, key, value_length) != (version.tree, version.key, version.length):
            raise Damage(f"{what}: not the put that it means")
        if kind & records.VALUE_REDACTED:
            return REDACTED, b""
        if crc32c(value) != version.checksum:
            raise Damage(f"{what}: checksum of the value")
        return PUT, value

    def _unsealed(self):
        meta = self.database.meta
        if meta.sealed_txn >= meta.txn:
            return self.database.behind
        log = self.database.log
        return self.database.commits_from(meta.sealed_position, *log.reading_at(meta.sealed_position))

    def _changes(self, commit):
        """(tree, key) -> what the transaction did to it; range deletions go to self.ranges.

        Parts count as the one record that they would be: nothing is left of a tree that a later part drops.
        """
        changes, ranges = {}, []
        for _, op in commit.operations():
            if op.kind == records.PUT:
                changes[op.tree, op.key] = (REDACTED, b"") if op.redacted else (PUT, op.value)
            elif op.kind == records.ERASE:
                changes[op.tree, op.key] = ERASE, None
            elif op.kind == records.ERASE_RANGE:
                found = Range(op.tree, op.key, op.value, commit.txn)
                for place in [place for place in changes if found.covers(*place)]:
                    del changes[place]
                ranges.append(found)
            elif op.kind in (records.CREATE_TREE, records.SET_HISTORY):
                changes[CATALOG, op.key] = PUT, _varint(op.tree) + op.value
            elif op.kind == records.DROP_TREE:
                changes = {place: change for place, change in changes.items() if place[0] != op.tree}
                ranges = [found for found in ranges if found.tree != op.tree]
                changes[CATALOG, op.key] = ERASE, None
        self.ranges += ranges
        return changes

    def forget(self, values):
        """{(tree, key, txn)}: they count as redacted from here on."""
        for tree, key, txn in values:
            versions = self.versions.get(tree, {}).get(key, [])
            versions[:] = [(when, REDACTED, b"") if when == txn and kind == PUT else (when, kind, value)
                           for when, kind, value in versions]
            entry = self.bases.get(tree, {}).get(key)
            if entry and entry.txn == txn:
                self.bases[tree][key] = Entry(txn, b"")

    def horizon_of(self, tree):
        """The oldest txn that the tree can be read at."""
        database = self.database
        if database.history_of(tree)[0] == NOTHING:
            return database.txn
        return max(database.oldest, database.ledger.tree_horizons.get(tree, 0), database.catalog.horizon(tree))

    def is_readable(self, tree, txn):
        return txn >= self.database.txn or txn >= self.horizon_of(tree)

    def names_at(self, txn):
        """name -> number of the trees that existed."""
        found = {}
        for name in set(self.versions.get(CATALOG, {})) | set(self.base_names) | set(self.database.catalog.names):
            number = self._number_at(name, txn)
            if name and number is not None:
                found[name] = number
        return found

    def _number_at(self, name, txn):
        catalog = self.database.catalog
        present = catalog.names.get(name)
        if present is not None and catalog.trees[present].made <= txn:
            return present
        for when, kind, value in self.versions.get(CATALOG, {}).get(name, []):
            if when <= txn:
                return Cursor(value, f"history of tree {name!r}").varint() if kind == PUT else None
        base = self.base_names.get(name)
        return base.number if base and base.made <= txn else None

    def tree_at(self, number, txn):
        """key -> value of one tree at one txn."""
        present = self.database.catalog.trees[number].entries if number in self.database.catalog.trees else {}
        found = {}
        for key in self.keys_of(number):
            if key in present and present[key].txn <= txn:
                found[key] = present[key].value
            elif version := self._last_at(number, key, txn, {}):
                found[key] = version[2]
        return found

    def keys_of(self, number):
        """Every key that anything is known of."""
        trees = self.database.catalog.trees
        present = trees[number].entries if number in trees else {}
        return set(present) | set(self.versions.get(number, {})) | set(self.bases.get(number, {}))

    def _last_at(self, number, key, txn, present):
        """(txn, kind, value) of the version that a key had; None: it was not there."""
        deleted = max((found.txn for found in self.ranges if found.txn <= txn and found.covers(number, key)), default=0)
        base = self.bases.get(number, {})
        for when, kind, value in self.versions.get(number, {}).get(key, []):
            if when <= txn:
                return None if kind == ERASE or deleted > when else (when, kind, value)
        for entries in (present, base):
            if key in entries and entries[key].txn <= txn:
                return None if deleted > entries[key].txn else (entries[key].txn, PUT, entries[key].value)
        return None

    def history_of(self, number, key):
        """[(txn, kind, value)] newest first: what happened to the key behind the horizon of its tree, and last what it
        had there, if the tree existed. A range deletion counts where the key was there before it."""
        horizon = self.horizon_of(number)
        present = self.database.catalog.trees[number].entries if number in self.database.catalog.trees else {}
        if self.database.history_of(number)[0] == NOTHING and number not in self.database.catalog.trees:
            return []
        there = self._number_at(self.database.catalog.name_of(number), horizon) == number
        last = self._last_at(number, key, horizon, present) if there else None
        versions = {version[0]: version for version in self.versions.get(number, {}).get(key, [])
                    if version[0] > horizon}
        # A key that a transaction names is not touched by its range deletions.
        ranges = {found.txn: (found.txn, RANGE, None) for found in self.ranges
                  if found.txn > horizon and found.covers(number, key)}
        events = [event for _, event in sorted({**ranges, **versions}.items())]
        found = [last] if last else []
        there = last is not None
        for event in events:
            if event[1] != RANGE or there:
                found.append(event)
            there = event[1] in (PUT, REDACTED)
        return found[::-1]

    def state_hash_at(self, txn):
        """None where not every tree can be read."""
        if txn < self.database.oldest:
            return None
        names = self.names_at(txn)
        if not all(self.is_readable(number, txn) for number in names.values()):
            return None
        return state_hash({name: self.tree_at(number, txn) for name, number in names.items()})


def _varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)
