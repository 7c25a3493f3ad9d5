"""A full disk and a locked file at every single write of a conversation, at either side."""

from typing import Literal

import pytest
from chat_people import Face, opened, person, secured
from cutting_proxy import wire_to
from failing_disk import FailingDisk, Kind

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import Delivered, Gate, Message, Queued, Rejected
from securechat_tui.network import backoff

pytestmark = pytest.mark.usefixtures("quick_keys")

EACH = 2
"""Messages of each side in a round."""


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(backoff, "LONGEST_PAUSE", 0.005)


async def send(face: Face, text: str) -> int:
    """Send as a person does, whose composer keeps what could not be kept; return how often it was not."""
    refusals = 0
    while True:
        try:
            await face.engine.send(text)
        except CommandError as error:
            if error.code != "cannot-save":
                raise
            assert not [one for one in face.all(Queued) if one.text == text]
            refusals += 1
        else:
            return refusals


async def play(host: Face, guest: Face, number: int) -> int:
    """Let each say something in turn, all of which is delivered; return how often something was refused."""
    refusals = 0
    for part in range(EACH):
        for face in (host, guest):
            refusals += await send(face, f"{number} {part}")
        for face in (host, guest):
            await face.until_many(number * EACH + part + 1, Message)
            await face.until_many(number * EACH + part + 1, Delivered)
    return refusals


@pytest.mark.parametrize("kind", ["full", "busy"])
@pytest.mark.parametrize("victim", ["host", "guest"])
async def test_each_write_fails_once(
    monkeypatch: pytest.MonkeyPatch, kind: Kind, victim: Literal["host", "guest"]
) -> None:
    people = {"host": person("alice"), "guest": person("bob")}
    disk = FailingDisk(monkeypatch, people[victim].conversations_folder)
    async with (
        opened(people["host"]) as host,
        opened(people["guest"]) as guest,
        wire_to(await host.host()) as wire,
    ):
        await secured(host, guest, wire.address)
        before = disk.commits
        wire.cut()
        assert await play(host, guest, 0) == 0
        writes = disk.commits - before
        assert writes >= 3 * EACH, "queued, signed and received: each is written"
        disk.fail(kind, first=1, count=writes)
        with pytest.raises(CommandError, match="Not sent, since it could not be kept"):
            await (host if victim == "host" else guest).engine.send("never")
        disk.heal()
        for number in range(1, writes + 1):
            disk.fail(kind, first=number)
            wire.cut()
            await play(host, guest, number)
            disk.heal()
        assert disk.failed >= writes - 3, "group commits make some rounds shorter"
        expected = [f"{number} {part}" for number in range(writes + 1) for part in range(EACH)]
        for face in (host, guest):
            assert [one.text for one in face.all(Message)] == expected
            assert [one.text for one in face.all(Queued)] == expected
            assert not face.all(Gate)
            assert not face.all(Rejected)
