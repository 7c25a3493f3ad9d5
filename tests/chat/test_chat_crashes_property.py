"""Two people's boxes and their files: sessions cut, programs killed, disks full, at any moment.

The oracle is the list of what each author was told is queued: exactly that arrives, once and in order, and
what an author was told is delivered, the reader has on disk. A killed program comes back with what is on its
disk and nothing else; whatever was shown or said before must follow from that. One who has lost everything
begins anew, and gets what was not delivered.
"""

import shutil
import tempfile
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from chat_boxes import CLAIMED_MS, looked_up
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from protocol_peers import identity_key

from securechat_tui.chat.boxes import Boxes
from securechat_tui.chat.inbox import Accepted
from securechat_tui.chat.outbox import Outgoing, PeerForgot
from securechat_tui.chat.shelf import Shelf, queued_change, received_change
from securechat_tui.chat.telling import Teller
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
from securechat_tui.protocol.signing import Seen, conversation_id
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.errors import DiskFull
from securechat_tui.storage.messages import Abandoned, BatchSigned, Cancelled, Change, Dropped, Skipped
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.store import Store
from securechat_tui.trust.states import Trust

NAMES = ("alice", "bob")
OTHER = {"alice": "bob", "bob": "alice"}
BOB = SafeText.name("peer")
people = st.sampled_from(NAMES)


