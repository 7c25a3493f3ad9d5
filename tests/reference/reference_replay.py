"""Appendix C of docs/protocol.md: this peer, put back into a recorded session as one of its sides.

It draws what was drawn then, takes the other side's frames as they are on file, and takes note of what its
own side said. ``outcome`` lets a defect arrive there.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from reference_comparison import ASK, LENGTHS, STOP
from reference_crypto import (
    PREFIX,
    Chance,
    Cut,
    Identity,
    PublicIdentity,
    Violation,
    Wire,
    encode,
    hash_of,
    lp16,
    u,
)
from reference_handshake import Agreed, Contact, Hint, guest_handshake, host_handshake
from reference_messages import (
    ACKNOWLEDGEMENT,
    GONE,
    SIGNED,
    UNSIGNED,
    Entry,
    Gated,
    Inbox,
    Outbox,
    Running,
    unsigned_item,
)
from reference_peer import GOODBYE, Session
from reference_records import REKEY_FIRST, REKEY_SECOND

Case = dict[str, Any]


def h(text: str) -> bytes:
    """Bytes of a file."""
    return bytes.fromhex(text)


class RecordedIdentity(Identity):
    """Signs as it did in a transcript, and anew what was not signed there."""

    def __init__(self, identity: Identity, case: Case, role: str) -> None:
        super().__init__(identity.private)
        names = case["handshake"]
        pairs = [(names[f"{role}_signed"], names[f"{role}_signature"])]
        halves = [one["rekey"] for one in case["frames"] if "rekey" in one]
        pairs += [(half["signed"], half["signature"]) for half in halves]
        statements = names[f"{role}_rotations"]
        bodies = [
            h(one["old"] + one["new"]) + u(one["counter"], 4) + lp16(h(one["signature"]))
            for one in statements
        ]
        self.rotations = u(len(bodies), 1) + b"".join(bodies)
        self.signatures = {h(signed): h(signature) for signed, signature in pairs}

    def sign(self, label: bytes, *parts: bytes) -> bytes:
        return self.signatures.get(encode(PREFIX + label, *parts)) or super().sign(label, *parts)


class Recorded(Chance):
    """What one side of a transcript drew, in its order; afterwards it draws anew."""

    def __init__(self, case: Case, role: str) -> None:
        names, self.seconds = case["handshake"], 0.0
        halves = [one["rekey"] for one in case["frames"] if "rekey" in one and one["from"] == role]
        own = [names[f"{role}_x25519_private"], *(half["x25519_private"] for half in halves)]
        self.exchanges = deque(map(h, own))
        seeds = [names["guest_mlkem_seed"], *(half.get("mlkem_seed", "") for half in halves)]
        self.seeds = deque(map(h, seeds))
        answers = [names, *(one["rekey"] for one in case["frames"] if "ct" in one.get("rekey", {}))]
        self.answers = deque((h(one["ss_mlkem"]), h(one["ct"])) for one in answers)
        self.asked = deque(self._asked(case))
        newest, confirmed = (case["secrets"][role][name] for name in ("newest", "confirmed"))
        empty = [newest is None, confirmed is None or confirmed == newest]
        self.drawn = {
            "tag": deque(h(tag) for tag, is_drawn in zip(names["tags"], empty, strict=True) if is_drawn),
            "o": deque([h(names["o"])]),
            "r_g": deque(self._compared(case, "COMPARISON_REVEAL")),
            "r_h": deque(self._compared(case, "COMPARISON_REPLY")),
        }
        self.oc, self.label = h(names["oc"]), h(names["oaep_label"])

    def _compared(self, case: Case, step: str) -> list[bytes]:
        return [h(one["value"]) for one in case["frames"] if one["name"] == step]

    def _asked(self, case: Case) -> list[bytes]:
        """The encapsulation keys that were answered, in their order."""
        seeds = [case["handshake"]["guest_mlkem_seed"]]
        seeds += [
            one["rekey"]["mlkem_seed"] for one in case["frames"] if "mlkem_seed" in one.get("rekey", {})
        ]
        keys = [MLKEM768PrivateKey.from_seed_bytes(h(seed)) for seed in seeds]
        return [key.public_key().public_bytes_raw() for key in keys]

    def now(self) -> float:
        return 1000 + self.seconds

    def random(self, purpose: str, size: int) -> bytes:
        queue = self.drawn.get(purpose)
        return queue.popleft() if queue else super().random(purpose, size)

    def x25519(self) -> X25519PrivateKey:
        if self.exchanges:
            return X25519PrivateKey.from_private_bytes(self.exchanges.popleft())
        return super().x25519()

    def mlkem(self) -> MLKEM768PrivateKey:
        return MLKEM768PrivateKey.from_seed_bytes(self.seeds.popleft()) if self.seeds else super().mlkem()

    def encapsulate(self, ek: bytes) -> tuple[bytes, bytes]:
        if self.asked and self.asked[0] == ek:
            self.asked.popleft()
            return self.answers.popleft()
        return super().encapsulate(ek)

    def wrap(self, key: PublicIdentity, o: bytes, label: bytes) -> bytes:
        return self.oc if label == self.label else super().wrap(key, o, label)


class RecordedWire(Wire):
    """Frames from a file; what comes back is kept."""

    def __init__(self, chance: Chance) -> None:
        self.chance, self.buffer = chance, b""
        self.waiting = b""
        self.sent: list[bytes] = []

    def send(self, kind: bytes, payload: bytes) -> None:
        self.sent.append(kind + u(len(payload), 4) + payload)

    def drop(self) -> None:
        """Nothing is left to close."""

    def close(self) -> None:
        """Nothing is left to close."""

    def _fill(self, size: int, deadline: float) -> None:
        missing = max(0, size - len(self.buffer))
        self.buffer, self.waiting = self.buffer + self.waiting[:missing], self.waiting[missing:]
        if len(self.buffer) < size:
            raise Cut("the stream ended")


class Listener(Session):
    """A session that keeps what it says, and knows what its side has said in the transcript."""

    def __init__(self, wire: Wire, me: Identity, agreed: Agreed, boxes: tuple[Outbox, Inbox]) -> None:
        super().__init__(wire, me, agreed, boxes, gate=False)
        self.spoken: list[bytes] = []
        self.noted = 0  # so many of them were payloads of a comparison that the transcript has as well

    def send(self, kind: int, body: bytes = b"") -> None:
        self.spoken.append(u(kind, 1) + body)
        super().send(kind, body)

    def take_all(self) -> None:
        """Take records until no more come."""
        while self.ended is None:
            try:
                self.run(lambda: False)
            except Cut:
                return

    def note(self, frame: Case) -> None:
        """Our side has said this."""
        payload = h(frame["payload"])
        kind, body = payload[0], payload[1:]
        if kind == REKEY_FIRST:
            self.rekey()
            assert self.spoken[-1] == payload
        elif kind == REKEY_SECOND:
            assert self.records.root == h(frame["rekey"]["root"])
        elif kind == ACKNOWLEDGEMENT:
            assert body == self.inbox.state()
        elif kind in {SIGNED, UNSIGNED, GONE}:
            self._note_message(kind, body)
        elif kind in LENGTHS:
            self._note_comparison(kind, payload)

    def _compared(self) -> list[bytes]:
        return [one for one in self.spoken if one[0] in LENGTHS]

    def _note_comparison(self, kind: int, payload: bytes) -> None:
        """Unless we have said it as an answer, our person has asked, or ended the run."""
        if len(self._compared()) == self.noted and kind in {ASK, STOP}:
            self.say(self.comparison.ask() if kind == ASK else self.comparison.stop(payload[1]))
        assert self._compared()[self.noted] == payload
        self.noted += 1

    def _note_message(self, kind: int, body: bytes) -> None:
        number = int.from_bytes(body[143:151] if kind == SIGNED else body[16:24], "big")
        if number <= self.outbox.running.high:
            return  # written again
        entry, item = entry_of(kind, body)
        self.outbox.running.add(item)
        self.outbox.entries.append(entry)
        self.position = number


def entry_of(kind: int, body: bytes) -> tuple[Entry, bytes]:
    """What an outbox keeps of a message, and its item."""
    payload = u(kind, 1) + body
    if kind == SIGNED:
        item = hash_of(b"header hash", body[:279])
        return Entry("", payload, None, item, was_written=True), item
    if kind == UNSIGNED:
        item = unsigned_item(body[:16], body[16:24], body[24:32], body[32:])
        return Entry("", payload, None, None, was_written=True), item
    item = body[25:]
    return Entry("", payload, None, item if body[24] else None, was_written=True), item


@dataclass
class Replay:
    """One side of a transcript, before frame ``at`` (None: at the end)."""

    case: Case
    role: str
    all_cases: dict[str, Case]
    people: dict[str, Identity]
    at: int | None = None
    contact: Contact | None = None
    boxes: tuple[Outbox, Inbox] | None = None
    session: Listener | None = None
    frames: list[Case] = field(default_factory=list)
    before: int = 0
    """What had been said before the input came."""

    def __post_init__(self) -> None:
        case, self.frames = self.case, self.case["frames"]
        self.at = len(self.frames) if self.at is None else self.at
        other = "host" if self.role == "guest" else "guest"
        self.me = RecordedIdentity(self.people[case[self.role]], case, self.role)
        self.peer = self.people[case[other]]
        self.chance = Recorded(case, self.role)
        self.wire = RecordedWire(self.chance)
        if case["earlier"]:
            earlier = Replay(self.all_cases[case["earlier"]], self.role, self.all_cases, self.people)
            earlier.run()
            self.contact, self.boxes = earlier.contact, earlier.boxes

    def run(self) -> None:
        """Come to the place, without any input."""
        self.feed(b"")

    def feed(self, data: bytes, ms: int | None = None) -> None:
        """Come to the place and let ``data`` arrive there, at ``ms``; raises what that leads to."""
        assert self.at is not None
        if self.at < HANDSHAKE:
            self.wire.waiting = b"".join(map(self._bytes, range(self.at))) + data
            self._shake_hands()
            return
        self.wire.waiting = b"".join(map(self._bytes, range(HANDSHAKE)))
        session = self._open(self._shake_hands())
        for index in range(HANDSHAKE, self.at):
            frame = self.frames[index]
            self.chance.seconds = frame["ms"] / 1000
            if frame["from"] == self.role:
                session.note(frame)
            else:
                self.wire.waiting = self._bytes(index)
                session.take_all()
        self.before = len(session.spoken)
        if data:
            self.chance.seconds = (ms or 0) / 1000
            self.wire.waiting = data
            session.take_all()

    def _bytes(self, index: int) -> bytes:
        """A frame of the other side, if it arrived."""
        frame = self.frames[index]
        is_theirs = frame["from"] != self.role and not frame.get("lost")
        return h(frame["frame"]) if is_theirs else b""

    def _shake_hands(self) -> Agreed:
        if self.role == "guest":
            return guest_handshake(self.wire, self.me, self.contact, self.case["versions"]["guest"])
        contacts = [self.contact] if self.contact else []
        return host_handshake(self.wire, self.me, contacts, self.case["versions"]["host"], busy=False)

    def _open(self, agreed: Agreed) -> Listener:
        self.contact = agreed.contact
        if self.boxes is None:
            self.boxes = Outbox(self.me, self.peer), Inbox(self.me, self.peer)
            own = [one["resume"] for one in self.frames if "resume" in one and one["from"] == self.role]
            if own:
                self.boxes[0].generation = h(own[0]["generation"])
            outbox = self.boxes[0]
            outbox.running = Running(outbox.conversation, self.me.fp, outbox.generation)
        self.session = Listener(self.wire, self.me, agreed, self.boxes)
        self.session.hello(self.case[self.role], flags=0)
        return self.session


HANDSHAKE = 5
"""Frames of a handshake."""


def outcome(case: Case, all_cases: dict[str, Case], people: dict[str, Identity]) -> tuple[str, str, str]:
    """What this peer makes of a defect: the outcome, what it says, and the digits that it then shows."""
    replay = Replay(all_cases[case["base"]], case["receiver"], all_cases, people, case["at"])
    try:
        replay.feed(h(case["input"]), case["ms"])
    except Cut:
        return "accepted", "", ""
    except Gated:
        return "gated", said(replay), ""
    except Hint:
        return "hint" if case["receiver"] == "guest" else "version mismatch", said(replay), ""
    except Violation as failure:
        return str(failure).partition(":")[0], said(replay), ""
    return goes_on(replay)


def goes_on(replay: Replay) -> tuple[str, str, str]:
    """The outcome of an input that has not ended the session."""
    session = replay.session
    if session is None:
        return "accepted", "", ""
    code = session.comparison.code
    digits = "" if code is None else f"{code:013d}"
    if any(one[0] == STOP for one in session.spoken[replay.before :]):
        return "declined", "stop", digits
    return "accepted", "", digits


def said(replay: Replay) -> str:
    """The last word: a goodbye, a hint, or none."""
    if replay.session is not None and replay.session.spoken[-1][0] == GOODBYE:
        return "goodbye"
    return "hint" if replay.wire.sent and replay.wire.sent[-1][:1] == b"H" else "close"
