"""Who is there, how the keys stand, and how the last message was checked."""

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from securechat_tui.chat.events import Message, Peer, Trust
from securechat_tui.tui import wording
from securechat_tui.tui.state import ChatState, Link

__all__ = ["Sidebar", "StatusLine", "link_content", "summary", "trust_content"]

_LINK: dict[Link, tuple[str, str]] = {
    Link.IDLE: ("○", "$muted"),
    Link.WAITING: ("◌", "$warning"),
    Link.DIALING: ("◌", "$warning"),
    Link.SECURING: ("◐", "$warning"),
    Link.CONNECTED: ("●", "$success"),
    Link.LOST: ("✖", "$error"),
    Link.CLOSED: ("○", "$muted"),
    Link.REFUSED: ("✖", "$error"),
}
_TALL = 28
"""Rows from which the picture of the key has its place above; below, it comes last."""
_ALIVE = frozenset({Link.SECURING, Link.CONNECTED})


class Sidebar(Widget):
    """The security sidebar. It draws the state it was given, at most once for each frame."""

    DEFAULT_CSS = "Sidebar { width: 1fr; height: auto; }"

    def __init__(self, state: ChatState) -> None:
        super().__init__(id="sidebar")
        self._state = state
        self._shape: tuple[str, ...] = ()

    def render(self) -> Content:
        """The whole sidebar as text."""
        return Content("\n").join(_sections(self._state, tall=self.screen.size.height >= _TALL))

    def redraw(self) -> None:
        """Draw the state anew with the next frame, and lay the screen out anew where the height may change.

        Counters change with every message, and a layout costs as much as drawing the whole log.
        """
        shape = _shape(self.render(), self.size.width)
        self.refresh(layout=shape != self._shape)
        self._shape = shape


class StatusLine(Widget):
    """The sidebar in one line, for terminals too narrow for the whole."""

    DEFAULT_CSS = "StatusLine { width: 1fr; height: 1; text-wrap: nowrap; text-overflow: ellipsis; }"

    def __init__(self, state: ChatState) -> None:
        super().__init__(id="status")
        self._state = state

    def render(self) -> Content:
        """Trust, key, connection and last verdict, the weightiest first."""
        return summary(self._state, self.content_size.width)


def _shape(content: Content, width: int) -> tuple[str, ...]:
    """What the height depends on: how many lines there are, and the text of those that wrap."""
    return tuple(line if cell_len(line) > width else "" for line in content.plain.split("\n"))


def trust_content(trust: Trust) -> Content:
    """The trust state as glyph and word."""
    text = f"{wording.trust_glyph(trust)} {wording.trust_word(trust)}"
    return Content.styled(text, f"bold {wording.trust_colour(trust)}")


def link_content(state: ChatState, *, terse: bool = False) -> Content:
    """The connection as glyph and word, with the round trip where one has been measured."""
    glyph, colour = _LINK[state.link]
    words = state.link.value
    if state.link is Link.DIALING and state.attempt > 1:
        words += f", attempt {state.attempt}"
    if state.link is Link.CONNECTED and state.round_trip is not None:
        trip = wording.round_trip_words(state.round_trip)
        words = trip if terse else f"{words}  {trip}"
    return Content.assemble((glyph, colour), f" {words}")


def summary(state: ChatState, width: int) -> Content:
    """One line of ``width`` cells: trust, key, connection and last verdict; what does not fit is left out."""
    link = link_content(state, terse=state.peer is not None)
    trust = trust_content(state.trust)
    if state.peer is None:
        return Content("  ").join([trust, link]) if state.trust is Trust.CHANGED else link
    key = Content(wording.shorter_fingerprint(state.peer.fingerprint))
    verdict = [_verdict(state.last)] if state.last else []
    ways = ([trust, key, link, *verdict], [trust, link, *verdict], [trust, link])
    lines = [Content("  ").join(way) for way in ways]
    return next((line for line in lines if line.cell_length <= width), lines[-1])


def _verdict(message: Message) -> Content:
    rows = wording.check_rows(message.checks)
    passed = all(passed for name, passed in rows if name != "signed")
    return Content.styled(wording.verdict_word(message.checks), "$success" if passed else "$warning")


def _sections(state: ChatState, *, tall: bool) -> list[Content]:
    lines = _peer_lines(state, tall=tall) if state.peer else _own_lines(state)
    lines += _session_lines(state)
    if state.last:
        lines += ["", *_verdict_lines(state.last)]
    if state.peer:
        lines += ["", _counter_line(state)]
        lines += [] if tall else _picture(state.peer)
    return [Content(line) if isinstance(line, str) else line for line in lines]


def _peer_lines(state: ChatState, *, tall: bool) -> list[Content | str]:
    peer = state.peer
    if peer is None:
        return []
    lines: list[Content | str] = [trust_content(state.trust), _since(peer), link_content(state)]
    if peer.known_elsewhere:
        lines.append(Content.styled("! this name is known with another key", "$error"))
    if tall:
        lines += [*_picture(peer), ""]
    lines.append(_key_line(peer.fingerprint))
    return lines


def _since(peer: Peer) -> Content:
    """When the key was first seen: what PINNED and NEW rest on."""
    words = "first contact" if peer.trust is Trust.NEW else f"known since {wording.day(peer.first_seen)}"
    return Content.styled(f"  {words}", "$muted")


def _picture(peer: Peer) -> list[Content | str]:
    return [Content.styled(line, "$muted") for line in ("", *peer.randomart)]


def _key_line(fingerprint: str) -> Content:
    return Content.assemble(wording.short_fingerprint(fingerprint), ("  F3 in full", "$muted"))


def _own_lines(state: ChatState) -> list[Content | str]:
    lines: list[Content | str] = [link_content(state), "", Content.styled("YOU", "bold"), state.name]
    return [*lines, _key_line(state.fingerprint)] if state.fingerprint else lines


def _session_lines(state: ChatState) -> list[Content | str]:
    if state.secure is None or state.link not in _ALIVE:
        return []
    lines: list[Content | str] = [state.secure.suite]
    renewed = wording.clock_time(state.renewed)
    verb = "keys renewed" if state.epoch else "keys agreed"
    lines.append(f"{verb} {renewed} (epoch {state.epoch})")
    return lines


def _verdict_lines(message: Message) -> list[Content | str]:
    cells = [_check_cell(message, name, passed=passed) for name, passed in wording.check_rows(message.checks)]
    return [
        Content.styled("LAST MESSAGE", "bold"),
        Content.assemble(_padded(cells[0]), cells[1]),
        Content.assemble(_padded(cells[2]), cells[3]),
        cells[4],
    ]


def _check_cell(message: Message, name: str, *, passed: bool) -> Content:
    extra = {
        "in order": f" #{message.number}",
        "fresh": f" {wording.age_words(message.age)}",
    }.get(name, "")
    if name == "signed" and not passed:
        return Content("– unsigned")  # no fault: its author has chosen so
    word = "late" if name == "fresh" and not passed else name
    colour = "$success" if passed else "$warning" if name == "fresh" else "$error"
    return Content.assemble((wording.mark(passed=passed), colour), f" {word}{extra}")


def _padded(cell: Content, width: int = 15) -> Content:
    return cell.pad_right(max(width - cell.cell_length, 1))


def _counter_line(state: ChatState) -> Content:
    counters = state.counters
    line = f"sent {counters.sent} · received {counters.received} · bad {counters.bad}"
    return Content.styled(line, "$error" if counters.bad else "")
