"""Two people's boxes, any order of events, sessions cut anywhere, memory lost: nothing lost, nothing doubled.

The oracle is the list of what each author has written. Every text is unique, so that a repetition, a
gap or a swap in what a reader was shown is seen at once.
"""

from collections import deque
from collections.abc import Iterable

from chat_boxes import Boxes
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from protocol_peers import identity_key

from securechat_tui.chat.inbox import Accepted
from securechat_tui.chat.outbox import Outgoing
from securechat_tui.protocol import constants as c
from securechat_tui.protocol.payloads import (
    Acknowledgement,
    Gone,
    Payload,
    Resume,
    Signature,
    Signed,
    Unsigned,
)

NAMES = ("alice", "bob")
OTHER = {"alice": "bob", "bob": "alice"}
people = st.sampled_from(NAMES)


class Side:
    """One run of one person's program."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.boxes = Boxes(identity_key(name), identity_key(OTHER[name]).public)
        self.flowing = False
        self.written: list[str] = []
        """Everything written in this run: the oracle."""
        self.confirmed: list[str] = []
        """What the other side has said to have."""
        self.shown: list[str] = []
        """What this run was shown."""
        self.shown_in: dict[bytes, list[int]] = {}
        """The numbers shown or gone, by generation."""

    def begin_session(self) -> Payload:
        self.flowing = False
        self.boxes.outbox.begin_session()
        self.boxes.inbox.begin_session()
        return self.boxes.resume()

    def take(self, payload: Payload) -> Iterable[Payload]:
        """Take what arrives; return what is said to it at once."""
        match payload:
            case Resume():
                yield from self._resumed(payload)
            case Signature():
                self.boxes.inbox.signature(payload)
            case Signed():
                self._show(self.boxes.inbox.signed(payload))
            case Unsigned():
                self._show(self.boxes.inbox.unsigned(payload))
            case Gone():
                if self.boxes.inbox.gone(payload):
                    self._count(payload.number)
            case Acknowledgement():
                self._confirm(self.boxes.outbox.acknowledge(payload))

    def _resumed(self, word: Resume) -> Iterable[Payload]:
        self.boxes.inbox.announce(word.generation)
        generation = self.boxes.outbox.generation
        delivered, _ = self.boxes.take_resume(word)
        self._confirm(delivered)
        self.flowing = True
        if self.boxes.outbox.generation != generation:
            yield self.boxes.resume()

    def _confirm(self, delivered: list[Outgoing]) -> None:
        self.confirmed += [one.text for one in delivered if not one.gone]

    def _show(self, message: Accepted | None) -> None:
        if message is not None:
            self.shown.append(message.text)
            self._count(message.number)

    def _count(self, number: int) -> None:
        self.shown_in.setdefault(self.boxes.inbox.generation, []).append(number)


class Delivery(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.sides = {name: Side(name) for name in NAMES}
        self.wire: dict[str, deque[Payload]] = {name: deque() for name in NAMES}
        """What each has sent and the other has not received."""
        self.count = 0
        self.witnesses: dict[str, list[list[str]]] = {name: [] for name in NAMES}
        """What earlier runs of each were shown by the present run of the other."""

    # What people do.

    @rule(name=people, texts=st.sampled_from((1, 1, 2, 3, c.MAX_BATCH + 2)), unsigned=st.booleans())
    def write(self, name: str, texts: int, unsigned: bool) -> None:
        side = self.sides[name]
        for _ in range(texts):
            self.count += 1
            side.written.append(f"{name} {self.count}")
            if unsigned:
                side.boxes.write_unsigned(side.written[-1])
            else:
                side.boxes.write(side.written[-1])

    @rule(name=people)
    def cancel_what_no_session_has_written(self, name: str) -> None:
        """Cancel the newest message: nobody is to be shown it, and its number stays."""
        side = self.sides[name]
        outbox = side.boxes.outbox
        if outbox._pending and outbox._ever_written < outbox._last and not outbox._pending[-1].gone:
            outbox.cancel(outbox._pending[-1])
            side.written.pop()

    @rule(name=people, messages=st.integers(0, 6))
    def send(self, name: str, messages: int) -> None:
        """Sign what waits, as one batch, and write some of it."""
        side = self.sides[name]
        assert side.boxes.sign() <= c.MAX_BATCH
        for _ in range(messages if side.flowing else 0):
            self.wire[name] += side.boxes.next_payloads()

    @rule(name=people)
    def acknowledge(self, name: str) -> None:
        if self.sides[name].flowing:
            self.wire[name].append(self.sides[name].boxes.inbox.acknowledgement())

    # What the network does.

    @rule(name=people, payloads=st.integers(1, 12))
    def deliver(self, name: str, payloads: int) -> None:
        receiver = self.sides[OTHER[name]]
        for _ in range(min(payloads, len(self.wire[name]))):
            self.wire[receiver.name] += receiver.take(self.wire[name].popleft())

    @rule()
    def cut(self) -> None:
        """Lose what is on its way; both begin a new session at once."""
        for name in NAMES:
            self.wire[name].clear()
        self.connect()

    @initialize()
    def connect(self) -> None:
        for name in NAMES:
            self.wire[name].append(self.sides[name].begin_session())

    @precondition(lambda self: any(side.confirmed for side in self.sides.values()))
    @rule(name=people)
    def lose_memory(self, name: str) -> None:
        """The program is started anew: what it had not delivered is lost with it, and only that."""
        self.witnesses[name].append(self.sides[name].shown)
        self.witnesses[OTHER[name]] = []
        self.sides[OTHER[name]].shown = []
        self.sides[name] = Side(name)
        self.cut()

    @rule()
    def settle(self) -> None:
        """Let everything that was written arrive."""
        rounds = 0
        while any(self.wire.values()) or any(len(side.boxes.outbox) for side in self.sides.values()):
            rounds += 1
            assert rounds < 20, "they never come to an end"
            for name in NAMES:
                self.deliver(name, 1000)
            for side in self.sides.values():
                if side.flowing:
                    self.wire[side.name] += side.boxes.pour()
                if self.sides[OTHER[side.name]].boxes.outbox.acknowledged != side.boxes.inbox.high:
                    self.acknowledge(side.name)

    # What must hold.

    @invariant()
    def each_text_at_most_once_and_in_order(self) -> None:
        for name in NAMES:
            shown, written = self.sides[name].shown, self.sides[OTHER[name]].written
            if shown:
                first = written.index(shown[0])
                assert shown == written[first : first + len(shown)]

    @invariant()
    def numbers_run_from_one_in_each_generation(self) -> None:
        for side in self.sides.values():
            for numbers in side.shown_in.values():
                assert numbers == list(range(1, len(numbers) + 1))

    @invariant()
    def delivered_means_that_it_was_shown(self) -> None:
        for name in NAMES:
            side = self.sides[name]
            witnesses = (*self.witnesses[OTHER[name]], self.sides[OTHER[name]].shown)
            assert side.confirmed == side.written[: len(side.confirmed)]
            assert set(side.confirmed) <= {text for shown in witnesses for text in shown}

    @invariant()
    def nothing_is_forgotten_before_it_is_delivered(self) -> None:
        for side in self.sides.values():
            assert len(side.boxes.outbox) == len(side.written) - len(side.confirmed)

    def teardown(self) -> None:
        self.settle()
        self.each_text_at_most_once_and_in_order()
        self.delivered_means_that_it_was_shown()
        for side in self.sides.values():
            assert side.confirmed == side.written


TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(
    max_examples=50, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
)
