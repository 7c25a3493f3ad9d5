"""A throw-away home for every test; private keys are checked once, not at every opening of a profile."""

from functools import cache
from pathlib import Path

import pytest

from securechat_tui.chat import account
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.storage.profile import HOME_VARIABLE, Profile


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "home"))
    return tmp_path / "home"


@cache
def _checked(pem: bytes) -> IdentityKey:
    return IdentityKey.from_pem(pem)


def _load(profile: Profile) -> IdentityKey | None:
    return _checked(profile.identity_path.read_bytes()) if profile.identity_path.exists() else None


@pytest.fixture
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip the library's check of a key that this run has checked already: a tenth of a second each."""
    monkeypatch.setattr(account, "load_identity", _load)
