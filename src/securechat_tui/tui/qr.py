"""QR codes in half blocks: two modules above each other make one cell."""

import re
from typing import cast

from textual.content import Content

__all__ = ["qr_code"]

_ALPHANUMERIC = re.compile(r"[0-9A-Z $%*+\-./:]+|[^0-9A-Z $%*+\-./:]+")
_BORDER = 2
_CELLS = {(True, True): " ", (True, False): "▄", (False, True): "▀", (False, False): "█"}
_INK = "#ffffff on #000000"
"""Dark modules on light ones, whatever the theme: many readers take nothing else. The light ones are drawn,
so that it is still so on a dark terminal where colours are off."""


def qr_code(text: str) -> Content:
    """Draw a code (ISO/IEC 18004) for ``text``.

    Capitals take five and a half bits a character instead of eight: use them where case makes no difference.
    A screen does not get stained, so the lowest level of error correction does; a border of two modules is
    what readers need in practice.
    """
    import segno  # noqa: PLC0415 - brings half of the standard library along, which no start shall wait for

    parts = _ALPHANUMERIC.findall(text)
    # make() takes a list of parts, each with the mode that suits it; its type stub knows of one text only.
    code = segno.make(cast("str", parts), error="l", boost_error=False, micro=False)
    rows = [[bool(module) for module in row] for row in code.matrix_iter(border=_BORDER)]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    pairs = zip(rows[::2], rows[1::2], strict=True)
    lines = ["".join(_CELLS[cell] for cell in zip(*pair, strict=True)) for pair in pairs]
    return Content.styled("\n".join(lines), _INK)
