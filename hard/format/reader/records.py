"""Records of the log: decoding, the rules of log_format.md that one record can show, digests."""

import hashlib
from typing import NamedTuple, Optional

from .checksums import crc32c
from .cursor import Cursor
from .pages import RETENTION

COMMIT, PART, EPOCH, MARK, EXTENTS, NEXT = 1, 2, 3, 4, 5, 6
LAZY, CHAIN, PARTS, REDACTED = 1, 2, 4, 8
PUT, ERASE, ERASE_RANGE, CREATE_TREE, DROP_TREE, SET_HISTORY, REDACT, PRUNE = 1, 2, 3, 4, 5, 6, 7, 8
TO_THE_END, VALUE_REDACTED = 0x40, 0x80
SHORTEST = 56
FLAGS_AT = 49


class Operation(NamedTuple):
    head: int
    tree: int
    key: bytes
    value: Optional[bytes]
    position: int  # of its first byte in the log

    @property
    def kind(self):
        return self.head & 15

    @property
    def redacted(self):
        return bool(self.head & VALUE_REDACTED)


class Redaction(NamedTuple):
    txn: int
    position: int
    part: int
    index: int
    original: bytes
    remaining: bytes


class Horizon(NamedTuple):
    txn: int
    chain: bytes
    state_hash: Optional[bytes]


def retention(value, what):
    """(kind, amount) of the value of create_tree and set_history."""
    cursor = Cursor(value, what)
    kind, amount = cursor.u8(), cursor.varint()
    if kind >= len(RETENTION) or cursor.left():
        cursor.damage("retention")
    return kind, amount


def redaction(value, what):
    cursor = Cursor(value, what)
    found = Redaction(cursor.varint(), cursor.varint(), cursor.varint(), cursor.varint(), cursor.take(32),
                      cursor.take(32))
    if cursor.left():
        cursor.damage("redaction")
    return found


def horizon(value, what):
    cursor = Cursor(value, what)
    txn, chain = cursor.varint(), cursor.take(32)
    return Horizon(txn, chain, cursor.take(32) if cursor.left() == 32 else None)


class Header:
    """The first 56 bytes, believed only where is_intact() says so."""

    def __init__(self, raw):
        cursor = Cursor(raw, "record", 0, SHORTEST)
        self.checksum, self.length, self.position = cursor.u32(), cursor.u32() * 8, cursor.u64()
        self.epoch, self.txn, self.time, self.durable = cursor.u64(), cursor.u64(), cursor.u64(), cursor.u64()
        self.kind, self.flags = cursor.u8(), cursor.u8()
        self.annotations, self.operations = cursor.u16(), cursor.u32()


def is_intact(raw, position, uuid_checksum):
    return (len(raw) >= SHORTEST and int.from_bytes(raw[8:16], "little") == position
            and int.from_bytes(raw[:4], "little") == crc32c(raw[4:], uuid_checksum))


class Record(Header):
    """An intact record, decoded."""

    def __init__(self, raw, log_align):
        super().__init__(raw)
        self.raw = raw
        self.what = f"record at log position {self.position}"
        cursor = Cursor(raw, self.what, SHORTEST)
        kinds_of_flags = {COMMIT: LAZY | CHAIN | PARTS | REDACTED, PART: CHAIN | REDACTED}
        if (not COMMIT <= self.kind <= NEXT or self.flags & ~kinds_of_flags.get(self.kind, CHAIN)
                or self.durable > self.position or len(raw) % (log_align or 8) or self.position % (log_align or 8)):
            cursor.damage("header")
        carries = self.kind in (COMMIT, PART)
        self.nonce = cursor.take(16) if carries else b""
        self.chain = (cursor.u64(), cursor.take(32)) if self.flags & CHAIN else None
        self.first_part, self.parts = 0, 0
        if self.flags & PARTS:
            self.first_part, self.parts = cursor.u64(), cursor.u32()
            if cursor.u32():
                cursor.damage("a number that should be zero")
        self.notes, self.ops, self.extents, self.next = [], [], [], None
        if carries:
            self._read_content(cursor)
        elif self.kind in (EXTENTS, NEXT):
            self.next = cursor.u64() if self.kind == NEXT else None
            self.extents = [(cursor.u64(), cursor.u64(), cursor.u64()) for _ in range(self.operations)]
            cursor.zeros()
        elif self.operations:
            cursor.damage("operations in a record that has none")
        else:
            cursor.zeros()
        if self.annotations and self.kind != COMMIT:
            cursor.damage("annotations in a record that has none")

    def _read_content(self, cursor):
        for _ in range(self.annotations):
            key_length, value_length = cursor.varint(), cursor.varint()
            self.notes.append((cursor.take(key_length), cursor.take(value_length)))
        if any(a[0] >= b[0] for a, b in zip(self.notes, self.notes[1:])):
            cursor.damage("annotations out of order")
        for _ in range(self.operations):
            self.ops.append(self._read_operation(cursor))
        order = [_canonical(op) for op in self.ops]
        if any(a >= b for a, b in zip(order, order[1:])):
            cursor.damage("operations out of order")
        if any(op.redacted for op in self.ops) and not self.flags & REDACTED:
            cursor.damage("a redacted value in a record that is not")
        if self.flags & REDACTED and any(self.nonce):
            cursor.damage("a redacted record with a nonce")
        table = Cursor(self.raw, self.what, len(self.raw) - 4 * len(self.ops) if len(self.ops) > 8 else len(self.raw))
        if table.offset < cursor.offset:
            cursor.damage("no room for the table")
        cursor.end = table.offset
        cursor.zeros()
        if table.left() and [table.u32() for _ in self.ops] != [op.position - self.position for op in self.ops]:
            cursor.damage("table of the operations")

    def _read_operation(self, cursor):
        position = self.position + cursor.offset
        head, tree, key_length = cursor.u8(), cursor.varint(), cursor.varint()
        kind = head & 15
        has_value = kind not in (ERASE, DROP_TREE) and not (kind == ERASE_RANGE and head & TO_THE_END)
        value_length = cursor.varint() if has_value else 0
        key = cursor.take(key_length)
        value = cursor.take(value_length) if has_value else None
        if (not PUT <= kind <= PRUNE or head & 0x30 or head & TO_THE_END and kind != ERASE_RANGE
                or head & VALUE_REDACTED and (kind != PUT or any(value))):
            cursor.damage(f"operation at log position {position}")
        return Operation(head, tree, key, value, position)

    def digest(self):
        sha = hashlib.sha256(b"northstar record")
        for number in (self.kind, self.txn, self.time, len(self.notes)):
            sha.update(_u64(number))
        for key, value in self.notes:
            sha.update(_u64(len(key)) + key + _u64(len(value)) + value)
        sha.update(_u64(len(self.ops)))
        for op in self.ops:
            value = op.value or b""
            shown = hashlib.sha256(self.nonce + value).digest() if op.kind == PUT else value
            sha.update(_u64(op.head) + _u64(op.tree) + _u64(len(op.key)) + op.key + _u64(len(value)) + shown)
        return sha.digest()


def _canonical(op):
    """What operations of one record ascend by."""
    group = {DROP_TREE: 0, CREATE_TREE: 1, SET_HISTORY: 3, REDACT: 4, PRUNE: 5}.get(op.kind, 2)
    if group == 4:
        return group, op.tree, 0, op.key, op.value
    if group == 2:
        return group, op.tree, 0 if op.kind == ERASE_RANGE else 1, op.key, b""
    return group, op.tree, 0, b"", b""


def _u64(number):
    return number.to_bytes(8, "little")
