"""The passphrase of the installed program: at a real terminal, on the screen, and from a descriptor."""

import json
import os
import signal
import subprocess
import termios
from collections.abc import Sequence
from pathlib import Path

import pytest
from passphrases import CANARY, protect, traces
from protocol_peers import identity_key
from terminal_desk import Desk
from terminal_programs import PROGRAM, SAFETY_SECONDS, environment, profile_folder, settle
from terminal_screen import ENTER, Terminal, is_restored

from securechat_tui.storage.keystore import decode_clear

ASKED = "Passphrase of the identity 'default':"
WRONG = "That is not the passphrase."
FINGERPRINT = str(identity_key("alice").public.fingerprint)


@pytest.fixture
def home(empty_desk: Desk) -> Path:
    """Where alice's identity is under a passphrase."""
    settle(empty_desk.home, "default", key="alice", called="Alice")
    protect(profile_folder(empty_desk.home, "default"), identity_key("alice"))
    return empty_desk.home


def assert_told_nobody(home: Path, *terminals: Terminal) -> None:
    assert traces(home) == []
    for terminal in terminals:
        assert CANARY.encode() not in terminal.raw
        assert "kanarienvogel" not in terminal.text


def of_process(terminal: Terminal, name: str) -> bytes:
    """What the system tells everybody of a program; nothing where it has no /proc."""
    path = Path(f"/proc/{terminal.pid}/{name}")
    return path.read_bytes() if path.exists() else b""


def until_it_reads(terminal: Terminal) -> None:
    """Wait until the program sleeps: a signal before its read began would interrupt nothing."""
    while of_process(terminal, "stat").rpartition(b") ")[2][:1] not in {b"S", b""}:
        os.sched_yield()


def echoes(terminal: Terminal) -> bool:
    return bool(termios.tcgetattr(terminal._fd)[3] & termios.ECHO)


async def test_a_terminal_asks_without_echo_until_it_is_right(empty_desk: Desk, home: Path) -> None:
    terminal = empty_desk.terminal("identity", "show")
    await terminal.wait_for(ASKED)
    assert not echoes(terminal)
    await terminal.send("krokodil", ENTER)
    await terminal.wait_for(WRONG, lambda one: one.text.count(ASKED) == 2)
    await terminal.send(CANARY, ENTER)
    await terminal.wait_for(FINGERPRINT, "Alice")
    assert await terminal.wait_exit() == 0
    assert "krokodil" not in terminal.text
    assert_told_nobody(home, terminal)


async def test_a_conversation_in_lines_asks_first(empty_desk: Desk, home: Path) -> None:
    terminal = empty_desk.terminal("host", "--bind", "127.0.0.1:0", "--plain", size=(120, 36))
    await terminal.wait_for(ASKED)
    assert "127.0.0.1" not in terminal.text
    await terminal.send(CANARY, ENTER)
    await terminal.wait_for("127.0.0.1:")
    assert echoes(terminal)
    await terminal.send("/quit", ENTER)
    assert await terminal.wait_exit() == 0
    assert_told_nobody(home, terminal)


@pytest.mark.parametrize(
    ("number", "keys"),
    [(signal.SIGTERM, b""), (signal.SIGHUP, b""), (None, b"\x03"), (None, b"\x04")],
    ids=str,
)
async def test_leaving_the_prompt_restores_the_terminal(
    empty_desk: Desk, home: Path, number: signal.Signals | None, keys: bytes
) -> None:
    before = (profile_folder(home, "default") / "identity.pem").read_bytes()
    terminal = empty_desk.terminal("identity", "show")
    await terminal.wait_for(ASKED)
    until_it_reads(terminal)
    descriptor = os.dup(terminal._fd)
    if number is not None:
        terminal.signal(number)
    await terminal.send(keys)
    assert await terminal.wait_exit() == 130
    assert termios.tcgetattr(descriptor)[3] & termios.ECHO
    os.close(descriptor)
    assert (profile_folder(home, "default") / "identity.pem").read_bytes() == before


async def test_the_screen_asks_before_everything_else(empty_desk: Desk, home: Path) -> None:
    terminal = empty_desk.terminal(size=(80, 24))
    await terminal.wait_for("Passphrase of the identity 'default'", "Enter opens")
    await terminal.send("krokodil")
    await terminal.wait_for("••••••••")
    await terminal.send(ENTER)
    await terminal.wait_for(WRONG)
    # Wherever the lines break, which depends on where the test's files are.
    await terminal.wait_for(lambda one: "Thenexttry" not in "".join(filter(str.isalpha, one.text)))
    await terminal.send(CANARY)
    await terminal.wait_for("•" * len(CANARY))
    told = [of_process(terminal, name) for name in ("cmdline", "environ")]
    assert not any(b"kanarienvogel" in one for one in told)
    await terminal.send(ENTER)
    await terminal.wait_for("You are Alice", "Host", "Join")
    await terminal.send(b"\x03\x03")
    assert await terminal.wait_exit() == 0
    assert is_restored(terminal.raw)
    assert_told_nobody(home, terminal)


