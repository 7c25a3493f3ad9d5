"""Two peers of the lab in memory, with one key for each person and a clock that stands still."""

from functools import cache

from securechat_tui.lab.catalogue import LabProtocol
from securechat_tui.lab.keyring import KeyRing
from securechat_tui.lab.peer import Event, Moment, Peer, Sent, Shown

NOW = Moment(1000.0, 1_800_000_000.0)


@cache
def keys() -> KeyRing:
    """The keys of the whole test run."""
    return KeyRing()


class Pair:
    """A guest and a host of a stream protocol, and everything that passed."""

    def __init__(self, protocol: LabProtocol) -> None:
        self.guest = protocol.make("guest", keys(), NOW, "alice")
        self.host = protocol.make("host", keys(), NOW, "bob")
        self.wire: list[bytes] = []
        self.written: dict[str, list[bytes]] = {"guest": [], "host": []}
        self.events: dict[str, list[Event]] = {"guest": [], "host": []}
        self.carry()

    def carry(self) -> None:
        """Carry bytes both ways until nobody writes any more."""
        while units := [*self._taken(self.guest, self.host), *self._taken(self.host, self.guest)]:
            self.wire += units

    def _taken(self, source: Peer, target: Peer) -> list[bytes]:
        units = source.take_output()
        self.written[source.role] += units
        for unit in units:
            self.events[target.role] += target.receive(unit, NOW)
        return units

    def say(self, text: str, role: str = "guest") -> None:
        peer = self.guest if role == "guest" else self.host
        self.events[role] += peer.send(text, NOW)
        self.carry()

    def shown(self, role: str = "host") -> list[Shown]:
        return [event for event in self.events[role] if isinstance(event, Shown)]

    def sent(self, role: str = "guest") -> list[Sent]:
        return [event for event in self.events[role] if isinstance(event, Sent)]
