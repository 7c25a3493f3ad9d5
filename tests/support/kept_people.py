"""Two people who keep what they say, driven by hand: real boxes, real stores, no session and no clock."""

from pathlib import Path

from chat_boxes import looked_up

from securechat_tui.chat.boxes import Boxes
from securechat_tui.chat.outbox import Outgoing
from securechat_tui.chat.shelf import Shelf, queued_change, received_change
from securechat_tui.chat.telling import Teller
from securechat_tui.protocol.identity import IdentityKey, PublicIdentity
from securechat_tui.protocol.payloads import Gone, Payload, Signature, Signed, Unsigned
from securechat_tui.protocol.signing import Seen, conversation_id
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.messages import Abandoned, BatchSigned, Cancelled, Change, Dropped, Skipped
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.store import Store
from securechat_tui.storage.transcripts import transcript_lines
from securechat_tui.trust.states import Trust

CLAIMED_MS = 1_700_000_000_000
MADE = 1_800_000_000.0


class Keeper:
    """One of the two: everything that happens is on disk at once."""

    def __init__(self, folder: Path, key: IdentityKey, peer: PublicIdentity) -> None:
        self.key, self.peer = key, peer
        self.id = conversation_id(key.public.fingerprint, peer.fingerprint)
        self.store = Store(Profile("kept", folder), bytes(32)).open()
        self.history = self.store.conversation(self.id, peer.spki)
        self.boxes = Boxes(key.public.fingerprint, peer, Shelf.load(self.history))
        self._tell = Teller(self.id.hex(), peer)
        self._count = 0

    def _commit(self, *changes: Change) -> None:
        standing = self.boxes.standing()
        self.history.write(changes, standing.sending, standing.receiving)
        self.boxes.kept(standing)

    def say(self, text: str, *, signed: bool = True) -> Outgoing:
        message = self._add(text, signed=signed)
        self._commit(queued_change(message, Trust.PINNED, SafeText.name("peer")))
        return message

    def _add(self, text: str, *, signed: bool) -> Outgoing:
        self._count += 1
        row, claimed = self.boxes.take_row(), CLAIMED_MS + self._count
        if not signed:
            return self.boxes.outbox.add_unsigned(text, None, claimed, row)
        seen = Seen() if self.boxes.is_renewing else self.boxes.inbox.seen
        return self.boxes.outbox.add(text, None, claimed, seen, row)

    def sign(self) -> None:
        outbox = self.boxes.outbox
        while messages := outbox.to_sign():
            batch = outbox.batch(messages, self.key.sign(outbox.signing_input(messages)))
            assert batch is not None
            numbers = tuple(one.number for one in messages)
            self._commit(BatchSigned(outbox.generation, batch.record, numbers, batch.paths))
            outbox.signed(messages, batch)

    def cancel(self, message: Outgoing) -> None:
        self._commit(Cancelled(message.generation, message.number))
        self.boxes.outbox.cancel(message)

    def renew(self) -> None:
        """Begin a new generation with what is not delivered, as after a conflict."""
        changes: list[Change] = []
        former = self.boxes.renew()
        for message in former.undelivered():
            again = self._add(message.text, signed=message.signed)
            changes += [Dropped(message.row), queued_change(again, Trust.PINNED, SafeText.name("peer"))]
        self._commit(*changes, Abandoned(former.generation))

    def wipe(self) -> None:
        self.store.wipe(self.id)
        for message in self.boxes.outbox.undelivered():
            self.boxes.outbox.cancel(message)

    def write_to(self, other: "Keeper", *, acknowledged: bool = True) -> None:
        """Sign and deliver everything; without an acknowledgement it is written again the next time."""
        self.sign()
        outbox = self.boxes.outbox
        outbox.begin_session()
        other.boxes.inbox.announce(outbox.generation)
        other.boxes.inbox.begin_session()
        while found := outbox.next_to_write():
            for payload in found[1]:
                other.take(payload)
        if acknowledged:
            outbox.acknowledge(other.boxes.inbox.acknowledgement())
            self._commit()

    def take(self, payload: Payload) -> None:
        looked_up(lambda: self._take(payload))

    def _take(self, payload: Payload) -> None:
        inbox = self.boxes.inbox
        match payload:
            case Signature():
                inbox.signature(payload)
            case Signed():
                accepted = inbox.signed(payload)
            case Unsigned():
                accepted = inbox.unsigned(payload)
            case Gone():
                if inbox.gone(payload):
                    skipped = Skipped(payload.generation, payload.number, payload.signed, payload.item)
                    self._commit(skipped)
        if isinstance(payload, Signed | Unsigned) and accepted is not None:
            row = self.boxes.take_row()
            told = self._tell.received(accepted, row, SafeText.name("peer"), Trust.PINNED, 0)
            self._commit(received_change(accepted, told, inbox.generation))

    def export(self) -> list[bytes]:
        return list(transcript_lines(self.history, self.key.public, self.peer, ("me", "peer"), MADE))

    def close(self) -> None:
        self.store.close()


def keepers(folder: Path, one: IdentityKey, other: IdentityKey) -> tuple[Keeper, Keeper]:
    return Keeper(folder / "one", one, other.public), Keeper(folder / "other", other, one.public)


def story(folder: Path, one: IdentityKey, other: IdentityKey) -> tuple[Keeper, Keeper]:
    """Everything that a transcript can have in it, in one conversation."""
    alice, bob = keepers(folder, one, other)
    for text in ("one", "two\x1b[31m\u202e", "three"):
        alice.say(text)
    alice.say("by the way", signed=False)
    alice.write_to(bob)
    bob.say("an answer")
    bob.say("äöü 🙂")
    bob.cancel(bob.say("never mind"))
    bob.write_to(alice)
    alice.cancel(alice.say("taken back"))
    alice.cancel(alice.say("taken back too", signed=False))
    alice.say("four")
    alice.write_to(bob)
    bob.say("to that one")
    bob.say("and on")
    bob.write_to(alice)
    alice.say("five")
    alice.write_to(bob)
    return alice, bob
