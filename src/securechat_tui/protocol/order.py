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


class _Side:
    """What one side has said so far."""

    __slots__ = ("hello", "resume")

    def __init__(self) -> None:
        self.hello = False
        self.resume = False

    def note(self, payload: Payload) -> None:
        self.hello = True
        self.resume = self.resume or isinstance(payload, Resume)


class PayloadOrder:
    """Checks each payload before it is sent or taken in."""

    __slots__ = ("_own", "_peer")

    def __init__(self) -> None:
        self._own = _Side()
        self._peer = _Side()

    @property
    def greeted(self) -> bool:
        """Whether both sides have sent their HELLO."""
        return self._own.hello and self._peer.hello

    @property
    def spoken(self) -> bool:
        """Whether this side has sent its HELLO."""
        return self._own.hello

    @property
    def open(self) -> bool:
        """Whether content may flow."""
        return self._own.resume and self._peer.resume

    def sending(self, payload: Payload) -> None:
        """Note a payload of our own; raises :class:`LocalError` where it has no place."""
        if not self._admits(self._own, payload):
            raise LocalError(f"{type(payload).__name__} has no place here")
        self._own.note(payload)

    def receiving(self, payload: Payload | None) -> None:
        """Note a payload of the peer (None: an ignored kind); raises :class:`OutOfPlace`."""
        if payload is None:
            if not self._peer.hello:
                raise OutOfPlace("before HELLO")
            return
        if not self._admits(self._peer, payload):
            raise OutOfPlace(type(payload).__name__)
        self._peer.note(payload)

    def _admits(self, side: _Side, payload: Payload) -> bool:
        if type(payload) in _CONTENT:
            return self.open
        if isinstance(payload, Hello):
            return not side.hello
        return self.greeted or (side.hello and isinstance(payload, Resume | Goodbye))
