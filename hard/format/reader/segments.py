"""History segments: every version, range deletion and anchor, and every rule of history_format.md on the way."""

from typing import NamedTuple, Optional

from .checksums import xxh64
from .cursor import Cursor, Damage
from .pages import SEGMENT

ERASED, LOGGED, INLINED, REDACTED = 0, 1, 2, 3
_CHUNK = 4096
_NONE = 0xFFFFFFFF
_GOLDEN = 0x9E3779B97F4A7C15


class Version(NamedTuple):
    tree: int
    key: bytes
    txn: int
    kind: int
    position: int  # logged: of the operation
    length: int
    checksum: int
    value: Optional[bytes]  # inlined

    def place(self):
        """What versions ascend by."""
        return self.tree, self.key, -self.txn


class Range(NamedTuple):
    tree: int
    start: bytes
    end: Optional[bytes]  # None: to the end
    txn: int

    def place(self):
        return self.tree, self.start, -self.txn

    def reach(self):
        return self.tree, self.end is None, self.end or b""

    def covers(self, tree, key):
        return tree == self.tree and key >= self.start and (self.end is None or key < self.end)


class _Guide(NamedTuple):
    tree: int
    shared: bytes
    head: bytes
    bound: int
    child: int
    whole_key: bool

    def stands_for(self, separator):
        tree, key, bound, child = separator
        return ((tree, bound, child) == (self.tree, self.bound, self.child) and key.startswith(self.shared)
                and (key + bytes(8))[len(self.shared):len(self.shared) + 8] == self.head
                and (not self.whole_key or key == self.shared))


