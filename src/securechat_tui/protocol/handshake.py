"""The handshake's two machines.

Theory of operation. A machine stands in one state; a frame from the peer or an answer from this
side's driver is an input; the table says which state follows. An input that has no entry for the
present state does nothing: a frame is refused by the frame reader, which admits only what
``ADMITTED`` lists for the state, and an answer raises :class:`LocalError`. A machine computes first
and changes state last. States named DECIDE, SIGN and UNWRAP wait for this side; meanwhile no frame
is admitted, and what comes early waits unread.

The private key never comes here: signatures and unwrapping are asked for by events.
"""

from collections.abc import Callable, Mapping
from enum import Enum, auto
from typing import Final

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import events, keyschedule, primitives
from securechat_tui.protocol.errors import (
    BadKey,
    HandshakeFailure,
    LocalError,
    MalformedPayload,
    SelfConnection,
    VersionMismatch,
)
from securechat_tui.protocol.events import SessionEvent
from securechat_tui.protocol.frames import Admitted, Bounds, FrameType, frame
from securechat_tui.protocol.identity import PublicIdentity
from securechat_tui.protocol.keyschedule import K1, K2, GuestSection, HandshakeKeys, HostSection, Master
from securechat_tui.protocol.primitives import CryptoFailure
from securechat_tui.protocol.rotation import Rotation


class State(Enum):
    """Where a handshake stands."""

    START = auto()
    AWAIT_K1 = auto()
    DECIDE_CALL = auto()
    AWAIT_K2 = auto()
    DECIDE_PEER = auto()
    SIGN = auto()
    AWAIT_S = auto()
    UNWRAP = auto()
    AWAIT_FIN = auto()
    DECIDE_PIN = auto()
    COMPLETE = auto()


class Input(Enum):
    """What moves a handshake on: the peer's frames and this side's answers."""

    OPEN = auto()
    K1 = auto()
    K2 = auto()
    S = auto()
    FIN = auto()
    ADMIT = auto()
    PROCEED = auto()
    SIGNED = auto()
    UNWRAPPED = auto()
    CONFIRM = auto()


Table = Mapping[tuple[State, Input], State]

GUEST_TABLE: Final[Table] = {
    (State.START, Input.OPEN): State.AWAIT_K2,  # K1 sent
    (State.AWAIT_K2, Input.K2): State.DECIDE_PEER,  # host identified
    (State.DECIDE_PEER, Input.PROCEED): State.SIGN,
    (State.SIGN, Input.SIGNED): State.AWAIT_FIN,  # S sent
    (State.AWAIT_FIN, Input.FIN): State.DECIDE_PIN,  # host authenticated
    (State.DECIDE_PIN, Input.CONFIRM): State.COMPLETE,  # FIN sent
}

HOST_TABLE: Final[Table] = {
    (State.START, Input.OPEN): State.AWAIT_K1,
    (State.AWAIT_K1, Input.K1): State.DECIDE_CALL,
    (State.DECIDE_CALL, Input.ADMIT): State.SIGN,
    (State.SIGN, Input.SIGNED): State.AWAIT_S,  # K2 sent
    (State.AWAIT_S, Input.S): State.DECIDE_PEER,  # guest identified
    (State.DECIDE_PEER, Input.PROCEED): State.UNWRAP,
    (State.UNWRAP, Input.UNWRAPPED): State.AWAIT_FIN,  # FIN sent
    (State.AWAIT_FIN, Input.FIN): State.DECIDE_PIN,  # guest authenticated
    (State.DECIDE_PIN, Input.CONFIRM): State.COMPLETE,
}

_FIN: Final[Admitted] = {FrameType.FIN: Bounds.exactly(c.FIN_LENGTH)}
RECORDS: Final[Admitted] = {FrameType.RECORD: Bounds(c.RECORD_SIZES[0] + c.RECORD_OVERHEAD, c.RECORD_CAP)}
"""What an established session admits."""

ADMITTED: Final[Mapping[State, Admitted]] = {
    State.AWAIT_K1: {FrameType.KEY: Bounds(1, c.K1_CAP)},
    State.AWAIT_K2: {
        FrameType.KEY: Bounds.exactly(c.K2_LENGTH),
        FrameType.HINT: Bounds(2, c.HINT_CAP),
    },
    State.AWAIT_S: {FrameType.SESSION: Bounds.exactly(c.S_LENGTH)},
    State.AWAIT_FIN: _FIN,
    State.COMPLETE: RECORDS,
}
"""The frames that each state admits; a state that is not listed admits none yet."""


def shows_secret(call: events.Called, secret: bytes) -> bool:
    """Tell whether a K1 carries the tag of this secret, in either place; constant time."""
    tag = keyschedule.call_tag(secret, call.core)
    return primitives.equal(tag, call.tags[0]) | primitives.equal(tag, call.tags[1])


