"""The faces as programs: two processes on the loopback interface, over pipes and a terminal."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import msgspec
import pexpect
import pytest

from securechat_tui.headless.exit_codes import ExitCode

PROGRAM = [sys.executable, "-m", "securechat_tui"]
SECONDS = 60


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three people in it: alice, bob, and mallory, who is in nobody's contacts."""
    folder = tmp_path_factory.mktemp("made") / "home"
    for name in ("alice", "bob", "mallory"):
        command = [*PROGRAM, "--profile", name, "--name", name.title(), "identity", "new"]
        subprocess.run(command, check=True, capture_output=True, env=environment(folder), timeout=SECONDS)
    return folder


@pytest.fixture
def home(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "home")
    return tmp_path / "home"


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "SECURECHAT_TUI_HOME": str(home), "PYTHONUNBUFFERED": "1"}


class Program:
    """A run with pipes; with ``--json``, its events are read one by one."""

    def __init__(self, home: Path, *arguments: str, stdin: int = subprocess.PIPE) -> None:
        self.process = subprocess.Popen(
            [*PROGRAM, *arguments],
            stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(home),
        )  # fmt: skip
        self.events: list[dict[str, Any]] = []

    def do(self, **command: str) -> None:
        self.type(msgspec.json.encode(command))

    def type(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def end_input(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.stdin = None

    def line(self) -> bytes:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def see(self, word: str) -> dict[str, Any]:
        """Read on until the next event ``word``."""
        while line := self.line():
            self.events.append(msgspec.json.decode(line))
            if self.events[-1]["event"] == word:
                return self.events[-1]
        raise AssertionError((word, self.events, self.finish()))

    def stop_reading(self) -> None:
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process.stdout = None

    def finish(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, (out or b"").decode(), err.decode()


class Start(Protocol):
    """Starts the program; what still runs after the test is ended."""

    def __call__(self, *arguments: str, stdin: int = subprocess.PIPE) -> Program: ...


@pytest.fixture
def start(home: Path) -> Iterator[Start]:
    running: list[Program] = []

    def start(*arguments: str, stdin: int = subprocess.PIPE) -> Program:
        running.append(Program(home, *arguments, stdin=stdin))
        return running[-1]

    yield start
    for program in running:
        if program.process.poll() is None:
            program.process.kill()
            program.process.communicate()
        for pipe in (program.process.stdin, program.process.stdout, program.process.stderr):
            if pipe is not None:
                pipe.close()


def hosting(start: Start, profile: str = "alice", port: int = 0) -> tuple[Program, str]:
    host = start("--profile", profile, "host", "--bind", f"127.0.0.1:{port}", "--json")
    return host, f"127.0.0.1:{host.see('listening')['port']}"


def test_both_ways_then_goodbye(start: Start) -> None:
    host, address = hosting(start)
    guest = start("--profile", "bob", "join", address, "--json")
    assert guest.see("peer").items() >= {"name": "Alice", "trust": "new", "role": "host"}.items()
    assert host.see("peer").items() >= {"name": "Bob", "trust": "new", "role": "guest"}.items()
    assert guest.see("secure")["session"] == host.see("secure")["session"]
    guest.do(cmd="send", text="hello, /exit \u00fc\n\u2603", ref="g1")
    received = host.see("message")
    assert received["text"] == "hello, /exit \u00fc\n\u2603"
    assert received["checks"] == {"intact": True, "in_order": True, "fresh": True, "signed": True}
    assert guest.see("delivered").items() >= {"ref": "g1", "number": 1}.items()
    host.do(cmd="send", text="hi", ref="h1")
    assert guest.see("message")["number"] == 1
    assert host.see("delivered")["ref"] == "h1"
    host.do(cmd="quit")
    assert guest.see("closed").items() >= {"reason": "goodbye", "by": "peer", "will_retry": False}.items()
    assert host.see("closed").items() >= {"reason": "quit", "by": "me"}.items()
    assert guest.finish()[0] == ExitCode.DONE
    assert host.finish()[0] == ExitCode.DONE


def test_the_second_contact_is_pinned(start: Start, home: Path) -> None:
    for expected in ("new", "pinned"):
        host, address = hosting(start)
        guest = start("--profile", "bob", "join", address, "--json", stdin=subprocess.DEVNULL)
        assert guest.see("peer")["trust"] == ("new" if expected == "new" else "pinned")
        assert host.see("peer")["trust"] == expected
        assert guest.finish()[0] == ExitCode.DONE
        assert host.see("closed")["reason"] == "goodbye"
        host.end_input()
        assert host.finish()[0] == ExitCode.DONE
    command = [*PROGRAM, "--profile", "bob", "contacts", "list", "--json"]
    listed = subprocess.run(command, check=True, capture_output=True, env=environment(home), timeout=SECONDS)
    assert msgspec.json.decode(listed.stdout)["name"] == "Alice"


def test_echo_hi_into_a_plain_join(start: Start) -> None:
    host, address = hosting(start)
    host.end_input()
    guest = start("--profile", "bob", "join", address, "--plain")
    guest.type(b"hi")
    guest.end_input()
    code, out, _err = guest.finish()
    assert code == ExitCode.DONE
    assert "Secure from here" in out
    assert host.see("message")["text"] == "hi"
    assert host.see("closed")["reason"] == "goodbye"
    assert host.finish()[0] == ExitCode.DONE


def test_a_plain_host_prints_messages_with_their_security_line(start: Start) -> None:
    host = start("--profile", "alice", "host", "--bind", "127.0.0.1:0", "--plain")
    listening = re.compile(rb"Listening on (127\.0\.0\.1:\d+)\.")
    address = next(found[1].decode() for line in iter(host.line, b"") if (found := listening.search(line)))
    guest = start("--profile", "bob", "join", address, "--json")
    guest.do(cmd="send", text="first\nsecond [/x]")
    guest.see("delivered")
    guest.do(cmd="leave")
    assert guest.finish()[0] == ExitCode.DONE
    host.end_input()
    code, out, _err = host.finish()
    assert code == ExitCode.DONE
    assert re.search(
        r"\] <Bob> first\n         \| second \[/x\]\n"
        r"         \[intact ✓ \| in order ✓ #1 \| fresh \d\.\d s ✓ \| signed ✓ RSA-PSS \| new\]\n",
        out,
    )


def test_a_changed_key_is_refused_and_nothing_is_sent(start: Start) -> None:
    host, address = hosting(start)
    port = int(address.rpartition(":")[2])
    guest = start("--profile", "bob", "join", address, "--json", stdin=subprocess.DEVNULL)
    assert guest.finish()[0] == ExitCode.DONE
    host.end_input()
    assert host.finish()[0] == ExitCode.DONE
    other, _ = hosting(start, "mallory", port)
    guest = start("--profile", "bob", "join", address, "--json")
    guest.do(cmd="send", text="for Alice only", ref="x")
    refused = guest.see("refused")
    assert refused["reason"] == "key-changed"
    code, _out, err = guest.finish()
    assert code == ExitCode.DISTRUSTED
    assert "Alice" in err
    plain = start("--profile", "bob", "join", "Alice", "--plain")
    code, _out, err = plain.finish()
    assert code == ExitCode.DISTRUSTED
    assert "expected: SHA256:" in err
    other.do(cmd="quit")
    other.finish()
    assert not [event for event in other.events if event["event"] in {"peer", "message"}]


def test_nobody_home_busy_port_and_nonsense_are_three_and_two(start: Start) -> None:
    host, address = hosting(start)
    taken = start("--profile", "bob", "host", "--bind", address, "--json")
    assert taken.see("error")["code"] == "cannot-listen"
    code, _out, err = taken.finish()
    assert code == ExitCode.UNREACHABLE
    assert err.count("\n") == 1
    host.do(cmd="quit")
    assert host.finish()[0] == ExitCode.DONE
    nobody = start("--profile", "bob", "join", address, "--plain", stdin=subprocess.DEVNULL)
    code, _out, err = nobody.finish()
    assert code == ExitCode.UNREACHABLE
    assert err.count("\n") == 1
    nonsense = start("--profile", "bob", "join", "127.0.0.1:99999", "--json")
    assert nonsense.finish()[0] == ExitCode.USAGE


def test_a_profile_in_use_is_five(start: Start) -> None:
    hosting(start)
    code, out, err = start("--profile", "alice", "host", "--bind", "127.0.0.1:0", "--json").finish()
    assert code == ExitCode.PROFILE
    assert out == ""
    assert err.count("\n") == 1
    assert "--profile" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_says_goodbye(start: Start, number: int) -> None:
    host, address = hosting(start)
    guest = start("--profile", "bob", "join", address, "--json")
    guest.see("secure")
    guest.process.send_signal(number)
    assert host.see("closed").items() >= {"reason": "goodbye", "by": "peer"}.items()
    code, _out, err = guest.finish()
    assert code == ExitCode.INTERRUPTED
    assert err == ""


def test_a_reader_that_has_gone_ends_it_quietly(start: Start) -> None:
    host, address = hosting(start)
    guest = start("--profile", "bob", "join", address, "--json")
    guest.see("secure")
    guest.stop_reading()
    host.do(cmd="send", text="anybody?")
    assert host.see("closed")["reason"] == "goodbye"
    code, _out, err = guest.finish()
    assert err == ""
    assert code == ExitCode.DONE


def test_a_first_run_asks_nothing(start: Start) -> None:
    program = start("--profile", "fresh", "--name", "Fresh", "host", "--bind", "127.0.0.1:0", "--json")
    assert program.see("ready").items() >= {"profile": "fresh", "name": "Fresh"}.items()
    program.do(cmd="quit")
    assert program.finish()[0] == ExitCode.DONE


def test_standard_streams_that_are_closed(home: Path) -> None:
    command = f"{sys.executable} -m securechat_tui --profile bob join 127.0.0.1:1 --json <&- >&-"
    done = subprocess.run(
        ["bash", "-c", command], env=environment(home), capture_output=True, timeout=SECONDS, check=False
    )
    assert done.returncode == ExitCode.UNREACHABLE
    assert done.stderr.count(b"\n") == 1


def test_plain_in_a_terminal(start: Start, home: Path) -> None:
    host, address = hosting(start)
    terminal = pexpect.spawn(
        PROGRAM[0], [*PROGRAM[1:], "--profile", "bob", "join", address, "--plain"],
        env=environment(home), timeout=SECONDS, encoding="utf-8",
    )  # fmt: skip
    terminal.expect("Secure from here")
    terminal.sendline("/oops")
    terminal.expect("There is no /oops; nothing was sent.")
    terminal.sendline("typed")
    assert host.see("message")["text"] == "typed"
    terminal.expect(r"#1 delivered, \w+ there ✓✓")
    host.do(cmd="send", text="seen")
    terminal.expect("<Alice> seen")
    terminal.expect("signed ✓ RSA-PSS")
    terminal.sendline("exit")
    terminal.expect("You have said goodbye to Alice.")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == ExitCode.DONE
    assert host.see("closed")["reason"] == "goodbye"


def test_the_demo_without_a_terminal(home: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "demo"], env=environment(home), stdin=subprocess.DEVNULL, capture_output=True,
        text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == ExitCode.DONE, done
    assert done.stderr == ""
    assert "DIFFERENT" in done.stdout
    assert done.stdout.count("Secure from here") == 2
    assert "you: Goodbye" in done.stdout
    assert not (home / "profiles" / "demo").exists()


def test_the_demo_as_json(home: Path) -> None:
    done = subprocess.run(
        [*PROGRAM, "demo", "--json"], env=environment(home), capture_output=True, timeout=SECONDS, check=False
    )
    assert done.returncode == ExitCode.DONE, done
    words = [msgspec.json.decode(line)["event"] for line in done.stdout.splitlines()]
    assert words.count("secure") == 2
    assert words.count("refused") == 1
    assert words[-1] == "closed"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_two_talk_whoever_was_host_before(start: Start) -> None:
    """Alice, who was host, listens where bob has met her; killed and started again, she has him back."""
    port = free_port()
    host, address = hosting(start, port=port)
    guest = start("--profile", "bob", "join", address, "--json")
    assert host.see("secure")["session"] == guest.see("secure")["session"]
    guest.do(cmd="quit")
    host.see("closed")
    host.do(cmd="quit")
    assert (guest.finish()[0], host.finish()[0]) == (0, 0)
    bob = start("--profile", "bob", "talk", "alice", "--bind", "127.0.0.1:0", "--json")
    bob.see("dialing")
    alice = start("--profile", "alice", "talk", "Bob", "--bind", address, "--json")
    assert alice.see("secure")["session"] == bob.see("secure")["session"]
    alice.do(cmd="send", text="before")
    assert bob.see("message")["text"] == "before"
    alice.see("delivered")
    alice.process.kill()
    alice.process.wait(SECONDS)
    assert bob.see("closed").items() >= {"reason": "lost", "will_retry": True}.items()
    alice = start("--profile", "alice", "talk", "bob", "--bind", address, "--json")
    assert alice.see("secure")["session"] == bob.see("secure")["session"]
    bob.do(cmd="leave")
    assert alice.see("closed").items() >= {"reason": "goodbye", "by": "peer"}.items()
    assert (alice.finish()[0], bob.finish()[0]) == (0, 0)


def test_a_line_for_a_contact_who_is_not_there_is_told_undelivered_or_unreached(start: Start) -> None:
    host, address = hosting(start)
    guest = start("--profile", "bob", "join", address, "--json")
    guest.see("secure")
    guest.do(cmd="quit")
    host.see("closed")
    host.do(cmd="quit")
    assert (guest.finish()[0], host.finish()[0]) == (0, 0)
    talk = start("--profile", "bob", "talk", "alice", "--bind", "127.0.0.1:0", "--json")
    talk.do(cmd="send", text="are you there?")
    talk.see("queued")
    talk.do(cmd="quit")
    code, _, told = talk.finish()
    assert code == ExitCode.UNREACHABLE
    assert "1 of your messages was not delivered" in told


def test_two_guests_at_one_host(start: Start) -> None:
    host, address = hosting(start)
    guests = []
    for profile in ("bob", "mallory"):
        guest = start("--profile", profile, "join", address, "--json")
        guest.see("secure")
        guests.append((guest, host.see("secure")["conversation"]))
    host.do(cmd="send", text="to whom?")
    assert host.see("error")["code"] == "which"
    for guest, conversation in guests:
        host.do(cmd="send", text=f"to {conversation}", conversation=conversation)
        assert guest.see("message")["text"] == f"to {conversation}"
        guest.do(cmd="send", text="and back")
        assert host.see("message")["conversation"] == conversation
    host.do(cmd="connections")
    assert [one["outcome"] for one in host.see("connections")["connections"]] == ["", ""]
    host.do(cmd="leave", conversation=guests[0][1])
    assert guests[0][0].finish()[0] == 0
    host.do(cmd="quit")
    assert (guests[1][0].finish()[0], host.finish()[0]) == (0, 0)
