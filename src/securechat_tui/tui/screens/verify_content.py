"""What the verify screen shows, as text."""

from itertools import zip_longest

from rich.cells import cell_len, set_cell_size
from textual.content import Content

from securechat_tui.chat.events import Code, Peer, Trust
from securechat_tui.chat.views import IdentityView
from securechat_tui.tui import wording
from securechat_tui.tui.qr import qr_code
from securechat_tui.tui.state import ChatState, Comparing

__all__ = ["code_content", "keys_content", "side_by_side", "words_content"]

_PICTURES = "The pictures are a memory aid, not proof."
_PICTURE_WIDTH = 24
_SIGN_WIDTH = 11
_ONE_ROW = 84
"""Columns from which the seven signs stand in one row."""
_GROUP = 4
"""Digits that are read out in one breath."""

_SENTENCES: dict[Comparing, str] = {
    Comparing.NOBODY: "Nobody is connected. Once somebody is, you can compare codes with them here.",
    Comparing.IDLE: "Call {0}, or meet: then both press Compare codes. Seven pictures appear on both "
    "screens. The same on both: nobody is in between.",
    Comparing.ASKED: "Waiting until {0} presses Compare codes too (F3 there).",
    Comparing.WANTED: "{0} would like to compare codes with you. Call each other, or meet; then press "
    "Compare codes.",
    Comparing.CODE: "Tell each other what you see, on a channel where you recognise {0}; not in this chat.",
}


def code_content(state: ChatState, width: int) -> Content:
    """What is thought of the key, what to do next, and the code where there is one."""
    name = state.peer.contact if state.peer else ""
    parts = [*_trust_lines(state.peer, state.trust)] if state.peer else []
    parts.append(Content(_SENTENCES[state.comparing].format(name)))
    if state.code is not None:
        parts += [Content(""), *_sign_rows(state.code, width), Content(""), _digits_line(state.code.digits)]
    return Content("\n").join(parts)


def _trust_lines(peer: Peer, trust: Trust) -> list[Content]:
    word = f"{wording.trust_glyph(trust)} {wording.trust_word(trust)}"
    since = f"  first seen {wording.day(peer.first_seen)}"
    lines = [
        Content.assemble(
            (f"{peer.contact}  ", "bold"), (word, wording.trust_colour(trust)), (since, "$muted")
        ),
        Content.styled(wording.trust_explanation(trust, differed=peer.differed), "$muted"),
    ]
    if peer.known_elsewhere:
        known = f"! Another contact bears this name, with the key {peer.known_elsewhere}"
        lines.append(Content.styled(known, "$error"))
    return [*lines, Content("")]


def _sign_rows(code: Code, width: int) -> list[Content]:
    pairs = list(zip(code.signs, code.emoji, strict=True))
    rows = [pairs] if width >= _ONE_ROW else [pairs[:4], pairs[4:]]
    lines: list[Content] = []
    for row in rows:
        lines.append(Content("".join(_centred(sign) for sign, _ in row)))
        lines.append(Content.styled("".join(_centred(name) for _, name in row), "bold"))
    return lines


def _centred(text: str) -> str:
    room = _SIGN_WIDTH - cell_len(text)
    return " " * (room // 2) + text + " " * (room - room // 2)


def _digits_line(digits: str) -> Content:
    return Content.assemble("as digits: ", (_grouped(digits), "bold"))


def _grouped(digits: str) -> str:
    return " ".join(digits[start : start + _GROUP] for start in range(0, len(digits), _GROUP))


def words_content(state: ChatState) -> Content:
    """The safety number: for whoever cannot compare while both are here."""
    if state.peer is None:
        return Content("")
    number = state.safety_number
    if number is None:
        return Content("\nThe twelve words that your two keys have in common are being worked out …")
    half = len(number.words) // 2
    return Content("\n").join(
        (
            Content(""),
            Content.styled(
                "Or at any time, on paper or by telephone: the same twelve words on both sides", "bold"
            ),
            Content("  " + " ".join(number.words[:half])),
            Content("  " + " ".join(number.words[half:])),
            Content(f"  {_grouped(number.digits[:20])}"),
            Content(f"  {_grouped(number.digits[20:])}"),
        )
    )


def keys_content(own: IdentityView, peer: Peer | None, width: int) -> Content:
    """Both keys in full; their pictures, which are no proof; one's own as a QR code."""
    parts = [Content(""), *_key_lines(f"You ({own.name})", own.fingerprint, own.key_bits, width)]
    if peer is None:
        parts += [Content(""), *map(Content, own.randomart)]
    else:
        parts += _key_lines(peer.contact, peer.fingerprint, peer.key_bits, width)
        parts += [Content(""), *side_by_side(own.randomart, peer.randomart, own.name, peer.contact)]
    parts += [Content.styled(_PICTURES, "$muted"), Content(""), Content("Your fingerprint, for a camera:")]
    return Content("\n").join([*parts, qr_code(own.fingerprint)])


def _key_lines(name: str, fingerprint: str, bits: int, width: int) -> list[Content]:
    title = Content.assemble((name, "bold"), (f"   RSA {bits}", "$muted"))
    return [title, *map(Content, wording.fingerprint_lines(fingerprint, width))]


def side_by_side(
    left: tuple[str, ...], right: tuple[str, ...], left_name: str, right_name: str
) -> list[Content]:
    """Two pictures beside each other, each below its name."""
    rows = [Content(f"{set_cell_size(left_name, _PICTURE_WIDTH - 1)} {right_name}")]
    return rows + [Content(f"{a:<{_PICTURE_WIDTH}}{b}") for a, b in zip_longest(left, right, fillvalue="")]
