"""A conversation exported, and an exported one verified: as lines for people or as a JSON object."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from securechat_tui.chat.archive import check_target, open_archive, write_lines
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import SafeText
from securechat_tui.chat.profiles import open_profile, require_identity
from securechat_tui.chat.transcripts import (
    AuthorView,
    Check,
    NotProved,
    Stretch,
    TranscriptView,
    known_keys,
    verify_transcript,
)
from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.headless.passphrases import Source, open_keys
from securechat_tui.headless.records import json_object

__all__ = ["export", "verify"]

_PROVED: Final = (
    "Proved: these keys have signed these messages, each author's in this order, each after having seen the",
    "message of the other that it names.",
)
_NOT_PROVED: Final = (
    "Not proved: when anything was written or received; what came before the first and after the last of",
    "each; unsigned messages; names, and what the exporting profile says of each message under 'kept'.",
)
_COMPARE: Final = "named by the file alone: compare it with its owner, or give it with --fingerprint"


def export(
    profile: str | None, name: str | None, output: Path | None, *, source: Source | None = None
) -> list[str]:
    """Write a conversation to a file, or to standard output. Raises ``CommandError``, ``ProfileError``."""
    opened = open_profile(profile)
    require_identity(opened)
    if output is not None:
        check_target(output)
    with opened, open_archive(opened, open_keys(opened, source)) as archive:
        lines = archive.transcript(name)
        if output is None:
            sys.stdout.buffer.writelines(lines)
            sys.stdout.buffer.flush()
            return []
        write_lines(output, lines)
    return [
        SafeText.line(f"{output} has the conversation in it, in clear, with what proves its authors."),
        "To check it anywhere: securechat-tui transcript verify FILE",
    ]


def verify(file: Path | None, fingerprints: Sequence[str], *, as_json: bool) -> tuple[list[str], ExitCode]:
    """Check a transcript, standard input where there is no ``file``; return what is proved, and the code.

    Raises CommandError where it cannot be read.
    """
    wanted = known_keys(fingerprints)
    try:
        with _reading(file) as stream:
            view = verify_transcript(stream, wanted)
    except NotProved as error:
        code = ExitCode.DISTRUSTED if error.check is Check.FINGERPRINT else ExitCode.FAILED
        return [_refusal_object(error) if as_json else _refusal(error)], code
    return [_object(view)] if as_json else _lines(view), ExitCode.DONE


@contextmanager
def _reading(file: Path | None) -> Iterator[BinaryIO]:
    if file is None:
        yield sys.stdin.buffer
        return
    try:
        with file.open("rb") as stream:
            yield stream
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise CommandError("cannot-read", SafeText.line(f"{file} cannot be read ({reason}).")) from None


def _refusal(error: NotProved) -> str:
    where = f"line {error.line}, " if error.line else ""
    return f"NOT proved ({where}{error.check}): {error}"


def _refusal_object(error: NotProved) -> str:
    fields = {"proved": False, "line": error.line or None, "check": error.check, "message": str(error)}
    return json_object(fields)


def _object(view: TranscriptView) -> str:
    authors = [
        {
            "by": one.by,
            "fingerprint": one.fingerprint,
            "given": one.given,
            "unknown_seen": one.unknown_seen,
            "generations": [_stretch_object(stretch) for stretch in one.stretches],
        }
        for one in view.authors
    ]
    return json_object({"proved": True, "conversation": view.conversation, "authors": authors})


def _stretch_object(stretch: Stretch) -> dict[str, object]:
    return {
        "generation": stretch.generation.hex(),
        "first": stretch.first,
        "last": stretch.last,
        "first_signed": stretch.first_signed,
        "last_signed": stretch.last_signed,
        "signed": stretch.signed,
        "unsigned": stretch.unsigned,
        "waiting": stretch.waiting,
        "withheld": stretch.withheld,
        "loose": stretch.loose,
    }


def _lines(view: TranscriptView) -> list[str]:
    authors = [line for one in view.authors for line in _author(one)]
    return [*_PROVED, *authors, *_NOT_PROVED]


def _author(view: AuthorView) -> list[str]:
    whose = "who has exported it" if view.by == "me" else "the peer"
    lines = [f"{view.fingerprint} ({whose}; {'as given' if view.given else _COMPARE}):"]
    for stretch in view.stretches:
        lines += [f"  {line}" for line in _stretch(stretch)]
    if view.unknown_seen:
        lines.append(f"  {view.unknown_seen} of these name a message of the other that is not in the file.")
    return lines if view.stretches else [*lines, "  nothing"]


def _stretch(stretch: Stretch) -> list[str]:
    if not stretch.signed:
        return [f"nothing signed; in #{stretch.first} to #{stretch.last}: {_others(stretch)}"]
    missing = "none of theirs missing between" if not stretch.loose else "but see below"
    said = f"#{stretch.first_signed} to #{stretch.last_signed}: {stretch.signed} signed, {missing}"
    lines = [said if not (others := _others(stretch)) else f"{said}; besides {others}"]
    if stretch.loose:
        lines.append(
            f"of {stretch.loose} only the hash is here, which the next one names: whether signed ones are "
            "missing right before it is not shown"
        )
    return lines


def _others(stretch: Stretch) -> str:
    counts = (
        (stretch.unsigned, "unsigned"),
        (stretch.waiting, "not signed yet"),
        (stretch.withheld, "cancelled or wiped"),
    )
    return ", ".join(f"{count} {what}" for count, what in counts if count)
