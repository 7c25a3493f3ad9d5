"""One TCP connection drives one session.

Theory of operation. The session is pure: it takes bytes, times and answers, and gives events and
bytes. This class carries them: what arrives goes into the session from a buffer allocated once;
its events go, in order, to ``on_events``; what it wants written goes out in one write per turn of
the loop; its next deadline is one timer; its private-key operations run in threads, one after the
other. The connection decides nothing about the conversation.

Memory is bounded whatever the peer does. Above ``WRITE_HIGH`` waiting bytes the connection is not
:attr:`~Connection.writable` and the engine stops giving it more. Replies to what the peer sends
can still pile up, so above ``WRITE_STOP`` nothing more is read either, until the peer has taken
most of it. The two limits lie apart so that two peers who both send a lot do not both stop
reading; one who never reads falls silent and to the session's dead-peer rule.

A clean end: write what is left, send FIN, read and discard until the peer's FIN, and only then
close. Closing with unread bytes in the kernel would send RST, and the peer would lose the last
bytes it had not read yet. All of that takes :data:`LINGER_SECONDS` at most.
"""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from typing import cast

from securechat_tui.network.addresses import Address
from securechat_tui.network.clock import now
from securechat_tui.network.failures import Containment, HandlerFailure
from securechat_tui.protocol.events import SessionEvent, SignatureNeeded, UnwrapNeeded
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.protocol.session import Session

__all__ = ["LINGER_SECONDS", "Connection", "EventsHandler", "FailureHandler"]

# A chunk and the beginning of a record before it must fit into the session's backlog.
READ_BUFFER_BYTES = 64 * 1024
WRITE_LOW = 64 * 1024
WRITE_HIGH = 256 * 1024
WRITE_STOP = 1024 * 1024
LINGER_SECONDS = 2.0
TIMER_PAUSE_SECONDS = 0.02
"""The least time between two looks at the deadline: one that stays in the past must not spin."""

EventsHandler = Callable[["Connection", Sequence[SessionEvent]], None]
FailureHandler = Callable[[HandlerFailure], None]
_KeyWork = SignatureNeeded | UnwrapNeeded


