"""Bad input: one sentence that says what to do, an exit code of the contract, and no traceback."""

import http.client
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from chat_raw import answering
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from terminal_desk import ALICE, BOB, Desk, World
from terminal_programs import Piped, address_of, profile_folder
from terminal_screen import ENTER

USAGE, UNREACHABLE, PROFILE = 2, 3, 5
JOIN = ("--profile", BOB, "join")


async def assert_refused(program: Piped, code: int, *words: str) -> None:
    """The program has said one sentence with these words in it and ended with this code."""
    program.end_input()
    assert await program.wait_exit() == code, program.err
    assert program.err.startswith("securechat-tui: ")
    assert program.err.count("\n") == 1, program.err
    assert "Traceback" not in program.err
    for word in words:
        assert word in program.err


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("host",), USAGE, "There is no terminal here; add --plain"),
        ((), USAGE, "There is no terminal here; add --plain"),
        (("join", "127.0.0.1"), USAGE, "There is no terminal here; add --plain"),
        (("dance",), USAGE, "No such command 'dance'"),
        (("host", "--loud"), USAGE, "No such option"),
        (("host", "--port", "99999", "--plain"), USAGE, "99999"),
        (("host", "--bind", "127.0.0.1:x", "--plain"), USAGE, "port"),
        (("join", "127.0.0.1:99999", "--plain"), USAGE, "out of range"),
        (("join", "--plain"), USAGE, "Say whom to join"),
        (("--profile", "../x", "identity"), PROFILE, "cannot be a profile's name"),
        (("contacts", "show", "nobody"), 1, "No contact is called"),
    ],
)
async def test_the_command_line(desk: Desk, arguments: tuple[str, ...], code: int, words: str) -> None:
    await assert_refused(desk.piped(*arguments), code, words)


async def test_nobody_is_listening(desk: Desk) -> None:
    await assert_refused(
        desk.piped(*JOIN, "127.0.0.1:1", "--plain"),
        UNREACHABLE,
        "Nobody is listening at 127.0.0.1:1",
        "hosting now",
    )


async def test_a_name_that_does_not_resolve(desk: Desk) -> None:
    await assert_refused(
        desk.piped(*JOIN, "no-such-host.invalid", "--plain"), UNREACHABLE, "no-such-host.invalid"
    )


async def test_a_port_in_use(desk: Desk) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        host = desk.piped("host", "--bind", f"127.0.0.1:{port}", "--plain")
        await host.wait_for(lambda: bool(host.err))
        await assert_refused(host, UNREACHABLE, f"Port {port} is in use", "choose another")


