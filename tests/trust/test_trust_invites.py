"""Invites: what is read is what was made, and every defect has its own sentence."""

import base64
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat_tui.protocol import constants as c
from securechat_tui.protocol.identity import Fingerprint
from securechat_tui.protocol.primitives import hash_of
from securechat_tui.trust.invites import (
    INVITE_SECONDS,
    MAX_INVITE,
    BadInvite,
    ExpiredInvite,
    Invite,
    MistypedInvite,
    NewerInvite,
    NotAnInvite,
    looks_like_invite,
)

NOW = 1_795_262_400.0
HOST_KEY = Fingerprint(bytes(range(32)))
SECRET = bytes(range(100, 116))
PLAIN = Invite(("192.168.1.20",), 8000, HOST_KEY, int(NOW) + 600, SECRET)
WIDE = replace(PLAIN, hosts=("my-host.example", "2001:db8::7", "10.0.0.5"), port=65535)

numeric = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?(\.[a-z]{2,6}){0,2}", fullmatch=True)
invites = st.builds(
    Invite,
    st.tuples(numeric | names, st.lists(numeric, max_size=3)).map(lambda hosts: (hosts[0], *hosts[1])),
    st.integers(1, 65535),
    st.binary(min_size=32, max_size=32).map(Fingerprint),
    st.integers(int(NOW) + 1, 0xFFFFFFFF),
    st.binary(min_size=16, max_size=16),
)


def sealed(authority: str, body: bytes) -> str:
    """An invite whose check is right, whatever its parts say."""
    check = hash_of(c.LABEL_INVITE_CHECK, authority.encode(), body)[:5]
    return f"securechat://{authority}/#" + base64.b32encode(body + check).decode().rstrip("=").lower()


@given(invites)
def test_what_is_read_is_what_was_made(invite: Invite) -> None:
    text = invite.encode()
    assert len(text) <= MAX_INVITE
    assert re.fullmatch(r"securechat://[a-z0-9.:\[\]-]+:[0-9]+/#[a-z2-7]+", text)
    assert Invite.parse(text, NOW) == invite


@given(invites, st.data())
def test_white_space_and_capitals_make_no_difference(invite: Invite, data: st.DataObject) -> None:
    """As after a line that was broken on its way, and as in a QR code."""
    text = invite.encode()
    places = data.draw(st.lists(st.integers(0, len(text)), max_size=5))
    for place in places:
        text = text[:place] + data.draw(st.sampled_from(" \n\t\r")) + text[place:]
    assert Invite.parse(text.upper(), NOW) == invite


@pytest.mark.parametrize("invite", [PLAIN, WIDE], ids=["plain", "wide"])
def test_every_flipped_bit_has_its_sentence(invite: Invite) -> None:
    """Every bit of every character: only a capital for a small letter is no defect."""
    text = invite.encode()
    kinds = set()
    for place, character in enumerate(text):
        for bit in range(8):
            flipped = chr(ord(character) ^ 1 << bit)
            altered = text[:place] + flipped + text[place + 1 :]
            if altered.lower() == text:
                assert Invite.parse(altered, NOW) == invite
                continue
            with pytest.raises(BadInvite) as raised:
                Invite.parse(altered, NOW)
            kinds.add(type(raised.value))
            assert str(raised.value)[-1] == "."
    assert kinds == {NotAnInvite, MistypedInvite}


@given(invites, st.data())
def test_typing_errors_are_caught(invite: Invite, data: st.DataObject) -> None:
    """Characters dropped, doubled, swapped, replaced; a piece cut off; another host or port."""
    text = invite.encode()
    start = len("securechat://")
    place = data.draw(st.integers(start, len(text) - 1))
    end = data.draw(st.integers(place, len(text)))
    middle = data.draw(st.text("abcdefghijklmnopqrstuvwxyz234567.:/#", max_size=4))
    altered = text[:place] + middle + text[end:]
    if altered == text:
        return
    with pytest.raises(BadInvite):
        Invite.parse(altered, NOW)


@pytest.mark.parametrize("authority", ["192.168.1.21:8000", "192.168.1.20:8001", "evil.example:8000"])
def test_another_host_or_port_is_a_typing_error(authority: str) -> None:
    with pytest.raises(MistypedInvite, match="typing error"):
        Invite.parse(PLAIN.encode().replace("192.168.1.20:8000", authority), NOW)


@given(st.text())
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    for given_text in (text, f"securechat://{text}", f"securechat://a:1/#{text}"):
        with pytest.raises(BadInvite):
            Invite.parse(given_text, NOW)


def test_what_is_too_long_is_not_looked_at() -> None:
    text = PLAIN.encode().rjust(MAX_INVITE)
    assert Invite.parse(text, NOW) == PLAIN
    with pytest.raises(NotAnInvite):
        Invite.parse(" " + text, NOW)


@pytest.mark.parametrize(
    "text", ["", "192.168.1.20:8000", "https://example.com/#abc", "securechat:/192.168.1.20:8000/#abc"]
)
def test_not_an_invite(text: str) -> None:
    with pytest.raises(NotAnInvite, match="not an invite"):
        Invite.parse(text, NOW)


