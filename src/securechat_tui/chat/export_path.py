"""Where an exported conversation goes."""

import re
import time
from pathlib import Path
from typing import Final

__all__ = ["export_path"]

_UNSUITABLE: Final = re.compile(r"[^\w]+")
_MOST: Final = 40
"""Characters of a person's name in that of a file."""


def export_path(file: str, name: str, when: float) -> Path:
    """What ``file`` means: a path, ``~`` being one's home; a folder, or nothing for that, gets a name.

    That says what it is, with whom, and when (Unix seconds).
    """
    path = Path(file).expanduser() if file else Path.home()
    if not path.is_dir():
        return path
    whom = _UNSUITABLE.sub("-", name).strip("-")[:_MOST] or "somebody"
    moment = time.strftime("%Y-%m-%d-%H%M%S", time.localtime(when))
    return path / f"securechat-conversation-with-{whom}-{moment}.jsonl"
