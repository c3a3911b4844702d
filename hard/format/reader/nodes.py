"""Trees: every entry in order, every rule of node_format.md that a walk can see."""

from typing import NamedTuple

from .cursor import Cursor, Damage
from .pages import LARGE_VALUE, LEAF, ref_checksum, ref_page


class Entry(NamedTuple):
    txn: int
    value: bytes


class Tree:
    """Reads a whole tree: `entries` maps keys in order; `pages` lists (first page, pages, what) of all of it."""

    def __init__(self, pages, root, generation, catalog, what):
        self._pages = pages
        self._catalog = catalog
        self._what = what
        self._seen = set()
        self.entries = {}
        self.pages = []
        if root:
            self._walk(root, generation, None, b"", None, None)

    def _walk(self, ref, generation, level, low, high, most_txn):
        if ref in self._seen:
            raise Damage(f"{self._what}: page {ref_page(ref, self._what)} is named twice")
        self._seen.add(ref)
        raw = self._pages.node(ref, generation, self._what)
        node = _Node(raw, f"page {ref_page(ref, self._what)} ({self._what})")
        self.pages.append((ref >> 27, 1, self._what))
        if bool(node.flags & 1) != self._catalog:
            node.damage("flag of the catalog")
        if level is not None and node.level != level:
            node.damage(f"level {node.level}, its parent expects {level}")
        if most_txn is not None and node.max_txn > most_txn:
            node.damage("changed later than its parent knows")
        if node.kind == LEAF:
            self._leaf(node, level is None, low, high)
            return
        bounds = [low] + node.separators() + [high]
        for i, child in enumerate(node.children()):
            if bounds[i + 1] is not None and not bounds[i] <= bounds[i + 1]:
                node.damage("separators outside its range")
            self._walk(child, node.generation, node.level - 1, bounds[i], bounds[i + 1], node.max_txn)

    def _leaf(self, node, root, low, high):
        found = node.entries()
        if not found and not root:
            node.damage("a leaf without entries")
        for key, txn, value, large in found:
            if key < low or high is not None and key >= high:
                node.damage("a key outside the range that its parents say")
            if not node.base <= txn <= node.max_txn:
                node.damage("txn of an entry")
            if large:
                value = self._large_value(node, value)
            if self._catalog and (large or len(value) < 8):
                node.damage("a value of the catalog without a ref")
            self.entries[key] = Entry(txn, value)

    def _large_value(self, node, cell):
        ref, length = int.from_bytes(cell[:8], "little"), int.from_bytes(cell[8:], "little")
        what = f"large value of {self._what}"
        value, pages = self._pages.run(ref_page(ref, node.what), length, LARGE_VALUE, node.generation, what,
                                       low_checksum=ref_checksum(ref))
        if length <= self._pages.size // 4:
            node.damage("a large value that is small")
        self.pages.append((ref >> 27, pages, what))
        return value


class _Node:
    def __init__(self, raw, what):
        self._raw = raw
        self.what = what
        head = Cursor(raw, what, 16, 64)
        self.generation = head.u64()
        self.kind, self.flags, self.level, self.width = head.u8(), head.u8(), head.u8(), head.u8()
        self.count, prefix_length = head.u16(), head.u16()
        self.max_txn, self.base = head.u64(), head.u64()
        self._heap, self._garbage = head.u32(), head.u32()
        head.zeros()
        size = len(raw)
        leaf = self.kind == LEAF
        if (self.flags & ~(3 if leaf else 1) or self.level > 39 or leaf != (self.level == 0)
                or prefix_length > size // 4 or self.width not in ((0, 2, 4, 8) if leaf else (0,))):
            self.damage("header")
        self._prefix = raw[64:64 + prefix_length]
        heads = 64 + prefix_length + -prefix_length % 4
        self._children = heads + 4 * self.count
        slots = self._children + (0 if leaf else 8 * self.count)
        if slots + 2 * self.count > self._heap or self._heap > size:
            self.damage("arrays reach into the heap")
        self._heads = [int.from_bytes(raw[at:at + 4], "little").to_bytes(4, "big")
                       for at in range(heads, self._children, 4)]
        self._slots = [int.from_bytes(raw[at:at + 2], "little") for at in range(slots, slots + 2 * self.count, 2)]
        self._cells = []

    def damage(self, text):
        raise Damage(f"{self.what}: {text}")

    def _cell(self, at):
        if at < self._heap:
            self.damage("a cell outside the heap")
        return Cursor(self._raw, self.what, at)

    def _key(self, head, suffix_length, cell):
        if any(head[suffix_length:]):
            self.damage("bytes of a head that its suffix does not have")
        key = self._prefix + head[:suffix_length] + (cell.take(suffix_length - 4) if suffix_length > 4 else b"")
        if len(key) > len(self._raw) // 4:
            self.damage("a key that is too long")
        return key

    def _finish(self, keys):
        if any(a >= b for a, b in zip(keys, keys[1:])):
            self.damage("keys out of order")
        self._cells.sort()
        if any(end > begin for (_, end), (begin, _) in zip(self._cells, self._cells[1:])):
            self.damage("cells overlap")
        if sum(end - begin for begin, end in self._cells) != len(self._raw) - self._heap - self._garbage:
            self.damage("bytes of the heap that belong to nobody")

    def entries(self):
        """(key, txn, value, whether the value is the 16 bytes that name a large one), in order."""
        wide = 2 if self.flags & 2 else 1
        found = []
        for head, slot in zip(self._heads, self._slots):
            cell = self._cell(slot)
            suffix_length, value_length = cell.number(wide), cell.number(wide)
            large = value_length == (1 << 8 * wide) - 1
            txn = self.base + cell.number(self.width)
            key = self._key(head, suffix_length, cell)
            found.append((key, txn, cell.take(16 if large else value_length), large))
            self._cells.append((slot, cell.offset))
        self._finish([entry[0] for entry in found])
        return found

    def separators(self):
        found = []
        for head, slot in zip(self._heads, self._slots):
            if slot <= 4:
                found.append(self._key(head, slot, None))
                continue
            cell = self._cell(slot)
            length = cell.u16()
            if length <= 4:
                self.damage("a short separator in a cell")
            found.append(self._key(head, length, cell))
            self._cells.append((slot, cell.offset))
        self._finish(found)
        return found

    def children(self):
        behind = self._raw[self._children:self._children + 8 * self.count]
        return [self.base] + [int.from_bytes(behind[at:at + 8], "little") for at in range(0, len(behind), 8)]
