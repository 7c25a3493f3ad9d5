"""The lab talks with programs in the style of the originals, in both roles."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import standins
from lab_program import Program


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with standins.listening() as sock:
        yield sock


def at(server: socket.socket) -> str:
    return "{}:{}".format(*server.getsockname())


@pytest.mark.parametrize("length", [16, 24, 32])
def test_gcm_host(tmp_path: Path, length: int) -> None:
    with Program(tmp_path, "host", "gcm", "127.0.0.1:0") as ours:
        theirs = standins.gcm_guest(ours.address, length)
        theirs.send("h\u00e4llo")
        assert ours.heard() == "h\u00e4llo"
        ours.say("hello yourself")
        assert theirs.receive() == "hello yourself"
        theirs.send("  EXIT ")
        closed = ours.see("closed")
        assert (closed["reason"], closed["by"]) == ("goodbye", "peer")
        assert ours.finish() == 0
        theirs.sock.close()


def test_gcm_guest(tmp_path: Path, server: socket.socket) -> None:
    with Program(tmp_path, "join", "gcm", at(server)) as ours:
        theirs = standins.gcm_host(server)
        theirs.send("hello")
        assert ours.heard() == "hello"
        ours.say("and goodbye")
        assert theirs.receive() == "and goodbye"
        assert ours.finish() == 0
        assert theirs.receive() == "exit"
        theirs.sock.close()


def test_signed_gcm_host(tmp_path: Path) -> None:
    with Program(tmp_path, "host", "signed-gcm", "127.0.0.1:0") as ours:
        theirs = standins.signed_guest(ours.address)
        standins.send_frame(theirs.sock, b"X", b"of a type that nobody knows")
        theirs.send("hello")
        assert ours.see("message")["checks"] == ["signature", "GCM tag"]
        ours.say("hello yourself")
        assert theirs.receive() == "hello yourself"
        theirs.send("exit")
        assert ours.see("closed")["reason"] == "goodbye"
        assert ours.finish() == 0
        theirs.sock.close()


def test_signed_gcm_guest(tmp_path: Path, server: socket.socket) -> None:
    with Program(tmp_path, "join", "signed-gcm", at(server)) as ours:
        theirs = standins.signed_host(server)
        ours.say("hello")
        assert theirs.receive() == "hello"
        payload = theirs.send("real")
        assert ours.heard() == "real"
        spoiled = payload[:10] + bytes([payload[10] ^ 1]) + payload[11:]
        standins.send_frame(theirs.sock, b"M", spoiled)
        assert ours.see("rejected")["check"] == "signature"
        theirs.send("still there")
        assert ours.heard() == "still there"
        ours.say("exit")
        assert theirs.receive() == "exit"
        assert ours.finish() == 0
        theirs.sock.close()


def test_json_host_serves_several_guests(tmp_path: Path) -> None:
    with Program(tmp_path, "host", "json-cbc-hmac", "127.0.0.1:0") as ours:
        address = ours.address
        one, other = standins.JsonGuest(address), standins.JsonGuest(address)
        one.send("from one")
        assert ours.heard() == "from one"
        other.send("from the other")
        assert ours.heard() == "from the other"
        one.send("spoiled", tamper=True)
        assert ours.see("rejected")["check"] == "HMAC"
        one.send("one again")
        assert ours.heard() == "one again"
        for guest in (one, other):
            guest.sock.close()
        ours.do(cmd="quit")
        assert ours.finish() == 0
    conversations = {event["conversation"] for event in ours.events if event["event"] == "message"}
    assert conversations == {"1", "2"}


def test_json_host_keeps_its_key_to_itself(tmp_path: Path) -> None:
    kept = tmp_path / "lab" / "json-cbc-hmac.pem"
    keys: list[bytes] = []
    for _ in range(2):
        with (
            Program(tmp_path, "host", "json-cbc-hmac", "127.0.0.1:0") as ours,
            socket.create_connection(ours.address, standins.SECONDS) as sock,
        ):
            keys.append(standins.recv_until_empty_line(sock))
    assert keys[0] == keys[1]
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.parent.stat().st_mode & 0o777 == 0o700


def test_json_host_asks_for_the_signature(tmp_path: Path) -> None:
    with Program(tmp_path, "host", "json-cbc-hmac", "127.0.0.1:0") as ours:
        theirs = standins.JsonGuest(ours.address, tamper=True)
        assert ours.see("closed")["check"] == "signature"
        theirs.sock.close()


def test_json_guest(tmp_path: Path, server: socket.socket) -> None:
    with Program(tmp_path, "join", "json-cbc-hmac", at(server)) as ours:
        for text in ("one", "two", "three"):  # at once: the host drops what comes with a unit
            ours.say(text)
        theirs = standins.JsonHost(server)
        assert [theirs.receive() for _ in range(3)] == ["one", "two", "three"]
        assert ours.finish() == 0
        theirs.sock.close()


@pytest.mark.parametrize("named", [False, True], ids=["found out", "named"])
@pytest.mark.parametrize("user", ["alice", "bob"])
def test_relay_host_plays_the_other_client(tmp_path: Path, user: str, named: bool) -> None:
    other = "bob" if user == "alice" else "alice"
    more = ("--user", other) if named else ()
    with Program(tmp_path, "host", "relay", "127.0.0.1:0", *more) as ours:
        theirs = standins.RelayClient(user, ours.address)
        theirs.agree(standins.rsa_key(4096) if user == "bob" else None)
        theirs.send("hello")
        message = ours.see("message")
        assert (message["text"], message["name"], message["claimed"]) == ("hello", user, 1_800_000_000.0)
        ours.say("hello yourself")
        assert theirs.receive() == "hello yourself"
        ours.do(cmd="quit")
        assert ours.finish() == 0


def test_relay_host_serves_two_clients(tmp_path: Path) -> None:
    with Program(tmp_path, "host", "relay", "127.0.0.1:0", "--user", "none") as ours:
        address = ours.address
        alice, bob = standins.RelayClient("alice", address), standins.RelayClient("bob", address)
        private = standins.rsa_key(2048)
        bob.post(
            "/register_public_key",
            {"user_id": "bob", "public_key_pem_b64": standins.b64(standins.pem_of(private))},
        )
        alice.agree()
        bob.agree(private)
        alice.send("hello")
        assert bob.receive() == "hello"
        assert bob.get("/get_encrypted_master_secret") is None
        assert bob.get("/get_messages/bob") == {"messages": []}
        assert alice.get("/get_public_key/carol") is None


@pytest.mark.parametrize("user", ["alice", "bob"])
def test_relay_client_at_an_original_relay(tmp_path: Path, user: str) -> None:
    server = standins.RelayServer()
    address = ("127.0.0.1", int(server.server_address[1]))
    other = "bob" if user == "alice" else "alice"
    try:
        with Program(tmp_path, "join", "relay", f"127.0.0.1:{address[1]}", "--user", user) as ours:
            theirs = standins.RelayClient(other, address)
            theirs.agree(standins.rsa_key(4096) if other == "bob" else None)
            theirs.send("hello")
            assert ours.heard() == "hello"
            ours.say("hello yourself")
            assert theirs.receive() == "hello yourself"
            assert ours.finish() == 0
    finally:
        server.stop()
