"""F3: both fingerprints in full, their pictures, and how to compare them."""

from itertools import zip_longest

from rich.cells import set_cell_size
from textual.content import Content

from securechat_tui.chat.events import Peer
from securechat_tui.chat.views import IdentityView
from securechat_tui.tui import wording
from securechat_tui.tui.screens.panel import Panel

__all__ = ["FingerprintScreen", "side_by_side"]

_HOW = (
    "To be sure who is there, read one of the two fingerprints to each other over a channel where "
    "you recognise the other person: a call, or face to face. Compare every character. "
    "If one differs, someone is in between: leave, and send nothing."
)
_LIMITS = "Opening this view verifies nothing by itself; the trust word stays what it is."
_PICTURES = "The pictures are a memory aid, not proof."
_PICTURE_WIDTH = 24


class FingerprintScreen(Panel):
    """One's own key beside the peer's."""

    def __init__(self, own: IdentityView, peer: Peer | None) -> None:
        super().__init__("Fingerprints", fingerprint_content(own, peer))


def fingerprint_content(own: IdentityView, peer: Peer | None) -> Content:
    """What there is to compare; without a peer only one's own half."""
    parts = [*_key_lines(f"You ({own.name})", own.fingerprint, own.key_bits)]
    if peer is None:
        parts += [Content(""), *map(Content, own.randomart), Content.styled(_PICTURES, "$muted")]
        parts += [
            Content(""),
            Content("Nobody is connected. Once somebody is, their key stands here beside yours."),
        ]
        return Content("\n").join(parts)
    parts += [Content(""), *_key_lines(peer.contact, peer.fingerprint, peer.key_bits), _trust_line(peer)]
    if peer.known_elsewhere:
        parts += [_namesake(peer)]
    parts += [Content(""), *side_by_side(own.randomart, peer.randomart, own.name, peer.contact)]
    parts += [
        Content.styled(_PICTURES, "$muted"),
        Content(""),
        Content(_HOW),
        Content(""),
        Content(_LIMITS),
    ]
    return Content("\n").join(parts)


def side_by_side(
    left: tuple[str, ...], right: tuple[str, ...], left_name: str, right_name: str
) -> list[Content]:
    """Two pictures beside each other, each below its name."""
    rows = [Content(f"{set_cell_size(left_name, _PICTURE_WIDTH - 1)} {right_name}")]
    return rows + [Content(f"{a:<{_PICTURE_WIDTH}}{b}") for a, b in zip_longest(left, right, fillvalue="")]


def _key_lines(name: str, fingerprint: str, bits: int) -> list[Content]:
    return [Content.assemble((name, "bold"), (f"   RSA {bits}", "$muted")), Content(f"  {fingerprint}")]


def _trust_line(peer: Peer) -> Content:
    word = f"  {wording.trust_glyph(peer.trust)} {wording.trust_word(peer.trust)}"
    return Content.assemble(
        (word, wording.trust_colour(peer.trust)),
        f"  {wording.trust_explanation(peer.trust)}; first seen {wording.day(peer.first_seen)}",
    )


def _namesake(peer: Peer) -> Content:
    return Content.styled(
        f"  ! Another contact bears this name, with the key {peer.known_elsewhere}", "$error"
    )
