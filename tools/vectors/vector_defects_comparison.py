"""Cases for the comparison of codes: a step that is wrong, early, late, or taken back."""

from vector_defects_handshake import flipped
from vector_defects_records import Place
from vector_forge import Book
from vector_identities import identity
from vector_transcripts import code_of

from securechat_tui.protocol import constants as c
from securechat_tui.protocol.encoding import u8
from securechat_tui.protocol.kinds import Kind
from securechat_tui.protocol.payloads import ComparisonAsk, ComparisonStep, ComparisonStop, StopReason
from securechat_tui.protocol.primitives import hash_of, sha256

BASE, STOPPED = "comparison", "comparison stopped"
GOES_ON, DECLINED, FAILS = "accepted", "declined", "comparison failure"
ASK, STOP = ComparisonAsk(), ComparisonStop(StopReason.DECLINED)
Step = ComparisonAsk | ComparisonStep | ComparisonStop


class Run:
    """The recorded run: its values, and the places where its steps arrive."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self.commitment, self.of_host, self.of_guest = map(self._value, ("COMMIT", "REPLY", "REVEAL"))
        frames = book.transcripts[BASE]["frames"]
        (self.digits,) = (one["code"]["digits"] for one in frames if "code" in one)

    def _value(self, step: str) -> bytes:
        frames = self._book.transcripts[BASE]["frames"]
        (value,) = (one["value"] for one in frames if one["name"] == f"COMPARISON_{step}")
        return bytes.fromhex(value)

    def place(self, step: str, sender: str, base: str = BASE, nth: int = 1) -> Place:
        """Return where a step is due, at the one whom it is for."""
        receiver = "host" if sender == "guest" else "guest"
        return base, self._book.find(base, f"COMPARISON_{step}", sender, nth), receiver

    def add(self, what: str, place: Place, steps: tuple[Step, ...], outcome: str, digits: str = "") -> None:
        """Add a case in which these steps come."""
        answer = "stop" if outcome == DECLINED else "goodbye"
        self._book.say("comparison", what, place, steps, outcome, answer=answer, digits=digits)

    @property
    def commit(self) -> ComparisonStep:
        """The guest's first step."""
        return ComparisonStep(Kind.COMPARISON_COMMIT, self.commitment)

    @property
    def reply(self) -> ComparisonStep:
        """The host's step."""
        return ComparisonStep(Kind.COMPARISON_REPLY, self.of_host)

    @property
    def reveal(self) -> ComparisonStep:
        """The guest's second step."""
        return ComparisonStep(Kind.COMPARISON_REVEAL, self.of_guest)


def before_anybody_asked(run: Run) -> None:
    """At the host, where nothing is under way."""
    place = run.place("ASK", "guest")
    run.add("ASK as it was", place, (ASK,), GOES_ON)
    run.add("ASK twice", place, (ASK, ASK), DECLINED)
    for step in (run.commit, run.reply, run.reveal):
        run.add(f"{step.kind.name[11:]} before anybody asked", place, (step,), DECLINED)
    run.add("COMMIT before the host asked", place, (ASK, run.commit), DECLINED)
    for reason in StopReason:
        stop = ComparisonStop(reason)
        run.add(f"STOP, {reason.name.lower()}, with nothing under way", place, (stop,), DECLINED)
    run.add("ASK, taken back", place, (ASK, STOP), DECLINED)


def commitments(run: Run, book: Book) -> None:
    """At the host, where COMMIT is due; what opens it comes right behind."""
    place = run.place("COMMIT", "guest")
    session_id = book.value(BASE, "session_id")
    run.add("COMMIT as it was", place, (run.commit,), GOES_ON)
    run.add(
        "COMMIT, and its REVEAL before the REPLY was seen",
        place,
        (run.commit, run.reveal),
        GOES_ON,
        run.digits,
    )
    run.add("COMMIT twice", place, (run.commit, run.commit), DECLINED)
    run.add("REVEAL before COMMIT", place, (run.reveal,), DECLINED)
    run.add("REPLY of a guest", place, (run.reply,), DECLINED)
    run.add("ASK in the place of COMMIT", place, (ASK,), DECLINED)
    run.add("STOP in the place of COMMIT", place, (STOP,), DECLINED)
    for what, value in {
        "with one bit changed": flipped(run.commitment, 0),
        "for another session": hash_of(c.LABEL_COMPARISON_COMMIT, flipped(session_id, 0), run.of_guest),
        "under another label": hash_of(c.LABEL_COMPARISON_CODE, session_id, run.of_guest),
        "without lengths": sha256(c.LABEL_COMPARISON_COMMIT + session_id + run.of_guest),
        "that is the value itself": run.of_guest,
    }.items():
        step = ComparisonStep(Kind.COMPARISON_COMMIT, value)
        run.add(f"COMMIT {what}, then REVEAL", place, (step, run.reveal), FAILS)


