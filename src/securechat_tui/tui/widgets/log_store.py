"""What a chat log holds: the newest as they are, the others packed in chunks."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from securechat_tui.tui.widgets.log_entries import Entry, pack, packed_texts, unpack

__all__ = ["CHUNK", "EntryStore"]

CHUNK: Final = 64
"""Entries that are packed, measured and looked up together."""
_OPEN_CHUNKS: Final = 16
"""Chunks that are kept unpacked: several screens full."""


class EntryStore:
    """A sequence that grows and shrinks at both ends, small enough for a million entries.

    An entry keeps its index for good; the first one appended has 0, what is put before it has negative ones.
    A chunk holds the indexes of one multiple of :data:`CHUNK`; the first one may lack its beginning.

    Full chunks are packed: a hundred thousand entries are then a couple of thousand objects, which
    costs a quarter of the memory and spares the garbage collector long pauses.
    """

    def __init__(self) -> None:
        self._packed: list[bytes] = []
        self._tail: list[Entry] = []
        self.first = 0
        """The lowest index."""
        self._open: OrderedDict[int, list[Entry]] = OrderedDict()

    def __len__(self) -> int:
        return self.stop - self.first

    def __getitem__(self, index: int) -> Entry:
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
        """The index of the first entry of a chunk."""
        return max(self.first, number * CHUNK)

    def append(self, entry: Entry) -> None:
        """Add an entry at the end."""
        self._tail.append(entry)
        if len(self._tail) == CHUNK:
            self._packed.append(pack(self._tail))
            self._remember(self._last_chunk - 1, self._tail)
            self._tail = []

    def prepend(self, entries: Sequence[Entry]) -> None:
        """Put entries before the first, in their order."""
        while entries:
            room = self.first % CHUNK
            part, entries = list(entries[-(room or CHUNK) :]), entries[: -(room or CHUNK)]
            if room:
                number = self.first // CHUNK
                part += self._chunk(number)
                self._packed[0] = pack(part)
                self._open.pop(number, None)
                self.first = (number + 1) * CHUNK - len(part)
            else:
                self._packed.insert(0, pack(part))
                self.first -= len(part)

    def drop_first(self) -> list[Entry]:
        """Remove the first chunk, which must be full or have been; return what was in it."""
        number = self.first // CHUNK
        dropped = self._chunk(number)
        del self._packed[0]
        self._open.pop(number, None)
        self.first = (number + 1) * CHUNK
        return dropped

    def drop_last(self) -> list[Entry]:
        """Remove the last chunk, full or not; return what was in it."""
        if self._tail:
            dropped, self._tail = self._tail, []
        else:
            number = self._last_chunk - 1
            dropped = self._chunk(number)
            del self._packed[-1]
            self._open.pop(number, None)
        if not self._packed:
            self.first -= self.first % CHUNK
        return dropped

    def replace(self, index: int, entry: Entry) -> None:
        """Put an entry in another's place."""
        number = index // CHUNK
        chunk = self._chunk(number)
        chunk[index - self.start_of(number)] = entry
        if number < self._last_chunk:
            self._packed[number - self.first // CHUNK] = pack(chunk)

    def _chunk(self, number: int) -> list[Entry]:
        if number == self._last_chunk:
            return self._tail
        chunk = self._open.get(number)
        if chunk is None:
            chunk = unpack(self._packed[number - self.first // CHUNK])
            self._remember(number, chunk)
        else:
            self._open.move_to_end(number)
        return chunk

    def _remember(self, number: int, chunk: list[Entry]) -> None:
        self._open[number] = chunk
        if len(self._open) > _OPEN_CHUNKS:
            self._open.popitem(last=False)

    def texts(self, number: int) -> list[str]:
        """The texts of the chunk with this number, which stays packed: for whoever looks through all."""
        if number == self._last_chunk:
            return [str(entry.text) for entry in self._tail]
        return packed_texts(self._packed[number - self.first // CHUNK])
