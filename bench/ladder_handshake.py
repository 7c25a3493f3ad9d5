"""From connecting to the first protected echo."""

from functools import partial

from bench.field import CPU, HANDSHAKE, NO_DELAY, OURS, TLS, TLS_BUFFERED, TLS_ONE, Field, classic_handshakes
from bench.measure import Target, interleave, publish, targets_table

PACKAGES = ("noiseprotocol", "vodozemac")


def main() -> None:
    """Measure and write the section."""
    with Field() as field:
        everybody = field.streams() | field.others() | {OURS: field.ours()}
        del everybody[TLS_ONE], everybody[TLS_BUFFERED]
        samples = {name: partial(field.handshakes, one) for name, one in everybody.items()}
        samples |= {name: partial(classic_handshakes, *pair) for name, pair in field.classic().items()}
        result = interleave(samples, 15, warm_up=2)
    targets = [
        Target(figure, OURS, rival, bound, at_least=False)
        for rival, bound in ((TLS, 0.5), (NO_DELAY, 0.8))
        for figure in (HANDSHAKE, CPU)
    ]
    publish("Handshake", result.table() + "\n" + targets_table(result, targets), PACKAGES)


if __name__ == "__main__":
    main()
