"""Settings for all tests, and what the commands' tests share."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Shared machines are slow at times; no test of this project compares with a clock.
settings.register_profile("project", deadline=None)
settings.load_profile("project")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without anything, where there is no terminal to ask at."""
    monkeypatch.setenv("SECURECHAT_TUI_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("SECURECHAT_TUI_PASSPHRASE_FD", raising=False)
    monkeypatch.setattr("securechat_tui.headless.passphrases._TERMINAL", "/nowhere/tty")
    return tmp_path / "home"


@pytest.fixture
def give(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Put lines at the descriptor that the environment names."""
    opened: list[int] = []

    def put(*lines: str) -> None:
        reading, writing = os.pipe()
        opened.append(reading)
        os.write(writing, "".join(f"{line}\n" for line in lines).encode())
        os.close(writing)
        monkeypatch.setenv("SECURECHAT_TUI_PASSPHRASE_FD", str(reading))

    yield put
    for descriptor in opened:
        os.close(descriptor)
