"""What a chat log holds: the newest as they are, the others packed in chunks."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from securechat_tui.tui.widgets.log_entries import Entry, pack, packed_texts, unpack

__all__ = ["CHUNK", "EntryStore", "PackedStore"]

_Item = TypeVar("_Item")

CHUNK: Final = 64
"""Entries that are packed, measured and looked up together."""
_OPEN_CHUNKS: Final = 16
"""Chunks that are kept unpacked: several screens full."""


class PackedStore(Generic[_Item]):
    """A sequence that grows at its end, small enough for a million items.

    Full chunks are packed: a hundred thousand items are then a couple of thousand objects, which
    costs a quarter of the memory and spares the garbage collector long pauses.
    """

    def __init__(self, pack: Callable[[list[_Item]], bytes], unpack: Callable[[bytes], list[_Item]]) -> None:
        """``pack`` turns a chunk into bytes, ``unpack`` turns them into an equal chunk."""
        self._pack = pack
        self._unpack = unpack
        self._packed: list[bytes] = []
        self._tail: list[_Item] = []
        self._open: OrderedDict[int, list[_Item]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._packed) * CHUNK + len(self._tail)

    def __getitem__(self, index: int) -> _Item:
        if not 0 <= index < len(self):
            raise IndexError(index)
        number, position = divmod(index, CHUNK)
        return self._chunk(number)[position]

    def append(self, item: _Item) -> None:
        """Add an item at the end."""
        self._tail.append(item)
        if len(self._tail) == CHUNK:
            self._packed.append(self._pack(self._tail))
            self._remember(len(self._packed) - 1, self._tail)
            self._tail = []

    def replace(self, index: int, item: _Item) -> None:
        """Put an item in another's place."""
        number, position = divmod(index, CHUNK)
        chunk = self._chunk(number)
        chunk[position] = item
        if number < len(self._packed):
            self._packed[number] = self._pack(chunk)

    def _chunk(self, number: int) -> list[_Item]:
        if number == len(self._packed):
            return self._tail
        chunk = self._open.get(number)
        if chunk is None:
            chunk = self._unpack(self._packed[number])
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
        if number == len(self._packed):
            return [str(entry.text) for entry in self._tail]
        return packed_texts(self._packed[number])
