"""The engine of a person whose identity has a passphrase."""

import asyncio
import threading
from pathlib import Path

import pytest
from chat_people import person
from passphrases import CANARY, CHEAP, traces
from protocol_peers import identity_key
from stored_contacts import put_contacts

from securechat_tui.chat import account
from securechat_tui.chat.engine import Engine
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import PassphraseNeeded, Ready
from securechat_tui.chat.passphrases import Passphrase, pause_after
from securechat_tui.chat.profiles import Keys, change_passphrase, is_locked, stored_key, stored_keys
from securechat_tui.storage import passphrase as stretching
from securechat_tui.storage.errors import CannotWrite, ProfileInUse, WrongPassphrase
from securechat_tui.storage.keystore import save_keys
from securechat_tui.storage.profile import Profile
from securechat_tui.trust.pins import Contact, Pins

RIGHT = Passphrase(CANARY)


@pytest.fixture
def alice() -> Profile:
    profile = person("alice")
    with profile:
        change_passphrase(profile, Keys.fresh(identity_key("alice")), RIGHT, CHEAP)
    return profile


async def test_nothing_goes_before_the_passphrase(alice: Profile) -> None:
    async with Engine(alice) as engine:
        assert isinstance(await anext(engine.events()), PassphraseNeeded)
        assert engine.locked
        assert engine.identity is None
        with pytest.raises(CommandError, match="locked") as refused:
            await engine.host("127.0.0.1:0")
        assert refused.value.code == "passphrase"
        with pytest.raises(CommandError, match="locked"):
            await engine.join("127.0.0.1:1")
        with pytest.raises(CommandError) as refused:
            await engine.create_identity("mallory")
        assert refused.value.code == "exists"


async def test_contacts_come_with_the_passphrase_and_not_before(alice: Profile) -> None:
    bob = Pins((Contact.met(identity_key("bob").public, 1000.0, 1),))
    with alice:
        put_contacts(alice, bob, stored_keys(alice, RIGHT).store)
    async with Engine(alice) as engine:
        assert engine.contacts() == ()
        with pytest.raises(CommandError):
            await engine.unlock(Passphrase("krokodil"))
        assert engine.contacts() == ()
        await engine.unlock(RIGHT)
        assert [one.fingerprint for one in engine.contacts()] == [str(bob.contacts[0].fingerprint)]


async def test_a_wrong_one_changes_nothing_and_the_right_one_opens(alice: Profile) -> None:
    before = alice.identity_path.read_bytes()
    async with Engine(alice) as engine:
        events = engine.events()
        assert isinstance(await anext(events), PassphraseNeeded)
        for _ in range(3):
            with pytest.raises(CommandError, match="That is not the passphrase") as refused:
                await engine.unlock(Passphrase("krokodil"))
            assert "krokodil" not in str(refused.value)
            assert engine.locked
        await engine.unlock(RIGHT)
        ready = await anext(events)
        assert isinstance(ready, Ready)
        assert ready.fingerprint == str(identity_key("alice").public.fingerprint)
        assert not engine.locked
        assert engine.identity is not None
        await engine.host("127.0.0.1:0")
    assert alice.identity_path.read_bytes() == before


