"""What was said, searched, drafted or wiped is in no file, nor is whom one talks with; nor are keys."""

import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from canaries import found_in, of_bytes, of_text
from terminal_desk import Desk
from terminal_programs import contacts_of, profile_folder, settle
from terminal_screen import ENTER

from securechat_tui.protocol.signing import conversation_id
from securechat_tui.storage.contacts import encode_contacts
from securechat_tui.storage.keystore import open_keys
from securechat_tui.storage.profile import Profile
from securechat_tui.trust.pins import Pins

FROM_HOST, FROM_GUEST, DRAFT = "nachtigall-Ölfarbe", "zaunkoenig-Ähre", "rotkehlchen-Übung"
HOST, GUEST = "Ziegenmelker", "Wendehals"
"""What the two call themselves."""
KNOWN = {"identity.pem", "config.toml", "lock", "index.db"}
"""The files of a profile besides its conversations."""
HEAD, TAIL = 40, 8
"""Bytes at the beginning and the end of a public key that are the same in each."""


@dataclass(frozen=True)
class Person:
    """One of the two, and what gives them away."""

    profile: str
    name: str
    canaries: dict[str, frozenset[bytes]]
    store_key: bytes
    fingerprint: bytes

    @classmethod
    def of(cls, home: Path, profile: str, name: str) -> "Person":
        settle(home, profile, called=name)
        with Profile(profile, profile_folder(home, profile)) as place:
            keys = open_keys(place)
        assert keys is not None
        own = keys.identity.public
        canaries = {
            "name": of_text(name),
            "public key": of_bytes(own.spki[HEAD:-TAIL]),
            "fingerprint": of_bytes(own.fingerprint) | of_text(str(own.fingerprint)),
        }
        return cls(profile, name, canaries, keys.store, own.fingerprint)


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
    people = [Person.of(home, "default", HOST), Person.of(home, "bob", GUEST)]
    host = empty_desk.terminal("host", "--bind", "127.0.0.1:0", size=(120, 36))
    await host.wait_for("securechat-tui join")
    address = host.find(r"securechat-tui join (\S+)")
    guest = empty_desk.piped("--profile", "bob", "join", address, "--json")
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
    left = look(home, people)
    guest.signal(signal.SIGKILL)
    await host.wait_for("connection lost")
    await host.send(b"\x15", "/wipe", ENTER)
    await host.wait_for("Wipe")
    await host.send(GUEST, ENTER)
    await host.wait_for("destroyed here")
    await host.enter("/quit")
    assert await host.wait_exit() == 0
    left += look(home, people)
    for command in (("contacts", "show", HOST), ("doctor",)):
        program = empty_desk.piped("--profile", "bob", *command)
        await program.wait_exit()
        assert (HOST in program.out) == (command[0] == "contacts"), "it is known, and shown on demand alone"
    left += look(home, people)
    assert left == []
    assert list(temporary.iterdir()) == []
    unknown = {
        path.name for path in home.rglob("*") if path.is_file() and path.parent.name != "conversations"
    }
    assert unknown <= KNOWN | {name + end for name in KNOWN for end in ("-wal", "-shm")}
    check_that_it_is_found(home, people)


def look(home: Path, people: Sequence[Person]) -> list[str]:
    """What is found where it should not be: everywhere, but for one's own name and key in one's own files."""
    canaries = {text: of_text(text) for text in (FROM_HOST, FROM_GUEST, DRAFT)}
    canaries["an address"] = of_text("127.0.0.1")
    canaries["a conversation"] = of_bytes(conversation_id(*(one.fingerprint for one in people)))
    allowed = set()
    for one in people:
        canaries |= {f"{what} of {one.profile}": every for what, every in one.canaries.items()}
        canaries[f"the key of {one.profile}'s history"] = of_bytes(one.store_key)
        for contact in contacts_of(home, one.profile):
            canaries[f"a reconnect secret of {one.profile}"] = of_bytes(contact.newest or b"")
        own = Path("profiles", one.profile)
        allowed |= {
            (f"name of {one.profile}", str(own / "config.toml")),
            (f"public key of {one.profile}", str(own / "identity.pem")),
            (f"the key of {one.profile}'s history", str(own / "identity.pem")),
        }
    found = set(found_in(home, canaries))
    assert found >= allowed, "what is there is found"
    return [f"{what} in {where}" for what, where in sorted(found - allowed)]


def check_that_it_is_found(home: Path, people: Sequence[Person]) -> None:
    """The search finds what an earlier version wrote."""
    (contact,) = contacts_of(home, "bob")
    file = home / "contacts.json"
    file.write_bytes(encode_contacts(Pins((contact,))))
    wanted = {f"{what} of default" for what in ("name", "public key", "fingerprint", "a reconnect secret")}
    wanted |= {"a reconnect secret of bob", "an address"}
    assert {one.removesuffix(" in contacts.json") for one in look(home, people)} == wanted
