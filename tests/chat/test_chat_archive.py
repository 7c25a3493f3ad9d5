"""What two engines have said to each other, exported from either profile, verifies elsewhere."""

import io
import json

import pytest
from chat_people import person, talking
from protocol_peers import identity_key

from securechat_tui.chat.archive import open_archive
from securechat_tui.chat.events import Delivered, Message
from securechat_tui.chat.profiles import stored_keys
from securechat_tui.chat.transcripts import TranscriptView, verify_transcript
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
