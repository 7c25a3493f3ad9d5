"""The product against the reference peer, as two programs over loopback TCP.

The product is run as a program with its JSON face (docs/json.md); the reference peer is written from
docs/protocol.md alone. What they agree on is therefore what the document says.
"""

import contextlib
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from reference_comparison import COMMIT, shown
from reference_crypto import Cut, Identity, Violation, Wire, encode, expand, extract, hash_of, sha256, u
from reference_handshake import BUSY, OTHER_VERSION, Contact, Hint, Master, call_tag
from reference_invites import Invite, check
from reference_messages import (
    HEADER_LABEL,
    NOTHING_SEEN,
    Inbox,
    Outbox,
    Reject,
    Running,
    leaf_of,
    read_signature,
    tree_root,
    unsigned_item,
)
from reference_peer import LEAVING, REJECTED, REPLACED, Peer, Session
from reference_records import Direction

PROGRAM = Path(sys.executable).with_name("securechat-tui")
SIZES = [(3072, 4096), (4096, 3072)]
"""The reference peer's key and the product's."""


class Product:
    """The program, its events and commands."""

    def __init__(self, home: Path, *arguments: str) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [PROGRAM, *arguments, "--json"],
            env=environment(home),
            stdin=pipe,
            stdout=pipe,
            stderr=pipe,
            bufsize=0,
        )
        self.home, self.unread, self.events = home, b"", list[dict[str, Any]]()

    def say(self, command: str, **fields: str) -> None:
        """One command."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"cmd": command, **fields}).encode() + b"\n")

    def wait(self, event: str, seconds: float = 10, **fields: object) -> dict[str, Any]:
        """The next event of that kind with these fields."""
        deadline = time.monotonic() + seconds
        while True:
            while self.events:
                found = self.events.pop(0)
                if found.items() >= {"event": event, **fields}.items():
                    return found
            self._read(deadline)

    def _read(self, deadline: float) -> None:
        assert self.process.stdout
        output = self.process.stdout.fileno()
        ready, _, _ = select.select([output], [], [], max(deadline - time.monotonic(), 0))
        more = os.read(output, 65536) if ready else b""
        assert more, "the program says no more"
        *lines, self.unread = (self.unread + more).split(b"\n")
        self.events += [json.loads(line) for line in lines]

    def end(self) -> int:
        """Quit, and the exit code."""
        if self.process.poll() is None:
            with contextlib.suppress(BrokenPipeError):
                self.say("quit")
        try:
            self.process.communicate(timeout=10)
        finally:
            self.process.kill()
        return self.process.returncode


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "SECURECHAT_TUI_HOME": str(home)}


@pytest.fixture(scope="session")
def keys() -> dict[int, Identity]:
    return {bits: Identity.new(bits) for bits in (3072, 4096)}


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """For each size, a folder in which the product has a key and nothing else."""
    folders = {bits: tmp_path_factory.mktemp(f"home{bits}") for bits in (3072, 4096)}
    for bits, home in folders.items():
        new = [str(PROGRAM), "identity", "new", "--name", "Product", "--bits", str(bits), "--json"]
        subprocess.run(new, env=environment(home), check=True, stdout=subprocess.DEVNULL, timeout=30)
    return folders


Start = Callable[..., Product]


@pytest.fixture(scope="session")
def start(homes: dict[int, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts the product with a key of the size given, in ``home`` or else a fresh folder."""
    started: list[Product] = []

    def begin(bits: int, *arguments: str, home: Path | None = None) -> Product:
        if home is None:
            home = tmp_path_factory.mktemp("product") / "home"
            shutil.copytree(homes[bits], home)
        started.append(Product(home, *arguments))
        return started[-1]

    yield begin
    for product in started:
        product.end()


@pytest.fixture(scope="session")
def hosting(start: Start) -> tuple[Product, int]:
    """One product that hosts for several tests, and its port."""
    return host(start, 3072)


@pytest.fixture
def peer(keys: dict[int, Identity]) -> Iterator[Peer]:
    """A peer without a memory: it has met nobody, and begins a generation."""
    one = Peer(keys[3072])
    yield one
    one.hang_up()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(10)
        yield listening


def host(start: Start, bits: int) -> tuple[Product, int]:
    """The product as host, and its port."""
    product = start(bits, "host", "--bind", "127.0.0.1:0")
    return product, int(product.wait("listening")["port"])


def join(start: Start, listener: socket.socket, bits: int, home: Path | None = None) -> Product:
    """The product as guest."""
    return start(bits, "join", f"127.0.0.1:{listener.getsockname()[1]}", home=home)


