"""The name and the choices for the screen: kept in the settings, on disk first."""

from pathlib import Path

import pytest

from securechat_tui.chat.account import Account
from securechat_tui.chat.errors import CommandError
from securechat_tui.storage.profile import Profile


async def test_a_new_name_is_kept(tmp_path: Path) -> None:
    account = Account(Profile("ada", tmp_path / "ada"))
    await account.open()
    await account.rename("  Zoë\x1b ")
    assert account.name == "Zoë␛"
    await account.close()
    again = Account(Profile("ada", tmp_path / "ada"))
    await again.open()
    assert again.name == "Zoë␛"
    await again.close()


@pytest.mark.parametrize("name", ["", "  \n"])
async def test_an_empty_name_is_refused(tmp_path: Path, name: str) -> None:
    account = Account(Profile("ada", tmp_path / "ada"))
    await account.open()
    with pytest.raises(CommandError, match="/nick"):
        await account.rename(name)
    assert not (tmp_path / "ada" / "config.toml").exists()
    await account.close()


async def test_choices_are_kept_one_by_one(tmp_path: Path) -> None:
    account = Account(Profile("ada", tmp_path / "ada"))
    await account.open()
    await account.prefer(notify="bell")
    await account.prefer(theme="light")
    preferences = account.preferences
    assert (preferences.notify, preferences.theme) == ("bell", "light")
    assert preferences.path == str(account.profile.config_path)
    assert account.profile.config_path.read_text() == 'notify = "bell"\ntheme = "light"\n'
    await account.close()


async def test_what_cannot_be_saved_is_not_taken_up(tmp_path: Path) -> None:
    account = Account(Profile("ada", tmp_path / "ada"))
    await account.open()
    account.profile.config_path.mkdir()
    with pytest.raises(CommandError, match="cannot be written"):
        await account.prefer(theme="light")
    assert account.preferences.theme == "dark"
    await account.close()
