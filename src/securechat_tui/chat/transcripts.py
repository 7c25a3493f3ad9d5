"""Checking an exported conversation, on any machine: no profile is needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from securechat_tui.chat.targets import read_fingerprint
from securechat_tui.protocol.transcript import Check, Stretch, Transcript, Unproved
from securechat_tui.storage.transcripts import read_transcript

__all__ = ["AuthorView", "Check", "NotProved", "Stretch", "TranscriptView", "known_keys", "verify_transcript"]


class NotProved(Exception):
    """A transcript does not prove what it should: the line (from 1), the check, and a sentence.

    The line is 0 where it is the whole file that is at fault.
    """

    def __init__(self, line: int, check: Check, sentence: str) -> None:
        super().__init__(sentence)
        self.line = line
        self.check = check


@dataclass(frozen=True, slots=True)
class AuthorView:
    """What is proved of one of the two."""

    by: str
    """``me``, who has exported it, or ``peer``."""
    fingerprint: str
    given: bool
    """Whether the fingerprint was asked for, and not only named by the file."""
    stretches: tuple[Stretch, ...]
    unknown_seen: int
    """How many of the messages name one of the other's that is not in the file."""


@dataclass(frozen=True, slots=True)
class TranscriptView:
    """What is proved by a transcript."""

    conversation: str
    authors: tuple[AuthorView, AuthorView]


def known_keys(typed: Sequence[str]) -> frozenset[str]:
    """Read fingerprints in full; raises :class:`CommandError`."""
    return frozenset(str(read_fingerprint(one)) for one in typed)


def verify_transcript(file: BinaryIO, wanted: frozenset[str] = frozenset()) -> TranscriptView:
    """Check a transcript to its end; every fingerprint in ``wanted`` must be that of one of its authors.

    Raises :class:`NotProved`.
    """
    line, transcript = 1, None
    try:
        for transcript in read_transcript(file):
            if line == 1:
                _check_fingerprints(transcript, wanted)
            line += 1
    except Unproved as error:
        raise NotProved(line, error.check, str(error)) from None
    return _view(transcript, wanted)


def _check_fingerprints(transcript: Transcript, wanted: frozenset[str]) -> None:
    missing = wanted - {str(transcript.fingerprint(by)) for by in (0, 1)}
    if missing:
        raise Unproved(Check.FINGERPRINT, f"Neither author has the key {min(missing)}.")


def _view(transcript: Transcript | None, wanted: frozenset[str]) -> TranscriptView:
    if transcript is None or not any(one.signed for by in (0, 1) for one in transcript.stretches(by)):
        raise NotProved(0, Check.SIGNATURE, "There is no signed message in it.")
    me, peer = (
        AuthorView(
            by=("me", "peer")[by],
            fingerprint=str(transcript.fingerprint(by)),
            given=str(transcript.fingerprint(by)) in wanted,
            stretches=transcript.stretches(by),
            unknown_seen=transcript.unknown_seen(by),
        )
        for by in (0, 1)
    )
    return TranscriptView(transcript.conversation.hex(), (me, peer))