def write(session: Session, *texts: str) -> None:
    """Sign and send."""
    session.outbox.write([*texts], session.inbox.seen)
    session.flush()


def delivered(session: Session) -> Callable[[], bool]:
    """Whether everything is acknowledged."""
    return lambda: session.outbox.acknowledged == session.outbox.running.high


def converse(session: Session, product: Product, word: str) -> None:
    """A message in each direction, checked, shown and acknowledged."""
    before = len(session.inbox.texts)
    session.run(lambda: session.is_peer_resumed)
    write(session, f"{word} from the reference")
    session.run(delivered(session))
    shown = product.wait("message", text=f"{word} from the reference")
    assert shown["checks"] == {"intact": True, "in_order": True, "fresh": True, "signed": True}
    product.say("send", text=f"{word} from the product")
    session.run(lambda: len(session.inbox.texts) > before)
    assert session.inbox.texts[before:] == [f"{word} from the product"]
    product.wait("delivered", number=session.inbox.running.high)


@pytest.mark.parametrize(("ours", "theirs"), SIZES)
def test_the_product_hosts(ours: int, theirs: int, keys: dict[int, Identity], start: Start) -> None:
    product, port = host(start, theirs)
    peer = Peer(keys[ours])
    session = peer.call(port)
    converse(session, product, "first")
    time.sleep(1.01)  # section 11: a host refuses a first half within a second
    session.rekey()
    write(session, "while the rekey is under way")
    session.run(lambda: session.records.epoch == 1)
    converse(session, product, "rekeyed")
    assert session.is_answered  # our ping
    session.goodbye()
    product.wait("closed", reason="goodbye", by="peer")
    again = peer.call(port, expected=peer.contacts[0])
    assert product.wait("peer")["trust"] == "pinned"
    converse(again, product, "again")
    product.say("leave")
    again.run(lambda: again.ended == LEAVING)
    assert product.end() == 0


@pytest.mark.parametrize(("ours", "theirs"), SIZES)
def test_the_product_joins(
    ours: int, theirs: int, keys: dict[int, Identity], start: Start, listener: socket.socket
) -> None:
    product = join(start, listener, theirs)
    peer = Peer(keys[ours])
    session = peer.answer(listener)
    converse(session, product, "first")
    product.say("leave")
    session.run(lambda: session.ended == LEAVING)
    assert product.end() == 0
    contact = peer.contacts[0]
    first_secret = contact.newest
    product = join(start, listener, theirs, product.home)
    again = peer.answer(listener)
    assert contact.confirmed == first_secret  # 9.2: its tag was shown
    converse(again, product, "again")
    again.goodbye()
    product.wait("closed", reason="goodbye", by="peer")


def test_many_messages_wait_at_the_gate_of_a_host(peer: Peer, start: Start, listener: socket.socket) -> None:
    product = join(start, listener, 3072)
    for number in range(200):
        product.say("send", text=f"waiting {number}")
    session = peer.answer(listener, gate=True)
    session.outbox.write([f"{number} for you" for number in range(300)], session.inbox.seen)
    session.run(lambda: session.is_peer_resumed and session.is_answered)
    assert not session.inbox.texts
    session.pass_gate()
    session.run(lambda: delivered(session)() and len(session.inbox.texts) == 200)
    assert session.inbox.texts == [f"waiting {number}" for number in range(200)]
    assert session.records.signatures < 15  # of both sides, for 500 messages
    product.wait("message", text="299 for you", number=300)
    product.wait("delivered", number=200)


def test_a_cut_and_a_resume(peer: Peer, hosting: tuple[Product, int]) -> None:
    product, port = hosting
    session = peer.call(port)
    converse(session, product, "first")
    write(session, "stored, and the acknowledgement is lost")
    conversation = product.wait("message", number=2)["conversation"]
    for number in range(200):
        product.say("send", text=f"waiting {number}", conversation=conversation)
    product.wait("queued", number=201)
    session.wire.stream.close()
    product.wait("closed", reason="lost")
    session.outbox.write([f"{number} for you" for number in range(300)], session.inbox.seen)
    session = peer.call(port, peer.contacts[0])
    session.run(lambda: session.is_peer_resumed)
    assert session.outbox.acknowledged >= 2
    session.run(lambda: delivered(session)() and len(session.inbox.texts) == 201)
    assert session.inbox.texts[1:] == [f"waiting {number}" for number in range(200)]
    product.wait("message", text="299 for you", number=302)
    session.position = 299  # written again, a message is acknowledged again and not shown again
    session.flush()
    converse(session, product, "then")
    session.goodbye()
    product.wait("closed")