class Handshake:
    """What both machines share; ``write`` takes finished frames."""

    table: Table
    state: State
    master: Master
    peer: PublicIdentity
    version: int

    def __init__(
        self,
        own: PublicIdentity,
        versions: tuple[int, ...],
        rotations: tuple[Rotation, ...],
        write: Callable[[bytes], None],
    ) -> None:
        self.state = State.START
        self._own = own
        self.versions = versions
        self._rotations = rotations
        self._write = write

    @property
    def admitted(self) -> Admitted:
        """The frames that may come now."""
        return ADMITTED.get(self.state, {})

    def receive(self, kind: FrameType, payload: bytes) -> list[SessionEvent]:
        """Take an admitted frame; raises a :class:`RemoteError`, the state unchanged."""
        try:
            return self._receive(kind, payload)
        except (BadKey, CryptoFailure, MalformedPayload) as error:
            raise HandshakeFailure(str(error)) from None

    def _receive(self, kind: FrameType, payload: bytes) -> list[SessionEvent]:
        raise NotImplementedError

    def _following(self, taken: Input) -> State:
        """Return the state that follows; raises :class:`LocalError` where the table has none."""
        try:
            return self.table[self.state, taken]
        except KeyError:
            raise LocalError(f"{taken.name} has no place in {self.state.name}") from None

    def _check_not_own(self, peer: PublicIdentity) -> None:
        """Refuse a reflection, and a connection to oneself."""
        if peer.fingerprint == self._own.fingerprint:
            raise SelfConnection("the peer shows our own key")

    def forget(self) -> None:
        """Drop every secret: the session has keys of its own now, and lets go of its past."""
        del self.master

    def _authenticated(self) -> events.Authenticated:
        return events.Authenticated(
            self.peer, self.version, self.master.session_id, self.master.reconnect_secret()
        )


class GuestHandshake(Handshake):
    """The machine of the side that connects."""

    table = GUEST_TABLE

    def open(self, secrets: tuple[bytes | None, bytes | None]) -> None:
        """Send K1; ``secrets`` fill the tag places, which are random where there is none."""
        following = self._following(Input.OPEN)
        self._exchange = primitives.Exchange()
        self._encapsulation = primitives.Encapsulation()
        empty = (b"", b"")
        core = K1(self.versions, self._exchange.public, self._encapsulation.public, empty).core()
        first, second = (
            keyschedule.call_tag(secret, core) if secret else primitives.random_bytes(c.TAG_LENGTH)
            for secret in secrets
        )
        self._k1 = core + first + second
        self._write(frame(FrameType.KEY, self._k1))
        self.state = following

    def _receive(self, kind: FrameType, payload: bytes) -> list[SessionEvent]:
        return self._take_k2(payload) if kind is FrameType.KEY else self._take_fin(payload)

    def _take_k2(self, payload: bytes) -> list[SessionEvent]:
        following = self._following(Input.K2)
        k2 = K2.decode(payload)
        kem_secret = self._encapsulation.open(k2.ciphertext)
        dh_secret = self._exchange.agree(k2.x25519)
        t1 = keyschedule.first_transcript(self._k1, k2.clear())
        keys = HandshakeKeys.derive(t1, kem_secret, dh_secret)
        section = HostSection.decode(primitives.unseal(keys.host, k2.sealed, t1))
        self._check_version(k2.version, section.versions)
        peer = keyschedule.identify(section.spki, section.message(t1), section.signature)
        self._check_not_own(peer)
        self.peer, self.version = peer, k2.version
        self._secrets, self._keys = (kem_secret, dh_secret), keys
        self._t2 = keyschedule.second_transcript(t1, k2.sealed)
        self.state = following
        return [events.HostIdentified(peer, k2.version, section.rotations)]

    def _check_version(self, chosen: int, host_versions: tuple[int, ...]) -> None:
        """Refuse anything but the highest version of both lists."""
        if chosen != keyschedule.highest_common(self.versions, host_versions):
            raise VersionMismatch("not the highest common version")

    def proceed(self) -> list[SessionEvent]:
        """Go on after the pin of the host was checked."""
        following = self._following(Input.PROCEED)
        self._contribution = primitives.random_bytes(c.CONTRIBUTION_LENGTH)
        wrapped = self.peer.wrap(self._contribution, keyschedule.oaep_label(self._t2))
        self._section = GuestSection(self._own.spki, wrapped, self._rotations)
        self.state = following
        return [events.SignatureNeeded(self._section.message(self._t2, self.peer.fingerprint))]

    def signed(self, signature: bytes) -> list[SessionEvent]:
        """Send S."""
        following = self._following(Input.SIGNED)
        section = GuestSection(self._section.spki, self._section.wrapped, self._rotations, signature)
        sealed = primitives.seal(self._keys.guest, section.encode(), self._t2)
        t3 = keyschedule.third_transcript(self._t2, sealed, self._own.fingerprint, self.peer.fingerprint)
        self.master = Master.derive(t3, *self._secrets, self._contribution)
        self._write(frame(FrameType.SESSION, sealed))
        self.state = following
        return []

    def _take_fin(self, payload: bytes) -> list[SessionEvent]:
        following = self._following(Input.FIN)
        keyschedule.check_fin(self.master.fin_host, payload)
        self.state = following
        return [self._authenticated()]

    def confirm(self) -> None:
        """Send the guest's FIN: the pin is stored."""
        following = self._following(Input.CONFIRM)
        self._write(frame(FrameType.FIN, self.master.fin_guest))
        self.state = following

    def forget(self) -> None:
        """Drop every secret."""
        super().forget()
        del self._exchange, self._encapsulation, self._secrets, self._keys, self._contribution


