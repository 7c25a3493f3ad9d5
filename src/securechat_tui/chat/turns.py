"""Fair turns: who sends a lot gives way to those who have little on its way, and rests while they talk.

All conversations share one loop, one interpreter and one disk. So whoever has had a turn, of a few messages,
waits for what the others have on its way to the disk by then, from its arrival on. Nobody waits for more than
that, so that two who both send without end take turns; and who is alone never waits.

What is said and answered is several short ways with pauses between them, and a flood that only gave way
would have a turn in each pause, with its acknowledgement and what its sender makes of that. So after a turn
that was had while others said a little one rests, for several times as long as the turn took, and is held
back by TCP, not being read from. Nothing is owed beyond that rest, and soon after the others' last word there
is none: who sends a lot beside people who write now and then is hardly slower, who is alone is not at all,
and those who all send a lot have nobody to rest for.
"""

import asyncio
from typing import Final

from securechat_tui.network.clock import now

__all__ = ["LONGEST_REST_SECONDS", "MESSAGES", "REST", "TALK_SECONDS", "Turns"]

MESSAGES: Final = 8
"""What one peer may send in one turn."""
REST: Final = 8
"""How many times as long as its turn one rests where others talk."""
LONGEST_REST_SECONDS: Final = 0.2
"""However slow the disk, what is read at once, two hundred records and so some thirty turns, has had them
long before the next ping is due."""
TALK_SECONDS: Final = 0.5
"""How long one counts as talking after something of one's own has gone to disk."""


class Turns:
    """Who has something on its way, and who talks; ``who`` stands for a conversation."""

    def __init__(self) -> None:
        self._on_its_way: dict[object, asyncio.Event] = {}
        self._talking: dict[object, float] = {}
        """When something of theirs last went to disk; what is old is forgotten at the end of a turn."""
        self._full: dict[object, float] = {}
        """When they last had a whole turn; what is old is forgotten likewise."""

    def begin(self, who: object) -> None:
        """Something is on its way, for which others wait; beginning twice is beginning once."""
        self._on_its_way.setdefault(who, asyncio.Event())

    def write(self, who: object) -> None:
        """Something goes to disk: it is on its way, and that is talking."""
        self.begin(who)
        self._talking[who] = now().monotonic

    def end(self, who: object) -> None:
        """It is on disk, or nothing came of it; ending what has not begun does nothing."""
        arrived = self._on_its_way.pop(who, None)
        if arrived is not None:
            arrived.set()

    def is_crowded(self, who: object) -> bool:
        """Whether others talk, or have something on its way."""
        self._talking, self._full = _lately(self._talking), _lately(self._full)
        return any(one is not who for one in (*self._talking, *self._on_its_way))

    async def rest(self, who: object, took: float) -> None:
        """End a turn that took so many seconds, and rest, if others talk who have had no whole turn of late.

        Nobody waits for who rests.
        """
        self.end(who)
        self._full[who] = now().monotonic
        if self._talking.keys() - self._full.keys():
            await asyncio.sleep(min(took * REST, LONGEST_REST_SECONDS))

    async def give_way(self, who: object) -> None:
        """End a turn, and wait for what the others have on its way now."""
        self.end(who)
        await asyncio.sleep(0)  # what has arrived is seen
        for arrived in [arrived for one, arrived in self._on_its_way.items() if one is not who]:
            await arrived.wait()


def _lately(moments: dict[object, float]) -> dict[object, float]:
    since = now().monotonic - TALK_SECONDS
    return {one: moment for one, moment in moments.items() if moment > since}
