"""No protection at all: lines of text, which lessons begin with. It is not among the protocols offered."""

from collections.abc import Iterator
from typing import Final

from securechat_tui.lab.catalogue import LabProtocol
from securechat_tui.lab.keyring import KeyRing
from securechat_tui.lab.peer import Moment, Peer
from securechat_tui.lab.steps import Field
from securechat_tui.lab.units import MAX_TEXT, CheckFailed, Unit

__all__ = ["BARE", "BarePeer"]

_READY: Final = b"READY\n"


class _Lines:
    """A greeting, then lines."""

    def __init__(self, role: str) -> None:
        self._role = role
        self._held = bytearray()
        self._kind = "key"

    def feed(self, data: bytes) -> Iterator[Unit]:
        """Give the whole lines."""
        self._held += data
        while (end := self._held.find(b"\n")) >= 0:
            line, kind = bytes(self._held[: end + 1]), self._kind
            del self._held[: end + 1]
            self._kind = "message"
            yield Unit(self._role, kind, line, (Field("text", 0, max(0, len(line) - 1)),))
        if len(self._held) > MAX_TEXT:
            raise CheckFailed("line length", f"more than {MAX_TEXT} bytes")


class BarePeer(Peer):
    """Either side: what is typed is what passes."""

    def __init__(self, role: str, moment: Moment) -> None:
        super().__init__(role, _Lines("guest" if role == "host" else "host"), moment)
        self._write(_READY)

    def _take(self, unit: Unit, _moment: Moment) -> None:
        if self.established:
            self._show(unit.data.rstrip(b"\n"), "the other side", ())
        else:
            self._establish("")

    def _seal(self, plaintext: bytes, _moment: Moment) -> bytes:
        return plaintext.replace(b"\n", b" ") + b"\n"


def _make(role: str, _keys: KeyRing, moment: Moment, _owner: str) -> Peer:
    return BarePeer(role, moment)


BARE: Final = LabProtocol(
    name="no protection",
    title="Lines of text",
    explanation="Nothing is encrypted, authenticated or signed.",
    lacks=("everything",),
    port=0,
    make=_make,
    split=_Lines,
)
