"""What keeping costs: signed messages between two engines, on disk first, against the same kept nowhere."""

from functools import partial
from statistics import median

from bench import whole
from bench.field import CPU, RATE, Field, costed
from bench.measure import Figures, Result, interleave, publish
from bench.peer import Peer

COUNTS = {1: 100, 32: 640, 128: 1920}
"""Messages that wait for a signature, and how many are sent."""


def _flood(field: Field, host: Peer, guest: whole.Person, waiting: int) -> Figures:
    count = COUNTS[waiting]
    return costed(host, count, lambda: {RATE: field.run(whole.flood(guest, 100, count, waiting))})


def main() -> None:
    """Measure and write the section."""
    with Field() as field:
        sides = {}
        for how, serve in {"kept": "whole.serve", "kept nowhere": "whole.serve_unkept"}.items():
            host = field.peers.start(serve)
            sides[how] = host, field.run(whole.join(field.peers.folder, host.port, how.replace(" ", "-")))
        whole.keep_nothing(sides["kept nowhere"][1])
        samples = {
            f"{how}, {waiting} waiting": partial(_flood, field, *side, waiting)
            for waiting in COUNTS
            for how, side in sides.items()
        }
        result = interleave(samples, 9)
        for _, guest in sides.values():
            field.run(guest.end())
    lines = [
        f"- {figure}, {waiting} waiting: {_ratio(result, waiting, figure):.2f} x of what is kept nowhere"
        for waiting in COUNTS
        for figure in (RATE, CPU)
    ]
    publish(
        "Signed messages between two engines, kept and not", result.table() + "\n" + "\n".join(lines) + "\n"
    )


def _ratio(result: Result, waiting: int, figure: str) -> float:
    """The median of the rounds."""
    return median(result.ratios(f"kept, {waiting} waiting", f"kept nowhere, {waiting} waiting", figure))


if __name__ == "__main__":
    main()
