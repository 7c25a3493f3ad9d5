"""``lab host`` and ``lab join`` as programs: their ends, their options, and the product at the other end."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import standins
from lab_program import PROGRAM, SECONDS, Program

from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.lab.catalogue import NAMES, PROTOCOLS


def run(home: Path, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments],
        input=typed,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env={"SECURECHAT_TUI_HOME": str(home), "PATH": "/usr/bin:/bin"},
    )


def place(address: tuple[str, int]) -> str:
    return f"{address[0]}:{address[1]}"


@pytest.mark.parametrize("name", NAMES)
def test_two_of_ours(tmp_path: Path, name: str) -> None:
    with Program(tmp_path, "host", name, "127.0.0.1:0") as host:
        ready = host.see("ready")
        assert ready["protocol"] == name
        assert "lab" in ready["warning"]
        assert tuple(ready["lacks"]) == PROTOCOLS[name].lacks
        guest = run(tmp_path, "join", name, place(host.address), "--plain", typed="h\u00e4llo\n")
        assert guest.returncode == 0, guest.stderr
        message = host.see("message")
        assert message["text"] == "h\u00e4llo"
        if name != "relay":
            closed = host.see("closed")
            assert closed["reason"] == ("goodbye" if PROTOCOLS[name].has_goodbye else "lost")
        if name in ("relay", "json-cbc-hmac"):  # the others end with their guest
            host.do(cmd="quit")
        assert host.finish() == 0
    lines = guest.stdout.splitlines()
    mark = "[current, lab] " if name == "current" else f"[{name}, not private] "
    assert all(line.startswith(mark) for line in lines)
    assert all(f"{mark}  - {lack}" in lines for lack in PROTOCOLS[name].lacks)


@pytest.mark.parametrize(
    ("name", "options"),
    [("five-layer", ("--framing", "none")), ("five-layer", ("--secret-file",)), ("current", ())],
    ids=["framing", "secret", "current"],
)
def test_both_directions_with_options(tmp_path: Path, name: str, options: tuple[str, ...]) -> None:
    if options == ("--secret-file",):
        (tmp_path / "secret").write_text("another secret\n")
        options = (*options, str(tmp_path / "secret"))
    with (
        Program(tmp_path, "host", name, "127.0.0.1:0", *options) as host,
        Program(tmp_path, "join", name, place(host.address), *options) as guest,
    ):
        host.see("secure")
        host.do(cmd="send", text="from the host", ref="r")
        assert host.see("sent")["ref"] == "r"
        assert guest.heard() == "from the host"
        guest.say("from the guest")
        assert host.heard() == "from the guest"
        guest.do(cmd="leave")
        assert guest.finish() == 0
        assert host.finish() == 0
    if name == "current":
        assert [event["number"] for event in host.events if event["event"] == "delivered"] == [1]


def test_two_secrets_do_not_meet(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("another secret\n")
    with Program(tmp_path, "host", "five-layer", "127.0.0.1:0") as host:
        address = place(host.address)
        run(
            tmp_path,
            "join",
            "five-layer",
            address,
            "--secret-file",
            str(tmp_path / "secret"),
            typed="hello\n",
        )
        assert host.see("rejected")["check"] == "HMAC"


def test_the_product_talks_with_current(tmp_path: Path) -> None:
    """The same code, so the same protocol: a real profile joins the lab's throw-away host."""
    with Program(tmp_path, "host", "current", "127.0.0.1:0") as host:
        address = place(host.address)
        joined = subprocess.run(
            [sys.executable, "-m", "securechat_tui", "--name", "Carol", "join", address, "--plain"],
            input=b"hello lab\n",
            capture_output=True,
            timeout=SECONDS,
            check=False,
            env={"SECURECHAT_TUI_HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        )
        assert joined.returncode == 0, joined.stderr
        message = host.see("message")
        assert (message["text"], message["name"]) == ("hello lab", "Carol")
        assert "signature" in message["checks"]


def test_what_is_said_too_early_waits(tmp_path: Path) -> None:
    with Program(tmp_path, "host", "gcm", "127.0.0.1:0") as host:
        host.say("I was here first")
        theirs = standins.gcm_guest(host.address)
        assert theirs.receive() == "I was here first"
        host.do(cmd="quit")
        assert theirs.receive() == "exit"
        assert host.finish() == 0
        theirs.sock.close()


def is_cut_off(address: tuple[str, int]) -> bool:
    with socket.create_connection(address, standins.SECONDS) as sock:
        try:
            return sock.recv(4096) == b""
        except ConnectionError:
            return True


def test_a_second_guest_is_cut_off(tmp_path: Path) -> None:
    with Program(tmp_path, "host", "gcm", "127.0.0.1:0") as host:
        address = host.address
        first = standins.gcm_guest(address)
        host.see("secure")
        assert is_cut_off(address)
        assert host.see("error")["code"] == "busy"
        first.send("still here")
        assert host.heard() == "still here"
        first.sock.close()


def test_a_caller_who_says_nothing_does_not_end_a_host(tmp_path: Path) -> None:
    with Program(tmp_path, "host", "gcm", "127.0.0.1:0") as host:
        address = host.address
        socket.create_connection(address, standins.SECONDS).close()
        assert host.see("closed")["reason"] == "lost"
        theirs = standins.gcm_guest(address)
        theirs.send("hello")
        assert host.heard() == "hello"
        theirs.sock.close()


def test_a_host_without_input_stays_for_its_guest(tmp_path: Path) -> None:
    with Program(tmp_path, "host", "gcm", "127.0.0.1:0") as host:
        address = host.address
        assert host.process.stdin is not None
        host.process.stdin.close()
        host.process.stdin = None
        theirs = standins.gcm_guest(address)
        theirs.send("hello")
        assert host.heard() == "hello"
        theirs.send("exit")
        assert host.see("closed")["reason"] == "goodbye"
        assert host.process.wait(SECONDS) == 0
        theirs.sock.close()


@pytest.mark.parametrize("role", ["host", "guest"])
def test_an_interrupt_says_goodbye(tmp_path: Path, role: str) -> None:
    with (
        Program(tmp_path, "host", "gcm", "127.0.0.1:0") as host,
        Program(tmp_path, "join", "gcm", place(host.address)) as guest,
    ):
        host.see("secure")
        guest.see("secure")
        one, other = (host, guest) if role == "host" else (guest, host)
        one.process.send_signal(signal.SIGINT)
        assert other.see("closed")["reason"] == "goodbye"
        assert one.process.wait(SECONDS) == ExitCode.INTERRUPTED
        assert other.finish() == 0


def test_a_cut_is_told(tmp_path: Path) -> None:
    with (
        standins.listening() as server,
        Program(tmp_path, "join", "gcm", place(server.getsockname())) as ours,
    ):
        theirs = standins.gcm_host(server)
        ours.see("secure")
        theirs.sock.close()
        assert ours.see("closed")["reason"] == "lost"
        assert ours.finish() == ExitCode.FAILED


def test_a_handshake_that_fails_is_never_secure(tmp_path: Path) -> None:
    with (
        standins.listening() as server,
        Program(tmp_path, "join", "gcm", place(server.getsockname())) as ours,
    ):
        sock = standins.accepted(server)
        standins.send_frame(sock, b"K", b"no key")
        assert ours.see("closed")["reason"] == "rejected"
        assert ours.finish() == ExitCode.UNREACHABLE
        sock.close()


@pytest.mark.parametrize("name", NAMES)
def test_nobody_home(tmp_path: Path, name: str) -> None:
    with standins.listening() as server:
        nobody = place(server.getsockname())
    done = run(tmp_path, "join", name, nobody, "--json")
    assert done.returncode == ExitCode.UNREACHABLE
    assert '"code":"cannot-connect"' in done.stdout
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["gcm", "relay"])
def test_a_port_that_is_taken(tmp_path: Path, name: str) -> None:
    with standins.listening() as server:
        done = run(tmp_path, "host", name, place(server.getsockname()), "--json")
    assert done.returncode == ExitCode.UNREACHABLE
    assert '"code":"cannot-listen"' in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("host", "nonsense"), "no protocol"),
        (("join", "gcm", "not an address"), "HOST"),
        (("host", "gcm", "--plain", "--json"), "choose one"),
        (("join", "relay", "--user", "none"), "alice or bob"),
        (("attack", "gcm", "nonsense"), "no attack"),
        (("matrix", "--protocol", "nonsense"), "no protocol"),
        (("lesson", "8"), "8"),
        (("host", "gcm", "--framing", "odd"), "odd"),
    ],
)
def test_bad_usage(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    done = run(tmp_path, *arguments)
    assert done.returncode == ExitCode.USAGE
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_bad_key_file(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text("no key")
    file.chmod(0o600)
    done = run(tmp_path, "host", "json-cbc-hmac", "127.0.0.1:0", "--key-file", str(file))
    assert done.returncode == ExitCode.PROFILE
    file.chmod(0o644)
    done = run(tmp_path, "host", "json-cbc-hmac", "127.0.0.1:0", "--key-file", str(file))
    assert done.returncode == ExitCode.PROFILE
    assert done.stderr.count("\n") == 1


@pytest.fixture
def guest(tmp_path: Path) -> Iterator[Program]:
    with (
        Program(tmp_path, "host", "signed-gcm", "127.0.0.1:0") as host,
        Program(tmp_path, "join", "signed-gcm", place(host.address)) as guest,
    ):
        guest.see("secure")
        yield guest


def test_lines_that_are_no_commands(guest: Program) -> None:
    assert guest.process.stdin is not None
    for line in (b"hello", b"{}", b'{"cmd":"send"}', b'{"cmd":"fly"}', b"\xff", b"[" * 100_000):
        guest.process.stdin.write(line + b"\n")
        guest.process.stdin.flush()
        assert guest.see("error")["code"] == "bad-command"
    guest.say("x" * 32_769)
    assert guest.see("error")["code"] == "not-sent"
    guest.say("fine")
    assert guest.see("sent")["number"] == 1
