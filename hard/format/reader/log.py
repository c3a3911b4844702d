"""The log: from positions to bytes, which records count, where it ends, transactions, the chain of hashes."""

import hashlib
from array import array

from .checksums import crc32c
from .cursor import Damage
from .records import COMMIT, EPOCH, EXTENTS, MARK, NEXT, PART, SHORTEST, Header, Record, is_intact

NO_CHAIN = bytes(32)


class Commit:
    """One transaction: its commit record, the parts before it, all operations in the order of replay."""

    def __init__(self, record, parts):
        self.record = record
        self.records = parts + [record]  # that carry operations
        self.txn, self.time = record.txn, record.time
        self.epoch = record.epoch
        self.position = self.records[0].position
        self.end = record.position + record.length
        self.chain = None  # set by follow_chain()

    def operations(self):
        """(record, operation), later ones overriding earlier ones."""
        for record in self.records:
            for op in record.ops:
                yield record, op

    def digest(self, redacted):
        """The digest of the transaction as it was; redacted: (txn, part) -> digest before the first redaction."""
        parts = []
        for number, record in enumerate(self.records, 1):
            key = (self.txn, 0 if record is self.record else number)
            parts.append(redacted[key] if key in redacted else record.digest())
        return parts[0] if len(parts) == 1 else hashlib.sha256(b"".join(parts)).digest()