def test_new_generations(peer: Peer, hosting: tuple[Product, int]) -> None:
    """Section 13.5: our store is lost between two sessions, then we change the generation inside one."""
    product, port = hosting
    session = peer.call(port)
    converse(session, product, "first")
    product.say("send", text="numbered anew")
    product.wait("sent", number=2)
    session.wire.stream.close()
    product.wait("closed", reason="lost")
    peer.boxes.clear()
    session = peer.call(port, peer.contacts[0])
    session.run(lambda: len(session.inbox.texts) == 1)
    assert (session.inbox.texts, session.inbox.running.high) == (["numbered anew"], 1)
    converse(session, product, "second")
    session.outbox.begin()
    session.position = 0
    session.pass_gate()
    converse(session, product, "third")
    session.goodbye()
    product.wait("closed")


def compare(session: Session, product: Product) -> None:
    """Both persons ask, the codes are the same, and the program is told the digits that we show."""
    product.say("verify")
    session.say(session.comparison.ask())
    session.run(lambda: session.comparison.code is not None)
    told, own = product.wait("code"), shown(session.comparison.code or 0)
    assert own == {
        "digits": told["digits"],
        "pictures": [list(pair) for pair in zip(told["signs"], told["emoji"], strict=True)],
    }
    product.say("match", digits=told["digits"])
    assert product.wait("trust")["trust"] == "verified"


def test_codes_are_compared_with_a_host(peer: Peer, start: Start) -> None:
    product, port = host(start, 3072)
    session = peer.call(port)
    converse(session, product, "first")
    session.send(COMMIT, bytes(32))  # nobody has asked
    session.say(session.comparison.ask())
    session.run(lambda: not session.comparison.has_asked)  # STOP has come, and is answered
    compare(session, product)
    session.goodbye()
    product.wait("closed")


def test_codes_are_compared_with_a_guest(peer: Peer, start: Start, listener: socket.socket) -> None:
    product = join(start, listener, 3072)
    session = peer.answer(listener)
    converse(session, product, "first")
    compare(session, product)
    session.goodbye()
    product.wait("closed")


def test_unsigned_gone_and_later_kinds(peer: Peer, hosting: tuple[Product, int]) -> None:
    product, port = hosting
    session = peer.call(port)
    converse(session, product, "first")
    session.outbox.write(["cancelled"], session.inbox.seen)
    session.outbox.cancel(2)
    session.outbox.write_unsigned("unsigned")
    session.send(200, b"of a later version")
    write(session, "signed")
    session.run(delivered(session))
    assert not product.wait("message", number=3, text="unsigned")["checks"]["signed"]
    assert product.wait("message", number=4)["checks"]["signed"]
    converse(session, product, "then")
    session.goodbye()
    product.wait("closed")


def test_who_comes_beside_who_comes_again_and_a_hint_to_our_guest(
    peer: Peer, keys: dict[int, Identity], hosting: tuple[Product, int]
) -> None:
    """A stranger finds a place beside; a known caller takes that of its own old session (9.2)."""
    product, port = hosting
    session = peer.call(port)
    converse(session, product, "first")
    beside = Peer(keys[4096]).call(port)
    write(beside, "beside")
    beside.run(delivered(beside))
    product.wait("message", text="beside")
    beside.goodbye()
    product.wait("closed", reason="goodbye")
    again = peer.call(port, peer.contacts[0])
    session.run(lambda: session.ended == REPLACED)
    converse(again, product, "again")
    again.goodbye()
    peer.versions = [9, 2]
    with pytest.raises(Hint) as told:
        peer.call(port)
    assert (told.value.code, told.value.versions) == (OTHER_VERSION, [1])


@pytest.mark.parametrize(("code", "reason"), [(BUSY, "busy"), (OTHER_VERSION, "version")])
def test_hints_from_our_host(
    code: int, reason: str, peer: Peer, start: Start, listener: socket.socket
) -> None:
    product = join(start, listener, 3072)
    peer.versions = [1] if code == BUSY else [2]
    with pytest.raises(Hint):
        peer.answer(listener, busy=code == BUSY)
    product.wait("refused", reason=reason)
    assert product.end() == 3


