"""The full-screen face of the engine, in Textual.

Textual reads its variables when it is imported, so what could make it log, record or type is taken
out of the environment here, before any module of this package imports it. Where it has been imported
already, it is too late, and somebody else's variables are left alone.
"""

import os
import sys

from securechat_tui.tui.environment import scrub_environment

if "textual" not in sys.modules:
    scrub_environment(os.environ)