@pytest.mark.parametrize(
    "text", [PLAIN.encode()[:-1], "securechat://192.168.1.20:8000", "securechat://a:1/#a"]
)
def test_a_piece_is_missing(text: str) -> None:
    with pytest.raises(MistypedInvite, match="copy the whole of it again"):
        Invite.parse(text, NOW)


def test_bits_that_say_nothing_must_be_zero() -> None:
    """Base32's last letter may hold bits beyond the last byte: one string for one invite."""
    text = PLAIN.encode()
    assert len(text.partition("#")[2]) % 8
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    other = text[:-1] + alphabet[alphabet.index(text[-1]) ^ 1]
    with pytest.raises(MistypedInvite):
        Invite.parse(other, NOW)


def test_expired_says_both_clocks() -> None:
    Invite.parse(PLAIN.encode(), PLAIN.expires - 0.001)
    with pytest.raises(ExpiredInvite) as raised:
        Invite.parse(PLAIN.encode(), PLAIN.expires)
    assert len(re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", str(raised.value))) == 2
    assert "clock" in str(raised.value)


def test_another_version_is_not_a_typing_error() -> None:
    with pytest.raises(NewerInvite, match="newer version"):
        Invite.parse(sealed("192.168.1.20:8000", b"\2whatever comes then"), NOW)


@pytest.mark.parametrize(
    ("authority", "change"),
    [
        ("192.168.1.20:0", bytes),
        ("192.168.1.20:70000", bytes),
        ("192.168.1.20", bytes),
        ("[my-host]:8000", bytes),
        ("[192.168.1.20]:8000", bytes),
        ("[abc]:8000", bytes),
        ("[dead:beef]:8000", bytes),
        ("[2001:db8::0:7]:8000", bytes),
        ("a:b:8000", bytes),
        ("192.168.1.20:8000", lambda body: body[:-1]),
        ("192.168.1.20:8000", lambda body: body + b"\0"),
        ("192.168.1.20:8000", lambda body: body[:-1] + b"\1\0"),
        ("192.168.1.20:8000", lambda body: body[:-1] + b"\1\5" + bytes(4)),
        ("192.168.1.20:8000", lambda body: body[:-1] + b"\1\6" + bytes(4)),
        ("192.168.1.20:8000", lambda body: body[:-1] + b"\4" + b"\4abcd" * 4),
        ("192.168.1.20:8000", lambda body: body[:-1] + b"\2\4abcd"),
        ("192.168.1.20:8000", lambda _: b""),
    ],
    ids=range(17),
)
def test_what_no_host_makes(authority: str, change: object) -> None:
    assert callable(change)
    with pytest.raises(NotAnInvite):
        Invite.parse(sealed(authority, change(PLAIN._body())), NOW)


def test_the_parts_must_be_possible() -> None:
    for changes in (
        {"hosts": ()},
        {"hosts": ("1.1.1.1",) * 5},
        {"hosts": ("a", "b")},
        {"hosts": ("a", "2001:db8:0::1")},
        {"hosts": ("Capital",)},
        {"hosts": ("a:b",)},
        {"hosts": ("a" * 254,)},
        {"port": 0},
        {"port": 65536},
        {"expires": -1},
        {"expires": 1 << 32},
        {"secret": bytes(15)},
        {"fingerprint": Fingerprint(bytes(31))},
    ):
        with pytest.raises(ValueError, match="an invite"):
            replace(PLAIN, **changes)


@pytest.mark.parametrize(
    "changes",
    [{"hosts": ("a" * 253,)}, {"port": 1}, {"port": 65535}, {"expires": 0}, {"expires": 0xFFFFFFFF}],
)
def test_the_parts_may_be_as_small_and_as_great(changes: dict[str, Any]) -> None:
    invite = replace(PLAIN, **changes)
    assert Invite.parse(invite.encode(), -1.0) == invite


def test_each_has_a_secret_of_its_own_and_ends_after_ten_minutes() -> None:
    one, other = (Invite.make(("a",), 8000, HOST_KEY, NOW + 0.9) for _ in range(2))
    assert one.secret != other.secret
    assert one.expires == int(NOW) + INVITE_SECONDS
    assert one.tag_secret != other.tag_secret
    assert WIDE.endpoints == (("my-host.example", 65535), ("2001:db8::7", 65535), ("10.0.0.5", 65535))


def test_the_tag_is_bound_to_key_and_end() -> None:
    assert len(PLAIN.tag_secret) == 32
    assert replace(PLAIN, expires=PLAIN.expires + 1).tag_secret != PLAIN.tag_secret
    assert replace(PLAIN, fingerprint=Fingerprint(bytes(32))).tag_secret != PLAIN.tag_secret
    assert replace(PLAIN, hosts=("elsewhere",), port=1).tag_secret == PLAIN.tag_secret


def test_the_secret_is_in_no_representation() -> None:
    assert SECRET.hex() not in repr(PLAIN)
    assert repr(SECRET) not in repr(PLAIN)


def test_what_looks_like_an_invite() -> None:
    assert looks_like_invite("  SECURECHAT://nonsense")
    assert looks_like_invite("secure\nchat://192.168.1.20:8000/ #aaaa")
    assert not looks_like_invite("securechat-tui join")