async def test_the_key_is_opened_in_a_thread(alice: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    """The loop goes on turning while Argon2id works: it is held until the loop has turned."""
    turned = threading.Event()
    real = stretching.Passphrase.stretched

    def slow(self: Passphrase, salt: bytes, cost: stretching.Cost) -> bytes:
        assert turned.wait(10)
        return real(self, salt, cost)

    monkeypatch.setattr(stretching.Passphrase, "stretched", slow)
    async with Engine(alice) as engine:
        opening = asyncio.create_task(engine.unlock(RIGHT))
        await asyncio.sleep(0)
        turned.set()
        await opening
        assert engine.identity is not None


async def test_a_key_that_a_face_has_opened_is_taken(alice: Profile) -> None:
    with pytest.raises(WrongPassphrase):
        stored_key(alice, Passphrase("krokodil"))
    keys = stored_keys(alice.open(), RIGHT)
    async with Engine(alice, keys) as engine:
        assert isinstance(await anext(engine.events()), Ready)
        with pytest.raises(ProfileInUse):
            Profile("alice", alice.folder).open()
    with Profile("alice", alice.folder):
        assert is_locked(alice)


async def test_the_first_run_may_set_one(tmp_path: Path) -> None:
    profile = Profile("fresh", tmp_path / "fresh")
    async with Engine(profile, cost=CHEAP) as engine:
        await engine.create_identity("Zoë", passphrase=RIGHT)
        assert engine.identity is not None
    assert is_locked(profile)
    assert traces(tmp_path) == []
    async with Engine(profile) as engine:
        assert engine.locked


@pytest.mark.parametrize("failing", ["save_config", "create_keys", "_open_store"])
async def test_a_first_run_that_fails_can_be_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    profile = Profile("fresh", tmp_path / "fresh")

    def fail(*_: object) -> None:
        raise CannotWrite(path=profile.folder, reason="no space left on device")

    async with Engine(profile, cost=CHEAP) as engine:
        with monkeypatch.context() as patched:
            patched.setattr(account, failing, fail)
            with pytest.raises(CommandError, match="no space left") as refused:
                await engine.create_identity("Zoë", passphrase=RIGHT)
            assert refused.value.code == "profile"
        await engine.create_identity("Zoë", passphrase=RIGHT)
        assert engine.identity is not None
        assert engine.identity.name == "Zoë"


async def test_and_need_not(tmp_path: Path) -> None:
    profile = Profile("fresh", tmp_path / "fresh")
    async with Engine(profile) as engine:
        await engine.create_identity("Zoë")
    assert not is_locked(profile)


def test_the_pauses_grow_to_half_a_minute() -> None:
    assert [pause_after(failures) for failures in range(1, 9)] == [1, 2, 4, 8, 16, 30, 30, 30]
    assert pause_after(10_000) == 30


# Changing it from within.


async def test_it_is_set_changed_and_taken_away_while_the_engine_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profile, other = person("alice"), Passphrase("another one")
    async with Engine(profile, cost=CHEAP) as engine:
        fingerprint = engine.identity.fingerprint if engine.identity else ""
        store = stored_keys(profile).store
        assert not engine.has_passphrase
        await engine.change_passphrase(None, RIGHT)
        assert engine.has_passphrase
        assert stored_keys(profile, RIGHT).store == store
        await engine.change_passphrase(RIGHT, other)
        with pytest.raises(WrongPassphrase):
            stored_keys(profile, RIGHT)
        assert stored_keys(profile, other).store == store
    assert traces(tmp_path) == []
    async with Engine(profile, cost=CHEAP) as engine:
        assert engine.locked
        assert engine.has_passphrase
        with pytest.raises(CommandError, match="locked"):
            await engine.change_passphrase(other, None)
        await engine.unlock(other)
        await engine.change_passphrase(other, None)
        assert not engine.has_passphrase
        assert not is_locked(profile)
        assert engine.identity is not None
        assert engine.identity.fingerprint == fingerprint
        assert CANARY not in repr(vars(engine.account))
    assert CANARY not in "".join(capsys.readouterr())


@pytest.mark.parametrize("present", [Passphrase("krokodil"), None], ids=["wrong", "none"])
async def test_without_the_present_one_nothing_changes(alice: Profile, present: Passphrase | None) -> None:
    async with Engine(alice, cost=CHEAP) as engine:
        await engine.unlock(RIGHT)
        before = alice.identity_path.read_bytes()
        with pytest.raises(CommandError) as refused:
            await engine.change_passphrase(present, Passphrase("new"))
        assert refused.value.code == "passphrase"
        assert "krokodil" not in str(refused.value)
        assert engine.has_passphrase
    assert alice.identity_path.read_bytes() == before


async def test_a_change_that_cannot_be_written_leaves_the_present_one(
    alice: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Engine(alice, cost=CHEAP) as engine:
        await engine.unlock(RIGHT)

        def fail(*_: object) -> None:
            raise CannotWrite(path=alice.folder, reason="no space left on device")

        monkeypatch.setattr(account, "save_keys", fail)
        with pytest.raises(CommandError, match="no space left") as refused:
            await engine.change_passphrase(RIGHT, None)
        assert refused.value.code == "cannot-save"
        assert engine.has_passphrase
    assert is_locked(alice)


async def test_a_change_goes_through_although_its_asker_has_gone(
    alice: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, goes_on = threading.Event(), threading.Event()
    real = save_keys

    def slow(profile: Profile, keys: Keys, passphrase: Passphrase | None, cost: stretching.Cost) -> None:
        began.set()
        assert goes_on.wait(10)
        real(profile, keys, passphrase, cost)

    monkeypatch.setattr(account, "save_keys", slow)
    async with Engine(alice, cost=CHEAP) as engine:
        await engine.unlock(RIGHT)
        changing = asyncio.create_task(engine.change_passphrase(RIGHT, None))
        assert await asyncio.to_thread(began.wait, 10)
        changing.cancel()
        goes_on.set()
    assert not is_locked(alice)
