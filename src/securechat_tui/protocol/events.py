"""What a session tells its driver: frozen values.

The ones that end in ``Needed`` and the questions (:class:`Called`, :class:`HostIdentified`,
:class:`GuestIdentified`, :class:`Authenticated`) stand still until they are answered.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from securechat_tui.protocol.errors import FrameError, RecordFailure, RemoteError
from securechat_tui.protocol.identity import PublicIdentity
from securechat_tui.protocol.payloads import Payload
from securechat_tui.protocol.rotation import Rotation


class Instant(NamedTuple):
    """A moment: ``monotonic`` seconds for timers, ``unix`` seconds for what people read."""

    monotonic: float
    unix: float


class SessionEvent:
    """The base of all events."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class SignatureNeeded(SessionEvent):
    """Sign ``message`` with the identity key and call ``session.signed``."""

    message: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class UnwrapNeeded(SessionEvent):
    """Open ``ciphertext`` with the identity key (``IdentityKey.unwrap``), call ``session.unwrapped``."""

    ciphertext: bytes
    label: bytes
    fallback: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Called(SessionEvent):
    """Host: a K1 has come, and no private key has been used yet.

    Answer with ``session.admit`` or ``session.refuse``. ``core`` and ``tags`` are what
    :func:`~securechat_tui.protocol.handshake.shows_secret` checks a reconnect secret against.
    """

    core: bytes
    tags: tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class HostIdentified(SessionEvent):
    """Guest: the host has proved its key. Answer with ``session.proceed`` or ``session.abort``.

    Nothing that names the guest has been sent yet.
    """

    identity: PublicIdentity
    version: int
    rotations: tuple[Rotation, ...]


@dataclass(frozen=True, slots=True)
class GuestIdentified(SessionEvent):
    """Host: the guest has proved its key. Answer with ``session.proceed`` or ``session.abort``."""

    identity: PublicIdentity
    version: int
    rotations: tuple[Rotation, ...]


@dataclass(frozen=True, slots=True)
class Authenticated(SessionEvent):
    """The peer's FIN has verified. Store the pin with its reconnect secret, then ``session.confirm``.

    The guest's own FIN leaves only after that, and the host accepts only after that.
    """

    identity: PublicIdentity
    version: int
    session_id: bytes
    reconnect_secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class PayloadReceived(SessionEvent):
    """A payload for the engine; those of the session itself (ping, rekey, empty) are not passed on."""

    payload: Payload


@dataclass(frozen=True, slots=True)
class Rekeyed(SessionEvent):
    """Both directions use the keys of ``epoch``."""

    epoch: int


@dataclass(frozen=True, slots=True)
class RoundTripMeasured(SessionEvent):
    """A ping's answer came after ``seconds``."""

    seconds: float


class End(StrEnum):
    """How a session ended."""

    GOODBYE = "goodbye"
    """The peer said an authenticated goodbye."""
    LEFT = "left"
    """This side said goodbye or gave up."""
    LOST = "lost"
    """The connection was cut or disturbed, or the peer has been silent for too long."""
    BUSY = "busy"
    """Unauthenticated: the host says that it is busy."""
    VERSION = "version"
    """No common version (or an unauthenticated word of the host that there is none)."""
    SELF = "self"
    """The peer showed our own key."""
    HANDSHAKE = "handshake"
    """The handshake failed."""
    VIOLATION = "violation"
    """The peer broke the protocol after the handshake."""


def end_of(error: RemoteError) -> End:
    """Tell what the network can do from what only the peer itself can have done.

    Anybody on the path can change a byte: a record that does not open is a cut, and blames nobody.
    """
    return End.LOST if isinstance(error, FrameError | RecordFailure) else End.VIOLATION


@dataclass(frozen=True, slots=True)
class Ended(SessionEvent):
    """The session is over; write out what is left and close. ``detail`` is for this side alone."""

    how: End
    detail: str
