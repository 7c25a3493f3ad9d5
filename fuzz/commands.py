"""What people and programs write: addresses, JSON commands, plain lines, slash commands."""

from collections.abc import AsyncIterator, Coroutine, Iterable
from types import TracebackType
from typing import Self

import msgspec

from fuzz.harness import Harness, refused
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import Event, Found, History
from securechat_tui.chat.gates import Resolution
from securechat_tui.chat.passphrases import Passphrase
from securechat_tui.chat.views import ConnectionView, ContactView, ConversationView
from securechat_tui.headless.json_commands import decode_command, ref_of
from securechat_tui.headless.lifecycle import Lifecycle
from securechat_tui.headless.openings import Stay
from securechat_tui.headless.plain import PlainLines
from securechat_tui.headless.standard_streams import LineSplitter, TooLong
from securechat_tui.network.addresses import Address, BadAddress
from securechat_tui.tui import commands as registry


def check_address(data: bytes) -> bool:
    """An address to call, and one to listen at."""
    text = data.decode("utf-8", "surrogateescape")
    found = [
        refused(lambda: Address.parse(text), BadAddress),
        refused(lambda: Address.parse(text, bind=True), BadAddress),
    ]
    for address, bind in zip(found, (False, True), strict=True):
        assert address is None or Address.parse(str(address), bind=bind) == address
    assert found[0] in (None, found[1])
    return found[0] is not None


def _addresses() -> list[bytes]:
    texts = (
        "localhost",
        "192.168.1.5:8000",
        "[2001:db8::1]:9",
        "fe80::1%eth0",
        "::ffff:192.0.2.1",
        "bücher.example:1",
        "0.0.0.0:0",
        "1.2.3",
        "[::1",
        "a:b:c",
        "host:٣",
        "a/b@c",
        " x . y ",
        "xn--a.example",
        "\u3002\uff0e",
    )
    return [text.encode() for text in texts]


_LIMIT = 300


def _lines(pieces: Iterable[bytes]) -> list[bytes | TooLong]:
    splitter = LineSplitter(_LIMIT)
    return [line for piece in pieces for line in splitter.feed(piece)] + splitter.end()