class Connection(asyncio.BufferedProtocol):
    """A transport, its session and whoever handles the session's events.

    ``on_events`` is called on the loop, never with an empty list. An exception it raises ends this
    connection alone and reaches ``on_failure`` as a :class:`HandlerFailure`.
    """

    def __init__(
        self,
        session: Session,
        key: IdentityKey,
        peer_address: Address,
        *,
        on_events: EventsHandler,
        on_failure: FailureHandler,
        on_settled: Callable[["Connection"], None] | None = None,
        executor: Executor | None = None,
    ) -> None:
        """Take ``session`` over; ``key`` answers its private-key operations.

        ``peer_address`` is the numeric address of the transport's other end.
        ``on_settled`` is called once: when the handshake is finished or the connection is gone.
        ``executor`` runs the key operations; without one they run in the loop's own threads.
        """
        self.session = session
        self.peer_address = peer_address
        self._key = key
        self._on_events = on_events
        self._on_failure = on_failure
        self._on_settled = on_settled
        self._executor = executor
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._view = memoryview(bytearray(READ_BUFFER_BYTES))
        self._containment = Containment(self._fail)
        self._key_work: deque[_KeyWork] = deque()
        self._answer: asyncio.Future[bytes] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._timer_rests_until = 0.0
        self._linger: asyncio.TimerHandle | None = None
        self._flush: asyncio.Handle | None = None
        self._room = asyncio.Event()
        self._gone = asyncio.Event()
        self._receiving = False
        self._closing = False
        self._held_by_engine = False
        self._held_by_backlog = False

    # -- what the engine uses --------------------------------------------------------------------

    @property
    def writable(self) -> bool:
        """Whether more may be given to the session to send: little waits, and nobody is closing."""
        return self._room.is_set() and not self.closing

    @property
    def closing(self) -> bool:
        """Whether the end has begun: nothing given to the session now would be sent."""
        return self._closing

    async def drained(self) -> bool:
        """Wait until little is left to be written; false when the connection has ended instead."""
        await self._room.wait()
        return not self.closing

    async def wait_closed(self) -> None:
        """Wait until the transport is gone."""
        await self._gone.wait()

    def flush(self) -> None:
        """Write what the session has to say at the end of this turn of the loop.

        Call it after having given the session something; it looks at the session's deadline and its
        end as well. Within ``on_events`` of what has arrived there is no need, since that is done then.
        """
        if self._flush is None and not self._receiving and not self._gone.is_set():
            self._flush = self._loop.call_soon(self._flush_now)

    def carry_out(self, events: Sequence[SessionEvent]) -> None:
        """Treat ``events`` that the engine got from the session as if they came from the network."""
        with self._containment:
            self._hand_on(events)
        self.flush()

    def pause_reading(self) -> None:
        """Read nothing until :meth:`resume_reading`; a silent peer counts as dead meanwhile."""
        self._held_by_engine = True
        self._apply_holds()

    def resume_reading(self) -> None:
        """Undo :meth:`pause_reading`."""
        self._held_by_engine = False
        self._apply_holds()

    def close(self, within: float = LINGER_SECONDS) -> None:
        """Write what is left, then end the connection; it is cut after ``within`` seconds."""
        if self.closing:
            return
        self._closing = True
        self._stop_timer()
        self._room.set()
        if self._transport is None:
            return
        self._write()
        self._linger = self._loop.call_later(within, self.abort)
        self._half_close(self._transport)

    def abort(self) -> None:
        """End the connection at once; what was not written is lost."""
        self._closing = True
        self._room.set()
        if self._transport is not None:
            self._transport.abort()

    # -- what the transport calls ----------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin: the guest's session has its first frame to send already."""
        self._transport = cast("asyncio.Transport", transport)
        if self._closing:
            self._transport.abort()
            return
        _tune(transport.get_extra_info("socket"))
        self._transport.set_write_buffer_limits(high=WRITE_HIGH, low=WRITE_LOW)
        self._room.set()
        self._conclude()

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Lend the transport the one receive buffer."""
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        """Give the session what has arrived; it copies what it keeps, the buffer is used again."""
        if self._closing:
            return
        self._receiving = True
        with self._containment:
            self._hand_on(self.session.receive(self._view[:nbytes], now()))
        self._receiving = False
        self._conclude()

    def eof_received(self) -> bool:
        """Tell the session that the peer will say no more.

        Returns false: the transport closes when what is left has been written. That cannot reset
        the connection, since nothing more will come; :meth:`close` bounds the time it takes.
        """
        if not self._closing:
            with self._containment:
                self._hand_on(self.session.receive_eof(now()))
            self.close()
        return False

    def connection_lost(self, _exc: Exception | None) -> None:
        """Let everything go and tell the session, whose last events are handed on."""
        self._transport = None
        self._closing = True
        self._gone.set()
        self._room.set()
        self._key_work.clear()
        self._stop_timer()
        for handle in (self._linger, self._flush):
            if handle is not None:
                handle.cancel()
        with self._containment:
            self._hand_on(self.session.receive_eof(now()))
        self._settle()

    def pause_writing(self) -> None:
        """Note that much waits to be written."""
        if not self._closing:
            self._room.clear()

    def resume_writing(self) -> None:
        """Note that little waits to be written."""
        self._room.set()
        self._held_by_backlog = False
        self._apply_holds()

    # -- one step of the session and what follows ------------------------------------------------

    def _hand_on(self, events: Sequence[SessionEvent]) -> None:
        if not events:
            return
        others = [event for event in events if not isinstance(event, _KeyWork)]
        if len(others) < len(events):
            self._key_work.extend(event for event in events if isinstance(event, _KeyWork))
            self._start_key_work()
        if others:
            self._on_events(self, others)

    def _conclude(self) -> None:
        """Do what every step of the session may call for: write, settle, close, set the timer."""
        if self._closing:
            return
        self._write()
        if self.session.closed:
            self.close()
            return
        if self._on_settled is not None and not self.session.handshaking:
            self._settle()
        self._set_timer()

    def _settle(self) -> None:
        if self._on_settled is not None:
            on_settled, self._on_settled = self._on_settled, None
            on_settled(self)

    def _fail(self, failure: HandlerFailure) -> None:
        self.abort()
        self._on_failure(failure)

    # -- private-key operations ------------------------------------------------------------------

    def _start_key_work(self) -> None:
        if self._answer is not None or not self._key_work:
            return
        need = self._key_work.popleft()
        if isinstance(need, SignatureNeeded):
            work = partial(self._key.sign, need.message)
        else:
            work = partial(self._key.unwrap, need.ciphertext, need.label, need.fallback)
        self._answer = self._loop.run_in_executor(self._executor, work)
        self._answer.add_done_callback(partial(self._take_answer, need))

    def _take_answer(self, need: _KeyWork, answer: asyncio.Future[bytes]) -> None:
        self._answer = None
        if answer.cancelled():
            self.abort()
            return
        with self._containment:
            result = answer.result()
            if self.closing or self.session.closed:
                return
            step = self.session.signed if isinstance(need, SignatureNeeded) else self.session.unwrapped
            self._hand_on(step(result, now()))
            self._start_key_work()
        self._conclude()

    # -- time ------------------------------------------------------------------------------------

    def _set_timer(self) -> None:
        """Keep one timer, no later than the session's deadline.

        Deadlines mostly move away with each record; a timer that is too early just looks again,
        which is cheaper than replacing it every time.
        """
        due = self.session.next_timeout()
        if due is None:
            self._stop_timer()
            return
        due = max(due, self._timer_rests_until)
        if self._timer is None or due < self._timer.when():
            self._stop_timer()
            self._timer = self._loop.call_at(due, self._on_timer)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_timer(self) -> None:
        self._timer = None
        instant = now()
        due = self.session.next_timeout()
        if due is not None and due <= instant.monotonic:
            self._timer_rests_until = instant.monotonic + TIMER_PAUSE_SECONDS
            with self._containment:
                self._hand_on(self.session.handle_timeout(instant))
        self._conclude()

    # -- writing and reading ---------------------------------------------------------------------

    def _flush_now(self) -> None:
        self._flush = None
        self._conclude()

    def _write(self) -> None:
        data = self.session.data_to_send()
        if not data or self._transport is None or self._transport.is_closing():
            return
        self._transport.write(data)
        if not self._room.is_set() and self._transport.get_write_buffer_size() > WRITE_STOP:
            self._held_by_backlog = True
            self._apply_holds()

    def _apply_holds(self) -> None:
        """Read, or do not; while closing always, since what comes must be discarded."""
        if self._transport is None or self._transport.is_closing():
            return
        if (self._held_by_engine or self._held_by_backlog) and not self._closing:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def _half_close(self, transport: asyncio.Transport) -> None:
        """Say that no more will come, and discard what the peer still has to say."""
        self._apply_holds()
        # A peer that has just reset the connection makes shutdown() fail; connection_lost follows.
        with contextlib.suppress(OSError):
            transport.write_eof()


def _tune(sock: socket.socket) -> None:
    """Small records go out at once, and a vanished machine is noticed by the system as well."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
