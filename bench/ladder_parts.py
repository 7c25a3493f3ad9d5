"""Where the time goes, without a network: the fastest of many short runs in one process.

The fastest run, by the process's own processor time, is the one that nobody has disturbed: these figures
hold on a busy machine too.
"""

import ssl
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.certificates import certify, context
from bench.measure import publish
from bench.memory import GENERATION, NOW, open_pair
from securechat_tui.chat.inbox import Inbox
from securechat_tui.chat.outbox import Outbox
from securechat_tui.protocol import constants as c
from securechat_tui.protocol import primitives
from securechat_tui.protocol.frames import FrameReader, FrameType, frame
from securechat_tui.protocol.handshake import ADMITTED, State
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.protocol.payloads import Signature, Signed, Unsigned, text_content
from securechat_tui.protocol.records import Chain, Direction, Receiver, Sender

RUNS = 200


def fastest(work: Callable[[], object], count: int) -> float:
    """Return the microseconds of one of ``count`` things that ``work`` does."""
    times = []
    for _ in range(RUNS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times) / count * 1e6


def repeated(work: Callable[[], object], count: int = 50) -> float:
    """Return the microseconds of one call."""

    def run() -> None:
        for _ in range(count):
            work()

    return fastest(run, count)


def in_turn(steps: Mapping[str, Callable[[], None]], count: int, runs: int) -> dict[str, float]:
    """Run steps that build on each other; return each one's fastest, in microseconds of ``count`` things."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(runs):
        for name, step in steps.items():
            start = time.process_time()
            step()
            times[name].append(time.process_time() - start)
    return {name: min(taken) / count * 1e6 for name, taken in times.items()}


def primitive_parts() -> dict[str, float]:
    """Time what the library does for one record, and for one signature."""
    key, associated = bytes(32), bytes(81)
    identity = IdentityKey.generate(3072)
    signature = identity.sign(b"")
    sealed = primitives.seal(key, bytes(256), associated)
    return {
        "chain step: one HMAC-SHA-512": repeated(lambda: primitives.chain_step(key)),
        "AES-256-GCM with a fresh key, seal 256 bytes": repeated(
            lambda: primitives.seal(key, bytes(256), associated)
        ),
        "the same, open": repeated(lambda: primitives.unseal(key, sealed, associated)),
        "the same with 64 KiB, seal": repeated(lambda: primitives.seal(key, bytes(65536), associated), 10),
        "SHA-256 of a header": repeated(lambda: primitives.sha256(bytes(279))),
        "RSA-3072 signature": repeated(lambda: identity.sign(b""), 2),
        "RSA-3072 verification": repeated(lambda: identity.public.verify(signature, b""), 10),
    }


class Records:
    """The record layer, step by step."""

    def __init__(self, size: int, count: int) -> None:
        chain = Chain.start(bytes(32), Direction.GUEST, 0)
        self._sender = Sender(bytes(32), Direction.GUEST, chain)
        self._receiver, self._reader = Receiver(bytes(32), Direction.GUEST, chain), FrameReader()
        self._payload, self._count = bytes(size), count
        self._records: list[bytes] = []

    def seal(self) -> None:
        """Make the records."""
        self._records = [self._sender.seal(self._payload) for _ in range(self._count)]

    def read(self) -> None:
        """Frame them, and cut them out of the stream again."""
        made, self._records = self._records, []
        for record in made:
            self._reader.feed(frame(FrameType.RECORD, record))
            while found := self._reader.next(ADMITTED[State.COMPLETE]):
                self._records.append(found[1])

    def open(self) -> None:
        """Open them."""
        for record in self._records:
            self._receiver.open(record)

    def parts(self) -> dict[str, float]:
        """Time the steps."""
        steps = {"seal": self.seal, "frame and cut out again": self.read, "open": self.open}
        return in_turn(steps, self._count, RUNS)


def handshake_parts() -> dict[str, float]:
    """Time a handshake up to both RESUMEs, both sides in turn, keys that have met before."""
    guest, host = IdentityKey.generate(3072), IdentityKey.generate(3072)
    wrapped = host.public.wrap(bytes(32), bytes(32))
    return {
        "handshake, HELLOs, RESUMEs": fastest(lambda: open_pair(guest, host), 1),
        "in it: two RSA signatures": 2 * repeated(lambda: host.sign(b""), 2),
        "in it: one RSA unwrapping": repeated(lambda: host.unwrap(wrapped, bytes(32), bytes(32)), 2),
    }


def session_parts() -> dict[str, float]:
    """Time an unsigned message of 100 bytes through both sessions."""
    guest, host = open_pair(IdentityKey.generate(3072), IdentityKey.generate(3072))
    message = Unsigned(GENERATION, 1, 0, text_content("x" * 100))
    sent, received = [], []
    for _ in range(RUNS):
        start = time.process_time()
        for _ in range(50):
            guest.session.send(message, NOW)
        data = guest.session.data_to_send()
        middle = time.process_time()
        host.session.receive(data, NOW)
        received.append(time.process_time() - middle)
        sent.append(middle - start)
    return {"session: send": min(sent) / 50 * 1e6, "session: receive": min(received) / 50 * 1e6}


class Conversation:
    """Both boxes of a conversation over two sessions, step by step, 100 bytes to a message."""

    def __init__(self, waiting: int) -> None:
        """So many messages share a signature."""
        self._guest, self._host = open_pair(IdentityKey.generate(3072), IdentityKey.generate(3072))
        own, peer = self._guest.key.public, self._host.key.public
        self._outbox = Outbox(own.fingerprint, peer.fingerprint)
        self._inbox = Inbox(peer.fingerprint, own, lambda _: None)
        self._inbox.announce(self._outbox.generation)
        self._waiting = waiting

    def number(self) -> None:
        """Make the headers."""
        for _ in range(self._waiting):
            self._outbox.add("x" * 100, None, 0, self._inbox.seen)
        self._outbox.kept(self._outbox.position)

    def sign(self) -> None:
        """Draw the tree and sign its root."""
        messages = self._outbox.to_sign()
        signature = self._guest.key.sign(self._outbox.signing_input(messages))
        if batch := self._outbox.batch(messages, signature):
            self._outbox.signed(messages, batch)

    def write(self) -> None:
        """Seal signature and leaves."""
        while found := self._outbox.next_to_write():
            for payload in found[1]:
                self._guest.say(payload)

    def receive(self) -> None:
        """Open and decode them."""
        self._host.payloads.clear()
        self._host.feed(self._guest.session.data_to_send())

    def check(self) -> None:
        """Check signature, path, hashes and order."""
        for payload in self._host.payloads:
            if isinstance(payload, Signature):
                self._inbox.signature(payload)
            elif isinstance(payload, Signed):
                self._inbox.signed(payload)

    def acknowledge(self) -> None:
        """Let go what has arrived."""
        self._outbox.acknowledge(self._inbox.acknowledgement())

    def parts(self) -> dict[str, float]:
        """Time the steps."""
        steps = {
            "number and hash": self.number,
            "tree and RSA signature": self.sign,
            "seal": self.write,
            "open and decode": self.receive,
            "check": self.check,
            "take the acknowledgement": self.acknowledge,
        }
        return in_turn(steps, self._waiting, RUNS // 4)


def tls_parts() -> dict[str, float]:
    """Time 100 bytes through TLS in memory, one write each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for side in ("host", "guest"):
            certify(folder, side)
        to_guest, to_host = ssl.MemoryBIO(), ssl.MemoryBIO()
        guest = context(folder, "guest", "host").wrap_bio(to_guest, to_host)
        host = context(folder, "host", "guest").wrap_bio(to_host, to_guest, server_side=True)
    shaken = 0
    while shaken < 2:
        shaken = sum(map(_shaken, (guest, host)))
    message = bytes(100)
    return {
        "TLS in memory: write and read": repeated(lambda: (guest.write(message), host.read(256))),
    }


def _shaken(side: ssl.SSLObject) -> bool:
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def table(parts: Mapping[str, float]) -> str:
    """Return a Markdown table."""
    rows = (f"| {name} | {taken:,.2f} |" for name, taken in parts.items())
    return "\n".join(("| step | us |", "|---|---:|", *rows)) + "\n"


def main() -> None:
    """Measure and write the section."""
    groups: Mapping[str, Callable[[], dict[str, float]]] = {
        "What the library does": primitive_parts,
        "A record of 100 bytes": Records(117, 50).parts,
        "A record of 64 KiB": Records(c.MAX_PAYLOAD_LENGTH, 8).parts,
        "A handshake": handshake_parts,
        "An unsigned message of 100 bytes": session_parts,
        "A signed message of 100 bytes, 128 waiting": Conversation(128).parts,
        "A signed message of 100 bytes, alone": Conversation(1).parts,
        "For comparison": tls_parts,
    }
    body = "\n".join(f"**{title}**\n\n{table(measured())}" for title, measured in groups.items())
    how = f"The fastest of {RUNS} runs each, by processor time, in one process without a network."
    publish("Where the time goes", f"{how}\n\n{body}")


if __name__ == "__main__":
    main()