class Side:
    """One person: a disk that stays, and a program that comes and goes."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self._key = identity_key(name)
        self._peer = identity_key(OTHER[name]).public
        self._profile = Profile(name, folder / name)
        self._store = Store(self._profile, bytes(32)).open()
        self._id = conversation_id(self._key.public.fingerprint, self._peer.fingerprint)
        self.queued: list[str] = []
        """What this person was told is queued, without what was cancelled: the oracle."""
        self.delivered: list[str] = []
        """What this person was told has arrived, in the runs since the last kill."""
        self.start()

    def lose(self) -> None:
        """Nothing is left of the conversation but the keys."""
        self._store.close()
        shutil.rmtree(self._profile.folder)
        self._store = Store(self._profile, bytes(32)).open()
        self.start()

    def start(self) -> None:
        """Run the program with what is on disk, whatever ran before."""
        store = self._store.conversation(self._id, self._peer.spki)
        self.boxes = Boxes(self._key.public.fingerprint, self._peer, Shelf.load(store))
        self._file = store
        self._tell = Teller(self._id.hex(), self._peer)
        self._noted: list[Change] = []
        self._unshown: list[str] = []
        self._numbered: list[Outgoing] = []
        self.flowing = False
        self.answer_due = False
        self.answers: list[Payload] = []
        """What is to be said at once."""
        page = store.page(10_000)
        self.shown = [str(one.text) for one in page if not one.mine]
        """What this person has seen of the other's, as the history has it."""

    def close(self) -> None:
        self._store.close()

    # What the program does.

    def write(self, text: str, *, signed: bool) -> None:
        """Number a text in memory."""
        row, outbox = self.boxes.take_row(), self.boxes.outbox
        if signed:
            message = outbox.add(text, None, CLAIMED_MS, self.boxes.inbox.seen, row)
        else:
            message = outbox.add_unsigned(text, None, CLAIMED_MS, row)
        self._numbered.append(message)
        self._noted.append(queued_change(message, Trust.PINNED, BOB))

    def commit(self, *, full: bool = False) -> list[Payload]:
        """Put what was noted on disk; then tell it, and return what is to be said of it."""
        standing = self.boxes.standing()
        noted, self._noted = self._noted, []
        numbered, self._numbered = self._numbered, []
        shown, self._unshown = self._unshown, []
        if full:
            self.boxes.take_back(DiskFull(path=Path("disk")))
            if self.boxes.fault is not None:
                self.flowing = False
            return []
        self._file.write(noted, standing.sending, standing.receiving)
        self.boxes.kept(standing)
        self.queued += [one.text for one in numbered]
        self.shown += shown
        answer_due, self.answer_due = self.answer_due, False
        return [self.boxes.inbox.acknowledgement()] if answer_due and self.flowing else []

    def sign(self) -> None:
        """Sign what waits; the signature is on disk before it counts."""
        outbox = self.boxes.outbox
        messages = outbox.to_sign()
        if not messages:
            return
        batch = outbox.batch(messages, self._key.sign(outbox.signing_input(messages)))
        if batch is None:
            return
        numbers = tuple(one.number for one in messages)
        change = BatchSigned(outbox.generation, batch.record, numbers, batch.paths)
        self._file.write([change])
        outbox.signed(messages, batch)

    def cancel_last(self) -> None:
        """Cancel the newest message where no session has written it; on disk first."""
        outbox = self.boxes.outbox
        waiting = outbox.undelivered()
        if waiting and outbox.is_kept and waiting[-1].number > outbox._written and not waiting[-1].written:
            self._file.write([Cancelled(outbox.generation, waiting[-1].number)])
            outbox.cancel(waiting[-1])
            self.queued.remove(waiting[-1].text)

    def next_payloads(self) -> list[Payload]:
        found = self.boxes.outbox.next_to_write() if self.flowing else None
        if found is None:
            return []
        found[0].written = True
        return found[1]

    # Sessions.

    def begin_session(self) -> Payload:
        """Say RESUME: what it says is on disk."""
        self.flowing = False
        self.commit()
        self.boxes.fault = None
        self.boxes.outbox.begin_session()
        self.boxes.inbox.begin_session()
        self.answers.clear()
        return self.account()

    def account(self) -> Payload:
        """Say what is held of both directions."""
        return Resume(self._id, self.boxes.outbox.generation, *self.boxes.inbox.account)

    def renew(self) -> None:
        """Number anew, in a new generation, what the peer does not have, and say so."""
        self.commit()
        former = self.boxes.renew()
        for message in former.undelivered():
            row, outbox = self.boxes.take_row(), self.boxes.outbox
            if message.signed:
                again = outbox.add(message.text, None, CLAIMED_MS, Seen(), row, salt=message.salt)
            else:
                again = outbox.add_unsigned(message.text, None, CLAIMED_MS, row, salt=message.salt)
            self._noted += [Dropped(message.row), queued_change(again, Trust.PINNED, BOB)]
        self._noted.append(Abandoned(former.generation))
        self.commit()
        self.answers.append(self.account())

    def take(self, payload: Payload) -> None:
        """Check what arrives; raises where a rule is broken, which must never happen here."""
        looked_up(lambda: self._take(payload))

    def _take(self, payload: Payload) -> None:
        inbox = self.boxes.inbox
        self.answer_due = self.answer_due or isinstance(payload, Signed | Unsigned | Gone)
        match payload:
            case Resume():
                self._resume(payload)
            case Signature():
                inbox.signature(payload)
            case Signed():
                self._accept(inbox.signed(payload))
            case Unsigned():
                self._accept(inbox.unsigned(payload))
            case Gone():
                if inbox.gone(payload):
                    skipped = Skipped(payload.generation, payload.number, payload.signed, payload.item)
                    self._noted.append(skipped)
            case Acknowledgement():
                self._confirm(self.boxes.outbox.acknowledge(payload))

    def _resume(self, word: Resume) -> None:
        self.boxes.inbox.announce(word.generation)
        try:
            self._confirm(self.boxes.outbox.resume(word))
        except PeerForgot:
            self.renew()
        self.flowing = True

    def _accept(self, message: Accepted | None) -> None:
        if message is not None:
            told = self._tell.received(message, self.boxes.take_row(), BOB, Trust.PINNED, 0)
            self._unshown.append(message.text)
            self._noted.append(received_change(message, told, self.boxes.inbox.generation))

    def _confirm(self, messages: Iterable[Outgoing]) -> None:
        self.delivered += [one.text for one in messages if not one.gone]


