"""The one place of this room that reads the clocks."""

import asyncio
import time

from securechat_tui.protocol.events import Instant

__all__ = ["now"]


def now() -> Instant:
    """Say what time it is; the monotonic part is the running loop's, which its timers go by."""
    return Instant(asyncio.get_running_loop().time(), time.time())
