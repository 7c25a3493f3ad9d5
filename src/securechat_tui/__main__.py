"""``python -m securechat_tui`` is ``securechat-tui``."""

import sys

from securechat_tui.cli import main

if __name__ == "__main__":
    sys.exit(main())
