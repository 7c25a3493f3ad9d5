"""A person decides while another connection of the same key is under way: the decision counts there too."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from chat_people import Face, compared, contacts, opened, person, secured
from chat_raw import RawPeer, call
from protocol_peers import hello

from securechat_tui.chat.events import Closed, Error, Gate, Peer, Refused, Secure
from securechat_tui.protocol import events as session_events
from securechat_tui.storage.errors import DiskFull
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.store import Store
from securechat_tui.trust.states import Trust

pytestmark = pytest.mark.usefixtures("quick_keys")


@asynccontextmanager
async def second_call(host: Face, guest: Profile) -> AsyncIterator[RawPeer]:
    """Call once more, as far as the guest's last handshake message, which is held back."""
    secret = contacts(guest).contacts[0].newest
    async with await call(host.address, guest.name, (secret, None)) as peer:
        peer.holding = (session_events.Authenticated,)
        await peer.until(partial(bool, peer.held))
        yield peer


async def stands_at_the_gate(host: Face, guest: RawPeer) -> None:
    """Let the call go on; see that nothing passes."""
    guest.answer_held()
    guest.say(hello(guest))
    assert (await host.until(Gate)).reason == "comparison"
    assert (await host.until(Peer)).trust is Trust.CHANGED
    assert host.all(Secure) == []


async def test_a_call_judged_before_the_codes_differed_stands_at_the_gate() -> None:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await secured(at_alice, at_bob, await at_alice.host())
        await compared(at_alice, at_bob)
        async with second_call(at_alice, bob) as again:
            await at_alice.engine.differ()
            await at_alice.until(Closed)
            at_alice.forget()
            await stands_at_the_gate(at_alice, again)


async def test_codes_that_differed_are_not_forgotten_where_the_disk_is_full(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_space(_store: object, _: object) -> None:
        raise DiskFull(path="index.db")

    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await secured(at_alice, at_bob, await at_alice.host())
        await compared(at_alice, at_bob)
        async with second_call(at_alice, bob) as again:
            with monkeypatch.context() as patch:
                patch.setattr(Store, "keep_pins", no_space)
                await at_alice.engine.differ()
                assert (await at_alice.until(Error)).code == "profile"
                await at_alice.until(Closed)
            at_alice.forget()
            await stands_at_the_gate(at_alice, again)
            assert contacts(alice).contacts[0].trust is Trust.PINNED
            await at_alice.engine.forget("bob")
            again.cut()
            await at_alice.until(Closed)
        at_alice.forget()
        assert (await secured(at_alice, at_bob, at_alice.address))[0].trust is Trust.NEW


async def test_a_call_judged_before_its_key_was_blocked_is_refused() -> None:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await secured(at_alice, at_bob, await at_alice.host())
        async with second_call(at_alice, bob) as again:
            await at_alice.engine.block("bob", blocked=True)
            await at_alice.until(Closed)
            at_alice.forget()
            again.answer_held()
            await again.until_closed()
        assert (await at_alice.until(Refused)).reason == "blocked"
        assert at_alice.all(Peer) == []


async def test_a_call_that_is_let_in_while_its_key_is_being_blocked_is_ended() -> None:
    alice, bob = person("alice"), person("bob")
    async with opened(alice) as at_alice, opened(bob) as at_bob:
        await secured(at_alice, at_bob, await at_alice.host())
        async with second_call(at_alice, bob) as again:
            again.answer_held()
            again.flush()
            await at_bob.until(Closed)  # the newer call has the place, and has not said its name
            await at_alice.engine.block("bob", blocked=True)
            await again.until_closed()
        assert len(at_alice.all(Peer)) == 1
