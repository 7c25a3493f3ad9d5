"""A throw-away home for every test; private keys are checked once, not at every opening of a profile."""

from functools import cache
from pathlib import Path

import pytest

from securechat_tui.storage import keystore
from securechat_tui.storage.profile import HOME_VARIABLE


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


_decode = cache(keystore.decode_clear)


@pytest.fixture
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip the check of a key that this run has checked already."""
    monkeypatch.setattr(keystore, "decode_clear", _decode)
