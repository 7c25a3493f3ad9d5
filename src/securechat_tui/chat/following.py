"""Connections and the encounters that follow them, each in a task of its own."""

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

from securechat_tui.chat.encounter import Encounter
from securechat_tui.chat.house import House
from securechat_tui.network.clock import now
from securechat_tui.network.connection import Connection
from securechat_tui.network.failures import HandlerFailure
from securechat_tui.protocol.events import SessionEvent
from securechat_tui.protocol.payloads import GoodbyeReason

if TYPE_CHECKING:
    from securechat_tui.chat.connection_log import ConnectionLog

__all__ = ["Follower", "Following"]

_CLOSE_SECONDS: Final = 5.0


class Follower(House, Protocol):
    """What the following needs of the house."""

    log: "ConnectionLog"

    def dropped(self, encounter: Encounter) -> None:
        """An encounter was given up in the middle; nothing more comes of it."""


class Following:
    """Every connection that is open, and every story that runs."""

    def __init__(self, house: Follower) -> None:
        self._house = house
        self._encounters: dict[Connection, Encounter] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, story: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a story until the engine is closed."""
        task = asyncio.create_task(story)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def welcome(self, connection: Connection) -> None:
        """Begin the story of a caller."""
        encounter = Encounter(self._house, None, str(connection.peer_address))
        self._encounters[connection] = encounter  # its first event may come before its story begins
        self._house.log.begin(encounter)
        self.start(self.follow(connection, encounter))

    def happened(self, connection: Connection, happened: Sequence[SessionEvent]) -> None:
        """Hand on what happened at a caller's connection, unless its story has ended."""
        encounter = self._encounters.get(connection)
        if encounter is not None:
            encounter.take(connection, happened)

    async def follow(self, connection: Connection, encounter: Encounter) -> None:
        """Drive a connection to its end, whatever happens."""
        self._encounters[connection] = encounter
        try:
            await encounter.run()
        except asyncio.CancelledError:
            connection.abort()
            self._house.dropped(encounter)
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not end the other conversations
            self.handler_failed(HandlerFailure.of(error))
            connection.abort()
            encounter.give_up()
        finally:
            self._encounters.pop(connection, None)

    def handler_failed(self, failure: HandlerFailure) -> None:
        """Tell an internal error, without anything that it may have held."""
        self._house.error(
            "internal", f"An internal error has ended one connection ({failure}): please report it."
        )

    async def close(self) -> None:
        """Say every goodbye, let what was written leave, end every story."""
        connections = list(self._encounters)
        for connection in connections:
            if connection.session.handshaking:
                connection.abort()
            connection.carry_out(connection.session.goodbye(GoodbyeReason.LEAVING, now()))
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await asyncio.gather(*(connection.wait_closed() for connection in connections))
                await asyncio.gather(*self._tasks, return_exceptions=True)  # they tell how it ended
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