def reveals(run: Run, book: Book) -> None:
    """At the host, where REVEAL is due."""
    place = run.place("REVEAL", "guest")
    run.add("REVEAL as it was", place, (run.reveal,), GOES_ON, run.digits)
    other = bytes.fromhex(
        book.transcripts[STOPPED]["frames"][book.find(STOPPED, "COMPARISON_REVEAL", "guest")]["value"]
    )
    for what, value in {
        "with one bit changed": flipped(run.of_guest, 31),
        "of zeros": bytes(c.HASH_LENGTH),
        "of the host's own value": run.of_host,
        "of the commitment": run.commitment,
        "of another session's value": other,
    }.items():
        run.add(f"REVEAL {what}", place, (ComparisonStep(Kind.COMPARISON_REVEAL, value),), FAILS)
    again = ComparisonStep(
        Kind.COMPARISON_COMMIT, hash_of(c.LABEL_COMPARISON_COMMIT, book.value(BASE, "session_id"), other)
    )
    run.add("COMMIT again in the place of REVEAL", place, (run.commit,), DECLINED)
    run.add(
        "another COMMIT and its REVEAL",
        place,
        (again, ComparisonStep(Kind.COMPARISON_REVEAL, other)),
        DECLINED,
    )
    run.add("REVEAL twice", place, (run.reveal, run.reveal), DECLINED)
    run.add("REVEAL, then ASK for another run", place, (run.reveal, ASK), GOES_ON)
    run.add("ASK in the place of REVEAL", place, (ASK,), DECLINED)
    run.add("STOP in the place of REVEAL, then REVEAL", place, (STOP, run.reveal), DECLINED)
    run.add("REVEAL, then STOP, mismatch", place, (run.reveal, ComparisonStop(StopReason.MISMATCH)), DECLINED)


def replies(run: Run, book: Book) -> None:
    """At the guest."""
    asked = run.place("ASK", "host")
    run.add("the host's ASK as it was", asked, (ASK,), GOES_ON)
    run.add("REPLY before the host asked", asked, (run.reply,), DECLINED)
    place = run.place("REPLY", "host")
    run.add("REPLY as it was", place, (run.reply,), GOES_ON, run.digits)
    other = flipped(run.of_host, 0)
    names = identity("alice").public.fingerprint, identity("bob").public.fingerprint
    digits = code_of(book.value(BASE, "session_id"), (run.of_guest, other), names)["digits"]
    step = ComparisonStep(Kind.COMPARISON_REPLY, other)
    run.add("REPLY of another value, and another code", place, (step,), GOES_ON, digits)
    run.add("REPLY twice", place, (run.reply, run.reply), DECLINED)
    run.add("REPLY, then ASK for another run", place, (run.reply, ASK), GOES_ON)
    run.add("COMMIT of a host", place, (run.commit,), DECLINED)
    run.add("REVEAL of a host", place, (run.reveal,), DECLINED)
    run.add("the host's ASK again in the place of REPLY", place, (ASK,), DECLINED)
    run.add("STOP, mismatch, in the place of REPLY", place, (ComparisonStop(StopReason.MISMATCH),), DECLINED)


def stops(run: Run) -> None:
    """At a guest that has said STOP and has not been answered yet."""
    place = run.place("STOP", "host", STOPPED)
    run.add("what crosses a STOP", place, (ASK, run.reply), GOES_ON)
    run.add("the answer to a STOP", place, (STOP,), GOES_ON)
    run.add("what crosses a STOP, its answer, then ASK", place, (run.reply, STOP, ASK), GOES_ON)
    run.add("two STOPs for one", place, (STOP, STOP), DECLINED)
    run.add("the answer to a STOP, then REPLY", place, (STOP, run.reply), DECLINED)


def lengths(run: Run, book: Book) -> None:
    """Against the layout, where the step is due."""
    for step, sender in (("COMMIT", "guest"), ("REVEAL", "guest"), ("REPLY", "host")):
        kind = Kind[f"COMPARISON_{step}"]
        for length in (31, 33):
            payload = u8(kind) + bytes(length)
            where = run.place(step, sender)
            book.say(
                "comparison",
                f"{step} of {length} bytes",
                where,
                (payload,),
                "malformed payload",
                answer="close",
            )


def comparison_cases(book: Book) -> None:
    """Add all of them."""
    run = Run(book)
    before_anybody_asked(run)
    commitments(run, book)
    reveals(run, book)
    replies(run, book)
    stops(run)
    lengths(run, book)
