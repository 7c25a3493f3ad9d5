"""Who there is to talk with: a column beside the log, or one line above it."""

from dataclasses import dataclass
from typing import Final

from textual import events
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from securechat_tui.chat.events import Trust
from securechat_tui.tui import wording
from securechat_tui.tui.talk import Link, Talk

__all__ = ["ConversationList", "ConversationStrip", "Place", "Places", "link_words", "places_of"]

_HOUSE: Final = "house"
_HERE: Final = "▸"
_MANY: Final = 99
_GAP: Final = 2
_NAME: Final = 14
"""Cells of a name in the one line."""
_LINKS: Final[dict[Link, tuple[str, str]]] = {
    Link.IDLE: ("○ away", "$muted"),
    Link.WAITING: ("◌ waiting", "$warning"),
    Link.DIALING: ("◌ connecting", "$warning"),
    Link.SECURING: ("◐ securing", "$warning"),
    Link.CONNECTED: ("● here", "$success"),
    Link.LOST: ("✖ lost", "$error"),
    Link.CLOSED: ("○ away", "$muted"),
    Link.REFUSED: ("✖ refused", "$error"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A conversation as the list shows it, or the house, which has no id and no trust."""

    id: str | None
    name: str
    trust: Trust | None
    link: Link
    unread: int
    question: str
    is_here: bool
    """Whether it is the one on the screen."""

    @property
    def count(self) -> str:
        """What is unread, in at most three characters."""
        return "" if not self.unread else str(self.unread) if self.unread <= _MANY else f"{_MANY}+"


def places_of(house: Link, talks: list[Talk], here: Talk | None) -> tuple[Place, ...]:
    """The house first, then the conversations in the order in which they came."""
    return (
        Place(None, _HOUSE, None, house, 0, "", here is None),
        *(_place(talk, is_here=talk is here) for talk in talks),
    )


def _place(talk: Talk, *, is_here: bool) -> Place:
    peer = talk.peer
    return Place(talk.id, peer.contact, peer.trust, talk.link, talk.unread, talk.question, is_here)


def link_words(link: Link) -> Content:
    """A connection in a glyph and a word."""
    words, colour = _LINKS[link]
    return Content.styled(words, colour)


class Places(Widget):
    """Knows the places, and which of them the mouse means."""

    class Chosen(Message):
        """The person would like to go somewhere."""

        def __init__(self, conversation: str | None) -> None:
            super().__init__()
            self.conversation = conversation

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._places: tuple[Place, ...] = ()

    def show(self, places: tuple[Place, ...]) -> bool:
        """Draw these; whether they are others than before."""
        if places == self._places:
            return False
        is_taller = len(places) != len(self._places)
        self._places = places
        self.refresh(layout=is_taller)
        return True

    def on_click(self, event: events.Click) -> None:
        """Go to what was clicked."""
        place = self._at(event.x, event.y)
        if place is not None:
            self.post_message(self.Chosen(place.id))

    def _at(self, x: int, y: int) -> Place | None:
        raise NotImplementedError


class ConversationList(Places):
    """Two rows for each conversation: name and what is unread; trust and connection."""

    DEFAULT_CSS = "ConversationList { width: 1fr; height: auto; }"

    def render(self) -> Content:
        """All rows."""
        width = max(self.content_size.width, 8)
        return Content("\n").join(row for place in self._places for row in _rows(place, width))

    @property
    def row_in_view(self) -> int:
        """The first row of the place on the screen."""
        before = 0
        for place in self._places:
            if place.is_here:
                break
            before += _height(place)
        return before

    def _at(self, x: int, y: int) -> Place | None:
        del x
        for place in self._places:
            y -= _height(place)
            if y < 0:
                return place
        return None


def _height(place: Place) -> int:
    return 1 if place.trust is None else 2


def _rows(place: Place, width: int) -> list[Content]:
    name = _named(place, width - len(place.count) - 1)
    first = name.pad_right(max(width - name.cell_length - len(place.count), 0))
    first = Content.assemble(first, (place.count, "bold $text-accent"))
    return [first] if place.trust is None else [first, _standing(place, place.trust, width)]


def _named(place: Place, width: int) -> Content:
    """The name behind its mark, cut to a width."""
    mark = _HERE if place.is_here else " "
    style = "bold" if place.is_here or place.unread or place.question else ""
    return Content.styled(f"{mark} {place.name}", style).truncate(width, ellipsis=True)


def _standing(place: Place, trust: Trust, width: int) -> Content:
    if place.question:
        return Content.styled(f"  ! {place.question}", "bold $text-warning").truncate(width, ellipsis=True)
    word = Content.styled(
        f"  {wording.trust_glyph(trust)} {wording.trust_word(trust)} ", wording.trust_colour(trust)
    )
    return Content.assemble(word, link_words(place.link)).truncate(width, ellipsis=True)


class ConversationStrip(Places):
    """One line: the names, and what is unread; around the one on the screen where not all fit."""

    DEFAULT_CSS = """
    ConversationStrip { width: 1fr; height: 1; padding: 0 1; text-wrap: nowrap; background: $panel; }
    """

    def render(self) -> Content:
        """As many names as fit."""
        cells, _ = self._shown()
        return Content(" " * _GAP).join(cells)

    def _shown(self) -> tuple[list[Content], list[Place | None]]:
        """The parts of the line, and the place each of them stands for."""
        width = self.content_size.width
        first, last = self._window([_cell(place).cell_length + _GAP for place in self._places], width)
        places: list[Place | None] = [*self._places[first:last]]
        cells = [_cell(place) for place in self._places[first:last]]
        hidden = [*self._places[:first], *self._places[last:]]
        if hidden:
            waiting = sum(bool(place.unread or place.question) for place in hidden)
            words = f"+{len(hidden)}" + (f", {waiting} new" if waiting else "")
            cells.append(Content.styled(words, "$muted"))
            places.append(None)
        return cells, places

    def _window(self, widths: list[int], width: int) -> tuple[int, int]:
        """From which place to which the line goes: as far as there is room around the one on the screen."""
        if sum(widths) - _GAP <= width or not widths:
            return 0, len(widths)
        here = next((at for at, place in enumerate(self._places) if place.is_here), 0)
        first, last, left = here, here + 1, width - widths[here] - len("+99, 99 new")
        while last < len(widths) and widths[last] <= left:
            left -= widths[last]
            last += 1
        while first > 0 and widths[first - 1] <= left:
            first -= 1
            left -= widths[first]
        return first, last

    def _at(self, x: int, y: int) -> Place | None:
        del y
        x -= self.styles.padding.left
        for cell, place in zip(*self._shown(), strict=True):
            if x < cell.cell_length:
                return place
            x -= cell.cell_length + _GAP
        return None


def _cell(place: Place) -> Content:
    name = Content(place.name).truncate(_NAME, ellipsis=True)
    if place.is_here:
        name = Content.styled(f"{_HERE}{name.plain}", "bold")
    mark = " !" if place.question else f" {place.count}" if place.count else ""
    return Content.assemble(name, (mark, "bold $text-accent"))
