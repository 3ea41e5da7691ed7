"""``PackedTexts``: the texts of events by number, packed in blocks: frames are alike, and pack to a fifth.

Only what is being written and what was looked at last lies there unpacked. Texts are appended with ascending
numbers and forgotten from the oldest on, block by block.
"""

from __future__ import annotations

import zlib
from array import array
from bisect import bisect_right
from collections import OrderedDict
from dataclasses import dataclass

BLOCK = 256
"""Texts in a block."""
BLOCK_BYTES = 128 * 1024
"""Bytes after which a block ends before that."""
UNPACKED = 8
"""Blocks that are kept unpacked after a look at them."""
_LEVEL = 1
_STALE = 64


@dataclass(frozen=True, slots=True)
class _Block:
    """Packed texts of numbers that follow each other, and how long each is."""

    packed: bytes
    lengths: array[int]

    def unpack(self) -> list[bytes]:
        whole, texts, start = zlib.decompress(self.packed), [], 0
        for length in self.lengths:
            texts.append(whole[start : start + length])
            start += length
        return texts


class PackedTexts:
    """Texts by number; ``bytes`` is what they take, packed."""

    def __init__(self) -> None:
        self.bytes = 0
        self._blocks: dict[int, _Block] = {}
        self._starts: list[int] = []
        self._gone = 0
        self._open: list[bytes] = []
        self._open_start = 1
        self._open_bytes = 0
        self._unpacked: OrderedDict[int, list[bytes]] = OrderedDict()

    def append(self, number: int, text: bytes) -> None:
        """Add the text of the next number; only after ``clear`` may numbers be left out."""
        if not self._open:
            self._open_start = number
        self._open.append(text)
        self._open_bytes += len(text)
        if len(self._open) >= BLOCK or self._open_bytes >= BLOCK_BYTES:
            self._seal()

    def get(self, number: int) -> bytes:
        """Give the text of a number that is held; raises ``IndexError`` or ``KeyError`` for any other."""
        if self._open and number >= self._open_start:
            return self._open[number - self._open_start]
        start = self._starts[bisect_right(self._starts, number) - 1]
        texts = self._unpacked.get(start)
        if texts is None:
            texts = self._blocks[start].unpack()
            self._remember(start, texts)
        return texts[number - start]

    def forget_before(self, first: int) -> None:
        """Let go of the blocks in which no number from ``first`` on lies."""
        while self._gone < len(self._starts):
            start = self._starts[self._gone]
            if start + len(self._blocks[start].lengths) > first:
                break
            self.bytes -= len(self._blocks.pop(start).packed)
            self._unpacked.pop(start, None)
            self._gone += 1
        if self._gone >= _STALE:
            del self._starts[: self._gone]
            self._gone = 0

    def clear(self) -> None:
        """Hold nothing any more."""
        self._blocks.clear()
        self._starts.clear()
        self._open.clear()
        self._unpacked.clear()
        self.bytes = self._open_bytes = self._gone = 0

    def _seal(self) -> None:
        texts, self._open = self._open, []
        block = _Block(zlib.compress(b"".join(texts), _LEVEL), array("I", map(len, texts)))
        self._blocks[self._open_start] = block
        self._starts.append(self._open_start)
        self._remember(self._open_start, texts)
        self.bytes += len(block.packed)
        self._open_bytes = 0

    def _remember(self, start: int, texts: list[bytes]) -> None:
        self._unpacked[start] = texts
        if len(self._unpacked) > UNPACKED:
            self._unpacked.popitem(last=False)
