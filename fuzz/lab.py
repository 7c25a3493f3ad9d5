"""The lab: pickles of strangers, the units of its streams, and what is posted to its relay."""

import json
import pickle
from collections.abc import Callable

from fuzz.harness import Harness, refused
from securechat_tui.lab.catalogue import PROTOCOLS, with_layout
from securechat_tui.lab.five_layer import Layout
from securechat_tui.lab.relay_store import RelayStore
from securechat_tui.lab.units import MAX_UNIT, CheckFailed, Splitter
from securechat_tui.lab.unpickle import loads_plain, pickle_length

__all__ = ["HARNESSES"]

_SPLITTERS: tuple[Callable[[str], Splitter], ...] = (
    *(protocol.split for protocol in PROTOCOLS.values() if not protocol.polls),
    with_layout(Layout(framing="none")).split,
)
_PEM = b"-----BEGIN PUBLIC KEY-----\nQQ==\n-----END PUBLIC KEY-----\n"
_PARTS = {"encrypted_session_key": b"k" * 8, "iv": b"i" * 16, "ciphertext": b"c" * 16, "hmac": b"h" * 32}


def check_pickle(data: bytes) -> bool:
    """Text and bytes come out, or it is refused; reading its length says the same."""
    found = refused(lambda: loads_plain(data), CheckFailed)
    if found is None:
        return False
    assert all(type(key) is str and type(value) is bytes for key, value in found.items())
    assert pickle_length(data) == len(data)
    return True


def check_units(data: bytes) -> bool:
    """Whatever the pieces, the same units come out, each within its bound and with its parts inside."""
    if len(data) < 2:
        return False
    split, role = _SPLITTERS[data[0] % len(_SPLITTERS)], ("guest", "host")[data[0] >> 7]
    whole, pieces = split(role), split(role)
    units = refused(lambda: list(whole.feed(data[1:])), CheckFailed)
    half = len(data) // 2
    again = refused(lambda: [*pieces.feed(data[1:half]), *pieces.feed(data[half:])], CheckFailed)
    assert again == units
    for unit in units or ():
        assert len(unit.data) <= MAX_UNIT + len(_PEM)
        assert all(0 <= part.start <= part.end <= len(unit.data) for part in unit.fields)
    return bool(units)


def check_relay(data: bytes) -> bool:
    """A body is kept as text, or refused with a status; what is kept can be read."""
    store = RelayStore()
    status, answer = store.post("/send_message", data)
    assert status in (200, 400, 503)
    assert json.dumps(answer)
    _, found = store.get("/get_messages/bob")
    for message in found["messages"]:
        assert all(type(value) is str for value in message.values())
    return status == 200


def _pickles() -> list[bytes]:
    bombs = [b"cos\nsystem\n(S'true'\ntR.", b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93\x94."]
    return [*(pickle.dumps(_PARTS, protocol) for protocol in (3, 4, 5)), pickle.dumps({}), *bombs, b""]


def _units() -> list[bytes]:
    body = pickle.dumps(_PARTS)
    streams = (
        b"K\0\0\0\x02abM\0\0\0\x20" + b"m" * 32,
        b"M\0\0\0\x28\0\0\0\x04" + b"s" * 36,
        b'SERVER_PUB\nkey\n\n\n{"cipher": "QQ==", "hmac": "QQ=="}\n\n',
        len(_PEM).to_bytes(4, "big") + _PEM + len(body).to_bytes(4, "big") + body,
        b"M\0\0\x01\x14" + bytes(276),
        _PEM + body,
    )
    chosen = [bytes((number | bit,)) + stream for number, stream in enumerate(streams) for bit in (0, 0x80)]
    return [*chosen, b"\0M\xff\xff\xff\xff"]


def _bodies() -> list[bytes]:
    message = dict.fromkeys(("sender", "recipient", "ciphertext", "nonce", "tag"), "bob")
    return [json.dumps(message).encode(), json.dumps({**message, "tag": 1}).encode(), b"[]", b"[" * 300]


HARNESSES = (
    Harness("lab pickle", check_pickle, _pickles, 512),
    Harness("lab units", check_units, _units, 1024),
    Harness("lab relay", check_relay, _bodies, 512),
)