@contextmanager
def web_server(folder: Path) -> Iterator[str]:
    """Python's own web server on the loopback; yields its address."""
    command = [
        sys.executable,
        "-u",
        "-m",
        "http.server",
        "0",
        "--bind",
        "127.0.0.1",
        "--directory",
        str(folder),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        yield f"127.0.0.1:{server.stdout.readline().split(' port ')[1].split()[0]}"
        server.kill()


async def test_a_web_server_at_the_other_end(desk: Desk, tmp_path: Path) -> None:
    with web_server(tmp_path) as address:
        await assert_refused(
            desk.piped(*JOIN, address, "--plain"), UNREACHABLE, "what answers there is not securechat-tui"
        )


@pytest.mark.parametrize(
    "answer",
    [b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", b"K\xff\xff\xff\xff", b"\x00" * 70_000, b""],
    ids=["http", "four-gigabytes", "zeros", "nothing"],
)
async def test_something_else_at_the_other_end(desk: Desk, answer: bytes) -> None:
    async with answering() as place:
        guest = desk.piped(*JOIN, place.address, "--plain")
        await place.speak(answer)
        await assert_refused(guest, UNREACHABLE, "what answers there is not securechat-tui")


async def test_a_peer_of_another_version(desk: Desk) -> None:
    async with answering() as place:
        guest = desk.piped(*JOIN, place.address, "--plain")
        host = await place.next("future", versions=(2,))
        await host.until_closed()
        await assert_refused(guest, UNREACHABLE, "another version of the protocol")


async def test_a_browser_calls_and_a_guest_gets_through(desk: Desk) -> None:
    host = desk.piped("host", "--bind", "127.0.0.1:0", "--json")
    address = address_of(await host.see("listening"))
    with closing(http.client.HTTPConnection(address, timeout=10)) as browser:
        browser.request("GET", "/")
        with pytest.raises((http.client.HTTPException, ConnectionError)):
            browser.getresponse()
    guest = desk.piped(*JOIN, address, "--plain")
    guest.type("after the browser")
    guest.end_input()
    await host.see("message", text="after the browser")
    assert await guest.wait_exit() == 0
    assert host.err == ""


def write(path: Path, content: bytes, mode: int = 0o600) -> None:
    path.write_bytes(content)
    path.chmod(mode)


def elliptic_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    "content", [b"-----BEGIN PRIVATE KEY-----\nno\n", elliptic_key()], ids=["no key", "another kind"]
)
async def test_an_identity_that_cannot_be_used(desk: Desk, world: World, content: bytes) -> None:
    path = profile_folder(world.home, BOB) / "identity.pem"
    write(path, content)
    await assert_refused(
        desk.piped(*JOIN, "127.0.0.1:1", "--plain"), PROFILE, str(path), "Put your copy back"
    )
    assert path.read_bytes() == content


async def test_an_identity_that_others_can_read(desk: Desk, world: World) -> None:
    path = profile_folder(world.home, BOB) / "identity.pem"
    path.chmod(0o644)
    await assert_refused(desk.piped(*JOIN, "127.0.0.1:1", "--json"), PROFILE, "chmod 600", str(path))
    terminal = desk.terminal(*JOIN, "127.0.0.1:1")
    assert await terminal.wait_exit() == PROFILE
    assert "chmod 600" in terminal.text
    assert b"Traceback" not in terminal.raw


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("config.toml", b"bind = 7\n", "a value for 'bind' that does not fit"),
        ("config.toml", b'colour = "red"\n', "the setting 'colour', which does not exist"),
        ("config.toml", b"name = \n", "is not valid TOML"),
        (
            "contacts.json",
            b'{"format": 1, "contacts": [',
            "holds other contacts than those",
        ),
        ("index.db", b"garbage" * 1000, "was made under another key"),
    ],
)
async def test_files_that_people_have_edited(
    desk: Desk, world: World, name: str, content: bytes, words: str
) -> None:
    path = profile_folder(world.home, ALICE) / name
    write(path, content)
    await assert_refused(desk.piped("host", "--bind", "127.0.0.1:0", "--plain"), PROFILE, words, str(path))
    assert path.read_bytes() == content


async def test_ones_own_key_and_a_profile_in_use(desk: Desk, world: World) -> None:
    host = desk.piped("host", "--bind", "127.0.0.1:0", "--json")
    address = address_of(await host.see("listening"))
    await assert_refused(
        desk.piped("join", address, "--plain"), PROFILE, "'default' is in use", "--profile NAME"
    )
    shutil.copytree(profile_folder(world.home, ALICE), profile_folder(world.home, "twin"))
    twin = desk.piped("--profile", "twin", "join", address, "--plain")
    await assert_refused(twin, UNREACHABLE, "your own key", "check the address")


async def test_the_screen_says_it_and_goes_on(desk: Desk, world: World) -> None:
    host = desk.piped("host", "--bind", "127.0.0.1:0", "--json")
    address = address_of(await host.see("listening"))
    guest = desk.terminal(*JOIN, "127.0.0.1:1")
    await guest.wait_for("Nobody is listening at 127.0.0.1:1")
    await guest.send("/join 127.0.0.1:99999", ENTER)
    await guest.wait_for("out of range")
    await guest.send(f"/host {address}", ENTER)
    await guest.wait_for("is in use by another program")
    await guest.send("/join alice", ENTER)
    await guest.wait_for(f"Nobody is listening at {world.address}")
    await guest.send(f"/join {address}", ENTER)
    await guest.wait_for("alice is here", "◆ PINNED")
    await host.see("secure")
    await guest.enter("/quit")
    assert await guest.wait_exit() == 0
