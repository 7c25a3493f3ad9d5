"""The real bytes that reach a real terminal."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest

APP = """
import sys
from securechat_tui.tui.environment import scrub_environment
import os
scrub_environment(os.environ)
assert "textual" not in sys.modules
from textual.app import App
from textual.widgets import Input, Static
from securechat_tui.chat.events import SafeText
from securechat_tui.tui.safety import SafetyFilter
from securechat_tui.tui.widgets.chat_log import ChatLog, MessageEntry

HOSTILE = "\\x1b]52;c;aGk=\\x07 \\x1b]0;owned\\x07 \\x1b[35;46mA \\x9b31mB \\u202egnp.exe\\u202c \\ue000 [/x] \\x1b]8;;http://evil\\x07"


class Shown(App):
    def get_line_filters(self):
        return [*super().get_line_filters(), SafetyFilter()]

    def compose(self):
        yield Static(HOSTILE, markup=False)
        yield Input(placeholder=HOSTILE)
        yield ChatLog()

    def on_mount(self):
        self.title = HOSTILE
        log = self.query_one(ChatLog)
        safe = SafeText(HOSTILE)
        log.append(MessageEntry(id="1", time=0, nick=safe, text=safe, verdict=HOSTILE[:12]))
        log.border_title = "[/x]".replace("[", "\\\\[")
        self.notify(HOSTILE, title=HOSTILE, markup=False)
        self.call_after_refresh(self.bell)
        self.set_timer(0.3, self.finish)

    def finish(self):
        self.query_one(Static).update("all is shown")
        self.call_after_refresh(self.exit)


Shown().run()
"""
"""Shows hostile text in four kinds of widgets, then leaves."""

FORBIDDEN = {
    "clipboard": rb"\x1b\]52",
    "title": rb"\x1b\]0;|\x1b\]2;",
    "link": rb"\x1b\]8;",
    "foreign colour": rb"\x1b\[35;46m",
    "c1": rb"\xc2[\x80-\x9f]",
    "bidi": rb"\xe2\x80[\x8e\x8f\xaa-\xae]|\xe2\x81[\xa6-\xa9]",
    "private use": rb"\xee[\x80-\xbf][\x80-\xbf]",
}


def shown_bytes(folder: Path) -> bytes:
    """Everything the app writes to its terminal, from start to end."""
    script = folder / "shown.py"
    script.write_text(APP, encoding="utf-8")
    environment = {
        **os.environ,
        "TERM": "xterm-256color",
        "LC_ALL": "C.UTF-8",
        "TEXTUAL_LOG": str(folder / "log"),
    }
    child = pexpect.spawn(
        sys.executable, [str(script)], env=environment, dimensions=(30, 100), timeout=30, encoding=None
    )
    try:
        child.expect(pexpect.EOF)
        output = child.before
    finally:
        child.close(force=True)
    assert isinstance(output, bytes)
    assert child.exitstatus == 0, output[-2000:]
    assert not (folder / "log").exists()
    return output


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return shown_bytes(tmp_path_factory.mktemp("terminal"))


def test_the_texts_are_there(output: bytes) -> None:
    assert b"gnp.exe" in output
    assert b"[/x]" in output
    assert b"all is shown" in output


@pytest.mark.parametrize("name", FORBIDDEN)
def test_no_hostile_sequence_reaches_the_terminal(output: bytes, name: str) -> None:
    assert not re.search(FORBIDDEN[name], output)


def test_the_environment_is_scrubbed_without_importing_textual() -> None:
    code = (
        "import sys; from securechat_tui.tui.environment import scrub_environment; "
        "sys.exit(any(name.split('.')[0] in {'textual', 'rich'} for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
