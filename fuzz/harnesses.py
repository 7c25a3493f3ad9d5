"""Every harness, the most exposed parsers first."""

from fuzz import (
    commands,
    delivery,
    exports,
    files,
    frames,
    handshake,
    invitations,
    lab,
    records,
    rekeys,
    texts,
)
from fuzz.harness import Harness

__all__ = ["HARNESSES", "named"]

HARNESSES = (
    *frames.HARNESSES,
    *handshake.HARNESSES,
    *records.HARNESSES,
    *rekeys.HARNESSES,
    *delivery.HARNESSES,
    *texts.HARNESSES,
    *invitations.HARNESSES,
    *files.HARNESSES,
    *exports.HARNESSES,
    *commands.HARNESSES,
    *lab.HARNESSES,
)


def named(name: str) -> Harness:
    """Return the harness of this name; raises :class:`KeyError`."""
    return {harness.name: harness for harness in HARNESSES}[name]
