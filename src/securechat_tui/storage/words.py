"""Words, as the full-text index has them and as a search asks for them: both must cut a text alike.

The index takes a run of letters for a word. Scripts that put no space between words (Chinese, Japanese,
Thai, Lao, Khmer, Burmese) would have a sentence for one word, so that each of their characters is one here,
and what is looked for is such characters in a row: any part of a text can be found.
"""

import re
from typing import Final

from securechat_tui.protocol.text import SafeText

__all__ = ["indexed", "query"]

_MAX_WORDS: Final = 32
"""Words of one search; what is typed beyond them is not looked for."""
_UNSPACED: Final = re.compile(
    "(["
    "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "])"
)


def indexed(text: str) -> str:
    """A message's text as the index takes it."""
    return _UNSPACED.sub(r" \1 ", text)


def query(text: str) -> str:
    """What finds the messages with all the words of ``text``, of the last one the beginning; empty for none.

    Nothing in ``text`` is an operator: each word is quoted.
    """
    words = SafeText.multi(text).split()[:_MAX_WORDS]  # as the messages were when they were indexed
    quoted = ('"' + indexed(word).replace('"', '""') + '"' for word in words)
    return " ".join(quoted) + " *" if words else ""
