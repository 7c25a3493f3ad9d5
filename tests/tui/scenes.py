"""Scenes worth a picture: for the snapshots, and for the screenshots in the documents."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from itertools import count

import msgspec
from fake_engine import (
    ALL_PASSED,
    CONVERSATION,
    NOON,
    OTHER_FINGERPRINT,
    FakeEngine,
    closed,
    code,
    contact,
    gate,
    key_changed,
    message,
    peer,
    safety_number,
    secure,
)
from several import comes, kept, place, says, view
from textual.pilot import Pilot
from wire_ways import pinned_way

from securechat_tui.chat.events import Delivered, Dialing, Event, Queued, RoundTrip, SafeText, Sent, Trust
from securechat_tui.chat.passphrases import Passphrase
from securechat_tui.chat.preferences import ThemeName
from securechat_tui.chat.views import ConnectionView
from securechat_tui.tui.app import ChatApp
from securechat_tui.tui.opening import HostAt, JoinTarget, Opening, StartScreen
from securechat_tui.tui.screens.question import QuestionScreen

WIDE = (120, 36)
USUAL = (80, 24)
SMALL = (50, 20)

Play = Callable[[Pilot[int]], Awaitable[None]]


def own(number: int, text: str, *, delivered: bool = True) -> list[Event]:
    """One's own message and what became of it."""
    ref = f"scene-{number}"
    when = NOON + 60 * number + 30
    known: list[Event] = [
        Queued(
            time=when,
            conversation=CONVERSATION,
            number=number,
            ref=ref,
            text=SafeText.multi(text),
            claimed=when,
        ),
        Sent(time=when, conversation=CONVERSATION, number=number, ref=ref),
    ]
    if delivered:
        known.append(Delivered(time=when, conversation=CONVERSATION, number=number, ref=ref, durable=False))
    return known


def conversation() -> list[Event]:
    """Two people who have met before."""
    return [
        peer(trust=Trust.PINNED),
        secure(),
        RoundTrip(time=NOON, conversation=CONVERSATION, seconds=0.042),
        message(1, "Morning! Did the parcel arrive?"),
        *own(1, "It did, thank you. Everything in one piece."),
        message(2, "Good. Shall we go through the contract now? I have the figures here."),
        *own(2, "Yes. Give me five minutes, I am getting the second page."),
        message(3, "No hurry.\nI will put the kettle on."),
        *own(3, "Back. Go ahead!", delivered=False),
    ]


WORDS = ("curious", "park", "lazy", "palace", "kingdom", "early")


def verifying() -> list[Event]:
    """A peer whose key is pinned, and the words of the two keys."""
    words = (*WORDS, "drip", "must", "smile", "rule", "general", "exact")
    return [*conversation(), safety_number(words)]


def comparing() -> list[Event]:
    """A code to compare."""
    return [*verifying(), code()]


def gated() -> list[Event]:
    """A contact with whom a comparison has failed comes back."""
    return [
        peer(trust=Trust.CHANGED, differed=True),
        gate("comparison", "Codes compared with bob DIFFERED. Nothing is sent."),
    ]


def rotated() -> list[Event]:
    """A contact comes with a new key that the old one has signed."""
    sentence = (
        "bob has a new key, signed by the one you verified on 12 Nov 2026. Nothing is sent until you decide: "
        "leave, accept the new key (/accept), or compare codes (/verify)."
    )
    return [peer(), gate("rotation", sentence)]


UNSIGNED = (
    "bob takes signed messages only, and unsigned ones of yours wait. Nothing is sent until you decide: "
    "leave, cancel them, or sign them: signed, they are on the record, and bob can prove to others that "
    "you wrote them."
)
RESUME = (
    "bob has another account of what was said: an old copy of a profile may be in use. Nothing more is sent "
    "until you decide."
)


def party() -> list[Event]:
    """Three people, one of them with a question, one with something to read."""
    return [
        *conversation(),
        *comes("carol", Trust.VERIFIED),
        *comes("dave-with-a-long-name", Trust.NEW, flows=False),
        says("carol", 1, "Are you there?"),
        says("carol", 2, "Never mind."),
        replace(gate("unsigned", UNSIGNED), conversation=place("dave-with-a-long-name")),
    ]


@dataclass(frozen=True)
class Scene:
    """An opening, what the engine says, what is entered in the composer, and the keys pressed then."""

    opening: Opening = field(default_factory=lambda: JoinTarget("bob"))
    engine: Callable[[], FakeEngine] = FakeEngine
    events: Callable[[], list[Event]] = list
    entered: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Look:
    """On what a scene is shown: a window of a size, with a theme, or without colour."""

    size: tuple[int, int] = USUAL
    theme: ThemeName = "dark"
    colour: bool = True