class HostHandshake(Handshake):
    """The machine of the side that listens."""

    table = HOST_TABLE

    def open(self) -> None:
        """Wait for K1."""
        self.state = self._following(Input.OPEN)

    def _receive(self, kind: FrameType, payload: bytes) -> list[SessionEvent]:
        if kind is FrameType.KEY:
            return self._take_k1(payload)
        return self._take_s(payload) if kind is FrameType.SESSION else self._take_fin(payload)

    def _take_k1(self, payload: bytes) -> list[SessionEvent]:
        following = self._following(Input.K1)
        k1 = K1.decode(payload, self.versions)
        self._k1, self._payload = k1, payload
        self.version = keyschedule.highest_common(self.versions, k1.versions)
        self.state = following
        return [events.Called(k1.core(), k1.tags)]

    def admit(self) -> list[SessionEvent]:
        """Answer the call; raises HandshakeFailure for a key of the guest that does not compute."""
        following = self._following(Input.ADMIT)
        exchange = primitives.Exchange()
        try:
            dh_secret = exchange.agree(self._k1.x25519)
            kem_secret, ciphertext = primitives.encapsulate(self._k1.encapsulation_key)
        except CryptoFailure as error:
            raise HandshakeFailure(str(error)) from None
        self._secrets = (kem_secret, dh_secret)
        self._k2 = K2(self.version, exchange.public, ciphertext, b"")
        self._t1 = keyschedule.first_transcript(self._payload, self._k2.clear())
        self._keys = HandshakeKeys.derive(self._t1, *self._secrets)
        self._section = HostSection(self._own.spki, self.versions, self._rotations)
        self.state = following
        return [events.SignatureNeeded(self._section.message(self._t1))]

    def signed(self, signature: bytes) -> list[SessionEvent]:
        """Send K2."""
        following = self._following(Input.SIGNED)
        section = HostSection(self._section.spki, self.versions, self._rotations, signature)
        sealed = primitives.seal(self._keys.host, section.encode(), self._t1)
        self._t2 = keyschedule.second_transcript(self._t1, sealed)
        self._write(frame(FrameType.KEY, self._k2.clear() + sealed))
        self.state = following
        return []

    def _take_s(self, payload: bytes) -> list[SessionEvent]:
        """Check the guest's signature; only then will the private key be used."""
        following = self._following(Input.S)
        section = GuestSection.decode(primitives.unseal(self._keys.guest, payload, self._t2))
        message = section.message(self._t2, self._own.fingerprint)
        peer = keyschedule.identify(section.spki, message, section.signature)
        self._check_not_own(peer)
        self.peer, self._wrapped = peer, section.wrapped
        self._t3 = keyschedule.third_transcript(self._t2, payload, peer.fingerprint, self._own.fingerprint)
        self.state = following
        return [events.GuestIdentified(peer, self.version, section.rotations)]

    def proceed(self) -> list[SessionEvent]:
        """Go on after the guest was looked up; the fallback is drawn before the decryption."""
        following = self._following(Input.PROCEED)
        fallback = primitives.random_bytes(c.CONTRIBUTION_LENGTH)
        self.state = following
        return [events.UnwrapNeeded(self._wrapped, keyschedule.oaep_label(self._t2), fallback)]

    def unwrapped(self, contribution: bytes) -> list[SessionEvent]:
        """Send the host's FIN."""
        following = self._following(Input.UNWRAPPED)
        self.master = Master.derive(self._t3, *self._secrets, contribution)
        self._write(frame(FrameType.FIN, self.master.fin_host))
        self.state = following
        return []

    def _take_fin(self, payload: bytes) -> list[SessionEvent]:
        following = self._following(Input.FIN)
        keyschedule.check_fin(self.master.fin_guest, payload)
        self.state = following
        return [self._authenticated()]

    def confirm(self) -> None:
        """Accept the guest: the pin is stored."""
        self.state = self._following(Input.CONFIRM)

    def forget(self) -> None:
        """Drop every secret."""
        super().forget()
        del self._secrets, self._keys
