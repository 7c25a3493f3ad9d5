"""From connecting to the first protected echo, 100 bytes."""

from functools import partial

from bench import channel
from bench.channel import Open
from bench.classic import ClassicGuest
from bench.field import HANDSHAKE, NO_DELAY, OURS, TLS, TLS_BUFFERED, TLS_ONE, Field
from bench.measure import Figures, Target, interleave, publish, targets_table

PACKAGES = ("noiseprotocol", "vodozemac")


def _open(field: Field, connect: Open) -> Figures:
    return {HANDSHAKE: field.run(channel.handshake(connect)) * 1e3}


def _classic(guest: ClassicGuest) -> Figures:
    return {HANDSHAKE: guest.handshake() * 1e3}


def main() -> None:
    """Measure and write the section."""
    with Field() as field:
        everybody = field.streams() | field.others() | {OURS: field.ours()}
        del everybody[TLS_ONE], everybody[TLS_BUFFERED]
        samples = {name: partial(_open, field, one.open) for name, one in everybody.items()}
        samples |= {name: partial(_classic, guest) for name, (_, guest) in field.classic().items()}
        result = interleave(samples, 41, warm_up=3)
    targets = [
        Target(HANDSHAKE, OURS, TLS, 0.5, at_least=False),
        Target(HANDSHAKE, OURS, NO_DELAY, 0.8, at_least=False),
    ]
    publish("Handshake", result.table() + "\n" + targets_table(result, targets), PACKAGES)


if __name__ == "__main__":
    main()