def acquainted() -> FakeEngine:
    """Somebody who knows two people."""
    return FakeEngine(
        contacts=(contact("bob", last_seen=NOON), contact("carol", trust=Trust.VERIFIED, last_seen=NOON - 9))
    )


def watched() -> FakeEngine:
    """Somebody who has asked to see what goes over the wire."""
    engine = FakeEngine()
    engine.inspecting = True
    engine.ways[3, True] = pinned_way(3, "Back. Go ahead!", own=True)
    return engine


def remembering() -> FakeEngine:
    """Somebody who has talked before, and keeps it."""
    engine = acquainted()
    start = NOON - 3 * 86400
    engine.kept[CONVERSATION] = [
        kept(1, "I have sent the parcel today.", time=start),
        kept(2, "Thank you! I will tell you when it is here.", mine=True, time=start + 90),
        kept(3, "It should take three days.", time=start + 86400, late=True),
        kept(4, "Just between us: it is a kettle.", time=start + 86460, signed=False),
        kept(5, "I would never have guessed.", mine=True, time=start + 90000),
        kept(6, "And do not shake it", mine=True, time=start + 172800, tick="cancelled"),
        *(kept(7 + n, f"Line {n + 1} of the song.", time=start + 180000 + n * 60) for n in range(24)),
    ]
    engine.kept[place("erin")] = [kept(1, "Which parcel?", name="erin", time=start - 86400)]
    engine.views = (view("bob"), view("erin", unread=0))
    engine.came_and_went = (
        ConnectionView(NOON - 4000, "in", "192.168.1.30:50123", SafeText(""), "a stranger, turned away", 0.4),
        ConnectionView(NOON - 3000, "out", "192.168.1.20:8000", SafeText("bob"), "cut", 2400.0),
        ConnectionView(NOON, "out", "192.168.1.20:8000", SafeText("bob"), "", 90.0),
    )
    return engine


class HereOnly(FakeEngine):
    """An engine whose host no other machine can reach."""

    async def host(self, bind: str | None = None, *, invited_only: bool = False) -> None:
        self._note("host", bind)
        self.emit_hosting("127.0.0.1:8000", "[::1]:8000")


def newcomer() -> FakeEngine:
    """Somebody who has just installed the program."""
    return FakeEngine(identity=None)


def waiting_for_a_key() -> FakeEngine:
    """Somebody whose key is being made."""
    engine = newcomer()
    engine.key_making.clear()
    return engine


def locked() -> FakeEngine:
    """Somebody whose key has a passphrase."""
    engine = FakeEngine(identity=None)
    engine.locked = True
    engine.passphrase = Passphrase("correct horse")
    return engine


def protected() -> FakeEngine:
    """Somebody in a conversation whose key has a passphrase."""
    engine = FakeEngine()
    engine.passphrase = Passphrase("correct horse")
    return engine


def undone() -> list[Event]:
    """A conversation that was cut, with a message that came late and one that nobody signed."""
    unsigned = replace(ALL_PASSED, signed=False)
    late = replace(ALL_PASSED, fresh=False)
    return [
        *conversation(),
        message(4, "Sorry, the train was in a tunnel.", checks=late, age=432),
        message(5, "Are you still there?", checks=unsigned),
        closed("lost", will_retry=True),
        Dialing(
            time=NOON + 3600,
            address="192.168.1.20",
            port=8000,
            attempt=3,
            returning=True,
        ),
    ]


def namesake() -> list[Event]:
    """Somebody who bears the name of a contact, with another key."""
    return [peer(known_elsewhere=OTHER_FINGERPRINT), secure()]


ALONE = StartScreen(alone=lambda: 0)
HOSTING = HostAt("0.0.0.0:8000")

