"""What a record costs: many small ones, each with a key of its own, and whole blocks."""

from functools import partial

from bench.field import CPU, NO_DELAY, OLM, OURS, RATE, RECORDS, TLS, TLS_ONE, Field, classic_flood
from bench.measure import Result, Target, interleave, publish, targets_table
from bench.records import BLOCK

PACKAGES = ("noiseprotocol", "vodozemac")


def small(field: Field, rounds: int) -> Result:
    """Send 100 bytes at a time, 128 in a burst."""
    everybody = field.streams() | field.others() | {RECORDS: field.record_layer(), OURS: field.ours()}
    counts = {OLM: 1280, OURS: 3200}
    return interleave(
        {
            name: partial(field.flood, one, 100, counts.get(name, 12_800), 128)
            for name, one in everybody.items()
        },
        rounds,
    )


def blocks(field: Field, rounds: int) -> Result:
    """Send the greatest payloads, four in a burst; Noise's own greatest is 17 bytes shorter."""
    everybody = field.streams() | field.others() | {RECORDS: field.record_layer()}
    del everybody[TLS_ONE], everybody[OLM]
    samples = {name: partial(field.flood, one, BLOCK - 13, 800, 4) for name, one in everybody.items()}
    samples[NO_DELAY] = partial(classic_flood, *field.classic()[NO_DELAY], BLOCK - 13, 60)
    return interleave(samples, rounds)


def faster(name: str, rival: str, bound: float) -> list[Target]:
    """Return a target for the rate, and what it means for the processors' time."""
    return [Target(RATE, name, rival, bound), Target(CPU, name, rival, 1 / bound, at_least=False)]


def main() -> None:
    """Measure and write the sections."""
    with Field() as field:
        result = small(field, 11)
        targets = [target for who in (RECORDS, OURS) for target in faster(who, TLS_ONE, 1.5)]
        publish(
            "100-byte records, unsigned", result.table() + "\n" + targets_table(result, targets), PACKAGES
        )
    with Field() as field:
        result = blocks(field, 11)
        targets = faster(RECORDS, TLS, 4)
        publish("64 KiB blocks", result.table() + "\n" + targets_table(result, targets), PACKAGES)


if __name__ == "__main__":
    main()
