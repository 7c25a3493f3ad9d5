"""What two engines have said to each other, exported from either profile, verifies elsewhere."""

import asyncio
import errno
import io
import json
import os
from pathlib import Path

import pytest
from chat_people import Face, met, opened, person, talking
from protocol_peers import identity_key

from securechat_tui.chat import library
from securechat_tui.chat.archive import open_archive
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import Delivered, Message
from securechat_tui.chat.export_path import export_path
from securechat_tui.chat.profiles import stored_keys
from securechat_tui.chat.transcripts import TranscriptView, verify_transcript
from securechat_tui.storage.files import NewFile
from securechat_tui.storage.profile import Profile

pytestmark = pytest.mark.usefixtures("quick_keys")


def exported(profile: Profile) -> bytes:
    with profile:
        keys = stored_keys(profile)
        with open_archive(profile, keys) as archive:
            return b"".join(archive.transcript(None))


def signed(view: TranscriptView) -> dict[str, list[int]]:
    return {author.fingerprint: [stretch.signed for stretch in author.stretches] for author in view.authors}


async def test_two_engines_two_profiles_and_what_both_can_prove() -> None:
    alice, bob = person("alice"), person("bob")
    async with talking(alice, bob) as (at_alice, at_bob):
        for text in ("one", "two"):
            await at_alice.engine.send(text)
            await at_bob.until(Message, lambda told, text=text: told.text == text)  # type: ignore[misc]
        await at_bob.engine.send("an answer")
        await at_bob.engine.send("between us", signed=False)
        await at_alice.until(Message, lambda told: told.text == "between us")
        await at_bob.until_many(2, Delivered)
    async with talking(alice, bob) as (at_alice, at_bob):
        await at_bob.engine.send("the next day")
        await at_alice.until(Message, lambda told: told.text == "the next day")
        await at_bob.until(Delivered)
    expected = {
        str(identity_key("alice").public.fingerprint): [2],
        str(identity_key("bob").public.fingerprint): [2],
    }
    for profile in (alice, bob):
        data = exported(profile)
        view = verify_transcript(io.BytesIO(data), frozenset(expected))
        assert signed(view) == expected
        assert all(author.given and not author.unknown_seen for author in view.authors)
        texts = [json.loads(line).get("text") for line in data.splitlines()[1:]]
        assert texts == ["one", "two", "an answer", "between us", "the next day"]


def files_in(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.is_file()}


async def written_out(face: Face, file: str) -> str:
    (view,) = face.engine.overview()
    return await face.engine.export(view.id, file)


async def test_a_conversation_is_written_out_while_it_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two steps of the export messages come and go; it ends where it was when it began."""
    monkeypatch.setattr(library, "_LINES", 3)
    alice, bob = person("alice"), person("bob")
    async with talking(alice, bob) as (at_alice, at_bob):
        for number in range(20):
            await (at_alice if number % 2 else at_bob).engine.send(f"before {number}")
        await at_bob.until_many(10, Message)
        await at_alice.until_many(10, Message)
        await at_bob.until_many(10, Delivered)
        export = asyncio.create_task(written_out(at_alice, str(tmp_path)))
        for number in range(5):
            await at_bob.engine.send(f"meanwhile {number}")
            await at_alice.until(Message, lambda told, number=number: told.text == f"meanwhile {number}")  # type: ignore[misc]
        path = Path(await export)
    assert path.parent == tmp_path
    assert path.name.startswith("securechat-conversation-with-")
    ((name, data),) = files_in(tmp_path).items()
    assert name == path.name
    texts = [json.loads(line).get("text") for line in data.splitlines()[1:]]
    assert sorted(texts[:20]) == sorted(f"before {number}" for number in range(20))
    view = verify_transcript(io.BytesIO(data), frozenset())
    assert sum(count for counts in signed(view).values() for count in counts) >= 20


async def test_what_cannot_be_written_out_says_so_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "_LINES", 1)
    alice, bob = person("alice"), person("bob")
    await met(alice, bob)
    async with opened(alice) as face:
        (tmp_path / "there").write_text("mine")
        for file, words in (("there", "never overwritten"), ("no/where", "no such file or directory")):
            with pytest.raises(CommandError, match=words):
                await written_out(face, str(tmp_path / file))
        here = face.engine.overview()[0].id
        for text in ("one", "two"):
            await face.engine.send(text, conversation=here)
        write = NewFile.write

        def wiped_meanwhile(file: NewFile, pieces: list[bytes]) -> None:
            write(file, pieces)
            if b"one" in pieces[0]:
                face.engine.account.store.wipe(bytes.fromhex(here))

        monkeypatch.setattr(NewFile, "write", wiped_meanwhile)
        with pytest.raises(CommandError, match="Try again"):
            await written_out(face, str(tmp_path / "new"))
        assert files_in(tmp_path) == {"there": b"mine"}


async def test_what_was_under_a_former_key_of_ones_own_is_not_passed_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = person("alice"), person("bob")
    await met(alice, bob)
    async with opened(alice) as face:
        monkeypatch.setattr(face.engine.account, "key", identity_key("mallory"))
        with pytest.raises(CommandError, match="former key"):
            await written_out(face, str(tmp_path / "new"))


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("bob", "bob"),
        ("../../etc/x", "etc-x"),
        ("Zoë 漢字", "Zoë-漢字"),
        ("...", "somebody"),
        ("b" * 40, "b" * 40),
    ],
)
def test_a_name_cannot_lead_elsewhere(tmp_path: Path, name: str, part: str) -> None:
    path = export_path(str(tmp_path), name, 0.0)
    assert path.parent == tmp_path
    assert path.name.startswith(f"securechat-conversation-with-{part}-19")
    assert export_path(str(tmp_path / "a b"), name, 0.0) == tmp_path / "a b"


def test_without_a_file_it_goes_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert export_path("", "bob", 0.0).parent == tmp_path
    assert export_path("~/x", "bob", 0.0) == tmp_path / "x"


@pytest.mark.parametrize("file", ["~nobody-of-that-name/x", "a\0b", "\ud800"])
def test_what_can_be_no_path_is_said(file: str) -> None:
    with pytest.raises(CommandError, match="no such file"):
        export_path(file, "bob", 0.0)


@pytest.mark.parametrize("error", [errno.EACCES, errno.ENAMETOOLONG])
def test_where_nobody_may_look_the_writing_says_why(monkeypatch: pytest.MonkeyPatch, error: int) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(error, "no")

    monkeypatch.setattr(os, "stat", fail)
    assert export_path("/closed/file", "bob", 0.0) == Path("/closed/file")
