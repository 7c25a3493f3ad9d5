"""Themes and nick colours: readable, chosen by word, kept, and never the only sign of anything."""

import os
from itertools import product

import pytest
from fake_engine import FakeEngine, message
from stage import in_conversation
from textual.color import Color
from textual.theme import Theme

from securechat_tui.chat.events import Trust
from securechat_tui.chat.preferences import Preferences
from securechat_tui.tui import wording
from securechat_tui.tui.themes import DARK, LIGHT, NICKS, TERMINAL, THEMES

READABLE = 4.5
"""The contrast that the Web Content Accessibility Guidelines ask of text."""


def luminance(colour: Color) -> float:
    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(part) for part in colour.normalized)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    first, second = sorted((luminance(Color.parse(one)), luminance(Color.parse(other))), reverse=True)
    return (first + 0.05) / (second + 0.05)


def texts(theme: Theme) -> dict[str, str]:
    """Every colour in which something is written."""
    named = {name: getattr(theme, name) for name in ("foreground", "primary", "success", "warning", "error")}
    own = {name: theme.variables[name] for name in ("muted", "nick-own")}
    return {**named, **own, **{f"nick-{one}": theme.variables[f"nick-{one}"] for one in range(NICKS)}}


@pytest.mark.parametrize(("theme", "ground"), product((DARK, LIGHT), ("background", "surface", "panel")))
def test_every_colour_can_be_read(theme: Theme, ground: str) -> None:
    behind = getattr(theme, ground)
    unreadable = {
        name: colour for name, colour in texts(theme).items() if contrast(colour, behind) < READABLE
    }
    assert not unreadable


def test_the_terminals_colours_are_its_own() -> None:
    assert all(colour.startswith("ansi_") for colour in texts(TERMINAL).values())
    assert TERMINAL.ansi


def test_every_trust_state_has_a_glyph_a_word_and_a_colour_of_each_theme() -> None:
    for trust in Trust:
        assert wording.trust_glyph(trust)
        assert wording.trust_word(trust)
        for theme in THEMES.values():
            assert getattr(theme, wording.trust_colour(trust).removeprefix("$"))


def test_a_nicks_colour_is_that_of_the_key() -> None:
    keys = [f"SHA256:{number}" for number in range(200)]
    colours = [wording.nick_colour(key) for key in keys]
    assert set(colours) == set(range(NICKS))
    assert wording.nick_colour("SHA256:k3Jf") == 4


async def nick_colours(engine: FakeEngine, *names: str) -> dict[str, Color]:
    async with in_conversation(engine=engine) as stage:
        stage.engine.emit(*(message(number, "hello", name=name) for number, name in enumerate(names, 1)))
        await stage.settle()
        await stage.enter("mine")
        styles = {}
        for line in stage.app.chat.log_view.render_lines(stage.app.chat.log_view.size.region):
            for segment in line:
                if segment.text.strip() in {*names, "you"} and segment.style and segment.style.color:
                    styles[segment.text.strip()] = Color.from_rich_color(segment.style.color)
        return styles


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_the_same_key_has_the_same_colour_under_any_name(theme: str) -> None:
    engine = FakeEngine()
    engine.preferences = Preferences(theme="light" if theme == "light" else "dark")
    styles = await nick_colours(engine, "bob", "robert")
    assert styles["bob"] == styles["robert"]
    own = (LIGHT if theme == "light" else DARK).variables["nick-own"]
    assert styles["you"] == Color.parse(own)
    assert styles["bob"] != styles["you"]


async def test_theme_by_word_is_kept() -> None:
    async with in_conversation() as stage:
        assert stage.app.current_theme == DARK
        await stage.enter("/theme")
        assert stage.shows("/theme is dark: choose one of dark, light, terminal.")
        await stage.enter("/theme pink")
        assert stage.calls("prefer") == []
        for theme in ("light", "terminal", "dark"):
            await stage.enter(f"/theme {theme}")
            assert stage.app.theme == f"securechat-{theme}"
            assert stage.calls("prefer")[-1] == ("prefer", None, theme)
            for key in ("f1", "f3"):
                await stage.press(key)
                await stage.press("escape")
            assert stage.app.is_running


async def test_the_terminals_theme_sets_no_background() -> None:
    engine = FakeEngine()
    engine.preferences = Preferences(theme="terminal")
    async with in_conversation(engine=engine) as stage:
        stage.engine.emit(message(1, "hello"))
        await stage.settle()
        assert stage.app.native_ansi_color
        colours = {
            segment.style.bgcolor.name
            for strip in stage.app.screen._compositor.render_strips()
            for segment in strip
            if segment.style and segment.style.bgcolor
        }
        assert colours <= {"default"}


async def test_without_colour_every_state_is_still_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "NO_COLOR", "1")
    async with in_conversation() as stage:
        stage.engine.emit(message(1, "a fox"))
        await stage.settle()
        assert stage.app.no_color
        assert stage.shows("◇ NEW")
        assert stage.shows("● connected")
        await stage.enter("/find fox")
        await stage.until(lambda: stage.shows("▸bob"))
