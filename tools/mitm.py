"""Let a man in the middle try everything on a conversation; print how often, and what was accepted.

Run it from the project's folder: PYTHONPATH=tests/support python tools/mitm.py

He changes every bit of every frame, from the first of the handshake to the goodbye, each time on the
same conversation taken up just before that frame arrives; then drops, repeats, swaps, cuts and holds
each frame, and puts before it and in its place whatever he has seen or can make. What "accepted"
means stands at ``accepted`` in tests/support/man_in_the_middle.py.
"""

import itertools
import sys

from man_in_the_middle import NAMES, Line, accepted, checkpoints
from meddling import Tally, deeds_to, flips, frames_of, insertions

STRANGERS = (("alice", "bob"), ("alice", "mallory"), ("mallory", "bob"), ("bob", "alice"))


def main() -> int:
    undisturbed = Line.held("alice", "bob")
    if accepted(undisturbed) or any(
        len(side.accepted) < len(side.said) for side in undisturbed.sides.values()
    ):
        print("the undisturbed conversation does not come to its end")
        return 2
    points = checkpoints(Line.between("alice", "bob"))
    foreign = [frame for people in STRANGERS for frame in frames_of(Line.held(*people))]
    whole = Tally()
    for (role, index), point in points.items():
        frame = point.sides[role].frames[index]
        tally = Tally()
        for deed in itertools.chain(
            flips(role, index, frame), deeds_to(role, index, point), insertions(role, index, frame, foreign)
        ):
            tally.attempt(point, deed)
        print(
            f"{role:5} {NAMES[role][index]:15} {tally.tried:7,} tries, {len(tally.findings)} accepted",
            flush=True,
        )
        whole.tried += tally.tried
        whole.findings += tally.findings
    print(f"{whole.tried:,} manipulations tried, {len(whole.findings)} accepted")
    print("\n".join(whole.findings[:20]), end="")
    return bool(whole.findings)


if __name__ == "__main__":
    sys.exit(main())
