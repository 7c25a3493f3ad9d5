"""The protocols of the lab: what each is, how to make its sides, and what it lacks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from types import MappingProxyType
from typing import Final

from securechat_tui.lab import current_frames, five_layer, gcm, json_cbc_hmac, signed_gcm
from securechat_tui.lab.current import CurrentPeer
from securechat_tui.lab.five_layer import FiveLayerPeer, Layout
from securechat_tui.lab.gcm import GcmPeer
from securechat_tui.lab.json_cbc_hmac import JsonPeer
from securechat_tui.lab.keyring import KeyRing
from securechat_tui.lab.peer import Moment, Peer
from securechat_tui.lab.relay import RelayPeer
from securechat_tui.lab.signed_gcm import SignedGcmPeer
from securechat_tui.lab.steps import Field
from securechat_tui.lab.units import Splitter, Unit, flip_bit

__all__ = ["NAMES", "PROTOCOLS", "LabProtocol", "with_layout"]

PeerMaker = Callable[[str, KeyRing, Moment, str], Peer]
"""Takes a role, the keys, the moment and the owner of the key."""
RELAY_BITS: Final = 4096

_NO_CHECK_OF_KEYS: Final = "the other side's key is believed as it comes: whoever is in between can swap it"
_NO_FORWARD_SECRECY: Final = "a stolen RSA key opens everything that was ever recorded"
_NO_FRESHNESS: Final = "a message counts again each time it is sent again, in any order"
_NO_SIGNATURE: Final = "nobody can prove who wrote a message"


@dataclass(frozen=True, slots=True)
class LabProtocol:
    """One protocol; attacks and faces read from here what it has."""

    name: str
    title: str
    explanation: str
    lacks: tuple[str, ...]
    port: int
    make: PeerMaker
    split: Callable[[str], Splitter]
    flip: Callable[[Unit, Field, int], bytes] = flip_bit
    both_ways: bool = True
    many_guests: bool = False
    has_goodbye: bool = False
    signs_messages: bool = False
    polls: bool = False
    """Whether the two sides meet at a relay over HTTP instead of on a stream."""
    claims: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """By attack: what the ancestor relies on against it."""


def _gcm(role: str, keys: KeyRing, moment: Moment, owner: str) -> Peer:
    return GcmPeer(role, keys.rsa(owner), moment)


def _signed(role: str, keys: KeyRing, moment: Moment, owner: str) -> Peer:
    return SignedGcmPeer(role, keys.rsa(owner), moment)


def _json(role: str, keys: KeyRing, moment: Moment, owner: str) -> Peer:
    return JsonPeer(role, keys.rsa(owner), moment)


def _five(role: str, keys: KeyRing, moment: Moment, owner: str, layout: Layout | None = None) -> Peer:
    return FiveLayerPeer(role, keys.rsa(owner), moment, layout)


def _relay(role: str, keys: KeyRing, moment: Moment, owner: str) -> Peer:
    if role == "guest":
        return RelayPeer("alice", None, moment)
    return RelayPeer("bob", keys.rsa(owner, RELAY_BITS), moment)


def _current(role: str, keys: KeyRing, moment: Moment, owner: str) -> Peer:
    return CurrentPeer(role, keys.identity(owner), moment)


_NONCE_CLAIM: Final = "every message has a random nonce, so that it cannot be sent a second time"

_ALL: Final = (
    LabProtocol(
        name="gcm",
        title="RSA key exchange, then AES-GCM",
        explanation="The host sends an RSA key, the guest answers with an AES key under it. Each message is "
        "encrypted and authenticated by AES-GCM with a random nonce.",
        lacks=(
            _NO_CHECK_OF_KEYS,
            _NO_FRESHNESS,
            "a message can be sent back to its own author",
            _NO_SIGNATURE,
            _NO_FORWARD_SECRECY,
        ),
        port=8000,
        make=_gcm,
        split=gcm.splitter,
        has_goodbye=True,
        claims={"replay": _NONCE_CLAIM, "substitute-key": "the session key is encrypted for the host alone"},
    ),
    LabProtocol(
        name="signed-gcm",
        title="AES-GCM, and a signature over each message",
        explanation="As gcm, and both sides have an RSA key: each message is signed over nonce, ciphertext "
        "and tag, and the signature is checked before anything is decrypted.",
        lacks=(
            _NO_CHECK_OF_KEYS,
            _NO_FRESHNESS,
            "a signature names no recipient: a message can be passed on as if it were for somebody else",
            _NO_FORWARD_SECRECY,
        ),
        port=8000,
        make=_signed,
        split=signed_gcm.splitter,
        has_goodbye=True,
        signs_messages=True,
        claims={
            "replay": _NONCE_CLAIM,
            "forward-signed": "a signature proves that the message was meant by its author",
            "substitute-key": "both sides show their keys and sign with them",
        },
    ),
    LabProtocol(
        name="json-cbc-hmac",
        title="JSON lines, AES-CBC with one IV, HMAC",
        explanation="The guest sends AES key and IV under the host's RSA key, signed. Each message is "
        "encrypted by AES-CBC with the same IV and authenticated by HMAC, and goes from guest to host.",
        lacks=(
            "messages with equal beginnings look equal",
            _NO_CHECK_OF_KEYS,
            _NO_FRESHNESS,
            "nobody can tell the end of a conversation from a cut",
            _NO_SIGNATURE,
            _NO_FORWARD_SECRECY,
            "the host cannot answer",
        ),
        port=5555,
        make=_json,
        split=json_cbc_hmac.splitter,
        flip=json_cbc_hmac.flip,
        both_ways=False,
        many_guests=True,
        claims={
            "equal-iv": "the IV is random, made anew for each session",
            "forward-signed": "the signature over the session proves who the guest is",
        },
    ),
    LabProtocol(
        name="five-layer",
        title="A key, a time, a signature and an HMAC for each message, pickled",
        explanation="Each message has its own AES key under RSA, a Unix time, a signature over the text and "
        "an HMAC under a secret that both programs contain. The whole is a Python pickle.",
        lacks=(
            _NO_CHECK_OF_KEYS,
            "the secret of the HMAC is in every copy of the program",
            "the HMAC does not cover the IV, so the time in the message can be changed",
            "the signature covers the text alone: neither time nor recipient",
            "nobody can tell the end of a conversation from a cut",
            _NO_FORWARD_SECRECY,
            "unpickling what a stranger sends can run his code (here, it is refused)",
        ),
        port=8000,
        make=_five,
        split=five_layer.splitter,
        signs_messages=True,
        claims={
            "replay": "a time in each message, which is refused after 60 seconds",
            "delay": "a message older than 60 seconds is refused",
            "bit-flip": "HMAC and signature together cover the message",
            "substitute-key": "the HMAC's secret keeps strangers out",
        },
    ),
    LabProtocol(
        name="relay",
        title="Two clients of an HTTP relay, AES-GCM",
        explanation="Alice and bob poll a relay over HTTP. Alice chooses a master secret and sends it under "
        "the RSA key that the relay has for bob; messages are AES-GCM with the Unix time as associated data.",
        lacks=(
            "the relay is in between by construction, and hands out whatever key it likes",
            _NO_FRESHNESS,
            "sender, recipient and time are in clear",
            "the name of the sender is only written beside it",
            "nobody can tell the end of a conversation from a cut",
            _NO_SIGNATURE,
            _NO_FORWARD_SECRECY,
        ),
        port=5000,
        make=_relay,
        split=gcm.splitter,
        flip=json_cbc_hmac.flip,
        polls=True,
        claims={
            "replay": _NONCE_CLAIM,
            "delay": "the time is authenticated with the message",
            "substitute-key": "the relay sees nothing but ciphertexts",
        },
    ),
    LabProtocol(
        name="current",
        title="The product's own protocol, by its own code, with throw-away keys",
        explanation="X25519, ML-KEM-768 and RSA agree on keys that are thrown away record by record; both "
        "sides prove their identity keys; each message is signed for its recipient, numbered and chained.",
        lacks=(
            "here the keys are thrown away and nothing is pinned: for a chat, use host and join",
            "size (in five steps) and time of what passes can be seen",
            "whoever is on the way can stop it; that is noticed",
            "a first contact that nobody checks can be with somebody else",
        ),
        port=8000,
        make=_current,
        split=current_frames.splitter,
        has_goodbye=True,
        signs_messages=True,
    ),
)

PROTOCOLS: Final[Mapping[str, LabProtocol]] = MappingProxyType({one.name: one for one in _ALL})
NAMES: Final = tuple(PROTOCOLS)


def with_layout(layout: Layout) -> LabProtocol:
    """Return *five-layer* with another secret or framing."""
    return replace(
        PROTOCOLS["five-layer"],
        make=partial(_five, layout=layout),
        split=partial(five_layer.splitter, layout=layout),
    )
