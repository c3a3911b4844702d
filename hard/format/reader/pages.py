"""The file as pages: meta pages, refs, page headers, runs. Nothing is returned that was not verified."""

from .checksums import xxh64
from .cursor import Cursor, Damage

META_SIZE = 4096
META_SEED = 0x6E6F727468737461
LEAF, INNER, LARGE_VALUE, LEDGER, SEGMENT, CARTRIDGE = 1, 2, 3, 4, 5, 6
RETENTION = ("nothing", "everything", "last", "duration")
NOTHING = 0
_PAGE_SIZES = (4096, 8192, 16384, 32768, 65536)
_REF_CHECKSUM = (1 << 27) - 1


class NotUnderstood(Exception):
    """The file is not a database, or of a format newer than this reader."""


class Meta:
    """One valid meta page; fields as named in file_format.md."""

    def __init__(self, data, offset):
        raw = data[offset:offset + META_SIZE]
        cursor = Cursor(raw, f"meta page at offset {offset}")
        checksum = cursor.u64()
        magic = cursor.take(8)
        if len(raw) < META_SIZE or magic != b"NorthSta" or checksum != xxh64(raw[8:], META_SEED):
            cursor.damage("magic or checksum does not fit")
        self.version, oldest_reader = cursor.u32(), cursor.u32()
        features = cursor.u64()
        if oldest_reader > 1 or features:
            raise NotUnderstood(f"format version {self.version}, feature flags {features:#x}")
        self.page_size, self.log_align = cursor.u32(), cursor.u32()
        self.uuid = cursor.take(16)
        self.generation, self.txn, self.time = cursor.u64(), cursor.u64(), cursor.u64()
        self.catalog_root, self.catalog_entries, self.next_tree = cursor.u64(), cursor.u64(), cursor.u64()
        self.ledger_page, self.ledger_bytes, self.ledger_checksum = cursor.u64(), cursor.u64(), cursor.u64()
        self.log_position, self.log_epoch = cursor.u64(), cursor.u64()
        self.chain = cursor.take(32)
        self.file_pages, self.oldest_txn = cursor.u64(), cursor.u64()
        self.base_root, self.base_entries = cursor.u64(), cursor.u64()
        self.base_txn, self.base_time = cursor.u64(), cursor.u64()
        self.parent_uuid, self.parent_txn, self.parent_chain = cursor.take(16), cursor.u64(), cursor.take(32)
        self.history_kind = cursor.u8()
        self.clean = bool(cursor.u8() & 1)
        cursor.take(6)
        self.history_amount, self.created = cursor.u64(), cursor.u64()
        self.sealed_txn, self.sealed_position, self.oldest_position = cursor.u64(), cursor.u64(), cursor.u64()
        extents = cursor.u64()
        cursor.offset = 4080
        self.redaction_txn, self.redaction_position = cursor.u64(), cursor.u64()
        if self.page_size not in _PAGE_SIZES or self.log_align not in (0, 4096):
            cursor.damage(f"page size {self.page_size}, log alignment {self.log_align}")
        if offset != self.generation % 2 * self.page_size:
            cursor.damage(f"generation {self.generation} does not belong here")
        if extents or self.history_kind >= len(RETENTION):
            cursor.damage(f"{extents} extents, retention of kind {self.history_kind}")


def read_metas(data):
    """The valid meta pages, newest generation first, and what was wrong with others."""
    metas, problems = [], []
    try:
        metas.append(Meta(data, 0))
        others = [metas[0].page_size]
    except Damage as damage:
        problems.append(str(damage))
        others = _PAGE_SIZES
    for offset in others:
        try:
            metas.append(Meta(data, offset))
            break
        except Damage as damage:
            problem = str(damage)
    else:
        problems.append(problem)
    if not metas:
        raise NotUnderstood("no valid meta page: " + "; ".join(problems))
    metas.sort(key=lambda meta: -meta.generation)
    return metas, problems


class Pages:
    """Verified pages and runs of a file, for one meta page."""

    def __init__(self, data, meta):
        self.data = data
        self.size = meta.page_size
        self.count = meta.file_pages
        self.seed = xxh64(meta.uuid)

    def raw(self, first, pages, what):
        if first < 2 or (first + pages) * self.size > len(self.data):
            raise Damage(f"{what}: pages {first} to {first + pages - 1} are not in the file")
        return self.data[first * self.size:(first + pages) * self.size]

    def node(self, ref, generation, what):
        """The bytes of the node that the ref names, written at or before the generation."""
        number = ref_page(ref, what)
        what = f"page {number} ({what})"
        raw = self.raw(number, 1, what)
        checksum = xxh64(raw[8:], self.seed)
        if checksum != int.from_bytes(raw[:8], "little"):
            raise Damage(f"{what}: checksum")
        self._check_header(raw, number, generation, what)
        if raw[24] not in (LEAF, INNER) or checksum & _REF_CHECKSUM != ref & _REF_CHECKSUM:
            raise Damage(f"{what}: not the version that its parent names")
        return raw

    def run(self, first, size, kind, generation, what, checksum=None, low_checksum=None):
        """The content of a run and the number of its pages; one of the two checksums is what its owner knows."""
        what = f"page {first} ({what})"
        pages = (64 + size + self.size - 1) // self.size
        raw = self.raw(first, pages, what)
        found = xxh64(raw[64:64 + size], xxh64(raw[8:64], self.seed))
        if found != int.from_bytes(raw[:8], "little"):
            raise Damage(f"{what}: checksum")
        self._check_header(raw, first, generation, what)
        if (raw[24] != kind or checksum is not None and checksum != found
                or low_checksum is not None and low_checksum != found & _REF_CHECKSUM):
            raise Damage(f"{what}: not the version that its owner names")
        if (int.from_bytes(raw[28:32], "little") != pages or int.from_bytes(raw[32:40], "little") != size
                or any(raw[25:28]) or any(raw[40:64]) or any(raw[64 + size:])):
            raise Damage(f"{what}: header of the run, or bytes behind its end")
        return raw[64:64 + size], pages

    def _check_header(self, raw, number, generation, what):
        written = int.from_bytes(raw[16:24], "little")
        if int.from_bytes(raw[8:16], "little") != number or not 0 < written <= generation:
            raise Damage(f"{what}: says it is page {int.from_bytes(raw[8:16], 'little')} of generation {written}")


def ref_page(ref, what):
    if ref >> 63 or ref >> 27 < 2:
        raise Damage(f"{what}: {ref:#x} names no page of a file")
    return ref >> 27


def ref_checksum(ref):
    return ref & _REF_CHECKSUM
