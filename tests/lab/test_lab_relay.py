"""The relay of the lab over HTTP: what it answers, and what it refuses to hold."""

import http.client
import json
import socket
from collections.abc import Iterator

import pytest

from securechat_tui.lab.places import _caller
from securechat_tui.lab.relay_http import HttpFailure, RelayServer, exchange
from securechat_tui.lab.relay_store import MAX_BODY, MAX_WAITING, MAX_WAITING_BYTES, RelayStore
from securechat_tui.lab.scene import listen_on_loopback

Address = tuple[str, int]
MESSAGE = {"sender": "alice", "recipient": "bob", "ciphertext": "eA==", "nonce": "eA==", "tag": "eA=="}


@pytest.fixture
def store() -> RelayStore:
    return RelayStore()


@pytest.fixture
def address(store: RelayStore) -> Iterator[Address]:
    with RelayServer(store, listen_on_loopback()) as server:
        yield server.address


def status_of(address: Address, request: bytes) -> bytes:
    """The status of the answer to a raw request."""
    with socket.create_connection(address, timeout=30) as sock:
        sock.sendall(request)
        return sock.makefile("rb").readline().split(b" ")[1]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (f"Content-Length: {MAX_BODY + 1}", b"413"),
        ("Content-Length: 4294967295", b"413"),
        ("Content-Length: 99999999999999999999", b"413"),
        ("Content-Length: -1", b"411"),
        ("Content-Length: \u0664", b"411"),
        ("Transfer-Encoding: chunked", b"411"),
        ("Content-Length: 2", b"400"),
    ],
)
def test_bodies_are_bounded(address: Address, headers: str, status: bytes) -> None:
    request = f"POST /send_message HTTP/1.1\r\nHost: relay\r\n{headers}\r\n\r\n[]".encode()
    assert status_of(address, request) == status


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"null", b"[]", b"{", b"\xff", b"[" * 50_000, b"{}"),
        json.dumps({**MESSAGE, "recipient": "carol"}).encode(),
        json.dumps({**MESSAGE, "nonce": 5}).encode(),
        json.dumps({**MESSAGE, "tag": ""}).encode(),
    ],
    ids=["empty", "null", "list", "cut", "bytes", "deep", "object", "carol", "number", "no tag"],
)
def test_what_is_no_message_is_refused(address: Address, store: RelayStore, body: bytes) -> None:
    assert exchange(address, "POST", "/send_message", body) == (400, b"")
    assert store.waiting("bob") == 0


def test_messages_are_read_once(address: Address) -> None:
    body = json.dumps({**MESSAGE, "associated_data": None, "more": ["x"]}).encode()
    assert exchange(address, "POST", "/send_message", body)[0] == 200
    _, found = exchange(address, "GET", "/get_messages/bob", None)
    assert json.loads(found) == {"messages": [MESSAGE]}
    _, found = exchange(address, "GET", "/get_messages/bob", None)
    assert json.loads(found) == {"messages": []}


def test_a_secret_is_read_once(address: Address) -> None:
    assert exchange(address, "GET", "/get_encrypted_master_secret", None) == (404, b"")
    exchange(address, "POST", "/send_encrypted_master_secret", b'{"encrypted_master_secret_b64": "eA=="}')
    assert exchange(address, "GET", "/get_encrypted_master_secret", None)[0] == 200
    assert exchange(address, "GET", "/get_encrypted_master_secret", None)[0] == 404


@pytest.mark.parametrize("path", ["/", "/get_public_key/carol", "/get_messages/carol", "/get_public_key/bob"])
def test_what_is_not_there(address: Address, path: str) -> None:
    assert exchange(address, "GET", path, None) == (404, b"")
    assert exchange(address, "POST", "/nowhere", b"{}") == (404, b"")


def test_a_connection_may_carry_several_requests(address: Address) -> None:
    connection = http.client.HTTPConnection(*address, timeout=30)
    for _ in range(3):
        connection.request("GET", "/get_messages/alice")
        assert connection.getresponse().read() == b'{"messages": []}'
    connection.close()


def test_only_so_many_messages_wait(store: RelayStore) -> None:
    for _ in range(MAX_WAITING):
        assert store.store("message", MESSAGE)[0] == 200
    assert store.store("message", MESSAGE)[0] == 503
    store.get("/get_messages/bob")
    assert store.store("message", MESSAGE)[0] == 200


def test_only_so_many_bytes_wait(store: RelayStore) -> None:
    large = {**MESSAGE, "ciphertext": "x" * MAX_BODY}
    taken = 0
    while store.store("message", large)[0] == 200:
        taken += 1
    assert taken == MAX_WAITING_BYTES // (MAX_BODY + 20)


def test_a_relay_that_is_not_there() -> None:
    with listen_on_loopback() as sock:
        gone = sock.getsockname()
    with pytest.raises(HttpFailure, match="is it running"):
        exchange(gone, "GET", "/get_messages/bob", None)


def test_an_answer_that_never_ends_is_not_taken(monkeypatch: pytest.MonkeyPatch, address: Address) -> None:
    monkeypatch.setattr("securechat_tui.lab.relay_http._ANSWER_LIMIT", 10)
    with pytest.raises(HttpFailure, match="more than 10 bytes"):
        exchange(address, "GET", "/get_messages/bob", None)


@pytest.mark.parametrize(
    ("method", "path", "body", "user"),
    [
        ("POST", "/register_public_key", '{"user_id": "bob"}', "bob"),
        ("POST", "/send_message", '{"sender": "alice"}', "alice"),
        ("POST", "/send_encrypted_master_secret", '{"encrypted_master_secret_b64": "x"}', ""),
        ("POST", "/register_public_key", "nonsense", ""),
        ("GET", "/get_encrypted_master_secret", "", "bob"),
        ("GET", "/get_public_key/bob", "", "alice"),
        ("GET", "/get_messages/bob", "", "bob"),
        ("GET", "/get_messages/carol", "", ""),
    ],
)
def test_who_calls(method: str, path: str, body: str, user: str) -> None:
    assert _caller(method, path, body) == user
