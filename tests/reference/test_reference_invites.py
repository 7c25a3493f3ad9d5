"""The reference peer and the product with an invite between them (docs/protocol.md, 9.4)."""

import select
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from reference_crypto import Cut, Identity, mac
from reference_invites import Invite, read_invite
from reference_peer import Peer
from test_reference_peer import Product

PROGRAM_SECONDS = 30


@pytest.fixture(scope="module")
def me() -> Identity:
    return Identity.new(3072)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def host(home: Path) -> Iterator[tuple[Product, int, Invite]]:
    """The product, which answers invited guests alone, and its invite."""
    product = Product(home, "host", "--bind", "127.0.0.1:0", "--invite-only")
    try:
        port = product.wait("listening")["port"]
        yield product, port, read_invite(product.wait("invite")["invite"])
    finally:
        product.end()


def test_the_product_hosts(me: Identity, host: tuple[Product, int, Invite]) -> None:
    product, port, invite = host
    assert (invite.hosts, invite.port) == (("127.0.0.1",), port)
    peer, other = Peer(me), Peer(Identity.new(3072))
    session = peer.call(port, invite=invite)
    assert product.wait("peer")["trust"] == "invited"
    session.goodbye()
    product.wait("closed")
    with pytest.raises(Cut):  # used, and by another key
        other.call(port, invite=invite)
    with pytest.raises(Cut):
        peer.call(port)
    peer.call(port, invite=invite)
    assert product.wait("peer")["trust"] == "invited"
    for one in (peer, other):
        one.hang_up()


def test_the_product_joins(tmp_path: Path) -> None:
    """Its K1 carries the tag that the document says, in the second place."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        invite = Invite(("127.0.0.1",), port, bytes(32), bytes(range(16)), 4_000_000_000)
        product = Product(tmp_path / "home", "join", invite.text())
        try:
            with listener.accept()[0] as line:
                data = b""
                while len(data) < 5 + 1283:
                    assert select.select([line], [], [], PROGRAM_SECONDS)[0]
                    data += line.recv(4096)
            core, second = data[5:-64], data[-32:]
            assert second == mac(invite.tag_secret(), b"call tag", core)
            assert product.wait("refused")["reason"] == "invite"
        finally:
            assert product.end() == 4