def check_json(data: bytes) -> bool:
    """One byte is the size of the pieces; the rest are lines of commands."""
    step, stream = max(1, *data[:1], len(data) // 12), data[1:]
    lines = _lines((stream,))
    assert _lines(stream[start : start + step] for start in range(0, len(stream), step)) == lines
    assert all(isinstance(line, TooLong) or len(line) <= _LIMIT for line in lines)
    commands = [_is_command(line) for line in lines]
    return any(commands)


def _is_command(line: bytes | TooLong) -> bool:
    ref = ref_of(line)
    command = refused(lambda: decode_command(line), CommandError)
    if command is None:
        return False
    assert command.ref == ref
    again = msgspec.json.encode(command)
    assert decode_command(again) == command
    return True


def _commands() -> list[bytes]:
    return [
        b'\3{"cmd":"send","text":"hi","ref":"7","conversation":"c0"}\n{"cmd":"quit"}\r\n',
        b'\xff{"cmd":"resolve","choice":"resend"}',
        b'\1{"cmd":"history","limit":5,"before":null}\n\n{"cmd":"send"}\n{"ref":"x"}',
        b'\1{"cmd":"send","text":"' + b"x" * _LIMIT + b'"}\n{"cmd":"leave"}',
        b'\1{"cmd":"send","text":"\\ud800\xff"}\n' + b"[" * 200,
        b"\0",
    ]


class _Recorder:
    """An engine that notes what it is told to do, and does it at once."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str | None]] = []

    @property
    def conversations(self) -> tuple[str, ...]:
        return ()

    @property
    def is_calling(self) -> bool:
        return False

    @property
    def is_hosting(self) -> bool:
        return False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> bool | None:
        return None

    async def events(self) -> AsyncIterator[Event]:
        nothing: tuple[Event, ...] = ()
        for event in nothing:
            yield event

    async def create_identity(
        self, name: str, bits: int = 3072, passphrase: Passphrase | None = None
    ) -> None:
        raise NotImplementedError

    async def host(self, bind: str | None = None, *, invited_only: bool = False) -> None:
        self.told.append(("host --invite-only" if invited_only else "host", bind))

    async def invite(self) -> None:
        self.told.append(("invite", None))

    async def join(self, target: str, *, new: bool = False) -> None:
        self.told.append(("join --new" if new else "join", target))

    async def send(
        self,
        text: str,
        *,
        ref: str | None = None,
        conversation: str | None = None,
        signed: bool | None = None,
    ) -> None:
        assert ref is conversation is None
        self.told.append(("send" if signed is None else "send as said", text))

    async def resolve(self, choice: Resolution, conversation: str | None = None) -> None:
        assert conversation is None
        self.told.append(("resolve", choice))

    async def leave(self, conversation: str | None = None) -> None:
        assert conversation is None
        self.told.append(("leave", None))

    async def verify(self, conversation: str | None = None) -> None:
        assert conversation is None
        self.told.append(("verify", None))

    async def match(self, digits: str | None = None, *, conversation: str | None = None) -> None:
        assert conversation is None
        self.told.append(("match", digits))

    async def verify_key(self, fingerprint: str, target: str = "") -> None:
        del target
        self.told.append(("verify-key", fingerprint))

    async def accept_key(self, conversation: str | None = None) -> None:
        assert conversation is None
        self.told.append(("accept-key", None))

    async def differ(self, conversation: str | None = None) -> None:
        assert conversation is None
        self.told.append(("differ", None))

    async def decline(self, conversation: str | None = None) -> None:
        assert conversation is None
        self.told.append(("decline", None))

    def contacts(self) -> tuple[ContactView, ...]:
        return ()

    async def talk(self, name: str, bind: str | None = None) -> None:
        self.told.append(("talk", f"{name} {bind}"))

    def connections(self) -> tuple[ConnectionView, ...]:
        return ()

    def overview(self) -> tuple[ConversationView, ...]:
        return ()

    async def history(self, conversation: str, *, limit: int = 200, before: int | None = None) -> History:
        del limit, before
        self.told.append(("history", conversation))
        return History(time=0.0, conversation=conversation, messages=(), complete=True)

    async def search(
        self, text: str, *, conversation: str | None = None, limit: int = 100
    ) -> tuple[Found, ...]:
        del conversation, limit
        self.told.append(("search", text))
        return ()

    async def mark_read(self, conversation: str) -> None:
        self.told.append(("mark_read", conversation))

    async def wipe(self, conversation: str) -> None:
        self.told.append(("wipe", conversation))

    async def flush(self, seconds: float) -> int:
        return int(seconds * 0)


def _run(action: Coroutine[object, None, bytes | None]) -> bytes | None:
    """Run what never waits to its end."""
    try:
        action.send(None)
    except StopIteration as done:
        result: bytes | None = done.value
        return result
    raise AssertionError("it waits")


def check_plain(data: bytes) -> bool:
    """A line of the plain face: nothing is done, or one thing, and a text goes out as it was written."""
    engine = _Recorder()
    face = PlainLines(engine, Lifecycle(Stay()), attended=False)
    try:
        answer = _run(face.take(data))
    except CommandError:
        assert not engine.told
        return False
    assert len(engine.told) <= 1
    for what, text in engine.told:
        if what == "send":
            assert text is not None
            assert text.encode() in (data, data.removeprefix(b"/"))
    return bool(engine.told or answer is None)


def _plain() -> list[bytes]:
    return [
        b"hello",
        b"//slash",
        b"/join alice --new",
        b"/host [::1]:8000",
        b"/leave",
        b"/quit",
        b" exit",
        b"/help",
        b"/nick x",
        b"/no\xff",
        "/JOIN \u00a0b".encode(),
    ]


def check_slash(data: bytes) -> bool:
    """A text in the composer: a message or a command, never both."""
    text = data.decode("utf-8", "surrogateescape")
    parsed = registry.parse(text)
    assert (parsed is None) == (not text.startswith("/") or text.startswith("//"))
    if parsed is None:
        return False
    word, argument = parsed
    assert " " not in word
    assert argument == argument.strip()
    command = registry.find(word, registry.COMMANDS)
    assert command is None or word == command.id or word in command.words
    return command is not None


HARNESSES = (
    Harness("address", check_address, _addresses, 320),
    Harness("json command", check_json, _commands, 700),
    Harness("plain line", check_plain, _plain, 512),
    Harness("slash command", check_slash, lambda: [*_plain(), b"/theme dark", b"/find  a  b "], 512),
)
