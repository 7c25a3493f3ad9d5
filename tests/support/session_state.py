"""The whole state of a session: to be compared with itself, and to be gone on with twice."""

import copy
from collections import deque
from collections.abc import Iterator, Mapping
from enum import Enum
from types import BuiltinMethodType, FunctionType, MethodType

from cryptography.hazmat.primitives.asymmetric import mlkem, x25519

from securechat_tui.protocol.handshake import Handshake
from securechat_tui.protocol.identity import PublicIdentity
from securechat_tui.protocol.keyschedule import K1, K2, GuestSection, HandshakeKeys, HostSection, Master
from securechat_tui.protocol.records import Chain
from securechat_tui.protocol.session import Session

_PLAIN = (bytes, bytearray, int, float, str, Enum, type(None))
_SECRET_KEYS = (x25519.X25519PrivateKey, mlkem.MLKEM768PrivateKey)
_FROZEN = (PublicIdentity, K1, K2, GuestSection, HostSection, HandshakeKeys, Master, Chain)


def snapshot(thing: object) -> tuple[tuple[str, object], ...]:
    """Return every plain value that can be reached from an object, each with the way to it."""
    return tuple(_walk(thing, "", ()))


def _walk(thing: object, way: str, above: tuple[int, ...]) -> Iterator[tuple[str, object]]:
    if isinstance(thing, _PLAIN):
        yield way, bytes(thing) if isinstance(thing, bytearray) else thing
    elif isinstance(thing, _SECRET_KEYS):
        yield way, thing.private_bytes_raw()
    elif isinstance(thing, BuiltinMethodType | FunctionType | MethodType):
        yield way, thing.__name__
    elif isinstance(thing, PublicIdentity):
        yield way, thing.spki
    elif id(thing) not in above:
        parts = dict(_parts(thing))
        yield way, (type(thing).__name__, len(parts))
        for name, part in parts.items():
            yield from _walk(part, f"{way}/{name}", (*above, id(thing)))


def _parts(thing: object) -> Iterator[tuple[str, object]]:
    if isinstance(thing, Mapping):
        yield from ((repr(key), value) for key, value in thing.items())
    elif isinstance(thing, list | tuple | deque):
        yield from ((str(place), part) for place, part in enumerate(thing))
    else:
        slots = (name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ()))
        names = [*getattr(thing, "__dict__", ()), *(name for name in slots if hasattr(thing, name))]
        if not names:
            raise TypeError(f"no way into a {type(thing).__name__}")
        yield from ((name, getattr(thing, name)) for name in names)


def clone(session: Session) -> Session:
    """Return a session in the same state, secrets included, that goes its own way from here on."""
    shared = {id(part): part for part in _values(session)}
    copied = copy.deepcopy(session, shared)
    _attach(copied._handshake, copied._out)
    return copied


def _values(session: Session) -> Iterator[object]:
    """Give what the two may share, for it never changes: identities, keys, transcripts, chains."""
    layer = session._records
    parts = [*vars(session._handshake).values()]
    if layer is not None:
        parts += [*vars(layer).values(), layer._sender.chain, layer._receiver.chain]
    return (part for part in parts if isinstance(part, _FROZEN))


def _attach(machine: Handshake, out: list[bytes]) -> None:
    """Let the copied machine write to the copied session: a method of a list is copied as it is."""
    machine._write = out.append
