"""100-byte messages, signed: one at a time, and when 32 or 128 wait for the signature."""

from functools import partial

from bench import whole
from bench.field import CPU, NO_DELAY, RATE, Field, classic_flood, costed
from bench.measure import Figures, Target, interleave, publish, targets_table
from bench.peer import Peer

COUNTS = {1: 200, 32: 1280, 128: 3840}
BOUNDS = {1: 0.97, 32: 24, 128: 60}
"""Messages that wait, and how many times as fast as the classic protocol that is to be."""


def _engine(field: Field, host: Peer, guest: whole.Person, waiting: int) -> Figures:
    count = COUNTS[waiting]
    return costed(host, count, lambda: {RATE: field.run(whole.flood(guest, 100, count, waiting))})


def main() -> None:
    """Measure and write the section."""
    with Field() as field:
        samples = {name: partial(classic_flood, *pair, 100, 200) for name, pair in field.classic().items()}
        boxes = field.signed()
        host = field.peers.start("whole.serve")
        guest = field.run(whole.join(field.peers.folder, host.port))
        for waiting, count in COUNTS.items():
            samples[f"ours, {waiting} waiting"] = partial(field.flood, boxes, 100, count, waiting)
            samples[f"our engine, {waiting} waiting"] = partial(_engine, field, host, guest, waiting)
        result = interleave(samples, 11)
        field.run(guest.end())
    targets = [
        target
        for who in ("ours", "our engine")
        for waiting, bound in BOUNDS.items()
        for target in (
            Target(RATE, f"{who}, {waiting} waiting", NO_DELAY, bound),
            Target(CPU, f"{who}, {waiting} waiting", NO_DELAY, 1 / bound, at_least=False),
        )
    ]
    publish("100-byte messages, signed", result.table() + "\n" + targets_table(result, targets))


if __name__ == "__main__":
    main()