SCENES: dict[str, Scene] = {
    "first-run": Scene(StartScreen(), newcomer),
    "making-the-key": Scene(StartScreen(), waiting_for_a_key, keys=("enter",)),
    "passphrase": Scene(StartScreen(), locked, keys=(*"correct",)),
    "passphrase-missing": Scene(StartScreen(), locked, keys=("enter",)),
    "change-passphrase": Scene(
        engine=protected, events=conversation, entered="/passphrase", keys=(*"correct", "enter", *"new")
    ),
    "set-passphrase": Scene(events=conversation, entered="/passphrase"),
    "start": Scene(ALONE, acquainted),
    "join": Scene(ALONE, acquainted, keys=("down", "enter")),
    "hosting": Scene(HOSTING),
    "hosting-here-only": Scene(HostAt("127.0.0.1:8000"), HereOnly),
    "chat": Scene(events=conversation),
    "cut": Scene(events=undone),
    "namesake": Scene(events=namesake),
    "selected": Scene(events=conversation, keys=("shift+tab", "up", "up")),
    "find": Scene(events=conversation, entered="/find the", keys=("enter",)),
    "palette": Scene(events=conversation, keys=("ctrl+p",)),
    "sidebar": Scene(events=conversation, keys=("f2",)),
    "verify": Scene(events=verifying, keys=("f3",)),
    "verify-alone": Scene(ALONE, keys=("f3",)),
    "verify-code": Scene(events=comparing),
    "gate": Scene(events=gated),
    "invite": Scene(HOSTING, entered="/invite"),
    "details": Scene(events=conversation, keys=("f4",)),
    "wire": Scene(engine=watched, events=conversation, keys=("f5", *["down"] * 5)),
    "wire-secrets": Scene(engine=watched, events=conversation, keys=("f5", *["down"] * 3, "s")),
    "help": Scene(events=conversation, keys=("f1",)),
    "contacts": Scene(engine=acquainted, events=conversation, entered="/contacts"),
    "alarm": Scene(events=lambda: [*conversation(), closed("lost"), key_changed()]),
    "alarm-read": Scene(events=lambda: [key_changed()], keys=("right", "right", "enter")),
    "new-key": Scene(events=rotated),
    "unsigned": Scene(events=lambda: [peer(), gate("unsigned", UNSIGNED)]),
    "resume": Scene(events=lambda: [peer(), gate("resume", RESUME)]),
    "several": Scene(events=party),
    "conversations": Scene(engine=remembering, events=party, entered="/go"),
    "history": Scene(engine=remembering, events=conversation, keys=("pageup",)),
    "history-top": Scene(engine=remembering, events=conversation, keys=("ctrl+home",)),
    "search": Scene(engine=remembering, events=conversation, entered="/search parcel"),
    "wipe": Scene(engine=remembering, events=conversation, entered="/wipe"),
    "connections": Scene(engine=remembering, events=conversation, entered="/connections"),
}

LOOKS = {
    **{f"{columns}x{rows}": Look((columns, rows)) for columns, rows in (WIDE, USUAL, SMALL)},
    "no-colour": Look(colour=False),
}
_VARIANTS = (
    "passphrase-missing",
    "set-passphrase",
    "hosting-here-only",
    "cut",
    "namesake",
    "selected",
    "wire-secrets",
    "verify-alone",
    "alarm-read",
    "history-top",
)
"""States of a screen of which the rest is pictured already."""
_THEMED = ("chat", "contacts", "palette", "alarm")

PICTURES: dict[str, tuple[Scene, Look]] = {
    **{
        f"{name}-{word}": (scene, look)
        for name, scene in SCENES.items()
        for word, look in LOOKS.items()
        if name not in _VARIANTS
    },
    **{name: (SCENES[name], Look()) for name in _VARIANTS},
    **{f"{name}-light": (SCENES[name], Look(theme="light")) for name in _THEMED},
    **{f"{name}-terminal": (SCENES[name], Look(theme="terminal")) for name in _THEMED},
    "too-small": (SCENES["chat"], Look((20, 5))),
}
"""Every screen at three sizes and without colour; some in the other themes."""


def stage_scene(scene: Scene, theme: ThemeName = "dark") -> tuple[ChatApp, Play]:
    """The app of a scene, and what plays it once the app runs."""
    engine = scene.engine()
    engine.preferences = msgspec.structs.replace(engine.preferences, theme=theme)
    engine.open()
    # A clock at which every key is pressed long after the one before.
    app = ChatApp(engine, scene.opening, clock=count(1000.0, 10.0).__next__)
    app.state.wall_clock = lambda: NOON

    async def play(pilot: Pilot[int]) -> None:
        await _settle(app, engine, pilot)
        engine.emit(*scene.events())
        await _settle(app, engine, pilot)
        if scene.entered:
            app.chat.composer.put(scene.entered)
            await pilot.press("enter")
        await pilot.press(*scene.keys)
        await _settle(app, engine, pilot)
        while isinstance(app.screen, QuestionScreen) and not app.screen.is_ready:
            await pilot.pause(0.05)

    return app, play


async def _settle(app: ChatApp, engine: FakeEngine, pilot: Pilot[int]) -> None:
    for _ in range(300):
        if engine.is_drained and (app.jobs.is_idle or not engine.key_making.is_set()):
            break
        await pilot.pause()
    for _ in range(5):
        await pilot.pause()
