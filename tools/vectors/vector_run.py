"""Runs a defect case against the product."""

from dataclasses import dataclass

from vector_chance import Drawn
from vector_files import Case
from vector_people import Person
from vector_scenes import played

from securechat_tui.chat.outbox import ResumeConflict
from securechat_tui.protocol.errors import RemoteError
from securechat_tui.protocol.events import End
from securechat_tui.protocol.frames import HEADER_LENGTH

ACCEPTED, DECLINED = "accepted", "declined"


@dataclass(frozen=True)
class Result:
    """What a receiver made of the input; ``answer`` is what it said: close, hint, goodbye or stop."""

    outcome: str
    answer: str = ""
    digits: str = ""
    """The code that a person would see now."""

    @classmethod
    def due(cls, case: Case) -> "Result":
        """Return what a case says."""
        return cls(case["outcome"], case.get("answer", ""), case.get("digits", ""))


def run(case: Case, drawn: Drawn) -> Result:
    """Bring a receiver to the case's place in its transcript, and let the input arrive."""
    with played(case["base"], drawn, stop=case["at"]) as scene:
        scene.clock.ms = case["ms"]
        receiver = scene.person(case["receiver"])
        receiver.has_declined = False
        for piece in pieces(bytes.fromhex(case["input"])):
            before = len(scene.frames)
            receiver.receive(piece)
            if receiver.session.closed:
                return ended(receiver, [frame.data for frame in scene.frames[before:]])
        return going_on(receiver)


def going_on(receiver: Person) -> Result:
    """Return what a receiver has made of an input that has not ended the session."""
    digits = receiver.code.digits if receiver.code else ""
    return Result(DECLINED, "stop", digits) if receiver.has_declined else Result(ACCEPTED, digits=digits)


def pieces(data: bytes) -> list[bytes]:
    """Cut the input into frames; what does not look like one stays together."""
    found = []
    while data:
        end = HEADER_LENGTH + int.from_bytes(data[1:HEADER_LENGTH], "big")
        found.append(data[:end])
        data = data[end:]
    return found


def ended(receiver: Person, said: list[bytes]) -> Result:
    """Return how a receiver has ended."""
    end, refusal = receiver.ended, receiver.refusal
    if end is None:
        raise ValueError("a closed session says how it has ended")
    if end.how is End.GOODBYE:
        return Result(ACCEPTED)
    answer = {b"": "close", b"H": "hint", b"M": "goodbye"}[b"".join(one[:1] for one in said)]
    if isinstance(refusal, ResumeConflict):
        return Result("gated", answer)
    if isinstance(refusal, RemoteError):
        return Result(refusal.outcome, answer)
    if end.detail.startswith("the host's hint"):
        return Result("hint" if end.how in {End.BUSY, End.VERSION} else "handshake failure", answer)
    return Result(end.detail.partition(":")[0], answer)
