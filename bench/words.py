"""What people write to each other, for measuring: the same words in every run."""

import random
from collections.abc import Iterator
from typing import Final

__all__ = ["texts"]

_TEXT: Final = """
the to and a of in is it you that for on with have be at this not are we so what can if me just your
about like time know see now think good okay yes tomorrow tonight later train meeting coffee
naïve Straße 漢字かな交じり文 👍 ❤️ 🎉 https://example.org/a/rather/long/path?with=a&query=too
"""
_WORDS: Final = _TEXT.split()
_SEED: Final = 20_241_126
_LONG: Final = 40
_LINES: Final = 100


def texts(count: int) -> Iterator[str]:
    """Yield ``count`` messages: mostly a line, some of several lines, one in forty long."""
    dice = random.Random(_SEED)
    for number in range(count):
        words = dice.randint(40, 120) if number % _LONG == _LONG - 1 else dice.randint(1, 18)
        text = " ".join(dice.choices(_WORDS, k=words))
        yield text.replace(" the ", "\n", 3) if number % _LINES == 0 else text