class Bending(Wire):
    """Somebody in between, who changes one bit of one frame that comes in (``r``) or goes out (``w``)."""

    def __init__(self, stream: socket.socket, way: str, frame: int, at: int) -> None:
        super().__init__(stream)
        self.frames, self.target, self.at = {"r": 0, "w": 0}, (way, frame), at

    def send(self, kind: bytes, payload: bytes) -> None:
        super().send(kind, self._bend("w", payload))

    def receive(self, admitted: Mapping[bytes, range], deadline: float) -> tuple[bytes, bytes]:
        kind, payload = super().receive(admitted, deadline)
        return kind, self._bend("r", payload)

    def _bend(self, way: str, payload: bytes) -> bytes:
        bent = bytearray(payload)
        if (way, self.frames[way]) == self.target:
            bent[self.at] ^= 1
        self.frames[way] += 1
        return bytes(bent)


@pytest.mark.parametrize(
    ("bend", "outcome"),
    [
        (("r", 0, 1), "handshake failure"),  # K2: version, X_h, ct, E_H, its tag
        (("r", 0, 2), "handshake failure"),
        (("r", 0, 34), "handshake failure"),
        (("r", 0, 1122), "handshake failure"),
        (("r", 0, -1), "handshake failure"),
        (("r", 1, 0), "FIN"),
        (("r", 2, 3), "epoch"),
        (("r", 2, 4), "record failure"),
        (("w", 0, -1), "handshake failure"),  # K1: a tag; the host answers, and T1 differs
        (("w", 1, 0), "the stream ended"),  # S
        (("w", 2, 0), "the stream ended"),  # FIN_G
        (("w", 3, 9), "the stream ended"),  # a record
    ],
)
def test_a_bent_call(
    bend: tuple[str, int, int], outcome: str, peer: Peer, hosting: tuple[Product, int]
) -> None:
    peer.wire = lambda stream: Bending(stream, *bend)
    with pytest.raises((Violation, Cut), match=outcome):
        peer.call(hosting[1]).run(lambda: False)
    if bend[:2] == ("r", 2):
        hosting[0].wait("closed")  # the host had met the caller: until then it is busy for the next


@pytest.mark.parametrize(
    ("frame", "outcome"),
    [(1, "handshake failure"), (2, "FIN"), (3, "record failure")],
)
def test_a_bent_answer(frame: int, outcome: str, peer: Peer, start: Start, listener: socket.socket) -> None:
    product = join(start, listener, 3072)
    peer.wire = lambda stream: Bending(stream, "r", frame, -1)
    with pytest.raises((Violation, Cut), match=outcome):
        peer.answer(listener).run(lambda: False)
    peer.hang_up()
    if outcome == "record failure":
        product.wait(
            "closed", reason="lost"
        )  # the session stood: the product goes on trying until it is told
    assert product.end() != 0


def test_the_guest_refuses_another_key(peer: Peer, hosting: tuple[Product, int]) -> None:
    with pytest.raises(Violation, match="another key"):
        peer.call(hosting[1], expected=Contact(peer.me))


def test_the_product_rejects_a_message_that_answers_nothing(peer: Peer, hosting: tuple[Product, int]) -> None:
    product, port = hosting
    session = peer.call(port)
    session.run(lambda: session.is_peer_resumed)
    session.outbox.write(["an answer"], seen=session.inbox.generation + u(1, 8) + bytes(32))
    session.flush()
    session.run(lambda: session.ended == REJECTED)
    assert product.wait("rejected")["check"] == "in_order"
    product.wait("closed", reason="rejected")


# Section 13.6, without a network


def boxes(keys: dict[int, Identity]) -> tuple[Outbox, Inbox, Outbox]:
    """What the author writes, what the receiver has of it, and what the receiver writes."""
    author, receiver = keys[3072], keys[4096]
    outbox, inbox = Outbox(author, receiver), Inbox(receiver, author)
    inbox.begin(outbox.generation)
    return outbox, inbox, Outbox(receiver, author)


def deliver(outbox: Outbox, inbox: Inbox, back: Outbox, body: bytes | None = None) -> None:
    """Everything in ``outbox``, or ``body`` in the place of the first message."""
    for entry in outbox.entries:
        assert entry.signature
        batch = read_signature(entry.signature[1:], inbox.peer, outbox.conversation)
        inbox.accept_signed(body or entry.payload[1:], batch, back)


def test_a_batch_and_its_repetition(keys: dict[int, Identity]) -> None:
    outbox, inbox, back = boxes(keys)
    texts = [str(number) for number in range(150)]
    outbox.write(texts, NOTHING_SEEN)
    deliver(outbox, inbox, back)
    deliver(outbox, inbox, back)
    assert inbox.texts == texts
    assert inbox.running.hashes == outbox.running.hashes