async def test_the_first_run_sets_one_and_the_next_start_asks_for_it(empty_desk: Desk) -> None:
    first = empty_desk.terminal(size=(80, 24))
    await first.wait_for("Your name, as others will see it", "Create my identity")
    await first.send(b"\x05\x15")  # to the end of the line, and all of it away
    await first.wait_for("a name")
    await first.send("Zoe")
    await first.wait_for("Zoe")
    # As a program that fills in forms types it: all at once, and nothing may land in the field before.
    await first.send(b"\t", CANARY, b"\t", CANARY)
    await first.wait_for(lambda one: one.text.count("•" * len(CANARY)) == 2)
    await first.send(ENTER)
    await first.wait_for("You are Zoe", "Join")
    await first.send(b"\x03\x03")
    assert await first.wait_exit() == 0
    again = empty_desk.terminal(size=(50, 20))
    await again.wait_for("Passphrase of the identity")
    await again.send(CANARY, ENTER)
    await again.wait_for("You are Zoe", "Join")
    await again.send(b"\x03\x03")
    assert await again.wait_exit() == 0
    assert_told_nobody(empty_desk.home, first, again)


async def test_set_export_import_and_remove_at_the_terminal(empty_desk: Desk) -> None:
    """The whole way, with the real cost of a guess."""
    home = empty_desk.home
    settle(home, "default", key="alice", called="Alice")
    setting = empty_desk.terminal("identity", "passphrase", size=(200, 24))
    await type_twice(setting, "New passphrase for the identity 'default':", CANARY)
    await setting.wait_for("The key is under the passphrase now")
    assert await setting.wait_exit() == 0

    file = home / "alice.backup"
    exporting = empty_desk.terminal("identity", "export", str(file), size=(200, 24))
    await exporting.wait_for(ASKED)
    await exporting.send(CANARY, ENTER)
    await type_twice(exporting, "New passphrase for the backup:", f"{CANARY} 2")
    await exporting.wait_for(FINGERPRINT, "Not in it: messages")
    assert await exporting.wait_exit() == 0

    importing = empty_desk.terminal("--profile", "new", "identity", "import", str(file), size=(200, 24))
    await importing.wait_for("Passphrase of the backup:")
    await importing.send(CANARY, ENTER)
    await importing.wait_for("not the passphrase of this backup")
    await importing.wait_for(lambda one: one.text.count("Passphrase of the backup:") == 2)
    await importing.send(f"{CANARY} 2", ENTER)
    await importing.wait_for("Restored as of", FINGERPRINT)
    assert await importing.wait_exit() == 0

    removing = empty_desk.terminal("--profile", "new", "identity", "passphrase", "--remove", size=(200, 24))
    await removing.wait_for("Passphrase of the identity 'new':")
    await removing.send(f"{CANARY} 2", ENTER)
    await removing.wait_for("The key has no passphrase now")
    assert await removing.wait_exit() == 0
    keys = [(profile_folder(home, name) / "identity.pem").read_bytes() for name in ("default", "new")]
    assert keys[0].startswith(b"securechat-tui identity 2\n$argon2id$v=19$m=65536,t=3,p=4$")
    assert decode_clear(keys[1])[0].public == identity_key("alice").public
    assert_told_nobody(home, setting, exporting, importing, removing)


async def type_twice(terminal: Terminal, prompt: str, text: str) -> None:
    await terminal.wait_for(prompt)
    await terminal.send(text, ENTER)
    await terminal.wait_for("The same again:")
    await terminal.send(text, ENTER)


def piped(
    home: Path, arguments: Sequence[str], *lines: str, given: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run the program without a terminal, with these lines at the descriptor that the environment names."""
    reading, writing = os.pipe()
    os.write(writing, "".join(f"{line}\n" for line in lines).encode())
    os.close(writing)
    more = {"SECURECHAT_TUI_PASSPHRASE_FD": str(reading)} if given else {}
    try:
        return subprocess.run(
            [str(PROGRAM), *arguments],
            input='{"cmd":"quit"}\n',
            capture_output=True,
            text=True,
            env=environment(home, **more),
            pass_fds=(reading,),
            start_new_session=True,
            timeout=SAFETY_SECONDS,
            check=False,
        )
    finally:
        os.close(reading)


HOST = ("host", "--bind", "127.0.0.1:0", "--json")


def test_a_program_gives_it_by_a_descriptor(home: Path) -> None:
    done = piped(home, HOST, CANARY)
    assert done.returncode == 0, done.stderr
    ready = json.loads(done.stdout.splitlines()[0])
    assert (ready["event"], ready["fingerprint"]) == ("ready", FINGERPRINT)
    assert CANARY not in done.stdout + done.stderr


@pytest.mark.parametrize("arguments", [HOST, ("identity", "show"), ("identity", "passphrase")], ids=" ".join)
def test_a_descriptor_has_one_try(home: Path, arguments: Sequence[str]) -> None:
    done = piped(home, arguments, "krokodil", CANARY)
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.startswith(f"securechat-tui: {WRONG}")
    assert done.stderr.count("\n") == 1
    assert "krokodil" not in done.stderr


def test_without_terminal_and_descriptor_it_says_what_to_do(home: Path) -> None:
    done = piped(home, HOST, given=False)
    assert (done.returncode, done.stdout) == (5, "")
    assert "SECURECHAT_TUI_PASSPHRASE_FD" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_doctor_needs_none(home: Path) -> None:
    done = piped(home, ("doctor", "--json"), given=False)
    found = {one["check"]: one for one in map(json.loads, done.stdout.splitlines())}
    assert done.stderr == ""
    assert found["identity"]["state"] == "ok"
    assert "passphrase" in found


async def test_the_doctor_leaves_a_real_terminal_as_it_was(empty_desk: Desk, home: Path) -> None:
    terminal = empty_desk.terminal("doctor", size=(120, 40))
    await terminal.wait_for("Nothing is wrong.")
    assert echoes(terminal)
    assert await terminal.wait_exit() == 0
    assert "80x24" not in terminal.text
    assert "120x40" in terminal.text
    assert_told_nobody(home, terminal)
