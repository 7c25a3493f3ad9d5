"""An empty home for each test, and a key that is made once."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.storage.profile import HOME_VARIABLE, Profile


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def profile(home: Path) -> Iterator[Profile]:
    with Profile.named() as profile:
        assert profile.folder.is_relative_to(home)
        yield profile


@pytest.fixture(scope="session")
def identity() -> IdentityKey:
    return IdentityKey.generate(3072)


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)
