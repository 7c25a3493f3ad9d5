"""A man in the middle with keys of his own: a host to the guest, a guest to the host, and all ears.

He passes on what the two say, so that nothing is amiss but his keys. In a comparison of codes he does what
an honest program does, once with each of the two: there is nothing better that he could do.
"""

import asyncio
from dataclasses import dataclass, field

from chat_people import Face
from chat_raw import Answering, RawPeer, call
from protocol_peers import identity_key

from securechat_tui.chat.events import VerifyAsked
from securechat_tui.protocol.payloads import ComparisonAsk, ComparisonStep, ComparisonStop
from securechat_tui.protocol.records import Direction
from securechat_tui.trust.comparison import Comparison

__all__ = ["NAME", "Impostor"]

NAME = "mallory"
Word = ComparisonAsk | ComparisonStep | ComparisonStop


@dataclass
class Leg:
    """His session with one of the two, and his comparison in it."""

    peer: RawPeer
    run: Comparison
    taken: int = 0

    @classmethod
    def of(cls, peer: RawPeer, role: Direction, victim: str) -> "Leg":
        own, other = (identity_key(one).public.fingerprint for one in (NAME, victim))
        guest, host = (own, other) if role is Direction.GUEST else (other, own)
        return cls(peer, Comparison(role, peer.session.session_id, guest, host))

    @property
    def words(self) -> list[Word]:
        return [one for one in self.peer.payloads if isinstance(one, Word)]

    async def hear(self) -> None:
        """Take the next word of a comparison, and answer it."""
        await self.peer.until(lambda: len(self.words) > self.taken)
        self.peer.say(*self.run.receive(self.words[self.taken]))
        self.taken += 1

    async def finish(self) -> None:
        """Go on until there is a code."""
        while self.run.code is None:
            await self.hear()


@dataclass
class Impostor:
    """He who answers in the place of the host, and calls in the place of the guest."""

    host: Leg = field(repr=False)
    guest: Leg = field(repr=False)

    @classmethod
    async def between(cls, desk: Answering, host: str, at_host: Face, guest: str) -> "Impostor":
        """Take the guest's call, call the host, and complete both handshakes."""
        towards_guest = await desk.next(NAME)
        towards_host = await call(at_host.address, NAME)
        towards_guest.called, towards_host.called = host, guest
        await asyncio.gather(towards_guest.open(), towards_host.open())
        return cls(Leg.of(towards_host, Direction.GUEST, host), Leg.of(towards_guest, Direction.HOST, guest))

    async def pass_on(self) -> str:
        """Read what the guest has written, and write the same to the host."""
        (text,) = await self.guest.peer.read(1)
        self.host.peer.say_texts(text)
        return text

    async def compare(self, at_host: Face, at_guest: Face) -> None:
        """Let the two ask for a comparison, the guest first, and see it through with each of them."""
        await at_guest.engine.verify()
        await self.guest.hear()
        self.host.peer.say(*self.host.run.ask())
        await at_host.until(VerifyAsked)
        await at_host.engine.verify()
        self.guest.peer.say(*self.guest.run.ask())
        await asyncio.gather(self.host.finish(), self.guest.finish())

    def leave(self) -> None:
        for leg in (self.host, self.guest):
            leg.peer.cut()
