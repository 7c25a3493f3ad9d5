"""The two kinds of value that a face needs before there is an engine: visible text, and trust.

They are those of the events. Importing them from here loads nothing else of the rooms below.
"""

from securechat_tui.protocol.text import SafeText
from securechat_tui.trust.states import Trust

__all__ = ["SafeText", "Trust"]
