"""What Textual may read from the environment. Imports nothing of it: Textual reads at import."""

from collections.abc import MutableMapping
from typing import Final

__all__ = ["scrub_environment"]

_PREFIX: Final = "TEXTUAL"

_HARMLESS: Final = frozenset(
    {
        # How things look and feel to the person at the terminal; none of them stores or sends anything.
        "TEXTUAL_ANIMATIONS",
        "TEXTUAL_COLOR_SYSTEM",
        "TEXTUAL_DIM_FACTOR",
        "TEXTUAL_DISABLE_KITTY_KEY",
        "TEXTUAL_FILTERS",
        "TEXTUAL_FPS",
        "TEXTUAL_SMOOTH_SCROLL",
        "TEXTUAL_SPEEDUPS",
        "TEXTUAL_THEME",
        # Only when a warning goes to a log that is not written.
        "TEXTUAL_SLOW_THRESHOLD",
        # Read by a test plugin alone.
        "TEXTUAL_SNAPSHOT_TEMPDIR",
    }
)
"""Everything else that begins with TEXTUAL goes, known or not:

``TEXTUAL`` and ``TEXTUAL_DEBUG``
    Switch on developer features: every event, keys included, goes to whoever listens on a port.
``TEXTUAL_DEVTOOLS_HOST``, ``TEXTUAL_DEVTOOLS_PORT``
    Say where that is, another machine if need be.
``TEXTUAL_LOG``
    A file that every log line is appended to, with whatever permissions the umask leaves.
``TEXTUAL_SCREENSHOT``, ``TEXTUAL_SCREENSHOT_LOCATION``, ``TEXTUAL_SCREENSHOT_FILENAME``
    Write what is on the screen to disk, in plain text.
``TEXTUAL_DRIVER``
    Imports any module as the terminal, which then sees every key and every message.
``TEXTUAL_PRESS``
    Types keys nobody pressed.
``TEXTUAL_SHOW_RETURN``
    Prints what the app returns to the terminal's scrollback.
``TEXTUAL_ALLOW_SIGNALS``
    Lets Ctrl+C end the program without the goodbye.
"""


def scrub_environment(environ: MutableMapping[str, str]) -> tuple[str, ...]:
    """Remove what makes Textual log, record, send or type; returns the names removed, sorted.

    To be called on ``os.environ`` before Textual is imported for the first time: it reads its
    variables at import.
    """
    # Names are compared in upper case, as Windows would.
    removed = sorted(
        name for name in environ if name.upper().startswith(_PREFIX) and name.upper() not in _HARMLESS
    )
    for name in removed:
        del environ[name]
    return tuple(removed)
