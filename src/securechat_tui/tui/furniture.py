"""What the app is furnished with once there is an engine, in one import.

A thread can do that import while the start screen stands; see :mod:`securechat_tui.tui.chat_app`.
"""

from securechat_tui.tui.attention import Attention
from securechat_tui.tui.ctrl_c import CtrlC
from securechat_tui.tui.desk import CommandDesk
from securechat_tui.tui.key_change import KeyChange
from securechat_tui.tui.perform import EngineJobs, opening_job
from securechat_tui.tui.reactions import Reactions
from securechat_tui.tui.screens.chat import ChatScreen
from securechat_tui.tui.screens.passphrase import PassphraseScreen
from securechat_tui.tui.screens.welcome import WelcomeScreen
from securechat_tui.tui.state import ChatState
from securechat_tui.tui.switchboard import Switchboard

__all__ = [
    "Attention",
    "ChatScreen",
    "ChatState",
    "CommandDesk",
    "CtrlC",
    "EngineJobs",
    "KeyChange",
    "PassphraseScreen",
    "Reactions",
    "Switchboard",
    "WelcomeScreen",
    "opening_job",
]
