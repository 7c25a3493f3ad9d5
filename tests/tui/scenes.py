"""Scenes worth a picture: for the snapshots, and for the screenshots in the documents."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from fake_engine import (
    CONVERSATION,
    NOON,
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
from textual.pilot import Pilot

from securechat_tui.chat.events import Delivered, Event, Queued, RoundTrip, SafeText, Sent, Trust
from securechat_tui.chat.passphrases import Passphrase
from securechat_tui.chat.preferences import Preferences, ThemeName
from securechat_tui.tui.app import ChatApp
from securechat_tui.tui.opening import HostAt, JoinTarget, Opening, StartScreen

WIDE = (120, 36)
USUAL = (80, 24)
SMALL = (50, 20)


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
        peer(trust=Trust.CHANGED),
        gate("comparison", "Codes compared with bob DIFFERED. Nothing is sent."),
    ]


def rotated() -> list[Event]:
    """A contact comes with a new key that the old one has signed."""
    sentence = (
        "bob has a new key, signed by the one you verified on 12 Nov 2026. Nothing is sent until you decide: "
        "leave, accept the new key (/accept), or compare codes (/verify)."
    )
    return [peer(), gate("rotation", sentence)]


@dataclass(frozen=True)
class Scene:
    """An opening, what the engine says, and the keys that are pressed then."""

    opening: Opening = field(default_factory=lambda: JoinTarget("bob"))
    engine: Callable[[], FakeEngine] = FakeEngine
    events: Callable[[], list[Event]] = list
    keys: tuple[str, ...] = ()
    size: tuple[int, int] = WIDE
    title: str = ""


def acquainted() -> FakeEngine:
    """Somebody who knows two people."""
    return FakeEngine(
        contacts=(contact("bob", last_seen=NOON), contact("carol", trust=Trust.VERIFIED, last_seen=NOON - 9))
    )


def newcomer() -> FakeEngine:
    """Somebody who has just installed the program."""
    return FakeEngine(identity=None)


def locked() -> FakeEngine:
    """Somebody whose key has a passphrase."""
    engine = FakeEngine(identity=None)
    engine.locked = True
    engine.passphrase = Passphrase("correct horse")
    return engine


def themed(theme: ThemeName) -> Callable[[], FakeEngine]:
    """Somebody who has chosen a theme."""

    def make() -> FakeEngine:
        engine = FakeEngine()
        engine.preferences = Preferences(theme=theme)
        return engine

    return make


INVITE = (*"/invite", "enter")
FIND = ("ctrl+f", *"the", "enter")

SCENES: dict[str, Scene] = {
    "first-run": Scene(StartScreen(), newcomer),
    "first-run-80": Scene(StartScreen(), newcomer, size=USUAL),
    "first-run-50": Scene(StartScreen(), newcomer, size=SMALL),
    "passphrase": Scene(StartScreen(), locked, keys=(*"correct",)),
    "passphrase-80": Scene(StartScreen(), locked, keys=("enter",), size=USUAL),
    "passphrase-50": Scene(StartScreen(), locked, size=SMALL),
    "start": Scene(StartScreen(alone=lambda: 0), acquainted),
    "join": Scene(StartScreen(alone=lambda: 0), acquainted, keys=("down", "enter")),
    "hosting": Scene(HostAt("0.0.0.0:8000")),
    "chat": Scene(events=conversation),
    "chat-80": Scene(events=conversation, size=USUAL),
    "chat-50": Scene(events=conversation, size=SMALL),
    "chat-light": Scene(engine=themed("light"), events=conversation),
    "chat-terminal": Scene(engine=themed("terminal"), events=conversation, size=USUAL),
    "find": Scene(events=conversation, keys=FIND),
    "find-50": Scene(events=conversation, keys=FIND, size=SMALL),
    "hosting-50": Scene(HostAt("0.0.0.0:8000"), size=SMALL),
    "invite": Scene(HostAt("0.0.0.0:8000"), keys=INVITE),
    "invite-80": Scene(HostAt("0.0.0.0:8000"), keys=INVITE, size=USUAL),
    "invite-50": Scene(HostAt("0.0.0.0:8000"), keys=INVITE, size=SMALL),
    "alarm-light": Scene(engine=themed("light"), events=lambda: [key_changed()], size=USUAL),
    "sidebar-over": Scene(events=conversation, size=USUAL, keys=("f2",)),
    "verify": Scene(events=verifying, keys=("f3",)),
    "verify-80": Scene(events=comparing, size=USUAL),
    "verify-50": Scene(events=comparing, size=SMALL),
    "verify-code": Scene(events=comparing),
    "gate-80": Scene(events=gated, size=USUAL),
    "details": Scene(events=conversation, keys=("f4",)),
    "help": Scene(events=conversation, keys=("f1",)),
    "contacts": Scene(engine=acquainted, events=conversation, keys=(*"/contacts", "enter")),
    "alarm": Scene(events=lambda: [*conversation(), closed("lost"), key_changed()]),
    "alarm-80": Scene(events=lambda: [key_changed()], size=USUAL),
    "alarm-50": Scene(events=lambda: [key_changed()], size=SMALL),
    "new-key": Scene(events=rotated, size=USUAL),
    "new-key-50": Scene(events=rotated, size=SMALL),
    "too-small": Scene(events=conversation, size=(20, 5)),
}


def stage_scene(scene: Scene) -> tuple[ChatApp, Callable[[Pilot[int]], Awaitable[None]]]:
    """The app of a scene, and what plays it once the app runs."""
    engine = scene.engine()
    engine.open()
    app = ChatApp(engine, scene.opening)
    app.state.wall_clock = lambda: NOON

    async def play(pilot: Pilot[int]) -> None:
        await _settle(app, engine, pilot)
        engine.emit(*scene.events())
        await _settle(app, engine, pilot)
        for key in scene.keys:
            await pilot.press(key)
        await _settle(app, engine, pilot)

    return app, play


async def _settle(app: ChatApp, engine: FakeEngine, pilot: Pilot[int]) -> None:
    for _ in range(300):
        if engine.is_drained and app.jobs.is_idle:
            break
        await pilot.pause()
    for _ in range(5):
        await pilot.pause()
