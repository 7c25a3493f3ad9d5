"""Looking for what must be in no file, in whatever form it might be written there."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

_WINDOW: Final = 18
"""Bytes of a secret that are looked for at once: of a long one, any so many give it away."""


def forms(secret: bytes) -> frozenset[bytes]:
    """A secret as it is, in hexadecimal digits and in base64, wherever in a longer text that begins."""
    found = {secret, secret.hex().encode(), secret.hex().upper().encode()}
    for ahead in range(3):
        encoded = base64.b64encode(bytes(ahead) + secret)
        whole = encoded[-(-ahead * 4 // 3) : (ahead + len(secret)) * 4 // 3]
        found |= {whole, whole.translate(bytes.maketrans(b"+/", b"-_"))}
    return frozenset(found)


def of_text(text: str) -> frozenset[bytes]:
    """A text in UTF-8 and its forms, in UTF-16 and as a program's notation shows it."""
    return forms(text.encode()) | {text.encode("utf-16-le"), repr(text)[1:-1].encode()}


def of_bytes(secret: bytes) -> frozenset[bytes]:
    """The forms of every stretch of a secret: base64 may be broken into lines anywhere."""
    starts = range(0, max(len(secret) - _WINDOW, 0) + 1, 3)
    return frozenset().union(*(forms(secret[start : start + _WINDOW]) for start in starts))


def found_in(folder: Path, canaries: Mapping[str, Iterable[bytes]]) -> Iterator[tuple[str, str]]:
    """Give each canary that is found below a folder, and the path of the file there."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        for name, every in canaries.items():
            if any(form in content for form in every):
                yield name, str(path.relative_to(folder))
