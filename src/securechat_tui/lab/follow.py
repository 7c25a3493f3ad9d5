"""Follow one message: two peers in this process, over loopback, and every step that they noted."""

from dataclasses import dataclass

from securechat_tui.lab.catalogue import LabProtocol
from securechat_tui.lab.keyring import KeyRing
from securechat_tui.lab.peer import CannotSend, Established
from securechat_tui.lab.scene import Talker, scene
from securechat_tui.lab.steps import Step
from securechat_tui.lab.units import Unit

__all__ = ["Followed", "follow"]


@dataclass(frozen=True, slots=True)
class Followed:
    """One message's way, as both peers noted it."""

    protocol: LabProtocol
    handshake: tuple[tuple[str, Step], ...]
    """Each with the role that noted it."""
    sending: tuple[Step, ...]
    wire: tuple[Unit, ...]
    """What passed between the two, as the man in the middle saw it."""
    receiving: tuple[Step, ...]
    passed: tuple[str, ...]
    """The checks that the message has passed."""


async def follow(protocol: LabProtocol, text: str, keys: KeyRing | None = None) -> Followed:
    """Send a text from a guest to a host and return its way; raises :class:`CannotSend`."""
    async with scene(protocol, keys or KeyRing()) as stage:
        before = len(stage.units)
        if not stage.guest.established:
            raise CannotSend("The two sides did not come together; this is a fault of the lab.")
        await stage.say(text)
        if not stage.host.shown:
            raise CannotSend("This text did not arrive as a message; choose another.")
        shown = stage.host.shown[0]
        wire = tuple(unit for unit in stage.units[before:] if unit.role == "guest" and unit.kind == "message")
        return Followed(
            protocol,
            (*_handshake("host", stage.host), *_handshake("guest", stage.guest)),
            stage.guest.sent[0].steps,
            wire,
            shown.steps,
            shown.passed,
        )


def _handshake(role: str, side: Talker) -> list[tuple[str, Step]]:
    return [(role, step) for event in side.events if isinstance(event, Established) for step in event.steps]
