"""Pictures of the lab's screens at three sizes and without colour, as a person approved them.

Runs are real. Where bytes differ from run to run, others of the same lengths stand in the picture.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList
from wire_ways import filled

from securechat_tui.headless.standard_streams import Line
from securechat_tui.lab import follow as following
from securechat_tui.lab.catalogue import NAMES, PROTOCOLS, LabProtocol
from securechat_tui.lab.chat import Chat, Place
from securechat_tui.lab.faces import PlainFace, beginning
from securechat_tui.lab.follow import Followed
from securechat_tui.lab.keyring import KeyRing
from securechat_tui.lab.screens import chat as chat_screen
from securechat_tui.lab.screens.app import LabApp
from securechat_tui.lab.screens.chat import LabChatScreen
from securechat_tui.lab.screens.matrix import MatrixScreen
from securechat_tui.lab.steps import Step
from securechat_tui.network.addresses import Address
from securechat_tui.tui.widgets.composer import Composer
from securechat_tui.tui.widgets.step_view import StepView

Play = Callable[[Pilot[int]], Awaitable[None]]
KEYS = KeyRing()
SIZES = {"120x36": (120, 36), "80x24": (80, 24), "50x20": (50, 20)}
NOON = 1_795_262_400.0
_TRIES = 3000


async def until(pilot: Pilot[int], condition: Callable[[], object]) -> None:
    for _ in range(_TRIES):
        if condition():
            for _ in range(3):
                await pilot.pause()
            return
        await pilot.pause(0.005)
    raise AssertionError("the picture never came about")


def pinned(step: Step) -> Step:
    same = step.input == step.output
    output = filled(f"{step.name} out", len(step.output))
    secret = filled("key", len(step.secret))
    return replace(
        step,
        input=output if same else filled(f"{step.name} in", len(step.input)),
        output=output,
        secret=secret,
    )


async def follow_pinned(protocol: LabProtocol, text: str, keys: KeyRing | None = None) -> Followed:
    """The way of a message with the bytes of none: as long as the real ones, in every picture the same."""
    way = await following.follow(protocol, text, keys)
    return replace(
        way,
        handshake=tuple((role, pinned(step)) for role, step in way.handshake),
        sending=tuple(map(pinned, way.sending)),
        receiving=tuple(map(pinned, way.receiving)),
    )


async def choose(pilot: Pilot[int], name: str) -> None:
    await until(pilot, lambda: pilot.app.screen.query("#protocols"))
    await pilot.press(*["down"] * NAMES.index(name))
    await until(pilot, lambda: pilot.app.screen.query_one("#protocols", OptionList).highlighted)


async def start(pilot: Pilot[int]) -> None:
    await choose(pilot, "signed-gcm")


def steps(name: str, at: str) -> Play:
    async def play(pilot: Pilot[int]) -> None:
        await choose(pilot, name)
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.screen.query(StepView))
        shown = pilot.app.screen.query_one(StepView).steps
        place = next(i for i, one in enumerate(shown) if one.where == "sending" and at in one.step.name)
        await pilot.press(*["down"] * place)

    return play


async def attack(pilot: Pilot[int]) -> None:
    await choose(pilot, "signed-gcm")
    await pilot.press("f2", "down", "down", "enter")
    frame = pilot.app.screen.query_one("#outcome")
    await until(pilot, lambda: "measured" in str(frame.border_title))


async def matrix(pilot: Pilot[int]) -> None:
    screen = MatrixScreen(("gcm", "json-cbc-hmac", "current"), ("replay", "drop", "reflect", "equal-iv"))
    await pilot.app.push_screen(screen)
    await until(pilot, lambda: not screen.is_computing)
    await pilot.press("right", "down")


class Guest:
    """Whoever talks with the one at the screen, and is seen by nobody."""

    def __init__(self, address: Address) -> None:
        self._said: asyncio.Queue[bytes] = asyncio.Queue()
        self.heard = b""
        place = Place(PROTOCOLS["signed-gcm"], "guest", address)
        self._chat = Chat(place, PlainFace(), self._lines(), self._hear, KEYS)
        self._running = asyncio.create_task(self._chat.run())

    def say(self, text: str) -> None:
        self._said.put_nowait(text.encode())

    async def _lines(self) -> AsyncIterator[Sequence[Line]]:
        while True:
            yield [await self._said.get()]

    def _hear(self, text: bytes) -> None:
        self.heard += text


async def chat(pilot: Pilot[int]) -> None:
    """Ports, keys and times differ from run to run: others stand in their places."""
    anywhere = Address.parse("127.0.0.1:0", bind=True, default_port=1)
    screen = LabChatScreen(Place(PROTOCOLS["signed-gcm"], "host", anywhere))
    bound: list[Address] = []

    def place(face: chat_screen._ScreenFace, _: str, address: Address) -> bytes:
        bound.append(address)
        face._screen.notice("Listening at 127.0.0.1:8000")
        return b""

    def told(word: str) -> bool:
        return any(word in one.text for one in screen._log.notices())

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(chat_screen._ScreenFace, "place", place)
        patched.setattr(chat_screen, "beginning", lambda _: beginning("0123456789abcdef"))
        patched.setattr(chat_screen, "time", SimpleNamespace(time=lambda: NOON))
        await pilot.app.push_screen(screen)
        await until(pilot, lambda: bound)
        guest = Guest(bound[0])
        await until(pilot, lambda: told("Messages flow now"))
        guest.say("Good morning. Can anybody read this?")
        await until(pilot, lambda: len(screen._steps) == 1)
        screen.query_one(Composer).put("Whoever records it, and gets a key of ours one day.")
        await pilot.press("enter")
        await until(pilot, lambda: b"records" in guest.heard)


async def lesson(pilot: Pilot[int]) -> None:
    await pilot.press("f4", "enter", "enter")
    await until(pilot, lambda: "goes on" in str(pilot.app.screen.query_one("#next").render()))


SCENES: dict[str, Play] = {
    "start": start,
    "steps-signed-gcm": steps("signed-gcm", "sign"),
    "steps-current": steps("current", "seal"),
    "attack": attack,
    "matrix": matrix,
    "lesson": lesson,
    "chat": chat,
}


@dataclass(frozen=True)
class Picture:
    play: Play
    size: tuple[int, int] = (80, 24)
    colour: bool = True


PICTURES = {
    **{
        f"{name}-{word}": Picture(play, size) for name, play in SCENES.items() for word, size in SIZES.items()
    },
    **{f"{name}-no-colour": Picture(play, colour=False) for name, play in SCENES.items()},
}


@pytest.fixture(autouse=True)
def _still(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture must not depend on when in its blinking a cursor was caught, nor on the terminal."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setattr(Input, "_toggle_cursor", lambda _: None)
    monkeypatch.setattr("securechat_tui.lab.screens.follow.follow", follow_pinned)


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize("name", PICTURES)
def test_lab_screen(name: str, snap_compare: Callable[..., bool], monkeypatch: pytest.MonkeyPatch) -> None:
    picture = PICTURES[name]
    if not picture.colour:
        monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(LabApp(keys=KEYS), terminal_size=picture.size, run_before=picture.play)
