"""One session from the first byte to the last: bytes in, events out.

The driver feeds what the network brings (:meth:`Session.receive`), writes what
:meth:`Session.data_to_send` gives, calls :meth:`Session.handle_timeout` when
:meth:`Session.next_timeout` says so, and answers the events that ask. Nothing a peer sends raises:
it ends the session with one :class:`~securechat_tui.protocol.events.Ended`, and with the same
outward silence whatever it was.
"""

from collections import deque
from collections.abc import Callable

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import events
from securechat_tui.protocol.errors import LocalError, RemoteError, SelfConnection, VersionMismatch
from securechat_tui.protocol.events import End, Ended, Instant, SessionEvent, end_of
from securechat_tui.protocol.frames import FrameReader, FrameType, decode_hint, encode_hint, frame, header
from securechat_tui.protocol.handshake import RECORDS, GuestHandshake, HostHandshake, State
from securechat_tui.protocol.identity import PublicIdentity
from securechat_tui.protocol.liveness import Pings
from securechat_tui.protocol.order import PayloadOrder
from securechat_tui.protocol.payloads import (
    Acknowledgement,
    Empty,
    Goodbye,
    GoodbyeReason,
    Hello,
    Payload,
    Ping,
    RekeyFirst,
    RekeySecond,
    Signature,
    Signed,
    Unsigned,
    decode_payload,
)
from securechat_tui.protocol.recordlayer import RecordLayer
from securechat_tui.protocol.records import Direction, Watch
from securechat_tui.protocol.rotation import Rotation

HINT_BUSY = 1
HINT_VERSION = 2
_HINTS = {HINT_BUSY: End.BUSY, HINT_VERSION: End.VERSION}


