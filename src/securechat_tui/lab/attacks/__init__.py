"""The attacks: each runs for real between two peers, and what it says is what it measured."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from securechat_tui.lab.attacks import hostile, identity, passive, wire
from securechat_tui.lab.attacks.outcome import Bench, Outcome

__all__ = ["ATTACKS", "Attack", "Bench", "Outcome"]


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack: what is tried, and the code that tries it."""

    name: str
    tries: str
    run: Callable[[Bench], Coroutine[None, None, Outcome]]


_ALL: Final = (
    Attack("read-along", "read what passes", passive.read_along),
    Attack(
        "bit-flip",
        "turn over one bit in each field of each unit, at its beginning, middle and end",
        wire.bit_flip,
    ),
    Attack("replay", "send a message a second time", wire.replay),
    Attack("reorder", "let a later message arrive first", wire.reorder),
    Attack("drop", "let a message between two others disappear", wire.drop),
    Attack("delay", "hold a message back for more than 60 seconds", wire.delay),
    Attack("truncate", "cut the end of a conversation off", wire.truncate),
    Attack(
        "substitute-key", "put one's own key in the place of both at first contact", identity.substitute_key
    ),
    Attack("reflect", "send a message back to its author, as if from the other side", wire.reflect),
    Attack("strip-signature", "take the signatures off", identity.strip_signature),
    Attack(
        "forward-signed",
        "pass a signed message on to somebody else, as if it were meant for them",
        identity.forward_signed,
    ),
    Attack("equal-iv", "see whether two messages begin with the same words", passive.equal_iv),
    Attack(
        "recorded-then-stolen-key",
        "record everything, steal the private keys, and read",
        passive.recorded_then_stolen_key,
    ),
    Attack("hostile-pickle", "send a pickle that calls a function", hostile.hostile_pickle),
    Attack("huge-frame", "claim a unit of 4 GB", hostile.huge_frame),
)

ATTACKS: Final[Mapping[str, Attack]] = MappingProxyType({one.name: one for one in _ALL})
