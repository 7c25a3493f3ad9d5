"""The product's frames, cut and named for who looks at them; ``docs/protocol.md`` defines them."""

from collections.abc import Iterable, Iterator
from typing import Final

from securechat_tui.lab.steps import Field, laid_out
from securechat_tui.lab.units import HEADER, Framed
from securechat_tui.protocol import constants as c

__all__ = ["dissect", "splitter"]

_KINDS: Final = {
    ord("K"): ("key", c.K2_LENGTH),
    ord("S"): ("session", c.S_LENGTH),
    ord("F"): ("fin", c.FIN_LENGTH),
    ord("M"): ("message", c.RECORD_CAP),
    ord("H"): ("hint", c.HINT_CAP),
}
_K1_FRONT: Final = 1 + 2


def dissect(kind: str, data: bytes) -> tuple[Field, ...]:
    """Name the parts of a frame."""
    body = len(data) - HEADER
    if kind == "key" and body == c.K2_LENGTH:
        parts = _sealed(
            body,
            ("version", 2),
            ("X25519 share", c.X25519_LENGTH),
            ("ML-KEM ciphertext", c.MLKEM_CIPHERTEXT_LENGTH),
        )
    elif kind == "key":
        fresh = (("X25519 share", c.X25519_LENGTH), ("ML-KEM key", c.MLKEM_KEY_LENGTH))
        parts = (("versions", _K1_FRONT), *fresh, ("tags", body - _K1_FRONT - sum(size for _, size in fresh)))
    elif kind == "message":
        parts = _sealed(body, ("epoch", c.EPOCH_LENGTH))
    elif kind == "session":
        parts = _sealed(body)
    else:
        parts = ((kind, body),)
    return laid_out(("type", 1), ("length", HEADER - 1), *_within(body, parts))


def _within(body: int, parts: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int]]:
    """Cut off what a frame that is too short does not have."""
    left = body
    for name, size in parts:
        present = max(0, min(size, left))
        left -= present
        yield name, present


def _sealed(body: int, *before: tuple[str, int]) -> tuple[tuple[str, int], ...]:
    inner = body - sum(size for _, size in before) - c.AEAD_TAG_LENGTH
    return (*before, ("ciphertext", inner), ("tag", c.AEAD_TAG_LENGTH))


def splitter(role: str) -> Framed:
    """Cut what ``role`` writes."""
    return Framed(role, _KINDS, dissect)
