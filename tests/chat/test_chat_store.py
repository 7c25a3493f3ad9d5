"""The history belongs to the open profile: opened with its key, closed with it, and told where broken."""

import subprocess
import sys
from pathlib import Path

import pytest
from chat_people import person
from histories import BOB, SPKI, chatted
from passphrases import CANARY, CHEAP
from protocol_peers import identity_key

from securechat_tui import cli
from securechat_tui.chat.account import Account
from securechat_tui.chat.engine import Engine
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.profiles import Keys, change_passphrase
from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.storage.errors import DamagedStore, ProfileInUse, WrongStoreKey
from securechat_tui.storage.files import write_private
from securechat_tui.storage.keystore import decode_clear, encode_clear
from securechat_tui.storage.passphrase import Passphrase
from securechat_tui.storage.profile import Profile

RIGHT = Passphrase(CANARY)


async def said(profile: Profile, *, more: bool = False) -> int:
    """How many messages are kept with bob; some are written first if asked for."""
    account = Account(profile)
    await account.open()
    history = account.store.conversation(BOB, SPKI)
    if more:
        chatted(history)
    count = len(history.page(99))
    await account.close()
    return count


async def test_the_history_is_there_again() -> None:
    alice = person("alice")
    assert await said(alice, more=True) == 6
    assert await said(alice) == 6


async def test_there_is_none_before_the_first_run_and_before_the_passphrase(tmp_path: Path) -> None:
    account = Account(Profile("fresh", tmp_path / "fresh"), cost=CHEAP)
    await account.open()
    with pytest.raises(CommandError) as refused:
        account.store  # noqa: B018 - the property is what is looked at
    assert refused.value.code == "no-identity"
    assert not account.profile.index_path.exists()
    await account.create("Zoë", 3072, RIGHT)
    chatted(account.store.conversation(BOB, SPKI))
    await account.close()

    await account.open()
    again = Account(account.profile)
    await account.close()
    await again.open()
    with pytest.raises(CommandError) as refused:
        again.store  # noqa: B018
    assert refused.value.code == "passphrase"
    await again.unlock(RIGHT)
    assert len(again.store.conversation(BOB, SPKI).page(99)) == 6
    await again.close()


async def test_another_passphrase_or_none_keeps_the_history() -> None:
    alice = person("alice")
    assert await said(alice, more=True) == 6
    store = decode_clear(alice.identity_path.read_bytes())[1]
    assert store is not None
    with alice:
        change_passphrase(alice, Keys(identity_key("alice"), store), RIGHT, CHEAP)
    account = Account(alice)
    await account.open()
    await account.unlock(RIGHT)
    assert len(account.store.conversation(BOB, SPKI).page(99)) == 6
    await account.close()


async def test_a_profile_from_before_there_was_a_history_gets_one() -> None:
    alice = person("alice")
    alice.identity_path.write_bytes(identity_key("alice").to_pem())
    assert await said(alice, more=True) == 6
    assert await said(alice) == 6
    assert decode_clear(alice.identity_path.read_bytes())[1] is not None


async def test_a_damaged_index_is_told_and_lets_the_profile_go() -> None:
    alice = person("alice")
    assert await said(alice, more=True) == 6
    whole = alice.index_path.read_bytes()
    alice.index_path.write_bytes(whole[:100] + b"x" + whole[101:])
    with pytest.raises(DamagedStore):
        await Engine(alice).__aenter__()
    alice.index_path.write_bytes(whole)
    assert await said(alice) == 6


async def test_a_key_that_is_not_the_historys_is_told() -> None:
    alice = person("alice")
    assert await said(alice, more=True) == 6
    alice.identity_path.write_bytes(encode_clear(Keys.fresh(identity_key("alice"))))
    with pytest.raises(WrongStoreKey):
        await said(alice)


async def test_a_history_that_does_not_open_leaves_the_identity_locked() -> None:
    alice = person("alice")
    with alice:
        change_passphrase(alice, Keys.fresh(identity_key("alice")), RIGHT, CHEAP)
    write_private(alice.index_path, b"damage")
    account = Account(alice)
    await account.open()
    with pytest.raises(CommandError, match=r"index\.db") as refused:
        await account.unlock(RIGHT)
    assert refused.value.code == "profile"
    assert account.locked
    assert account.key is None
    alice.index_path.unlink()
    await account.unlock(RIGHT)
    assert not account.locked
    with pytest.raises(ProfileInUse):
        Profile("alice", alice.folder).open()
    await account.close()


@pytest.mark.parametrize("face", ["--plain", "--json"])
def test_a_damaged_index_ends_the_program_with_one_sentence(
    capsys: pytest.CaptureFixture[str], face: str
) -> None:
    alice = person("alice")
    write_private(alice.index_path, b"damage" * 1000)
    assert cli.main(["host", "--profile", "alice", "--bind", "127.0.0.1:0", face]) == ExitCode.PROFILE
    err = capsys.readouterr().err
    assert "index.db was made under another key" in err
    assert "Traceback" not in err


def test_nothing_loads_the_database_before_the_screen_is_there() -> None:
    code = (
        "import sys, securechat_tui.cli, securechat_tui.tui.app, securechat_tui.headless.run\n"
        "import securechat_tui.chat.engine, securechat_tui.chat.conversations\n"
        "sys.exit('sqlcipher3' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
