"""Which row of the log belongs to which entry, without having wrapped them all.

Heights are estimated for a chunk as a whole until one of its entries is measured; then each of its
entries has an estimate of its own, replaced by the exact height of those that come near the viewport.
Looking a row up costs a bisection over chunks and a walk within one. Changing a height costs nothing
but the sum of what follows, which is taken once, when it is next asked for.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final

from securechat_tui.tui.widgets.log_layout import Extent
from securechat_tui.tui.widgets.log_store import CHUNK

__all__ = ["RowTable"]

_GROUP: Final = 8
"""Entries of a chunk whose heights are estimated together when the width changes."""


class _Chunk:
    """The measures of up to :data:`CHUNK` entries."""

    __slots__ = ("cells", "days", "exact", "groups", "heights", "lines")

    def __init__(self) -> None:
        self.lines = array("I")
        self.cells = array("I")
        self.days = 0
        """Bit set: entries with a day rule above them."""
        self.groups: tuple[array[int], array[int]] | None = None
        """Of a full chunk: lines and cells of like entries taken together, the widest first."""
        self.heights = array("I")
        """Empty until an entry of the chunk is looked up at the present width."""
        self.exact = 0
        """Bit set: entries whose height is exact."""

    def add(self, extent: Extent, *, day_rule: bool) -> None:
        self.days |= day_rule << len(self.lines)
        self.lines.append(extent.lines)
        self.cells.append(extent.cells)
        if len(self.lines) == CHUNK:
            self.groups = self._grouped()

    def put_before(self, extents: Sequence[Extent], width: int) -> None:
        """Add entries at the beginning, without day rules; what is known of the others stays known."""
        count = len(extents)
        if self.heights:
            self.heights = array("I", [extent.height(width) for extent in extents]) + self.heights
        self.lines = array("I", [extent.lines for extent in extents]) + self.lines
        self.cells = array("I", [extent.cells for extent in extents]) + self.cells
        self.days <<= count
        self.exact <<= count
        if len(self.lines) == CHUNK:
            self.groups = self._grouped()

    def _grouped(self) -> "tuple[array[int], array[int]]":
        pairs = sorted(
            zip(self.lines, self.cells, strict=True), key=lambda pair: pair[1] / pair[0], reverse=True
        )
        groups = [pairs[at : at + _GROUP] for at in range(0, CHUNK, _GROUP)]
        return (
            array("I", [sum(lines for lines, _ in group) for group in groups]),
            array("I", [sum(cells for _, cells in group) for group in groups]),
        )

    def estimates(self, width: int) -> list[int]:
        """The height of each entry, estimated."""
        pairs = zip(self.lines, self.cells, strict=True)
        return [Extent(*pair).height(width) + (self.days >> at & 1) for at, pair in enumerate(pairs)]

    def estimate(self, width: int) -> int:
        """The height of all, estimated: more roughly, and in a time that allows it for all chunks."""
        if self.groups is None:
            return sum(self.estimates(width))
        height = self.days.bit_count()
        for lines, cells in zip(*self.groups, strict=True):
            over = cells - lines * width
            height += lines if over <= 0 else lines + lines // 2 + over // width
        return height

    def forget(self) -> None:
        self.heights = array("I")
        self.exact = 0


class RowTable:
    """Heights of entries, in rows, and their sums. ``width`` is that of a text, in cells."""

    def __init__(self) -> None:
        self.width = 80
        self._chunks: list[_Chunk] = []
        self._totals: list[int] = []
        self._starts: list[int] = []
        self._clean = 0
        """How many of ``_starts`` are right."""
        self._first = 0
        self._stop = 0

    def __len__(self) -> int:
        return self._stop - self._first

    @property
    def height(self) -> int:
        """All rows."""
        if not self._chunks:
            return 0
        self._sum()
        return self._starts[-1] + self._totals[-1]

    def append(self, extent: Extent, *, day_rule: bool) -> None:
        """Add an entry at the end, ``day_rule`` if it has one above it."""
        if self._stop % CHUNK == 0:
            self._chunks.append(_Chunk())
            self._totals.append(0)
            self._starts.append(0)
        chunk = self._chunks[-1]
        chunk.add(extent, day_rule=day_rule)
        estimate = extent.height(self.width) + day_rule
        if chunk.heights:
            chunk.heights.append(estimate)
        self._totals[-1] += estimate
        self._stop += 1

    def prepend(self, extents: Sequence[Extent]) -> None:
        """Add entries before the first, without day rules."""
        while extents:
            room = self._first % CHUNK
            part, extents = extents[-(room or CHUNK) :], extents[: -(room or CHUNK)]
            if not room:
                self._chunks.insert(0, _Chunk())
                self._totals.insert(0, 0)
                self._starts.insert(0, 0)
            chunk = self._chunks[0]
            chunk.put_before(part, self.width)
            self._totals[0] = sum(chunk.heights) if chunk.heights else chunk.estimate(self.width)
            self._first -= len(part)
        self._clean = 0

    def drop_first(self) -> None:
        """Remove the entries of the first chunk."""
        del self._chunks[0], self._totals[0], self._starts[0]
        self._first = (self._first // CHUNK + 1) * CHUNK
        self._clean = 0

    def drop_last(self) -> None:
        """Remove the entries of the last chunk, full or not."""
        del self._chunks[-1], self._totals[-1], self._starts[-1]
        self._stop = (self._stop - 1) // CHUNK * CHUNK
        self._clean = min(self._clean, len(self._chunks))
        if not self._chunks:
            self._first = self._stop

    def _find(self, index: int) -> tuple[int, int]:
        """The place among the chunks of the one with an entry, and the entry's place in that."""
        number = index // CHUNK
        return number - self._first // CHUNK, index - max(self._first, number * CHUNK)

    def _index(self, number: int, position: int) -> int:
        """The inverse of :meth:`_find`."""
        return max(self._first, (number + self._first // CHUNK) * CHUNK) + position

    def has_day_rule(self, index: int) -> bool:
        """Whether a day rule stands above an entry."""
        number, position = self._find(index)
        return bool(self._chunks[number].days >> position & 1)

    def set_day_rules(self, indexes: Iterable[int], *, present: bool) -> None:
        """Put a day rule above each of some entries, or take it away."""
        for index in indexes:
            if self.has_day_rule(index) is present:
                continue
            number, position = self._find(index)
            chunk = self._opened(number)
            chunk.days ^= 1 << position
            chunk.heights[position] += 1 if present else -1
            self._change(number, 1 if present else -1)

    def resize(self, width: int) -> None:
        """Estimate everything anew for texts of another width."""
        self.width = width
        for chunk in self._chunks:
            chunk.forget()
        self._totals = [chunk.estimate(width) for chunk in self._chunks]
        self._clean = 0

    def measured(self, index: int) -> int | None:
        """The exact height of an entry, if it is known."""
        number, position = self._find(index)
        chunk = self._chunks[number]
        return chunk.heights[position] if chunk.exact >> position & 1 else None

    def set_measured(self, index: int, height: int) -> None:
        """Note the exact height of an entry."""
        number, position = self._find(index)
        chunk = self._opened(number)
        chunk.exact |= 1 << position
        self._change(number, height - chunk.heights[position])
        chunk.heights[position] = height

    def invalidate(self, index: int) -> None:
        """Take the height of an entry for a mere estimate again."""
        number, position = self._find(index)
        self._chunks[number].exact &= ~(1 << position)

    def row_of(self, index: int) -> int:
        """The first row of an entry."""
        number, position = self._find(index)
        self._sum()
        return self._starts[number] + sum(self._opened(number).heights[:position])

    def locate(self, row: int) -> tuple[int, int]:
        """The entry at a row and which of its rows that is; the nearest where there is none."""
        row = min(max(row, 0), self.height - 1)
        number = bisect_right(self._starts, row) - 1
        heights = self._opened(number).heights
        # Looked at more closely, a chunk may turn out to be less high than it was taken for.
        offset = min(row - self._starts[number], self._totals[number] - 1)
        for position, height in enumerate(heights):
            if offset < height:
                return self._index(number, position), offset
            offset -= height
        raise AssertionError("the heights of a chunk do not make its total")

    def _opened(self, number: int) -> _Chunk:
        chunk = self._chunks[number]
        if not chunk.heights:
            chunk.heights = array("I", chunk.estimates(self.width))
            self._change(number, sum(chunk.heights) - self._totals[number])
        return chunk

    def _change(self, number: int, delta: int) -> None:
        if delta:
            self._totals[number] += delta
            self._clean = min(self._clean, number + 1)

    def _sum(self) -> None:
        """Bring ``_starts`` up to date."""
        clean, count = self._clean, len(self._chunks)
        if clean == count:
            return
        first = max(clean - 1, 0)
        base = self._starts[first] if clean else 0
        self._starts[first:] = accumulate(self._totals[first:-1], initial=base)
        self._clean = count
