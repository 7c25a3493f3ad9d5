"""Which payload may come when, for both directions of one session.

First HELLO on each side; before it has the other's HELLO, a side says no more than RESUME or
goodbye. RESUME says that its sender is past its trust gate; content (messages,
signatures, acknowledgements, gone) flows only when both RESUMEs have passed. A side that stands at
its gate sends no RESUME, so nothing but names, pings, comparison and goodbye can pass. Rekey and
empty records belong to the record layer and pass once HELLO has.
"""

from typing import Final

from securechat_tui.protocol.errors import LocalError, OutOfPlace
from securechat_tui.protocol.payloads import (
    Acknowledgement,
    Gone,
    Goodbye,
    Hello,
    Payload,
    Resume,
    Signature,
    Signed,
    Unsigned,
)

_CONTENT: Final = frozenset((Signed, Unsigned, Signature, Acknowledgement, Gone))
_EARLY: Final = frozenset((Resume, Goodbye))


class _Side:
    """What one side has said so far."""

    __slots__ = ("hello", "resume")

    def __init__(self) -> None:
        self.hello = False
        self.resume = False


class PayloadOrder:
    """Checks each payload before it is sent or taken in."""

    __slots__ = ("_own", "_peer", "greeted", "open")

    def __init__(self) -> None:
        self.greeted = False
        """Whether both sides have sent their HELLO."""
        self.open = False
        """Whether content may flow."""
        self._own = _Side()
        self._peer = _Side()

    @property
    def spoken(self) -> bool:
        """Whether this side has sent its HELLO."""
        return self._own.hello

    def sending(self, payload: Payload) -> None:
        """Note a payload of our own; raises :class:`LocalError` where it has no place."""
        if not self._admits(self._own, payload):
            raise LocalError(f"{type(payload).__name__} has no place here")

    def receiving(self, payload: Payload | None) -> None:
        """Note a payload of the peer (None: an ignored kind); raises :class:`OutOfPlace`."""
        if payload is None:
            if not self._peer.hello:
                raise OutOfPlace("before HELLO")
        elif not self._admits(self._peer, payload):
            raise OutOfPlace(type(payload).__name__)

    def _admits(self, side: _Side, payload: Payload) -> bool:
        """Tell whether a payload has a place, and note one that opens the way for others."""
        kind = type(payload)
        if kind in _CONTENT:
            return self.open
        if not self._is_due(side, kind):
            return False
        self._note(side, kind)
        return True

    def _is_due(self, side: _Side, kind: type[Payload]) -> bool:
        if kind is Hello:
            return not side.hello
        return self.greeted or (side.hello and kind in _EARLY)

    def _note(self, side: _Side, kind: type[Payload]) -> None:
        side.hello = True
        side.resume = side.resume or kind is Resume
        self.greeted = self._own.hello and self._peer.hello
        self.open = self._own.resume and self._peer.resume
