"""What a hostile peer says, as it stands on the wire, and what of it must never reach a terminal."""

import re
from typing import Final

from chat_boxes import Boxes
from chat_raw import RawPeer

from securechat_tui.protocol.payloads import Hello, HelloFlag, Resume
from securechat_tui.protocol.text import SafeText

NAME: Final = "\x1b]0;owned\x07\u202egnp\u2066\u009b31m[/x]\u200b\x1b]8;;http://evil.example\x07Eve"
"""Within the 256 bytes of a name."""

SHORT: Final = (
    "clipboard \x1b]52;c;b3duZWQ=\x07",
    "title \x1b]0;owned\x07\x1b]2;owned\x1b\\",
    "link \x1b]8;;http://evil.example\x07here\x1b]8;;\x07",
    "colours \x1b[31;46;5mred\x1b[2J\x1b[H\x1b[?1049l\x1b[?25h\x1bc",
    "device \x1bP+q544e\x1b\\\x1b[6n\x1b]10;?\x07",
    "c1 \u009b31;46;5mred \u009d0;owned\u009c \u0090q\u009c \u0085",
    "bidi \u202egnp.exe\u202c \u2066isolated\u2069 \u200f\u200e\u061c",
    "invisible \u200b\u2060\ufeff\u00ad\u2063 \U000e0041\U000e007f \u3164",
    "bell \x07\x07\x08\x08\x7f\x00\x0e",
    "lines \r\x0b\x0c\u2028\u2029fake: line",
    "private \ue000\uf8ff\U000f0000 unassigned \U000e0fff \uffff",
    "markup [/x] [bold]not bold[/bold] [@click=app.quit]x[/] [link=http://evil.example]y[/link]",
)
LONG: Final = (
    "marks a" + "\u0301" * 10_000,
    "long " + "Z" * (32 * 1024 - 5),
)
LAST: Final = "that was all"

FORBIDDEN: Final = {
    "clipboard": rb"\x1b\]52",
    "title": rb"\x1b\](?:0|1|2);",
    "link": rb"\x1b\]8;",
    "query": rb"\x1bP|\x1b\[6n|\x1b\]10;",
    "reset": rb"\x1bc",
    "foreign colour": rb"\x1b\[31;46;5m",
    "c1": rb"\xc2[\x80-\x9f]",
    "bell and friends": rb"[\x00\x08\x0b\x0c\x0e\x7f]|(?<!\x1b\]22;default)\x07",
    "bidi": rb"\xe2\x80[\x8e\x8f\xaa-\xae]|\xe2\x81[\xa6-\xa9]|\xd8\x9c",
    "invisible": rb"\xe2\x80[\x8b\xa8\xa9]|\xe2\x81[\xa0-\xa4]|\xef\xbb\xbf|\xf3\xa0[\x80\x81]|\xe3\x85\xa4",
    "private": rb"\xee[\x80-\xbf][\x80-\xbf]|\xef[\x80-\xa3][\x80-\xbf]|\xf3\xb0",
    "a tower of marks": rb"(?:\xcc\x81){5}",
}
"""Classes of bytes as a terminal would take them. Textual needs the bell alone, to end a pointer's shape."""


def hostile_bytes(raw: bytes | bytearray) -> dict[str, bytes]:
    """Return what of the forbidden is there, by class, with some bytes around it."""
    found = {name: re.search(pattern, raw) for name, pattern in FORBIDDEN.items()}
    return {name: bytes(raw[max(one.start() - 20, 0) : one.end() + 20]) for name, one in found.items() if one}


async def open_as(peer: RawPeer, name: str) -> None:
    """Complete the handshake, HELLO and RESUME, under a name that nobody has sanitised."""
    await peer.established()
    peer._boxes = Boxes(peer.key, peer.session._handshake.peer)
    peer.send(Hello(SafeText(name), 1_700_000_000_000, HelloFlag(0)))
    await peer.until_payload(Resume)
    theirs = next(one for one in peer.payloads if isinstance(one, Resume))
    peer.boxes.inbox.announce(theirs.generation)
    peer.send(peer.boxes.resume())
    peer.flush()


async def hear(peer: RawPeer, text: str) -> None:
    """Wait for a message that says ``text``, and acknowledge it."""
    heard: list[str] = []

    def there() -> bool:
        heard.extend(peer.read_messages())
        return text in heard

    await peer.until(there)
    assert text in heard, f"closed instead: {peer.ended}"
    peer.acknowledge()
