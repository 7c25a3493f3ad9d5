"""Where an exported conversation goes."""

import os
import re
import time
from pathlib import Path
from typing import Final

from securechat_tui.chat.errors import CommandError

__all__ = ["export_path"]

_UNSUITABLE: Final = re.compile(r"[^\w]+")
_MOST: Final = 40
"""Characters of a person's name in that of a file."""


def export_path(file: str, name: str, when: float) -> Path:
    """What ``file`` means: a path, ``~`` being one's home; a folder, or nothing for that, gets a name.

    That says what it is, with whom, and when (Unix seconds). Raises CommandError for what can be no path.
    """
    try:
        path = Path(file).expanduser() if file else Path.home()
        is_nothing = b"\0" in os.fsencode(path)
    except (RuntimeError, UnicodeEncodeError):  # nobody's home, or signs that no name can have
        is_nothing = True
    if is_nothing:
        raise CommandError("bad-path", "There can be no such file: give another path.")
    if not os.path.isdir(path):  # noqa: PTH112 - says no where it may not look; writing then says why
        return path
    whom = _UNSUITABLE.sub("-", name).strip("-")[:_MOST] or "somebody"
    moment = time.strftime("%Y-%m-%d-%H%M%S", time.localtime(when))
    return path / f"securechat-conversation-with-{whom}-{moment}.jsonl"