class Crashes(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self.sides = {name: Side(name, Path(self._folder.name)) for name in NAMES}
        self.wire: dict[str, deque[Payload]] = {name: deque() for name in NAMES}
        """What each has sent and the other has not received."""
        self.count = 0

    @initialize()
    def connect(self) -> None:
        """Lose what is on its way, and begin a new session; both have heard where the other stands."""
        self.begin_session()
        for name in NAMES:
            self.deliver(name, 1)

    def begin_session(self) -> None:
        for name in NAMES:
            self.wire[name].clear()
        for name in NAMES:
            self.wire[name].append(self.sides[name].begin_session())

    # What people do.

    @rule(name=people, texts=st.sampled_from((1, 1, 1, 2, 3, c.MAX_BATCH + 1)), signed=st.booleans())
    def write(self, name: str, texts: int, signed: bool) -> None:
        for _ in range(texts):
            self.count += 1
            self.sides[name].write(f"{name} {self.count}", signed=signed)

    @rule(name=people, signed=st.booleans(), in_haste=st.booleans())
    def say(self, name: str, signed: bool, in_haste: bool) -> None:
        """Write, and let it arrive; in haste, without waiting for the disk."""
        self.write(name, 1, signed)
        if not in_haste:
            self.commit(name)
        self.send(name, 6)
        self.deliver(name, 10_000)

    @rule(name=people)
    def cancel(self, name: str) -> None:
        self.sides[name].cancel_last()

    # What programs do.

    @rule(name=people)
    def commit(self, name: str) -> None:
        self.wire[name] += self.sides[name].commit()

    @rule(name=people)
    def find_the_disk_full(self, name: str) -> None:
        side = self.sides[name]
        side.commit(full=True)
        if side.boxes.fault is not None:
            self.connect()

    @rule(name=people, messages=st.integers(0, 6))
    def send(self, name: str, messages: int) -> None:
        side = self.sides[name]
        side.sign()
        for _ in range(messages):
            self.wire[name] += side.next_payloads()

    @rule(name=people)
    def lose_everything(self, name: str) -> None:
        """What has arrived is not sent again; what only this side had is lost."""
        side, other = self.sides[name], self.sides[OTHER[name]]
        self.commit(OTHER[name])
        side.lose()
        side.queued, side.delivered = list(other.shown), []
        other.queued = [one.text for one in other.boxes.outbox.undelivered()]
        other.delivered = []
        self.connect()

    @rule(name=people)
    def kill(self, name: str) -> None:
        """Nothing is left but the disk."""
        side = self.sides[name]
        side.delivered = []
        side.start()
        self.connect()

    # What the network does.

    @rule(name=people, payloads=st.integers(1, 12))
    def deliver(self, name: str, payloads: int) -> None:
        receiver = self.sides[OTHER[name]]
        for _ in range(min(payloads, len(self.wire[name]))):
            receiver.take(self.wire[name].popleft())
            self.wire[OTHER[name]] += receiver.answers
            receiver.answers.clear()

    @rule()
    def cut(self) -> None:
        self.connect()

    @rule(name=people)
    def cut_again_at_once(self, name: str) -> None:
        """One has heard where the other stands, and then the connection is gone again."""
        self.begin_session()
        self.deliver(name, 1)
        self.connect()

    @rule(name=people)
    def arrive(self, name: str) -> None:
        """All that is on its way arrives, and is kept there."""
        self.deliver(name, 10_000)
        self.commit(OTHER[name])

    @rule()
    def settle(self) -> None:
        """Let everything that is queued arrive."""
        rounds = 0
        while any(self.wire.values()) or any(len(side.boxes.outbox) for side in self.sides.values()):
            rounds += 1
            assert rounds < 30, "they never come to an end"
            for name in NAMES:
                side = self.sides[name]
                self.wire[name] += side.commit()
                side.sign()
                while more := side.next_payloads():
                    self.wire[name] += more
                self.deliver(name, 10_000)

    # What must hold.

    @invariant()
    def shown_is_a_prefix_of_queued(self) -> None:
        for name in NAMES:
            shown, queued = self.sides[name].shown, self.sides[OTHER[name]].queued
            assert shown == queued[: len(shown)]

    @invariant()
    def delivered_is_on_the_other_ones_disk(self) -> None:
        for name in NAMES:
            kept = set(self.sides[OTHER[name]].shown)
            assert set(self.sides[name].delivered) <= kept

    def teardown(self) -> None:
        self.settle()
        for name in NAMES:
            assert self.sides[OTHER[name]].shown == self.sides[name].queued
        for side in self.sides.values():
            side.close()
        self._folder.cleanup()


TestCrashes = Crashes.TestCase
TestCrashes.settings = settings(
    max_examples=60, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
