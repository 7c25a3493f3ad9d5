"""What an attack has measured, and what it works with."""

from dataclasses import dataclass
from typing import Final

from securechat_tui.lab.catalogue import LabProtocol
from securechat_tui.lab.keyring import KeyRing
from securechat_tui.lab.scene import MakePeer, Meddle, Scene, Talker, scene

__all__ = ["NOBODY", "Bench", "Outcome", "check_at"]

NOBODY: Final = "nothing"
"""What caught an attack that nothing caught."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one attack on one protocol."""

    protocol: str
    attack: str
    caught: bool
    """Whether it came to nothing, or was noticed by the program that it was aimed at."""
    by: str
    """The check that caught it; :data:`NOBODY` where none did."""
    got: str
    """What the attacker got, as measured."""
    why: str
    mend: str = ""
    """What would mend it; empty where nothing has to be mended."""
    remains: str = ""
    """What remains although it was caught, or bounds it although it was not."""
    claim: str = ""
    """What the ancestor relies on, where this run contradicts it."""

    @property
    def state(self) -> str:
        """The cell in one word: caught, bounded (something remains, and it is named) or open."""
        if self.caught:
            return "bounded" if self.remains else "caught"
        return "bounded" if self.remains and self.protocol == "current" else "open"


@dataclass(frozen=True, slots=True)
class Bench:
    """A protocol on the bench, with the keys of the run."""

    protocol: LabProtocol
    keys: KeyRing

    def scene(self, meddle: Meddle | None = None, make: MakePeer | None = None) -> Scene:
        """Return a scene between alice, the guest, and bob, the host."""
        return scene(self.protocol, self.keys, meddle, make)

    def outcome(
        self,
        attack: str,
        *,
        by: str,
        got: str,
        why: str,
        mend: str = "",
        remains: str = "",
    ) -> Outcome:
        """Return an outcome that was caught ``by`` a check; an empty one means that none did."""
        caught = bool(by)
        claim = "" if caught else self.protocol.claims.get(attack, "")
        name = self.protocol.name
        return Outcome(name, attack, caught, by or NOBODY, got, why, "" if caught else mend, remains, claim)


def check_at(*sides: Talker) -> str:
    """Name the check that has failed at these sides, the first of them first; empty where none did."""
    return next((side.caught_by for side in sides if side.caught_by), "")
