"""What the commands of the lab do; each returns the program's exit code."""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

import msgspec

from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.headless.run import say
from securechat_tui.headless.standard_streams import Streams
from securechat_tui.lab.attacks import ATTACKS, Bench, Outcome
from securechat_tui.lab.catalogue import NAMES, PROTOCOLS, LabProtocol, with_layout
from securechat_tui.lab.chat import Place, run_on_streams
from securechat_tui.lab.faces import JsonFace, PlainFace, warning
from securechat_tui.lab.five_layer import FRAMINGS, Layout
from securechat_tui.lab.follow import Followed, follow
from securechat_tui.lab.keyring import KeyRing
from securechat_tui.lab.lessons import LESSONS, Played, play
from securechat_tui.lab.matrix import cells
from securechat_tui.lab.peer import CannotSend
from securechat_tui.lab.primitives import BadCrypto
from securechat_tui.lab.steps import Step
from securechat_tui.lab.tables import markdown, plain_table, wrapped
from securechat_tui.network.addresses import Address
from securechat_tui.storage.profile import Profile

__all__ = [
    "Details",
    "find",
    "list_protocols",
    "run_attack",
    "run_chat",
    "run_follow",
    "run_lessons",
    "run_matrix",
    "show_chat",
    "show_lab",
]

_LOOPBACK: Final = "127.0.0.1"
_MAX_SECRET: Final = 1024
_HEX_BYTES: Final = 48


def find(name: str) -> LabProtocol | None:
    """Return the protocol of this name."""
    return PROTOCOLS.get(name)


def _print(line: str) -> None:
    print(line, flush=True)


def _print_json(**fields: Any) -> None:  # noqa: ANN401 - whatever JSON can say
    _print(msgspec.json.encode(fields).decode())


def list_protocols(*, as_json: bool) -> ExitCode:
    """Name and explain the protocols."""
    for one in PROTOCOLS.values():
        if as_json:
            _print_json(
                name=one.name, title=one.title, explanation=one.explanation, lacks=one.lacks, port=one.port
            )
            continue
        _print(f"{one.name} (port {one.port}): {one.title}")
        for line in (one.explanation, *(f"- {lack}" for lack in one.lacks)):
            _print(wrapped(line))
    if not as_json:
        _print("All but current are for learning, and none of them here is for private talk.")
    return ExitCode.DONE


@dataclass(frozen=True, slots=True)
class Details:
    """What a command says about a chat besides its protocol and address."""

    user: str = ""
    framing: str = FRAMINGS[0]
    secret_file: Path | None = None
    key_file: Path | None = None


def run_chat(
    protocol: LabProtocol, role: str, address: str | None, details: Details, *, as_json: bool
) -> ExitCode:
    """Converse without a screen; raises BadAddress, ProfileError."""
    prepared = _prepared(protocol, role, address, details)
    if isinstance(prepared, ExitCode):
        return prepared
    place, keys = prepared
    face = JsonFace() if as_json else PlainFace((_encoding(sys.stdin), _encoding(sys.stdout)))

    async def converse() -> ExitCode:
        return await run_on_streams(place, face, Streams.standard(), keys)

    try:
        return asyncio.run(converse())
    except asyncio.CancelledError:
        return ExitCode.INTERRUPTED


def show_chat(
    protocol: LabProtocol, role: str, address: str | None, details: Details, *, no_color: bool
) -> int:
    """Converse on the screen; raises BadAddress, ProfileError."""
    from securechat_tui.lab.screens.app import LabApp, run  # noqa: PLC0415 - Textual is for screens alone
    from securechat_tui.lab.screens.chat import LabChatScreen  # noqa: PLC0415

    prepared = _prepared(protocol, role, address, details)
    if isinstance(prepared, ExitCode):
        return prepared
    place, keys = prepared
    return run(LabApp(LabChatScreen(place), keys), no_color=no_color)


def show_lab(*, no_color: bool) -> int:
    """Show the lab on the screen."""
    from securechat_tui.lab.screens.app import LabApp, run  # noqa: PLC0415

    return run(LabApp(), no_color=no_color)


def _prepared(
    protocol: LabProtocol, role: str, address: str | None, details: Details
) -> tuple[Place, KeyRing] | ExitCode:
    """The place and its keys, or what the program ends with where there is no such key."""
    where = Address.parse(address or _LOOPBACK, bind=role == "host", default_port=protocol.port)
    if protocol.name == "five-layer":
        protocol = with_layout(_layout(details.framing, details.secret_file))
    keys = KeyRing()
    if protocol.name == "json-cbc-hmac" and role == "host":
        try:
            keys.keep("host", details.key_file or _lab_folder() / "json-cbc-hmac.pem")
        except BadCrypto:
            say(
                "The key file holds no unencrypted RSA key of 2048 bits or more: choose another by "
                "--key-file."
            )
            return ExitCode.PROFILE
    return Place(protocol, role, where, details.user), keys


def _layout(framing: str, secret_file: Path | None) -> Layout:
    if secret_file is None:
        return Layout(framing=framing)
    with secret_file.open("rb") as file:
        secret = file.read(_MAX_SECRET).rstrip(b"\r\n")
    return Layout(secret, framing)


def _encoding(stream: TextIO | None) -> str:
    return (stream.encoding if stream is not None else None) or "utf-8"


def _lab_folder() -> Path:
    return Profile.named().folder.parent.parent / "lab"


