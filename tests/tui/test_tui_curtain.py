"""What stands on the terminal while the program is loaded, and that the terminal is given back."""

import gc
import io
import os
import sys

import pytest

from securechat_tui.tui.curtain import Curtain, loading

TAKEN, GIVEN_BACK = "\x1b[?1049h", "\x1b[?1049l\x1b[?25h"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1


def terminal_of(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal in place of standard output, from here to the end of the test."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((80, 24)))
    return terminal


def test_the_name_stands_in_the_middle_before_anything_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_of(monkeypatch)
    with loading(Curtain()):
        assert terminal.getvalue() == f"{TAKEN}\x1b[?25l\x1b[2J\x1b[13;34Hsecurechat-tui"
    assert terminal.getvalue().endswith(GIVEN_BACK)


def test_the_terminal_is_given_back_where_the_screen_never_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = terminal_of(monkeypatch)
    with pytest.raises(LookupError), loading(Curtain()):
        raise LookupError
    assert terminal.getvalue().endswith(GIVEN_BACK)


def test_what_the_screen_has_taken_over_it_gives_back_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal, curtain = terminal_of(monkeypatch), Curtain()
    with loading(curtain):
        curtain.lift()
    assert GIVEN_BACK not in terminal.getvalue()


def test_nothing_is_drawn_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    with loading(Curtain()):
        pass
    assert stream.getvalue() == ""


def test_nothing_is_collected_while_loading() -> None:
    assert gc.isenabled()
    with loading(Curtain()):
        assert not gc.isenabled()
    assert gc.isenabled()