@pytest.mark.parametrize("at", [0, 31, 63, 95, 127, 143, 151, 183, 239, 247, 279, 311, 312, 313, 345, -1])
def test_a_bit_of_a_signed_message(at: int, keys: dict[int, Identity]) -> None:
    outbox, inbox, back = boxes(keys)
    outbox.write(["one", "two"], NOTHING_SEEN)
    body = bytearray(outbox.entries[0].payload[1:])
    body[at] ^= 1
    with pytest.raises(Violation):
        deliver(outbox, inbox, back, bytes(body))
    assert not inbox.texts


@pytest.mark.parametrize("name", ["conversation", "generation", "previous", "peer", "seen", "number"])
def test_a_signed_message_that_does_not_belong(name: str, keys: dict[int, Identity]) -> None:
    outbox, inbox, back = boxes(keys)
    seen = back.generation + u(1, 8) + bytes(32) if name == "seen" else NOTHING_SEEN
    wrong = {"conversation": bytes(32), "generation": bytes(16), "previous": b"x" * 32, "peer": outbox.me}
    if name in wrong:
        setattr(outbox, name, wrong[name])
    if name == "number":
        outbox.running.add(bytes(32))
    outbox.write(["text"], seen)
    with pytest.raises(Reject):
        deliver(outbox, inbox, back)


def test_acknowledgements(keys: dict[int, Identity]) -> None:
    outbox, _, _ = boxes(keys)
    outbox.write(["one", "two"], NOTHING_SEEN)
    outbox.entries[0].was_written = True
    outbox.acknowledge(bytes(16), 9, bytes(32))
    outbox.acknowledge(outbox.generation, 1, outbox.running.hashes[1])
    outbox.acknowledge(outbox.generation, 0, bytes(32))
    assert outbox.acknowledged == 1
    for high, running in ((1, bytes(32)), (2, outbox.running.hashes[2])):
        with pytest.raises(Reject):
            outbox.acknowledge(outbox.generation, high, running)


def test_the_values_of_appendix_b(keys: dict[int, Identity]) -> None:
    """What this peer computes stands in the document."""
    document = Path(__file__).parents[2] / "docs" / "protocol.md"
    printed = "".join(document.read_text().split("## Appendix B")[1].split())
    k1, clear, e_h, e_g = b"\x11" * 1283, b"\x22" * 1122, b"\x33" * 2576, b"\x44" * 2832
    shared, fp_g, fp_h = b"\x55" * 32 + b"\x66" * 32, b"\x88" * 32, b"\x99" * 32
    t1 = hash_of(b"T1", k1, clear)
    hs, t2 = extract(t1, shared), hash_of(b"T2", t1, e_h)
    master = Master(t2, e_g, fp_g, fp_h, shared + b"\x77" * 32)
    agreed = master.agreed(True, Contact(keys[3072]))
    by_host, by_guest = (Direction(agreed.session_id, is_host, agreed.root) for is_host in (True, False))
    values = [encode(b"a", b"bc"), call_tag(b"\xaa" * 32, b"\xbb" * 1219), t1, t2, master.t3]
    values += [expand(hs, b"host section key"), expand(hs, b"guest section key"), hash_of(b"oaep", t2)]
    values += [master.fin_host, master.fin_guest, agreed.root, agreed.session_id, agreed.reconnect]
    values += [by_host.chains[0], by_guest.chains[0], sha256(by_host.seal(u(16, 1))), by_host.chains[0]]
    generation, content = b"\xab" * 16, b"\1hi"
    conversation = hash_of(b"conversation", fp_g, fp_h)
    content_hash = hash_of(b"content", b"\xee" * 32, content)
    names = HEADER_LABEL + conversation + fp_g + fp_h + generation + u(1, 8)
    header = names + bytes(32) + NOTHING_SEEN + u(1700000000000, 8) + content_hash
    running = Running(conversation, fp_g, generation)
    running.add(hash_of(b"header hash", header))
    values += [conversation, content_hash, *running.items, leaf_of(header), *running.hashes]
    values += [tree_root([bytes([n]) * 32 for n in (1, 2, 3)])]
    invite = Invite(("192.0.2.7", "2001:db8::7", "10.0.0.5"), 8000, fp_h, b"\xa5" * 16, 1800000600)
    assert invite.text() in printed
    values += [invite.tag_secret(), check(invite.authority(), invite.body())]
    values += [unsigned_item(generation, u(1, 8), u(1700000000000, 8), content)]
    assert [value.hex() for value in values if value.hex() not in printed] == []