class Segment:
    def __init__(self, pages, place):
        self.place = place
        self.what = f"history segment at page {place.page}"
        self._raw, self.own_pages = pages.run(place.page, place.size, SEGMENT, place.generation, self.what,
                                              low_checksum=place.low_checksum)
        self._read_header()
        self._read_directory()
        self.versions, self.ranges = [], []
        first_places = self._read_versions()
        self._check_separators(first_places)
        self._read_ranges()
        self._check_filter()
        self._read_anchors()

    def damage(self, text):
        raise Damage(f"{self.what}: {text}")

    def _read_header(self):
        raw = self._raw
        cursor = Cursor(raw, self.what, 0, min(256, len(raw)))
        if cursor.u64() != xxh64(raw[8:256]) or cursor.take(8) != b"NShist01":
            self.damage("header")
        size = cursor.u64()
        self.after, self.last, self.first_time, self.last_time = (cursor.u64() for _ in range(4))
        self.first_position, self.end_position, self._base_position = (cursor.u64() for _ in range(3))
        self.key_count, self._version_count, self._range_count = (cursor.u64() for _ in range(3))
        self._block_bytes, self.horizon = cursor.u64(), cursor.u64()
        self._blocks, self._version_blocks, self._version_root, self._range_root = (cursor.u32() for _ in range(4))
        self._lines, self._anchor_count = cursor.u32(), cursor.u32()
        cursor.zeros()
        if (size, self.after, self.last) != (len(raw), self.place.after, self.place.last):
            self.damage("the ledger says something else about it")
        self._directory_at = 256 + self._block_bytes
        self._filter_at = self._directory_at + _chunks(self._blocks, 170) * _CHUNK
        self._anchors_at = self._filter_at + _chunks(self._lines, 63) * _CHUNK
        if self._anchors_at + _chunks(self._anchor_count, 127) * _CHUNK != len(raw):
            self.damage("its parts do not add up to its size")

    def _chunk(self, at, index, kind):
        raw = self._raw[at + index * _CHUNK:at + (index + 1) * _CHUNK]
        if int.from_bytes(raw[:8], "little") != xxh64(raw[8:], kind << 56 | index):
            self.damage(f"checksum of chunk {index} of kind {kind}")
        return raw

    def _chunked(self, at, count, per_chunk, size, kind, first=8):
        """The bytes of `count` entries in order; what is behind the last one is zero."""
        for index in range(_chunks(count, per_chunk)):
            cursor = Cursor(self._chunk(at, index, kind), f"{self.what}, chunk {index} of kind {kind}", first)
            for _ in range(min(per_chunk, count - index * per_chunk)):
                yield cursor.take(size)
            cursor.zeros()

    def _read_directory(self):
        self._block = []
        offset = 256
        for ordinal, entry in enumerate(self._chunked(self._directory_at, self._blocks, 170, 24, 1)):
            at, length, checksum = (int.from_bytes(entry[i:i + 8], "little") for i in (0, 8, 16))
            raw = self._raw[at:at + length]
            if at != offset or at + length > self._directory_at or xxh64(raw, ordinal) != checksum:
                self.damage(f"block {ordinal}")
            offset += length
            self._block.append(raw)
        if offset != self._directory_at:
            self.damage("blocks leave a gap")

    def _open(self, ordinal, kind):
        if ordinal >= len(self._block):
            self.damage(f"block {ordinal} does not exist")
        cursor = Cursor(self._block[ordinal], f"{self.what}, block {ordinal}")
        if cursor.u8() != kind:
            cursor.damage("kind")
        return cursor

    # ---- versions

    def _read_versions(self):
        places = []
        for ordinal in range(self._version_blocks):
            first = len(self.versions)
            self._read_version_block(ordinal)
            if len(self.versions) == first:
                self.damage(f"block {ordinal} is empty")
            places.append((self.versions[first].place(), self.versions[-1].place()))
        if any(a.place() >= b.place() for a, b in zip(self.versions, self.versions[1:])):
            self.damage("versions out of order")
        if (len(self.versions) != self._version_count
                or len({(version.tree, version.key) for version in self.versions}) != self.key_count):
            self.damage("number of versions or keys")
        return places

    def _read_version_block(self, ordinal):
        cursor = self._open(ordinal, 1)
        restarts = [cursor.u32() for _ in range(cursor.u32())]
        tree = cursor.varint()
        key = b""
        found = []
        while cursor.left():
            at = cursor.offset
            shared = cursor.varint()
            if shared > len(key):
                cursor.damage("a key shares more than there is")
            if shared == 0:
                found.append(at)
            key = key[:shared] + cursor.text()
            self._read_entry(cursor, tree, key)
        if not set(restarts) <= set(found) or restarts[:1] != found[:1] or restarts != sorted(set(restarts)):
            cursor.damage("restarts")

    def _read_entry(self, cursor, tree, key):
        count, size = cursor.varint(), cursor.varint()
        end = cursor.offset + size
        signposts = [(cursor.u64(), cursor.u16()) for _ in range((count - 1) // 16)] if count else []
        begin = cursor.offset
        txn = self.last
        for number in range(count):
            if number and number % 16 == 0 and signposts[number // 16 - 1] != (txn, cursor.offset - begin):
                cursor.damage("signpost")
            head = cursor.varint()
            if number and head >> 2 == 0:
                cursor.damage("two versions of one transaction")
            txn -= head >> 2
            kind = head & 3
            position = length = checksum = 0
            value = None
            if kind == LOGGED:
                position, length, checksum = self._base_position + cursor.varint(), cursor.varint(), cursor.u32()
            elif kind == INLINED:
                value = cursor.text()
            self.versions.append(Version(tree, key, txn, kind, position, length, checksum, value))
        if count == 0 or cursor.offset != end:
            cursor.damage("an entry does not end where it says")

    def _check_separators(self, places):
        """Every block of versions is reached by the questions that it answers."""
        if self._version_root == _NONE:
            if places:
                self.damage("versions without a root")
            return
        self._descend(self._version_root, None, None, places, set())

    def _descend(self, ordinal, low, high, places, seen):
        if ordinal in seen:
            self.damage(f"block {ordinal} has two parents")
        seen.add(ordinal)
        if ordinal < self._version_blocks:
            first, last = places[ordinal]
            if low is not None and first < low or high is not None and last >= high:
                self.damage(f"block {ordinal}: versions that no search finds there")
            return
        children = self._read_separators(ordinal)
        bounds = [low] + [bound for bound, _ in children[1:]] + [high]
        for i, (_, child) in enumerate(children):
            if child >= ordinal or i and bounds[i - 1] is not None and bounds[i] <= bounds[i - 1]:
                self.damage(f"block {ordinal}: order of separators")
            self._descend(child, bounds[i], bounds[i + 1], places, seen)

    def _read_separators(self, ordinal):
        cursor = self._open(ordinal, 2)
        offsets = [cursor.u32() for _ in range(cursor.u32())]
        guides = self._read_guides(cursor, len(offsets) - 1)
        separators = []
        for offset in offsets:
            if offset != cursor.offset:
                cursor.damage("offset of a separator")
            separators.append((cursor.varint(), cursor.text(), cursor.varint(), cursor.varint()))
        if cursor.left() or len(separators) < 2:
            cursor.damage("number of separators")
        if guides is not None and not all(map(_Guide.stands_for, guides, separators[1:])):
            cursor.damage("guides that are not those of the separators")
        # Bound 0 stands before all versions of the key, bound n at txn n - 1.
        return [((tree, key, float("-inf") if bound == 0 else -(bound - 1)), child)
                for tree, key, bound, child in separators]

    def _read_guides(self, cursor, count):
        """The separators that guides stand for, keys as far as guides know them; None: there are none."""
        kind = cursor.u8()
        if kind == 0:
            return None
        tree, shared = cursor.varint(), cursor.text()
        guides = [_Guide(tree, shared, cursor.u64().to_bytes(8, "big"), cursor.u64(), cursor.u32(), kind == 2)
                  for _ in range(count)]
        if kind > 2:
            cursor.damage("kind of guides")
        return guides

    # ---- range deletions

    def _read_ranges(self):
        if self._range_root != _NONE:
            self._read_range_block(self._range_root)
        if (len(self.ranges) != self._range_count
                or any(a.place() >= b.place() for a, b in zip(self.ranges, self.ranges[1:]))):
            self.damage("number or order of range deletions")

    def _read_range_block(self, ordinal):
        """Appends what is below; returns the slice of self.ranges."""
        begin = len(self.ranges)
        if self._block[ordinal:ordinal + 1] and self._block[ordinal][:1] == b"\x03":
            cursor = self._open(ordinal, 3)
            for _ in range(cursor.u32()):
                tree, txn, to_the_end, start = cursor.varint(), self.last - cursor.varint(), cursor.u8(), cursor.text()
                self.ranges.append(Range(tree, start, None if to_the_end else cursor.text(), txn))
        else:
            cursor = self._open(ordinal, 4)
            for _ in range(cursor.u32()):
                first = cursor.varint(), cursor.text()
                tree, to_the_end = cursor.varint(), cursor.u8()
                reach = tree, to_the_end == 1, b"" if to_the_end else cursor.text()
                newest = self.last - cursor.varint()
                oldest = newest - cursor.varint()
                child = cursor.varint()
                if child >= ordinal:
                    cursor.damage("order of blocks")
                below = self._read_range_block(child)
                txns = [found.txn for found in below]
                if (not below or first != (below[0].tree, below[0].start)
                        or reach != max(found.reach() for found in below)
                        or (newest, oldest) != (max(txns), min(txns))):
                    cursor.damage("a summary that does not fit its block")
        if cursor.left():
            cursor.damage("bytes left over")
        return self.ranges[begin:]

    # ---- filter and anchors

    def _check_filter(self):
        lines = list(self._chunked(self._filter_at, self._lines, 63, 64, 2, 64))
        for tree, key in {(version.tree, version.key) for version in self.versions}:
            h = xxh64(key, tree)
            if not lines:
                self.damage("no filter")
            line = lines[(h >> 32) * len(lines) >> 32]
            b = h * _GOLDEN & 0xFFFFFFFFFFFFFFFF
            b ^= b >> 29
            for group in range(7):
                bit = b >> 9 * group & 511
                if not line[bit // 8] >> bit % 8 & 1:
                    self.damage("a key that the filter does not know")

    def _read_anchors(self):
        self.anchors = [tuple(int.from_bytes(entry[i:i + 8], "little") for i in (0, 8, 16, 24))
                        for entry in self._chunked(self._anchors_at, self._anchor_count, 127, 32, 3)]
        if any(a[0] >= b[0] or a[1] > b[1] or a[2] >= b[2] for a, b in zip(self.anchors, self.anchors[1:])):
            self.damage("anchors out of order")


def _chunks(count, per_chunk):
    return (count + per_chunk - 1) // per_chunk
