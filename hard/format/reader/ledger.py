"""The ledger of a generation: who owns which pages, the log's extents, history segments, the horizon."""

from typing import NamedTuple, Optional

from .cursor import Cursor
from .pages import LEDGER, RETENTION


class DeadRun(NamedTuple):
    first: int
    pages: int
    born: int
    died: int
    of_a_tree: bool


class SegmentPlace(NamedTuple):
    page: int
    size: int
    generation: int
    after: int
    last: int
    tier: int
    low_checksum: int


class ChainAnchor(NamedTuple):
    txn: int
    position: int
    chain: bytes


class KeptTrees(NamedTuple):
    """The trees of one generation, kept as a base."""
    generation: int
    txn: int
    time: int
    root: int
    entries: int


class Horizon(NamedTuple):
    txn: int
    time: int
    position: int
    epoch: int
    chain: bytes
    state_hash: Optional[bytes]


class Move(NamedTuple):
    """A move of the horizon that is under way."""
    base: KeptTrees
    horizon: Horizon
    pieces: list


class Ledger:
    def __init__(self, pages, meta):
        raw, self.own_pages = pages.run(meta.ledger_page, meta.ledger_bytes, LEDGER, meta.generation, "ledger",
                                        checksum=meta.ledger_checksum)
        cursor = Cursor(raw, "ledger")
        if cursor.varint() != 1:
            cursor.damage("version")
        self._read_map(Cursor(cursor.text(), "ledger, map"))
        self._read_directory(Cursor(cursor.text(), "ledger, extents"), meta.page_size)
        self.extent_generations = [cursor.varint() for _ in self.extents]
        self.segments = [_segment(cursor) for _ in range(cursor.varint())]
        self.anchors = []
        txn = position = 0
        for _ in range(cursor.varint()):
            txn, position = txn + cursor.varint(), position + cursor.varint()
            self.anchors.append(ChainAnchor(txn, position, cursor.take(32)))
        self._read_horizon(cursor)
        self.move = _move(cursor) if _flag(cursor) else None
        cursor.zeros()
        if self.file_pages != meta.file_pages:
            cursor.damage(f"a file of {self.file_pages} pages, the meta page says {meta.file_pages}")

    def _read_map(self, cursor):
        self.file_pages = cursor.varint()
        self.free, self.dead = [], []
        end = 2
        for _ in range(cursor.varint()):
            first = end + cursor.varint()
            pages = cursor.varint()
            end = first + pages
            self.free.append((first, pages))
        end = 2
        for _ in range(cursor.varint()):
            first = end + cursor.varint()
            pages, born, age = cursor.varint(), cursor.varint(), cursor.varint()
            end = first + pages
            self.dead.append(DeadRun(first, pages, born, born + (age >> 1), not age & 1))
        if cursor.left():
            cursor.damage("bytes left over")

    def _read_directory(self, cursor, page_size):
        self.extents = []
        end = 0
        for _ in range(cursor.varint()):
            position = end + cursor.varint() * 8
            page, pages = cursor.varint(), cursor.varint()
            if page < 2:
                cursor.damage(f"an extent on page {page}")
            end = position + pages * page_size
            self.extents.append((position, page, pages))
        if cursor.left():
            cursor.damage("bytes left over")

    def _read_horizon(self, cursor):
        txn = cursor.varint()
        self.versions_at_rewrite = cursor.varint()
        self.bases = [(cursor.varint(), cursor.varint(), cursor.varint()) for _ in range(cursor.varint())]
        self.tree_horizons = {cursor.varint(): cursor.varint() for _ in range(cursor.varint())}
        self.unhashed = cursor.varint()
        self.young_bases = [(_kept_trees(cursor), [cursor.varint() for _ in range(cursor.varint())])
                            for _ in range(cursor.varint())]
        self.horizon = _horizon(cursor, txn) if txn else None


def _flag(cursor):
    value = cursor.u8()
    if value > 1:
        cursor.damage("a flag that is neither 0 nor 1")
    return value == 1


def _segment(cursor):
    return SegmentPlace(cursor.varint(), cursor.varint(), cursor.varint(), cursor.varint(), cursor.varint(),
                        cursor.varint(), cursor.u64())


def _kept_trees(cursor):
    return KeptTrees(cursor.varint(), cursor.varint(), cursor.varint(), cursor.u64(), cursor.varint())


def _horizon(cursor, txn):
    return Horizon(txn, cursor.varint(), cursor.varint(), cursor.varint(), cursor.take(32),
                   cursor.take(32) if _flag(cursor) else None)


def _move(cursor):
    base = _kept_trees(cursor)
    if cursor.u8() >= len(RETENTION):
        cursor.damage("retention")
    cursor.varint()
    horizon = _horizon(cursor, cursor.varint())
    cursor.varint()
    if _flag(cursor):
        cursor.varint()
        cursor.take(8 * 4 + 64)
        _flag(cursor)
        cursor.text()
        _flag(cursor)
        cursor.text()
    if cursor.u8() > 2:
        cursor.damage("stage of the rewrite")
    cursor.varint()
    cursor.text()
    cursor.varint(), cursor.varint()
    cursor.varint()
    for _ in range(cursor.varint()):
        cursor.varint()
    return Move(base, horizon, [_segment(cursor) for _ in range(cursor.varint())])
