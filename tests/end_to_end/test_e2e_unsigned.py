"""require_signatures in config.toml: what becomes of unsigned messages, between installed programs."""

import pytest
from chat_raw import call
from terminal_desk import ALICE, BOB, Desk, World
from terminal_programs import Piped, address_of, profile_folder

pytestmark = pytest.mark.usefixtures("strict")


@pytest.fixture
def strict(world: World) -> None:
    """Alice has written into her settings that she takes signed messages alone."""
    path = profile_folder(world.home, ALICE) / "config.toml"
    with path.open("a", encoding="utf-8") as file:
        file.write("require_signatures = true\n")


async def hosted(desk: Desk) -> tuple[Piped, str]:
    host = desk.piped("host", "--bind", "127.0.0.1:0", "--json")
    return host, address_of(await host.see("listening"))


async def left(*programs: Piped) -> None:
    for program in programs:
        program.do(cmd="quit")
        assert await program.wait_exit() == 0


async def test_an_unsigned_message_is_refused_where_it_is_typed(desk: Desk) -> None:
    host, address = await hosted(desk)
    guest = desk.piped("--profile", BOB, "join", address, "--json")
    await guest.see("secure")
    guest.do(cmd="send", text="off the record", signed=False)
    refused = await guest.see("error", code="unsigned")
    assert "alice takes signed messages only" in refused["message"]
    guest.do(cmd="send", text="on the record")
    assert (await host.see("message"))["text"] == "on the record"
    assert [one["text"] for one in host.events if one["event"] == "message"] == ["on the record"]
    await left(guest, host)


@pytest.mark.parametrize("choice", ["cancel", "sign"])
async def test_what_waits_unsigned_stands_at_a_gate(desk: Desk, choice: str) -> None:
    """Written before bob's program could know that she takes no such."""
    host = desk.piped("--profile", BOB, "host", "--bind", "127.0.0.1:0", "--json")
    address = address_of(await host.see("listening"))
    host.do(cmd="send", text="off the record", ref="u", signed=False)
    host.do(cmd="send", text="on the record", ref="s")
    guest = desk.piped("join", "--new", address, "--json")
    gate = await host.see("gate", reason="unsigned")
    assert "alice takes signed messages only" in gate["message"]
    assert not [one for one in host.events if one["event"] == "secure"]
    host.do(cmd="resolve", choice=choice)
    received = await guest.see("message", text="on the record")
    assert received["checks"]["signed"] is True
    if choice == "sign":
        received = await guest.see("message", text="off the record")
        assert received["checks"]["signed"] is True
    assert await host.see("cancelled", ref="u", renumbered=choice == "sign")
    assert await host.see("delivered", ref="s")
    await left(guest, host)
    texts = [one["text"] for one in guest.events if one["event"] == "message"]
    assert texts == ["on the record", "off the record"][: 1 + (choice == "sign")]


async def test_one_that_comes_all_the_same_ends_the_session(desk: Desk) -> None:
    host, address = await hosted(desk)
    async with await call(address, BOB) as bob:
        await bob.open()
        bob.boxes.write_unsigned("all the same")
        bob.say(*bob.boxes.pour())
        rejected = await host.see("rejected", check="signed")
        assert "session ended" in rejected["message"]
        closed = await host.see("closed", reason="rejected")
        assert closed["will_retry"] is False
    assert not [one for one in host.events if one["event"] == "message"]
    await left(host)
