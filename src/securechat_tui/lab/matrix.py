"""The matrix: every attack on every protocol, each cell computed by running it."""

from collections.abc import AsyncIterator, Sequence

from securechat_tui.lab.attacks import ATTACKS, Bench, Outcome
from securechat_tui.lab.catalogue import PROTOCOLS
from securechat_tui.lab.keyring import KeyRing

__all__ = ["cells"]


async def cells(
    protocols: Sequence[str] = tuple(PROTOCOLS), attacks: Sequence[str] = tuple(ATTACKS)
) -> AsyncIterator[Outcome]:
    """Run the cells one after the other; the keys are made once."""
    keys = KeyRing()
    for protocol in protocols:
        bench = Bench(PROTOCOLS[protocol], keys)
        for attack in attacks:
            yield await ATTACKS[attack].run(bench)