class Log:
    """extents: (position, first page, pages) as the ledger has them; others are announced by records from `base` on."""

    def __init__(self, pages, uuid, log_align, extents, base):
        self._pages = pages
        self.uuid_checksum = crc32c(uuid)
        self.log_align = log_align
        self._base = base
        self._verified = {}  # position -> what _intact() found
        self._restated = {}  # position -> bytes of a record that lies there in part
        self.extents = {}
        for extent in extents:
            self._announce(extent)

    def _announce(self, extent):
        position, first, pages = extent
        if self.extents.get(position, extent) != extent:
            raise Damage(f"log extent at position {position}: announced twice, differently")
        self._pages.raw(first, pages, f"log extent at position {position}")
        self.extents[position] = extent
        ordered = sorted(self.extents.values())
        for (a, _, length), (b, _, _) in zip(ordered, ordered[1:]):
            if a + length * self._pages.size > b:
                raise Damage(f"log extents at positions {a} and {b} overlap")

    def _extent_of(self, position):
        for logical, first, pages in self.extents.values():
            if logical <= position < logical + pages * self._pages.size:
                begin = first * self._pages.size
                return begin + position - logical, begin + pages * self._pages.size
        return None

    def offset_in_file(self, position):
        return self._extent_of(position)[0]

    def bytes_at(self, position, size):
        """Bytes that lie in one extent; Damage where they do not."""
        place = self._extent_of(position)
        if place is None or place[0] + size > place[1]:
            raise Damage(f"log position {position}: {size} bytes are not in the log")
        for begin, raw in self._restated.items():
            if begin <= position < begin + len(raw):
                return raw[position - begin:position - begin + size]
        return self._pages.data[place[0]:place[0] + size]

    def unverified(self, position):
        """The bytes of the record that lies at the position, intact or not; None where there is none."""
        place = self._extent_of(position)
        if position % 8 or place is None or place[1] - place[0] < SHORTEST:
            return None
        at, end = place
        length = int.from_bytes(self._pages.data[at + 4:at + 8], "little") * 8
        if length < SHORTEST or at + length > end:
            return None
        raw = self._pages.data[at:at + length]
        return raw if int.from_bytes(raw[8:16], "little") == position else None

    def _intact(self, position):
        """The bytes of the intact record at the position, or None."""
        if position not in self._verified:
            raw = self.unverified(position)
            if raw is None:
                return None  # its extent may not be known yet
            self._verified[position] = raw if is_intact(raw, position, self.uuid_checksum) else None
        return self._verified[position]

    def restate(self, position, raw):
        """From here on the record at the position is this one."""
        self._verified[position] = self._restated[position] = raw

    def record_at(self, position):
        return Record(self._intact(position), self.log_align)

    def begins_at(self, position):
        """Whether a record stands there; what is left of an extent may begin inside one."""
        return self._intact(position) is not None

    def reading_at(self, position):
        """Epoch and txn with which a reader begins at the position, as the record there says."""
        raw = self._intact(position)
        if raw is None:
            raise Damage(f"log position {position}: no record where the log should begin")
        header = Header(raw)
        return header.epoch - (header.kind == EPOCH), header.txn - (header.kind == COMMIT)

    def read(self, position, epoch, txn):
        """The records that count from there on; afterwards end_position, end_epoch and end_txn are set."""
        time = 0
        while True:
            raw = self._intact(position)
            header = Header(raw) if raw is not None else None
            if (header is None or not COMMIT <= header.kind <= NEXT
                    or (header.epoch <= epoch if header.kind == EPOCH else header.epoch != epoch)
                    or header.txn != (txn + 1 if header.kind == COMMIT else txn)):
                break
            record = Record(raw, self.log_align)
            if record.time < time:
                raise Damage(f"{record.what}: before the record ahead of it in time")
            position += record.length
            epoch, txn, time = record.epoch, record.txn, record.time
            if record.position >= self._base:  # what was announced before may have moved since
                for extent in record.extents:
                    self._announce(extent)
            if record.kind == NEXT:
                if record.next not in self.extents or record.next < position:
                    raise Damage(f"{record.what}: goes on at {record.next}, where no extent begins")
                position = record.next
            yield record
        self.end_position, self.end_epoch, self.end_txn = position, epoch, txn

    def check_end(self, least_durable):
        """Damage when something vouches for bytes behind the end. Call when read() has come to it."""
        end = self.end_position
        if least_durable > end:
            raise Damage(f"log position {end}: the log ends here, but was durable up to {least_durable}")
        announced = dict(self.extents)
        try:
            self._look_for_vouchers(end)
        finally:
            self.extents = announced

    def _look_for_vouchers(self, end):
        extents = list(self.extents.values())
        for logical, first, pages in extents:  # grows: what lies behind the end may announce others
            begin = first * self._pages.size
            words = array("Q", self._pages.data[begin:begin + pages * self._pages.size])
            for index in range(max(0, end - logical) // 8, len(words) - SHORTEST // 8 + 1):
                if words[index + 1] != logical + 8 * index:
                    continue
                raw = self._intact(logical + 8 * index)
                if raw is None or Header(raw).epoch < self.end_epoch:
                    continue
                header = Header(raw)
                if header.durable > end:
                    raise Damage(f"log position {end}: damaged; a record at {header.position} says that the log was "
                                 f"durable up to {header.durable}")
                if header.kind in (EXTENTS, NEXT):
                    for extent in Record(raw, self.log_align).extents:
                        if extent[0] not in self.extents:
                            self.extents[extent[0]] = extent
                            extents.append(extent)

    def commits(self, position, epoch, txn):
        """Whole transactions from there on, and with each the records since the one before it that carry none."""
        parts, others = [], []
        for record in self.read(position, epoch, txn):
            if record.kind == PART:
                parts.append(record)
            elif record.kind == COMMIT:
                own = [part for part in parts if record.parts and part.position >= record.first_part]
                if len(own) != record.parts or own and own[0].position != record.first_part:
                    raise Damage(f"{record.what}: its parts are not those before it")
                commit = Commit(record, own)
                commit.others = others
                parts, others = [], []
                yield commit
            elif record.kind in (EPOCH, MARK) or record.extents or record.next:
                others.append(record)


def follow_chain(commits, chain, redacted):
    """Sets the chain hash of each commit, beginning behind the given one; None: nobody knows it."""
    for commit in commits:
        chain = hashlib.sha256(chain + commit.digest(redacted)).digest() if chain is not None else None
        commit.chain = chain
