"""How long an answer takes: 100 bytes there and back, one at a time."""

from functools import partial

from bench import whole
from bench.field import (
    CPU,
    NO_DELAY,
    OLM,
    OURS,
    P50,
    P99,
    RECORDS,
    TLS,
    TLS_ONE,
    Field,
    classic_round_trips,
    costed,
    percentiles,
)
from bench.measure import Figures, Result, Target, interleave, publish, targets_table
from bench.peer import Peer

PACKAGES = ("noiseprotocol", "vodozemac")
ENGINE = "our engine"


def _engine(field: Field, host: Peer, guest: whole.Person) -> Figures:
    return costed(host, 100, lambda: percentiles(field.run(whole.round_trips(guest, 100, 100))))


def unsigned(field: Field, rounds: int) -> Result:
    """Take the time of a thousand answers for each."""
    everybody = field.streams() | field.others() | {RECORDS: field.record_layer(), OURS: field.ours()}
    del everybody[TLS_ONE]
    counts = {OLM: 200}
    samples = {
        name: partial(field.round_trips, one, 100, counts.get(name, 1000)) for name, one in everybody.items()
    }
    return interleave(samples, rounds)


def signed(field: Field, rounds: int) -> Result:
    """Take the time of a hundred signed answers to signed messages for each."""
    samples = {name: partial(classic_round_trips, *pair, 100, 100) for name, pair in field.classic().items()}
    samples[OURS] = partial(field.round_trips, field.signed(), 100, 100)
    host = field.peers.start("whole.serve")
    guest = field.run(whole.join(field.peers.folder, host.port))
    samples[ENGINE] = partial(_engine, field, host, guest)
    result = interleave(samples, rounds)
    field.run(guest.end())
    return result


def main() -> None:
    """Measure and write the sections."""
    with Field() as field:
        result = unsigned(field, 15)
    targets = [
        Target(figure, OURS, TLS, bound, at_least=False)
        for figure, bound in ((P50, 0.8), (P99, 0.65), (CPU, 0.8))
    ]
    publish("Round trip, unsigned", result.table() + "\n" + targets_table(result, targets), PACKAGES)
    with Field() as field:
        result = signed(field, 15)
    targets = [
        Target(figure, who, NO_DELAY, 0.9, at_least=False) for who in (OURS, ENGINE) for figure in (P50, CPU)
    ]
    publish("Round trip, signed", result.table() + "\n" + targets_table(result, targets))


if __name__ == "__main__":
    main()
