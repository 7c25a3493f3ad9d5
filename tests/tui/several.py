"""Several people to talk with, and what is kept of the conversations."""

from dataclasses import replace

from fake_engine import (
    ALL_PASSED,
    CONVERSATION,
    NOON,
    OTHER_FINGERPRINT,
    PEER_FINGERPRINT,
    PEER_PICTURE,
    message,
    peer,
    secure,
)

from securechat_tui.chat.events import Event, Kept, KeptTick, Message, SafeText, Trust
from securechat_tui.chat.views import ConversationView

BOB = CONVERSATION
DAY = 86_400.0


def place(name: str) -> str:
    """The id of the conversation with somebody."""
    return BOB if name == "bob" else name.encode().hex().ljust(64, "0")


def fingerprint(name: str) -> str:
    """Somebody's fingerprint."""
    if name == "bob":
        return PEER_FINGERPRINT
    return OTHER_FINGERPRINT if name == "carol" else "SHA256:" + name.ljust(43, "x")


def comes(
    name: str,
    trust: Trust = Trust.PINNED,
    *,
    role: str = "guest",
    flows: bool = True,
    returning: bool = False,
    other: str = "",
) -> list[Event]:
    """Somebody comes in, and messages flow; with ``other``, with the key of that one."""
    here = replace(
        peer(name, trust=trust),
        conversation=place(name),
        fingerprint=fingerprint(other or name),
        randomart=PEER_PICTURE,
        role=role,
        returning=returning,
    )
    return [here, replace(secure(), conversation=place(name))] if flows else [here]


def says(name: str, number: int, text: str, *, row: int = 0) -> Message:
    """Somebody says something."""
    said = message(number, text, name=name)
    return replace(said, conversation=place(name), author=fingerprint(name), row=row)


def kept(
    row: int,
    text: str,
    *,
    name: str = "bob",
    mine: bool = False,
    time: float | None = None,
    late: bool = False,
    signed: bool = True,
    tick: KeptTick = "delivered",
) -> Kept:
    """A message that is kept."""
    when = NOON - DAY + 60 * row if time is None else time
    return Kept(
        row=row,
        by="me" if mine else "peer",
        number=row,
        text=SafeText.multi(text),
        author=fingerprint(name),
        name=SafeText.name("ada" if mine else name),
        claimed=when,
        time=when,
        age=432.0 if late else 0.2,
        late=late,
        checks=replace(ALL_PASSED, fresh=not late, signed=signed),
        trust=Trust.PINNED,
        tick=tick if mine else "",
    )


def pages(count: int, name: str = "bob") -> list[Kept]:
    """So many messages, one's own among them, over some days."""
    start = NOON - DAY * (1 + count // 100)
    return [
        kept(row, f"kept {row}", name=name, mine=row % 3 == 0, time=start + row * DAY / 100)
        for row in range(1, count + 1)
    ]


def view(name: str, *, unread: int = 0, trust: Trust = Trust.PINNED, draft: str = "") -> ConversationView:
    """A conversation as the engine lists it."""
    return ConversationView(
        id=place(name),
        name=SafeText.name(name),
        fingerprint=fingerprint(name),
        trust=trust,
        live=False,
        awaited=False,
        unread=unread,
        waiting=0,
        last=NOON - DAY,
        draft=draft,
    )
