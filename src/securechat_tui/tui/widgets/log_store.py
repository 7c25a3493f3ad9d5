"""What a chat log holds: the newest as they are, the others packed in chunks."""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from securechat_tui.tui.widgets.log_entries import Entry, pack, packed_texts, unpack

__all__ = ["CHUNK", "EntryStore", "PackedStore"]

_Item = TypeVar("_Item")

CHUNK: Final = 64
"""Entries that are packed, measured and looked up together."""
_OPEN_CHUNKS: Final = 16
"""Chunks that are kept unpacked: several screens full."""


class PackedStore(Generic[_Item]):
    """A sequence that grows at both ends, small enough for a million items.

    The first one appended has the index 0 for good; what is put before it has negative ones. A chunk
    holds the indexes of one multiple of :data:`CHUNK`; the first one may lack its beginning.

    Full chunks are packed: a hundred thousand items are then a couple of thousand objects, which
    costs a quarter of the memory and spares the garbage collector long pauses.
    """

    def __init__(self, pack: Callable[[list[_Item]], bytes], unpack: Callable[[bytes], list[_Item]]) -> None:
        """``pack`` turns a chunk into bytes, ``unpack`` turns them into an equal chunk."""
        self._pack = pack
        self._unpack = unpack
        self._packed: list[bytes] = []
        self._tail: list[_Item] = []
        self.first = 0
        """The lowest index."""
        self._open: OrderedDict[int, list[_Item]] = OrderedDict()

    def __len__(self) -> int:
        return self.stop - self.first

    def __getitem__(self, index: int) -> _Item:
        if not self.first <= index < self.stop:
            raise IndexError(index)
        number = index // CHUNK
        return self._chunk(number)[index - self.start_of(number)]

    @property
    def stop(self) -> int:
        """One more than the highest index."""
        return self._last_chunk * CHUNK + len(self._tail)

    @property
    def _last_chunk(self) -> int:
        """The number of the chunk that is not full yet."""
        return self.first // CHUNK + len(self._packed)

    def start_of(self, number: int) -> int:
        """The index of the first item of a chunk."""
        return max(self.first, number * CHUNK)

    def append(self, item: _Item) -> None:
        """Add an item at the end."""
        self._tail.append(item)
        if len(self._tail) == CHUNK:
            self._packed.append(self._pack(self._tail))
            self._remember(self._last_chunk - 1, self._tail)
            self._tail = []

    def prepend(self, items: Sequence[_Item]) -> None:
        """Put items before the first, in their order."""
        while items:
            room = self.first % CHUNK
            part, items = list(items[-(room or CHUNK) :]), items[: -(room or CHUNK)]
            if room:
                number = self.first // CHUNK
                part += self._chunk(number)
                self._packed[0] = self._pack(part)
                self._open.pop(number, None)
                self.first = (number + 1) * CHUNK - len(part)
            else:
                self._packed.insert(0, self._pack(part))
                self.first -= len(part)

    def replace(self, index: int, item: _Item) -> None:
        """Put an item in another's place."""
        number = index // CHUNK
        chunk = self._chunk(number)
        chunk[index - self.start_of(number)] = item
        if number < self._last_chunk:
            self._packed[number - self.first // CHUNK] = self._pack(chunk)

    def _chunk(self, number: int) -> list[_Item]:
        if number == self._last_chunk:
            return self._tail
        chunk = self._open.get(number)
        if chunk is None:
            chunk = self._unpack(self._packed[number - self.first // CHUNK])
            self._remember(number, chunk)
        else:
            self._open.move_to_end(number)
        return chunk

    def _remember(self, number: int, chunk: list[_Item]) -> None:
        self._open[number] = chunk
        if len(self._open) > _OPEN_CHUNKS:
            self._open.popitem(last=False)


class EntryStore(PackedStore[Entry]):
    """The entries of a chat log."""

    def __init__(self) -> None:
        super().__init__(pack, unpack)

    def texts(self, number: int) -> list[str]:
        """The texts of the chunk with this number, which stays packed: for whoever looks through all."""
        if number == self._last_chunk:
            return [str(entry.text) for entry in self._tail]
        return packed_texts(self._packed[number - self.first // CHUNK])