def run_matrix(
    protocols: Sequence[str], attacks: Sequence[str], *, as_json: bool, as_markdown: bool
) -> ExitCode:
    """Run the cells and show them as they come, or as a table at the end."""

    async def compute() -> list[Outcome]:
        found: list[Outcome] = []
        async for cell in cells(protocols or NAMES, attacks or tuple(ATTACKS)):
            found.append(cell)
            if as_json:
                _print_json(**_fields(cell))
            else:
                _progress(f"{cell.protocol}: {cell.attack}")
        return found

    found = asyncio.run(compute())
    _progress("")
    if as_markdown:
        _print(markdown(found))
    elif not as_json:
        _print(plain_table(found))
    return ExitCode.DONE


def _progress(what: str) -> None:
    """Say on a terminal what runs now; a file is spared."""
    if sys.stderr is not None and sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{what}")
        sys.stderr.flush()


def _fields(cell: Outcome) -> dict[str, Any]:
    return {
        "protocol": cell.protocol,
        "attack": cell.attack,
        "caught": cell.caught,
        "by": cell.by,
        "why": cell.why,
        "state": cell.state,
        "got": cell.got,
        "remains": cell.remains,
        "mend": cell.mend,
        "contradicts": cell.claim,
    }


def run_attack(protocol: LabProtocol, attack: str, *, as_json: bool) -> ExitCode:
    """Run one attack and tell everything about it."""
    outcome = asyncio.run(ATTACKS[attack].run(Bench(protocol, KeyRing())))
    if as_json:
        _print_json(**_fields(outcome))
        return ExitCode.DONE
    for line in told(outcome):
        _print(line)
    return ExitCode.DONE


def told(outcome: Outcome) -> Iterator[str]:
    """Tell an outcome in lines."""
    attack = ATTACKS[outcome.attack]
    yield f"{outcome.attack} on {outcome.protocol}: {attack.tries}"
    yield f"  {'CAUGHT by: ' + outcome.by if outcome.caught else 'NOT CAUGHT'}"
    named = (
        ("The attacker got: ", outcome.got),
        ("Why: ", outcome.why),
        ("What remains: ", outcome.remains),
        ("What would mend it: ", outcome.mend),
        ("This contradicts what the protocol relies on: ", outcome.claim),
    )
    for name, text in named:
        if text:
            yield wrapped(name + text)


def run_lessons(number: int | None, *, as_json: bool) -> ExitCode:
    """Walk through one lesson, or all of them, and show what each run has measured."""

    async def walk() -> bool:
        keys = KeyRing()
        as_told = True
        for place, lesson in enumerate(LESSONS, 1):
            if number not in (None, place):
                continue
            if not as_json:
                _print(f"Lesson {place}, {lesson.name}: {lesson.question}")
            async for played in play(lesson, keys):
                as_told &= played.as_told
                _show_act(place, played, as_json=as_json)
            if not as_json:
                _print(f"  Learnt: \n{wrapped(lesson.learnt)}\n")
        return as_told

    if asyncio.run(walk()):
        return ExitCode.DONE
    say("A run has shown something else than its lesson is about; the results above are what was measured.")
    return ExitCode.FAILED


def _show_act(place: int, played: Played, *, as_json: bool) -> None:
    act, outcome = played.act, played.outcome
    if as_json:
        _print_json(
            lesson=place,
            name=played.lesson.name,
            act=act.heading,
            before=act.before,
            tries=act.tries,
            **_fields(outcome),
        )
        return
    _print(f"\n  {act.heading} ({act.protocol.name})")
    _print(wrapped(act.before))
    _print(wrapped(f"Run now: {act.tries}."))
    _print(
        wrapped(f"Measured: {'caught by ' + outcome.by if outcome.caught else 'not caught'}; {outcome.got}.")
    )
    _print(wrapped(outcome.why))


def run_follow(protocol: LabProtocol, text: str, *, as_json: bool) -> ExitCode:
    """Send a text between two peers of this process and show its steps."""
    try:
        followed = asyncio.run(follow(protocol, text))
    except CannotSend as error:
        say(str(error))
        return ExitCode.FAILED
    show = _show_json if as_json else _show_plain
    show(followed)
    return ExitCode.DONE


def _named(followed: Followed) -> Iterator[tuple[str, Step]]:
    for role, step in followed.handshake:
        yield f"handshake, {role}", step
    for step in followed.sending:
        yield "sending", step
    for step in followed.receiving:
        yield "receiving", step


def _show_json(followed: Followed) -> None:
    for phase, step in _named(followed):
        _print_json(
            event="step",
            phase=phase,
            name=step.name,
            input=step.input.hex(),
            output=step.output.hex(),
            key=step.key,
            protects=step.protects,
            fields=[{"name": one.name, "start": one.start, "end": one.end} for one in step.fields],
        )
    _print_json(event="passed", checks=followed.passed)


def _show_plain(followed: Followed) -> None:
    _print(warning(followed.protocol))
    for number, (phase, step) in enumerate(_named(followed), 1):
        _print(f"{number}. {phase}: {step.name}")
        for name, value in (("key", step.key), ("protects", step.protects)):
            if value:
                _print(wrapped(f"{name}: {value}"))
        _print(f"    {_bytes(step.output)}")
        for part in step.fields:
            _print(f"      {part.name}: {_bytes(step.output[part.start : part.end])}")
    _print(f"Checks passed: {', '.join(followed.passed)}")


def _bytes(data: bytes) -> str:
    shown = data[:_HEX_BYTES].hex(" ")
    return f"{len(data)} bytes  {shown}{' …' if len(data) > _HEX_BYTES else ''}"
