"""Numbers and texts out of bytes that nobody has verified yet: whatever does not fit is Damage."""


class Damage(Exception):
    """Bytes of a file that contradict the format. The text says where and what."""


class Cursor:
    """Reads forward in data[offset:end]; `what` names the part of the file in reports."""

    def __init__(self, data, what, offset=0, end=None):
        self.data = data
        self.what = what
        self.offset = offset
        self.end = len(data) if end is None else end
        if not 0 <= offset <= self.end <= len(data):
            self.damage(f"bytes {offset} to {self.end} of {len(data)}")

    def damage(self, text):
        raise Damage(f"{self.what}: {text}")

    def left(self):
        return self.end - self.offset

    def take(self, size):
        if size > self.left():
            self.damage(f"{size} bytes at {self.offset} reach behind the end")
        self.offset += size
        return bytes(self.data[self.offset - size:self.offset])

    def number(self, size):
        return int.from_bytes(self.take(size), "little")

    def u8(self):
        return self.number(1)

    def u16(self):
        return self.number(2)

    def u32(self):
        return self.number(4)

    def u64(self):
        return self.number(8)

    def varint(self):
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
            if shift > 63:
                self.damage("a number longer than 64 bits")
        if byte == 0 and shift > 7 or value >> 64:
            self.damage("a number that is not in its shortest form")
        return value

    def text(self):
        return self.take(self.varint())

    def zeros(self):
        if any(self.take(self.left())):
            self.damage("bytes that should be zero are not")
