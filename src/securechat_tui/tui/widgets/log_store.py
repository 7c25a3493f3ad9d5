"""The entries of a chat log: the newest as they are, the others packed in chunks."""

from collections import OrderedDict
from typing import Final

from securechat_tui.tui.widgets.log_entries import Entry, pack, packed_texts, unpack

__all__ = ["CHUNK", "EntryStore"]

CHUNK: Final = 64
"""Entries that are packed, measured and looked up together."""
_OPEN_CHUNKS: Final = 16
"""Chunks that are kept unpacked: several screens full."""


class EntryStore:
    """A sequence that grows at its end, small enough for a million entries.

    Full chunks are packed: a hundred thousand entries are then a couple of thousand objects, which
    costs a quarter of the memory and spares the garbage collector long pauses.
    """

    def __init__(self) -> None:
        self._packed: list[bytes] = []
        self._tail: list[Entry] = []
        self._open: OrderedDict[int, list[Entry]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._packed) * CHUNK + len(self._tail)

    def __getitem__(self, index: int) -> Entry:
        if not 0 <= index < len(self):
            raise IndexError(index)
        number, position = divmod(index, CHUNK)
        return self._chunk(number)[position]

    def append(self, entry: Entry) -> None:
        """Add an entry at the end."""
        self._tail.append(entry)
        if len(self._tail) == CHUNK:
            self._packed.append(pack(self._tail))
            self._remember(len(self._packed) - 1, self._tail)
            self._tail = []

    def replace(self, index: int, entry: Entry) -> None:
        """Put an entry in another's place."""
        number, position = divmod(index, CHUNK)
        chunk = self._chunk(number)
        chunk[position] = entry
        if number < len(self._packed):
            self._packed[number] = pack(chunk)

    def texts(self, number: int) -> list[str]:
        """The texts of the chunk with this number, which stays packed: for whoever looks through all."""
        if number == len(self._packed):
            return [str(entry.text) for entry in self._tail]
        return packed_texts(self._packed[number])

    def _chunk(self, number: int) -> list[Entry]:
        if number == len(self._packed):
            return self._tail
        chunk = self._open.get(number)
        if chunk is None:
            chunk = unpack(self._packed[number])
            self._remember(number, chunk)
        else:
            self._open.move_to_end(number)
        return chunk

    def _remember(self, number: int, chunk: list[Entry]) -> None:
        self._open[number] = chunk
        if len(self._open) > _OPEN_CHUNKS:
            self._open.popitem(last=False)
