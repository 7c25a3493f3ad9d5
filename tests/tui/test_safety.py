"""The line filter: nothing hostile leaves any widget, and nothing visible changes."""

import unicodedata
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input, Label, Static

from securechat_tui.chat.events import SafeText
from securechat_tui.tui.environment import scrub_environment
from securechat_tui.tui.safety import SafetyFilter, visible_text
from securechat_tui.tui.widgets.chat_log import ChatLog, MessageEntry

HOSTILE = {
    "clipboard": "\x1b]52;c;aGk=\x07",
    "title": "\x1b]0;owned\x07",
    "colour": "\x1b[31m",
    "c1": "\x9b31m",
    "delete": "\x7f",
    "link": "\x1b]8;;https://evil.example\x1b\\text\x1b]8;;\x1b\\",
    "override": "\u202etxt.exe\u202c",
    "isolate": "\u2066\u2069\u200e\u200f\u061c",
    "zero width": "a\u200bb\u2060c\ufeffd",
    "lone joiner": "a\u200db\ufe0f",
    "separators": "a\u2028b\u2029c",
    "surrogate": "a\ud800b",
    "private": "\ue000\U000f0000",
    "unassigned": "\u0378\U0003fffd\uffff",
    "tags": "\U000e0041",
    "filler": "\u3164\u115f",
    "markup": "[/x][bold]",
}
HARMLESS = [
    "plain",
    "ÄÖÜ ß é е́ Ω",
    "漢字かな、",
    "👨\u200d👩\u200d👧",
    "👍🏽 ❤\ufe0f 1\ufe0f\u20e3 🇩🇪 🏳\ufe0f\u200d🌈",
    "e\u0301 कषि",
    "╭─╮│▁▂▃🬀",
    "▸✓✓○!→",
]
KEPT_IN_EMOJI = {"\u200d", "\ufe0f", "\ufe0e"}
UNSEEN = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


def hostile_in(text: str) -> set[str]:
    """The characters that must not reach a terminal."""
    return {ch for ch in text if unicodedata.category(ch) in UNSEEN and ch not in KEPT_IN_EMOJI}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_made_visible_at_the_same_width(text: str) -> None:
    shown = visible_text(text)
    assert not hostile_in(shown)
    assert cell_len(shown) == cell_len(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_visible_text_stays_as_it_is(text: str) -> None:
    assert visible_text(text) == text


def test_every_character_alone() -> None:
    for code in range(0x110000):
        character = chr(code)
        shown = visible_text(character)
        assert not hostile_in(shown), hex(code)
        assert shown in {character, "", "\ufffd", "\ufffd "}, hex(code)


@given(st.text(st.characters(exclude_categories=())))
def test_any_text(text: str) -> None:
    shown = visible_text(text)
    assert not hostile_in(shown)
    assert cell_len(shown) == cell_len(text)


@pytest.mark.parametrize("text", ["a\u200db", "\u200d", "x\ufe0f", "\u200d👩", "👨\u200d"])
def test_joiners_outside_of_emoji_go(text: str) -> None:
    assert not set(visible_text(text)) & KEPT_IN_EMOJI


def test_sanitised_text_passes_unchanged() -> None:
    for text in (*HOSTILE.values(), *HARMLESS):
        safe = SafeText(text)
        assert visible_text(safe) == safe


def test_links_go_and_other_style_stays() -> None:
    style = Style(bold=True, link="https://evil.example", meta={"offset": (1, 2)})
    (segment,) = SafetyFilter().apply([Segment("here", style)], Color(0, 0, 0))
    assert segment.style is not None
    assert segment.style.link is None
    assert segment.style.bold
    assert segment.style.meta == {"offset": (1, 2)}
    assert "\x1b]8" not in Strip([segment]).render(App[None]().console)


def test_clean_lines_are_not_copied() -> None:
    segments = [Segment("clean", Style(bold=True)), Segment(" lines")]
    assert SafetyFilter().apply(segments, Color(0, 0, 0)) is segments


class Hostile(App[None]):
    """Shows one hostile text in widgets of several kinds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), SafetyFilter()]

    def compose(self) -> ComposeResult:
        yield Static(f"seen {self.text}", markup=False)
        yield Label(f"seen {self.text}", markup=False)
        yield Input(placeholder=self.text.encode("utf-8", "replace").decode())
        log = ChatLog()
        log.styles.height = 6
        log.styles.border = ("round", "red")
        log.border_title = Content(f"seen {self.text}")
        yield log

    def on_mount(self) -> None:
        # Past the sanitiser on purpose: a verdict is a plain string.
        entry = MessageEntry(id="1", time=0, nick=SafeText("bob"), text=SafeText("hello"), verdict=self.text)
        self.query_one(ChatLog).append(entry)
        self.title = self.text
        self.notify(self.text, title=self.text, markup=False)


def lines(widget: Widget) -> list[Strip]:
    return widget.render_lines(widget.outer_size.region)


@pytest.mark.parametrize("name", HOSTILE)
async def test_no_widget_lets_it_pass(name: str) -> None:
    app = Hostile(HOSTILE[name])
    async with app.run_test(size=(60, 24), notifications=True) as pilot:
        await pilot.pause()
        widgets = [widget for widget in app.screen.walk_children(Widget) if widget.size]
        kinds = {type(widget).__name__ for widget in widgets}
        assert {"Static", "Label", "Input", "ChatLog", "Toast"} <= kinds
        for widget in widgets:
            for strip in lines(widget):
                assert not hostile_in(strip.text), type(widget).__name__
                assert "\x1b]" not in strip.render(app.console)


def test_the_environment_loses_what_makes_textual_talk() -> None:
    environ = {
        "TEXTUAL": "debug,devtools",
        "TEXTUAL_LOG": "/tmp/log",  # noqa: S108 - never opened
        "TEXTUAL_DRIVER": "evil:Driver",
        "TEXTUAL_SCREENSHOT": "1",
        "TEXTUAL_OF_TOMORROW": "1",
        "TEXTUAL_ANIMATIONS": "none",
        "NO_COLOR": "1",
        "PATH": "/bin",
    }
    removed = scrub_environment(environ)
    assert removed == (
        "TEXTUAL",
        "TEXTUAL_DRIVER",
        "TEXTUAL_LOG",
        "TEXTUAL_OF_TOMORROW",
        "TEXTUAL_SCREENSHOT",
    )
    assert environ == {"TEXTUAL_ANIMATIONS": "none", "NO_COLOR": "1", "PATH": "/bin"}
