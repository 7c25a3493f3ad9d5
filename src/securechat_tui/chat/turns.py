"""Fair turns: who sends a lot gives way to those who have little on its way.

All conversations share one loop, one interpreter and one disk. So whoever has had a turn, of a few messages,
waits for what the others have on its way to the disk by then, from its arrival on. Nobody waits for more than
that, so that two who both send without end take turns; and who is alone never waits.
"""

import asyncio
from typing import Final

__all__ = ["MESSAGES", "Turns"]

MESSAGES: Final = 4
"""What one peer may send in one turn."""


class Turns:
    """Who has something on its way; ``who`` stands for a conversation."""

    def __init__(self) -> None:
        self._on_its_way: dict[object, asyncio.Event] = {}

    def begin(self, who: object) -> None:
        """Something is on its way, for which others wait; beginning twice is beginning once."""
        self._on_its_way.setdefault(who, asyncio.Event())

    def end(self, who: object) -> None:
        """It is on disk, or nothing came of it; ending what has not begun does nothing."""
        arrived = self._on_its_way.pop(who, None)
        if arrived is not None:
            arrived.set()

    async def give_way(self, who: object) -> bool:
        """End a turn, and wait for what the others have on its way now; return whether there was anything."""
        self.end(who)
        await asyncio.sleep(0)  # what has arrived is seen
        others = [arrived for one, arrived in self._on_its_way.items() if one is not who]
        for arrived in others:
            await arrived.wait()
        return bool(others)
