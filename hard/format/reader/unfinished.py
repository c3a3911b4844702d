"""Redactions that nobody finished: what they leave of the records that were overwritten in part."""

from .checksums import crc32c
from .cursor import Cursor, Damage
from . import records


def restate(log, begin, redactions_at, end):
    """Gives the log the records between positions begin and end that are not intact, as the redactions from
    redactions_at on leave them. What fits no redaction stays as it lies there, which is damage."""
    named = {}  # (txn, part) -> what redactions say of the record, the newest last
    for header, raw in _walk(log, redactions_at, end):
        if header.kind in (records.COMMIT, records.PART) and log.begins_at(header.position):
            for op in log.record_at(header.position).ops:
                if op.kind == records.REDACT:
                    found = records.redaction(op.value, "redact")
                    named.setdefault((found.txn, found.part), []).append(found)
    for place, position, raw in _placed(log, begin, end):
        if place in named and not log.begins_at(position):
            finished = _finished(raw, log.uuid_checksum, [found.index for found in named[place]])
            if records.Record(finished, log.log_align).digest() == named[place][-1].remaining:
                log.restate(position, finished)


def _walk(log, position, end):
    """(header, bytes) of records that nobody verified: lengths and places are never overwritten."""
    while position < end and (raw := log.unverified(position)) is not None:
        header = records.Header(raw)
        yield header, raw
        position += header.length
        if header.kind == records.NEXT:
            position = Cursor(raw, "next", _behind_chain(header)).u64()


def _placed(log, begin, end):
    """((txn, part), position, bytes); part 0 is the commit."""
    parts = []
    for header, raw in _walk(log, begin, end):
        if header.kind == records.PART:
            parts.append((header.position, raw))
        elif header.kind == records.COMMIT:
            count = Cursor(raw, "parts", _behind_chain(header) + 8).u32() if header.flags & records.PARTS else 0
            for number, (position, part) in enumerate(parts[len(parts) - count:], 1):
                yield (header.txn, number), position, part
            yield (header.txn, 0), header.position, raw
            parts = []


def _behind_chain(header):
    carries = header.kind in (records.COMMIT, records.PART)
    return records.SHORTEST + (16 if carries else 0) + (40 if header.flags & records.CHAIN else 0)


def _finished(raw, uuid_checksum, indices):
    """The record with these values gone."""
    header, done = records.Header(raw), bytearray(raw)
    cursor = Cursor(raw, f"record at log position {header.position}",
                    _behind_chain(header) + (16 if header.flags & records.PARTS else 0))
    for _ in range(header.annotations):
        sizes = cursor.varint(), cursor.varint()
        cursor.take(sum(sizes))
    for index in range(header.operations):
        at, head = cursor.offset, cursor.u8()
        kind = head & 15
        cursor.varint()
        key_size = cursor.varint()
        to_the_end = kind == records.ERASE_RANGE and head & records.TO_THE_END
        size = 0 if kind in (records.ERASE, records.DROP_TREE) or to_the_end else cursor.varint()
        cursor.take(key_size)
        if index in indices:
            if kind != records.PUT:
                raise Damage(f"{cursor.what}: no value to redact at operation {index}")
            done[at] |= records.VALUE_REDACTED
            done[cursor.offset:cursor.offset + size] = bytes(size)
        cursor.take(size)
    done[records.FLAGS_AT] |= records.REDACTED
    done[records.SHORTEST:records.SHORTEST + 16] = bytes(16)
    done[:4] = crc32c(bytes(done[4:]), uuid_checksum).to_bytes(4, "little")
    return bytes(done)
