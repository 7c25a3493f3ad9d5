"""What people type as an address, and what they are told when it is none."""

import socket
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat_tui.network.addresses import Address, BadAddress, reachable_addresses
from securechat_tui.network.sockets import ANY_HOST


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("192.168.1.5", "192.168.1.5", 8000),
        ("192.168.1.5:9000", "192.168.1.5", 9000),
        ("  example.org:1 ", "example.org", 1),
        ("EXAMPLE.org.", "example.org", 8000),
        ("localhost:65535", "localhost", 65535),
        ("bücher.example", "xn--bcher-kva.example", 8000),
        ("my_box-2", "my_box-2", 8000),
        ("::1", "::1", 8000),
        ("2001:DB8:0:0::1", "2001:db8::1", 8000),
        ("::1:8000", "::1:8000", 8000),
        ("[::1]", "::1", 8000),
        ("[::1]:9000", "::1", 9000),
        ("fe80::1%eth0", "fe80::1%eth0", 8000),
        ("[fe80::1%2]:7", "fe80::1%2", 7),
        ("::ffff:192.0.2.1", "192.0.2.1", 8000),
    ],
)
def test_addresses_are_read_in_canonical_form(text: str, host: str, port: int) -> None:
    assert Address.parse(text) == Address(host, port)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        ":8000",
        "host:",
        "host:0",
        "host:65536",
        "host:123456",
        "host:-1",
        "host:+1",
        "host:80a",
        "host:٨٠",
        "http://host:8000",
        "host/path",
        "me@host",
        "[example.org]:80",
        "[::1",
        "[::1]x",
        "[::1]:",
        "[]:80",
        "1.2.3",
        "1.2.3.256",
        "127",
        "1.2.3.4.5",
        "a..b",
        "-a.example",
        "a-.example",
        "a b",
        "a\x1b[31m",
        "a\nb",
        "x" * 64,
        ".".join(["label"] * 60),
        "x" * 100_000,
        "2001:db8:::1",
        "fe80::1%",
        "fe80::1%a b",
        "fe80::1%" + "x" * 16,
        ANY_HOST,
        "[::]:8000",
        "\ud800",
    ],
)
def test_anything_else_gets_one_short_sentence(text: str) -> None:
    with pytest.raises(BadAddress) as raised:
        Address.parse(text)
    sentence = str(raised.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) < 160
    assert sentence.isprintable()


def test_a_place_to_listen_may_be_any_port_and_any_address() -> None:
    assert Address.parse("0.0.0.0:0", bind=True) == Address(ANY_HOST, 0)
    assert Address.parse("[::]:0", bind=True) == Address("::", 0)
    assert Address.parse("host", default_port=1234) == Address("host", 1234)


@given(st.ip_addresses(), st.integers(1, 65535))
def test_numeric_addresses_survive_printing(number: IPv4Address | IPv6Address, port: int) -> None:
    address = Address(Address.parse(str(number), bind=True).host, port)
    assert Address.parse(str(address), bind=True) == address
    assert address.is_numeric


@given(st.text(max_size=40))
def test_no_text_does_anything_but_parse_or_be_refused(text: str) -> None:
    try:
        address = Address.parse(text)
    except BadAddress:
        return
    assert Address.parse(str(address)) == address


def test_socket_names_become_addresses() -> None:
    assert Address.of_socket(("192.0.2.1", 5)) == Address("192.0.2.1", 5)
    assert Address.of_socket(("fe80::1", 5, 0, 3)) == Address("fe80::1%3", 5)
    assert Address.of_socket(("::1", 5, 0, 0)) == Address("::1", 5)
    assert Address.of_socket(("::ffff:127.0.0.1", 5, 0, 0)).is_loopback


def test_kinds_of_addresses() -> None:
    assert Address("127.9.9.9", 1).is_loopback
    assert Address("::1", 1).is_loopback
    assert not Address("localhost", 1).is_loopback
    assert not Address("localhost", 1).is_numeric
    assert not Address("localhost", 1).is_unspecified


# -- reachable addresses -------------------------------------------------------------------------


class FakeSocket:
    """A datagram socket that only knows which of the machine's addresses a route would use."""

    def __init__(self, family: int, _kind: int) -> None:
        self.family = family

    def __enter__(self) -> "FakeSocket":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def connect(self, _name: tuple[str, int]) -> None:
        return None

    def getsockname(self) -> tuple[str, int]:
        return ("198.51.100.7", 1) if self.family == socket.AF_INET else ("2001:db8::7", 1)


def fake_getaddrinfo(_host: str, _port: None, family: int, _kind: int) -> list[Any]:
    if family == socket.AF_INET:
        return [(family, 1, 6, "", (host, 0)) for host in ("127.0.1.1", "198.51.100.7", "198.51.100.8")]
    return [(family, 1, 6, "", (host, 0, 0, 2)) for host in ("fe80::1", "2001:db8::8")]


def test_own_addresses_come_in_order_of_use_and_loopback_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.socket", FakeSocket)
    monkeypatch.setattr("socket.getaddrinfo", fake_getaddrinfo)
    found = reachable_addresses([Address(ANY_HOST, 9), Address("::", 9)])
    assert [address.host for address in found] == [
        "198.51.100.7",
        "198.51.100.8",
        "2001:db8::7",
        "2001:db8::8",
        "127.0.0.1",
        "::1",
    ]
    assert {address.port for address in found} == {9}


def test_a_definite_address_is_the_only_one_to_reach() -> None:
    assert reachable_addresses([Address("192.0.2.4", 9)]) == (Address("192.0.2.4", 9),)


def test_without_network_or_name_the_loopback_remains(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("no network")

    monkeypatch.setattr("socket.socket.connect", fail, raising=False)
    monkeypatch.setattr("socket.getaddrinfo", fail)
    assert reachable_addresses([Address(ANY_HOST, 9)]) == (Address("127.0.0.1", 9),)


def test_the_list_is_short_on_a_machine_with_many_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [(socket.AF_INET, 1, 6, "", (f"198.51.100.{last}", 0)) for last in range(1, 200)]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_: many)
    found = reachable_addresses([Address(ANY_HOST, 9)])
    assert len(found) == 9
    assert found[-1] == Address("127.0.0.1", 9)


def test_this_very_machine_is_asked_without_an_error() -> None:
    assert reachable_addresses([Address(ANY_HOST, 9), Address("::", 9)])[-1] == Address("::1", 9)
