"""XXH64 and CRC-32C, from their published definitions (the xxHash specification; RFC 3720, appendix B.4)."""

import struct

_MASK = 0xFFFFFFFFFFFFFFFF
_P1 = 0x9E3779B185EBCA87
_P2 = 0xC2B2AE3D27D4EB4F
_P3 = 0x165667B19E3779F9
_P4 = 0x85EBCA77C2B2AE63
_P5 = 0x27D4EB2F165667C5


def _rotate(word, bits):
    return ((word << bits) | (word >> (64 - bits))) & _MASK


def _round(lane, word):
    return _rotate((lane + word * _P2) & _MASK, 31) * _P1 & _MASK


def xxh64(data, seed=0):
    length = len(data)
    whole = length - length % 32
    if whole:
        a, b, c, d = (seed + _P1 + _P2) & _MASK, (seed + _P2) & _MASK, seed, (seed - _P1) & _MASK
        for w, x, y, z in struct.iter_unpack("<4Q", data[:whole]):
            # _round() written out four times: this loop is where a reader in Python spends its time.
            a = (a + w * _P2) & _MASK
            a = ((a << 31 | a >> 33) & _MASK) * _P1 & _MASK
            b = (b + x * _P2) & _MASK
            b = ((b << 31 | b >> 33) & _MASK) * _P1 & _MASK
            c = (c + y * _P2) & _MASK
            c = ((c << 31 | c >> 33) & _MASK) * _P1 & _MASK
            d = (d + z * _P2) & _MASK
            d = ((d << 31 | d >> 33) & _MASK) * _P1 & _MASK
        h = (_rotate(a, 1) + _rotate(b, 7) + _rotate(c, 12) + _rotate(d, 18)) & _MASK
        for lane in (a, b, c, d):
            h = ((h ^ _round(0, lane)) * _P1 + _P4) & _MASK
    else:
        h = (seed + _P5) & _MASK
    h = (h + length) & _MASK
    at = whole
    while at + 8 <= length:
        h ^= _round(0, int.from_bytes(data[at:at + 8], "little"))
        h = (_rotate(h, 27) * _P1 + _P4) & _MASK
        at += 8
    if at + 4 <= length:
        h ^= int.from_bytes(data[at:at + 4], "little") * _P1 & _MASK
        h = (_rotate(h, 23) * _P2 + _P3) & _MASK
        at += 4
    for byte in data[at:]:
        h ^= byte * _P5 & _MASK
        h = _rotate(h, 11) * _P1 & _MASK
    h = (h ^ h >> 33) * _P2 & _MASK
    h = (h ^ h >> 29) * _P3 & _MASK
    return h ^ h >> 32


def _crc_tables():
    first = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        first.append(crc)
    tables = [first]
    for _ in range(7):
        tables.append([first[crc & 0xFF] ^ crc >> 8 for crc in tables[-1]])
    return tables


_CRC = _crc_tables()


def crc32c(data, seed=0):
    """The CRC-32C of data behind bytes whose CRC-32C is the seed."""
    t0, t1, t2, t3, t4, t5, t6, t7 = _CRC
    crc = seed ^ 0xFFFFFFFF
    whole = len(data) - len(data) % 8
    for low, high in struct.iter_unpack("<2I", data[:whole]):
        low ^= crc
        crc = (t7[low & 0xFF] ^ t6[low >> 8 & 0xFF] ^ t5[low >> 16 & 0xFF] ^ t4[low >> 24]
               ^ t3[high & 0xFF] ^ t2[high >> 8 & 0xFF] ^ t1[high >> 16 & 0xFF] ^ t0[high >> 24])
    for byte in data[whole:]:
        crc = t0[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF
