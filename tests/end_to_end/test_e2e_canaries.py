"""What was said, searched, drafted or wiped is in no file, nor are keys; names are in two that are known."""

import base64
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from passphrases import traces
from terminal_desk import Desk
from terminal_programs import profile_folder, settle
from terminal_screen import ENTER

from securechat_tui.storage.keystore import open_keys
from securechat_tui.storage.profile import Profile

FROM_HOST, FROM_GUEST, DRAFT = "nachtigall-Ölfarbe", "zaunkoenig-Ähre", "rotkehlchen-Übung"
PERSON = "Wendehals"
"""What the guest calls itself."""
KNOWN = {"identity.pem", "contacts.json", "config.toml", "lock", "index.db"}
"""The files of a profile besides its conversations."""


def keys_of(home: Path, profile: str) -> tuple[bytes, bytes]:
    """Read the key of the history and the public key of a person."""
    place = Profile(profile, profile_folder(home, profile))
    with place:
        keys = open_keys(place)
    assert keys is not None
    return keys.store, keys.identity.public.spki


def holding(home: Path, secret: bytes) -> set[str]:
    """The files that hold these bytes, as they are or as text."""
    text = base64.b64encode(secret)
    forms = (secret, secret.hex().encode(), text[: len(text) // 4 * 4 - 4], text.rstrip(b"=")[:40])
    files = [path for path in home.rglob("*") if path.is_file()]
    return {path.name for path in files if any(form in path.read_bytes() for form in forms)}


@pytest.mark.skipif(sys.platform == "win32", reason="there are no core files")
async def test_a_crash_would_leave_no_core_file(desk: Desk) -> None:
    import resource  # noqa: PLC0415 - it is not there on Windows

    host = desk.piped("host", "--bind", "127.0.0.1:0", "--json")
    await host.see("listening")
    if hasattr(resource, "prlimit"):
        assert resource.prlimit(host.process.pid, resource.RLIMIT_CORE) == (0, 0)


async def test_a_session_leaves_no_canary(empty_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    home = empty_desk.home
    temporary = home / "temporary"
    temporary.mkdir(parents=True)
    monkeypatch.setenv("TMPDIR", str(temporary))
    settle(home, "default", called="Alice")
    settle(home, "bob", called=PERSON)
    keys = [keys_of(home, profile) for profile in ("default", "bob")]
    assert all(holding(home, store) == {"identity.pem"} for store, _ in keys), "what is there is found"
    host = empty_desk.terminal("host", "--bind", "127.0.0.1:0", size=(120, 36))
    await host.wait_for("securechat-tui join")
    guest = empty_desk.piped("--profile", "bob", "join", host.find(r"securechat-tui join (\S+)"), "--json")
    conversation = (await guest.see("secure"))["conversation"]
    guest.do(cmd="send", text=FROM_GUEST)
    await host.wait_for(FROM_GUEST)
    await host.enter(FROM_HOST)
    await guest.see("message", text=FROM_HOST)
    guest.do(cmd="search", text=FROM_HOST[:8])
    assert (await guest.see("found"))["messages"]
    guest.do(cmd="history", conversation=conversation)
    assert (await guest.see("history"))["messages"]
    await host.wait_for("✓✓")
    await host.send(DRAFT)
    await host.wait_for(DRAFT)
    left = look(home, keys)
    guest.signal(signal.SIGKILL)
    await host.wait_for("connection lost")
    await host.send(b"\x15", "/wipe", ENTER)
    await host.wait_for("Wipe")
    await host.send(PERSON, ENTER)
    await host.wait_for("destroyed here")
    await host.enter("/quit")
    assert await host.wait_exit() == 0
    left += look(home, keys)
    assert left == []
    assert holding(home, keys[1][1]) == {"contacts.json"}, "what is there is found"
    assert list(temporary.iterdir()) == []
    unknown = {
        path.name for path in home.rglob("*") if path.is_file() and path.parent.name != "conversations"
    }
    assert unknown <= KNOWN | {name + end for name in KNOWN for end in ("-wal", "-shm")}


def look(home: Path, keys: Sequence[tuple[bytes, bytes]]) -> list[str]:
    """What is found where it should not be."""
    found = [f"{text} in {name}" for text in (FROM_HOST, FROM_GUEST, DRAFT) for name in traces(home, text)]
    found += [f"a name in {name}" for name in set(traces(home, PERSON)) - {"contacts.json", "config.toml"}]
    for store, spki in keys:
        found += [f"the history's key in {name}" for name in holding(home, store) - {"identity.pem"}]
        found += [f"a public key in {name}" for name in holding(home, spki) - {"contacts.json"}]
    return found