class Session:
    """The state of one connection; make one with :meth:`guest` or :meth:`host`."""

    def __init__(self, handshake: GuestHandshake | HostHandshake, out: list[bytes], now: Instant) -> None:
        self.closed = False
        self._handshake = handshake
        self._role = Direction.HOST if isinstance(handshake, HostHandshake) else Direction.GUEST
        self._out = out
        self._deadline = now.monotonic + c.HANDSHAKE_SECONDS
        self._frames = FrameReader()
        self._events: list[SessionEvent] = []
        self._signing: deque[Callable[[bytes, Instant], None]] = deque()
        self._order = PayloadOrder()
        self._records: RecordLayer | None = None
        self._pings = Pings(now.monotonic)
        self._silent = False

    @classmethod
    def guest(
        cls,
        own: PublicIdentity,
        now: Instant,
        *,
        secrets: tuple[bytes | None, bytes | None] = (None, None),
        versions: tuple[int, ...] = (c.VERSION,),
        rotations: tuple[Rotation, ...] = (),
    ) -> "Session":
        """Begin as the side that connects; ``secrets`` (32 bytes each) make the tags of K1."""
        out: list[bytes] = []
        handshake = GuestHandshake(own, versions, rotations, out.append)
        handshake.open(secrets)
        return cls(handshake, out, now)

    @classmethod
    def host(
        cls,
        own: PublicIdentity,
        now: Instant,
        *,
        versions: tuple[int, ...] = (c.VERSION,),
        rotations: tuple[Rotation, ...] = (),
        silent: bool = False,
    ) -> "Session":
        """Begin as the side that listens; ``silent``: not even a hint where no version is common."""
        out: list[bytes] = []
        handshake = HostHandshake(own, versions, rotations, out.append)
        handshake.open()
        session = cls(handshake, out, now)
        session._silent = silent
        return session

    # What the network drives.

    def receive(self, data: bytes | memoryview, now: Instant) -> list[SessionEvent]:
        """Take bytes of the peer, in whatever pieces; return what follows from them."""
        if self.closed:
            return []

        return self._guarded(lambda: self._take(memoryview(data), now))

    def receive_eof(self, now: Instant) -> list[SessionEvent]:  # noqa: ARG002 - all inputs take the moment
        """Take note that the connection has ended."""
        if not self.closed:
            self._end(End.LOST, "the connection was cut")
        return self._drain()

    def data_to_send(self) -> bytes:
        """Return, once, the bytes to be written."""
        data = b"".join(self._out)
        self._out.clear()
        return data

    @property
    def handshaking(self) -> bool:
        """Whether the handshake is not complete yet."""
        return self._records is None

    @property
    def epoch(self) -> int:
        """The epoch that both directions have reached."""
        return self._records.epoch if self._records else 0

    @property
    def session_id(self) -> bytes:
        """The id of an established session, 32 bytes; it is no secret."""
        return self._established().session_id

    def watch(self, watch: Watch | None) -> None:
        """Tell ``watch`` how each record is made or opened; LocalError before the handshake is complete."""
        self._established().watch(watch)

    def next_timeout(self) -> float | None:
        """Return the monotonic second at which :meth:`handle_timeout` is wanted."""
        if self.closed:
            return None
        if self._records is None or not self._order.greeted:
            return self._deadline
        return min(self._pings.due, self._pings.dead_at, self._rekey_time(self._records))

    def handle_timeout(self, now: Instant) -> list[SessionEvent]:
        """Do what time demands: give up, ping, rekey."""
        if self.closed:
            return []
        return self._guarded(lambda: self._on_time(now))

    # What the driver answers during the handshake.

    def admit(self, now: Instant) -> list[SessionEvent]:
        """Host: answer the call."""
        return self._answered(self._host().admit, now)

    def refuse(self, hint: int = HINT_BUSY) -> list[SessionEvent]:
        """Host: send the guest an unauthenticated hint and end; raises LocalError after ``admit``."""
        if self.closed:
            return []
        if self._host().state not in (State.AWAIT_K1, State.DECIDE_CALL):
            raise LocalError("the call was admitted")
        self._out.append(frame(FrameType.HINT, encode_hint(hint, self._handshake.versions)))
        self._end(End.LEFT, "refused the call")
        return self._drain()

    def proceed(self, now: Instant) -> list[SessionEvent]:
        """Go on after the peer's key was looked up."""
        return self._answered(self._handshake.proceed, now)

    def abort(self, detail: str) -> list[SessionEvent]:
        """End without a word."""
        if not self.closed:
            self._end(End.LEFT, detail)
        return self._drain()

    def signed(self, signature: bytes, now: Instant) -> list[SessionEvent]:
        """Take the signature that the oldest open SignatureNeeded asked for."""
        if self.closed:
            return []
        if self._records is None:
            return self._answered(lambda: self._handshake.signed(signature), now)
        if not self._signing:
            raise LocalError("no signature was asked for")
        return self._guarded(lambda: self._signing.popleft()(signature, now))

    def unwrapped(self, contribution: bytes, now: Instant) -> list[SessionEvent]:
        """Host: take what UnwrapNeeded asked for."""
        return self._answered(lambda: self._host().unwrapped(contribution), now)

    def confirm(self, now: Instant) -> list[SessionEvent]:
        """The pin is stored: complete the handshake. The driver sends HELLO next."""

        def complete() -> list[SessionEvent]:
            self._handshake.confirm()
            master = self._handshake.master
            self._records = RecordLayer(master, self._handshake.peer, self._role, now.monotonic)
            self._handshake.forget()
            self._pings = Pings(now.monotonic)
            return []

        return self._answered(complete, now)

    # What the engine says.

    def send(self, payload: Payload, now: Instant) -> None:
        """Seal a payload; raises :class:`LocalError` where the order of payloads does not admit it."""
        if self._records is None or self.closed:
            raise LocalError("no session stands")
        self._order.sending(payload)
        self._write(self._records.seal(payload))
        if isinstance(payload, Hello):
            self._greeted(now)

    def goodbye(self, reason: GoodbyeReason, now: Instant) -> list[SessionEvent]:
        """End with an authenticated goodbye where there is a session, else without a word."""
        return self._part(reason, End.LEFT, reason.name, now)

    def reject(self, detail: str, now: Instant) -> list[SessionEvent]:
        """End for good because the peer's content broke a rule that the engine checks."""
        return self._part(GoodbyeReason.REJECTED, End.VIOLATION, detail, now)

    # The inside.

    def _host(self) -> HostHandshake:
        if not isinstance(self._handshake, HostHandshake):
            raise LocalError("only a host does that")
        return self._handshake

    def _guarded(self, action: Callable[[], None]) -> list[SessionEvent]:
        """Run an action; whatever the peer did wrong ends the session."""
        try:
            action()
        except RemoteError as error:
            self._fail(error)
        return self._drain()

    def _answered(self, answer: Callable[[], list[SessionEvent]], now: Instant) -> list[SessionEvent]:
        """Take an answer of the driver, then what has come in meanwhile."""
        if self.closed:
            return []

        def take() -> None:
            self._events += answer()
            self._pump(now)

        return self._guarded(take)

    def _drain(self) -> list[SessionEvent]:
        happened, self._events = self._events, []
        return happened

    def _fail(self, error: RemoteError) -> None:
        if isinstance(error, VersionMismatch):
            how = End.VERSION
            if isinstance(self._handshake, HostHandshake) and not self._silent:
                self._out.append(frame(FrameType.HINT, encode_hint(HINT_VERSION, self._handshake.versions)))
        elif isinstance(error, SelfConnection):
            how = End.SELF
        else:
            how = End.HANDSHAKE if self.handshaking else end_of(error)
        self._end(how, str(error))

    def _end(self, how: End, detail: str) -> None:
        self.closed = True
        self._events.append(Ended(how, detail))

    def _take(self, data: memoryview, now: Instant) -> None:
        """Take bytes in slices, for the bound on what waits is not one on a piece."""
        for start in range(0, len(data), c.RECORD_CAP):
            if not self.closed:
                self._frames.feed(data[start : start + c.RECORD_CAP])
                self._pump(now)

    def _next_frame(self) -> tuple[FrameType, bytes] | None:
        return self._frames.next(RECORDS if self._records else self._handshake.admitted)

    def _pump(self, now: Instant) -> None:
        while not self.closed and (found := self._next_frame()):
            kind, payload = found
            if kind is FrameType.RECORD:
                self._take_record(payload, now)
            elif kind is FrameType.HINT:
                self._take_hint(payload)
            else:
                self._events += self._handshake.receive(kind, payload)

    def _take_hint(self, payload: bytes) -> None:
        code, versions = decode_hint(payload)
        how = _HINTS.get(code, End.HANDSHAKE)
        self._end(how, f"the host's hint {code}; it speaks {', '.join(map(str, versions))}")

    def _take_record(self, record: bytes, now: Instant) -> None:
        records = self._established()
        payload = decode_payload(records.open(record))
        self._pings.heard(now.monotonic)
        records.count(payload)
        self._order.receiving(payload)
        if records.arrived(now.monotonic):
            self._events.append(events.Rekeyed(records.epoch))
        if payload is not None:
            self._take_payload(payload, records, now)

    def _take_payload(self, payload: Payload, records: RecordLayer, now: Instant) -> None:
        match payload:
            case Signed() | Unsigned() | Signature() | Acknowledgement():
                self._events.append(events.PayloadReceived(payload))
            case Ping():
                self._take_ping(payload, now)
            case RekeyFirst():
                self._ask_signature(records.answer(payload, now.monotonic), self._send_second)
            case RekeySecond():
                self._finish_rekey(payload, records, now)
            case Empty():
                pass
            case Hello():
                self._events.append(events.PayloadReceived(payload))
                self._greeted(now)
            case Goodbye():
                self._events.append(events.PayloadReceived(payload))
                self._end(End.GOODBYE, payload.reason.name)
            case _:
                self._events.append(events.PayloadReceived(payload))

    def _finish_rekey(self, second: RekeySecond, records: RecordLayer, now: Instant) -> None:
        records.finish(second, now.monotonic)
        self.send(Empty(), now)
        self._events.append(events.Rekeyed(records.epoch))

    def _take_ping(self, ping: Ping, now: Instant) -> None:
        if not ping.answer:
            self.send(Ping(answer=True, token=ping.token), now)
            return
        seconds = self._pings.answered(ping.token, now.monotonic)
        if seconds is not None:
            self._events.append(events.RoundTripMeasured(seconds))

    def _ask_signature(self, message: bytes, then: Callable[[bytes, Instant], None]) -> None:
        self._signing.append(then)
        self._events.append(events.SignatureNeeded(message))

    def _send_first(self, signature: bytes, now: Instant) -> None:
        self.send(self._established().first(signature), now)

    def _send_second(self, signature: bytes, now: Instant) -> None:  # noqa: ARG002 - as its sibling
        self._write(self._established().second(signature))

    def _established(self) -> RecordLayer:
        if self._records is None:
            raise LocalError("no session stands")
        return self._records

    def _write(self, record: bytes) -> None:
        self._out += (header(FrameType.RECORD, len(record)), record)

    def _greeted(self, now: Instant) -> None:
        """Ping for the first time when both names have passed."""
        if self._order.greeted:
            self._ping(now)

    def _ping(self, now: Instant) -> None:
        self.send(Ping(answer=False, token=self._pings.ask(now.monotonic)), now)

    def _part(self, reason: GoodbyeReason, how: End, detail: str, now: Instant) -> list[SessionEvent]:
        """End, with a goodbye where one can be said."""
        if not self.closed:
            if self._records is not None and self._order.spoken:
                self.send(Goodbye(reason), now)
            self._end(how, detail)
        return self._drain()

    def _rekey_time(self, records: RecordLayer) -> float:
        """When to start a rekey or, where that is the other side's part, to give up waiting for it."""
        if self._role is Direction.HOST or records.rekeying:
            return records.budget.overdue
        return records.budget.due

    def _on_time(self, now: Instant) -> None:
        if self._records is None or not self._order.greeted:
            if now.monotonic >= self._deadline:
                self._end(End.HANDSHAKE, "not complete in time")
            return
        if now.monotonic >= self._pings.dead_at:
            self._end(End.LOST, "nothing heard for 45 seconds")
            return
        if now.monotonic >= self._rekey_time(self._records):
            self._demand_rekey(self._records)
        if not self.closed and now.monotonic >= self._pings.due:
            self._ping(now)

    def _demand_rekey(self, records: RecordLayer) -> None:
        """Start a rekey; where the peer's part is overdue, end, blaming nobody: a machine may have slept."""
        if self._role is Direction.HOST or records.rekeying:
            self._end(End.LOST, "rekey failure: the peer did not do its part in time")
            return
        self._ask_signature(records.begin(), self._send_first)
