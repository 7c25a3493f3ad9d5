"""How long an answer takes: 100 bytes there and back, one at a time."""

from functools import partial

from bench import channel, whole
from bench.channel import Open
from bench.classic import ClassicGuest
from bench.field import NO_DELAY, OLM, OURS, P50, P99, RECORDS, TLS, TLS_ONE, Field, percentiles
from bench.measure import Figures, Result, Target, interleave, publish, targets_table

PACKAGES = ("noiseprotocol", "vodozemac")
ENGINE = "our engine"


def _trips(field: Field, count: int, connect: Open) -> Figures:
    return percentiles(field.run(channel.round_trips(connect, 100, count)))


def _classic(guest: ClassicGuest) -> Figures:
    return percentiles(guest.round_trips(100, 100))


def _engine(field: Field, guest: whole.Person) -> Figures:
    return percentiles(field.run(whole.round_trips(guest, 100, 100)))


def unsigned(field: Field, rounds: int) -> Result:
    """Take the time of a thousand answers for each."""
    everybody = field.streams() | field.others() | {RECORDS: field.record_layer(), OURS: field.ours()}
    del everybody[TLS_ONE]
    counts = {OLM: 200}
    samples = {
        name: partial(_trips, field, counts.get(name, 1000), one.open) for name, one in everybody.items()
    }
    return interleave(samples, rounds)


def signed(field: Field, rounds: int) -> Result:
    """Take the time of a hundred signed answers to signed messages for each."""
    samples = {name: partial(_classic, guest) for name, (_, guest) in field.classic().items()}
    samples[OURS] = partial(_trips, field, 100, field.signed().open)
    host = field.peers.start("whole.serve")
    guest = field.run(whole.join(field.peers.folder, host.port))
    samples[ENGINE] = partial(_engine, field, guest)
    result = interleave(samples, rounds)
    field.run(guest.end())
    return result


def main() -> None:
    """Measure and write the sections."""
    with Field() as field:
        result = unsigned(field, 15)
    targets = [
        Target(P50, OURS, TLS, 0.8, at_least=False),
        Target(P99, OURS, TLS, 0.65, at_least=False),
    ]
    publish("Round trip, unsigned", result.table() + "\n" + targets_table(result, targets), PACKAGES)
    with Field() as field:
        result = signed(field, 15)
    targets = [Target(P50, name, NO_DELAY, 0.9, at_least=False) for name in (OURS, ENGINE)]
    publish("Round trip, signed", result.table() + "\n" + targets_table(result, targets))


if __name__ == "__main__":
    main()
