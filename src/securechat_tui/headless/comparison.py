"""Safety numbers at the command line: shown, compared with what was read out, and kept."""

import sys

from securechat_tui.chat.address_book import AddressBook
from securechat_tui.chat.comparing import bare_digits
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import SafeText
from securechat_tui.chat.profiles import open_profile
from securechat_tui.headless.people import address_book
from securechat_tui.headless.records import json_object

__all__ = ["compare"]

_GROUP = 4
_ANSWERS = {"yes": True, "no": False}
_DISTRUSTED = (
    "{0} is CHANGED: nothing is sent to this key until codes or numbers are the same. Somebody may be in "
    "between, or one of you has a new key: speak about it face to face."
)
_QUESTION = "The same there? yes, no, or Enter for not now: "


def compare(profile: str | None, name: str, digits: str | None, *, as_json: bool) -> list[str]:
    """Show the safety number with a contact, and keep what came of comparing it.

    With ``digits``, those that the other side has read out, the program compares; without, a person
    at a terminal is asked, and elsewhere nothing is decided. Raises CommandError where they differ.
    """
    with address_book(open_profile(profile)) as book:  # to the end: the key stays the one that is compared
        number = book.safety_number(name)
        if digits is not None:
            if bare_digits(digits) != number.digits:
                raise CommandError("code-differs", _differing(number.digits))
            return _kept(book, name, same=True, as_json=as_json)
        if as_json:
            return [json_object({"name": name, "words": number.words, "digits": number.digits})]
        lines = _shown(number.words, number.digits)
        return [*lines, *_asked(book, name, lines)] if _is_attended() else lines


def _shown(words: tuple[str, ...], digits: str) -> list[str]:
    half = len(words) // 2
    return [" ".join(words[:half]), " ".join(words[half:]), _grouped(digits[:20]), _grouped(digits[20:])]


def _asked(book: AddressBook, name: str, lines: list[str]) -> list[str]:
    """Ask the person, who has to see what is asked about first."""
    print("\n".join(lines), flush=True)
    lines.clear()
    same = _ANSWERS.get(input(_QUESTION).strip().lower())
    return ["Nothing was decided."] if same is None else _kept(book, name, same=same, as_json=False)


def _kept(book: AddressBook, name: str, *, same: bool, as_json: bool) -> list[str]:
    trust = book.keep_comparison(name, same=same)
    if not same:
        raise CommandError("code-differs", _DISTRUSTED.format(SafeText.line(name)))
    if as_json:
        return [json_object({"name": name, "trust": trust.value})]
    return [f"{SafeText.line(name)} is VERIFIED."]


def _differing(digits: str) -> str:
    return (
        f"These are not the digits of this contact ({_grouped(digits)}). Let them be read out again; if they "
        "are still others, the keys differ: somebody may be in between. Nothing was decided."
    )


def _grouped(digits: str) -> str:
    return " ".join(digits[start : start + _GROUP] for start in range(0, len(digits), _GROUP))


def _is_attended() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout))
