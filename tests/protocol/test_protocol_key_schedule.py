"""The key schedule against an independent one, written with the standard library from the recorded frames."""

import hashlib
import hmac

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from protocol_peers import Pair, guest_machine, payload_of

from securechat_tui.protocol import events
from securechat_tui.protocol.payloads import Empty

P = b"securechat-tui/1 "


def lp(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def digest(*parts: bytes) -> bytes:
    return hashlib.sha256(lp(*parts)).digest()


def mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def expand(key: bytes, *info: bytes) -> bytes:
    return mac(key, lp(*info) + b"\1")


class Oracle:
    """Follows one recorded handshake; ``secret`` is the two ephemeral secrets, ML-KEM's first."""

    def __init__(self, pair: Pair) -> None:
        k1, sealed_guest, _ = map(payload_of, pair.wire["guest"][:3])
        k2 = payload_of(pair.wire["host"][0])
        guest = guest_machine(pair.guest)
        secret = b"".join(guest._secrets)
        self.t1 = digest(P + b"T1", k1, k2[: 2 + 32 + 1088])
        early = mac(self.t1, secret)
        self.section_keys = expand(early, P + b"host section key"), expand(early, P + b"guest section key")
        self.sealed = k2[2 + 32 + 1088 :], sealed_guest
        self.t2 = digest(P + b"T2", self.t1, self.sealed[0])
        names = pair.guest.key.public.fingerprint, pair.host.key.public.fingerprint
        self.t3 = digest(P + b"T3", self.t2, sealed_guest, *names)
        self.master = mac(self.t3, secret + guest._contribution)

    def fin(self, side: bytes) -> bytes:
        return mac(expand(self.master, P + b"fin " + side + b" key"), lp(P + b"fin", self.t3))

    def key(self, label: bytes) -> bytes:
        return expand(self.master, P + label)


def fields(data: bytes, *lengths: int) -> list[bytes]:
    """Cut ``data``; a length of zero stands for a field behind two bytes of length."""
    found = []
    for length in lengths:
        size = length
        if not length:
            size, data = int.from_bytes(data[:2], "big"), data[2:]
        found.append(data[:size])
        data = data[size:]
    return [*found, data]


def test_fin_values_session_id_and_reconnect_secret() -> None:
    pair = Pair.established()
    oracle = Oracle(pair)
    assert payload_of(pair.wire["host"][1]) == oracle.fin(b"host")
    assert payload_of(pair.wire["guest"][2]) == oracle.fin(b"guest")
    authenticated = pair.guest.one(events.Authenticated)
    assert authenticated.session_id == oracle.key(b"session id")
    assert authenticated.reconnect_secret == expand(oracle.key(b"exporter"), P + b"reconnect secret")


def test_the_hosts_section_and_its_signature() -> None:
    pair = Pair.established()
    oracle = Oracle(pair)
    plaintext = AESGCM(oracle.section_keys[0]).decrypt(bytes(12), oracle.sealed[0], oracle.t1)
    spki, versions, rotations, signature, rest = fields(plaintext, 0, 3, 1, 0)
    assert (spki, versions, rotations) == (pair.host.key.public.spki, b"\1\0\1", b"\0")
    assert len(plaintext) == 2560
    assert not rest.strip(b"\0")
    message = lp(P + b"host signature", oracle.t1, hashlib.sha256(spki).digest(), spki, versions, rotations)
    pair.host.key.public.verify(signature, message)


def test_the_guests_section_its_contribution_and_its_signature() -> None:
    pair = Pair.established()
    oracle = Oracle(pair)
    plaintext = AESGCM(oracle.section_keys[1]).decrypt(bytes(12), oracle.sealed[1], oracle.t2)
    spki, wrapped, rotations, signature, rest = fields(plaintext, 0, 0, 1, 0)
    assert (spki, rotations, len(plaintext)) == (pair.guest.key.public.spki, b"\0", 2816)
    assert not rest.strip(b"\0")
    own, host = (hashlib.sha256(key.public.spki).digest() for key in (pair.guest.key, pair.host.key))
    message = lp(
        P + b"guest signature",
        oracle.t2,
        hashlib.sha256(wrapped).digest(),
        own,
        host,
        spki,
        rotations,
    )
    pair.guest.key.public.verify(signature, message)
    label = digest(P + b"oaep", oracle.t2)
    assert pair.host.key.unwrap(wrapped, label, bytes(32)) == guest_machine(pair.guest)._contribution


def test_the_first_two_records_of_each_direction() -> None:
    pair = Pair.established()
    oracle = Oracle(pair)
    root = oracle.key(b"root")
    for peer, name, direction in [(pair.guest, b"guest", b"\2"), (pair.host, b"host", b"\1")]:
        chain = expand(root, P + name + b" chain", bytes(4))
        for sequence in range(2):
            block = hmac.new(chain, lp(P + b"chain step"), hashlib.sha512).digest()
            chain, key = block[:32], block[32:]
            record = peer.records.seal(Empty())
            binding = lp(P + b"record", oracle.key(b"session id"), direction)
            associated = binding + bytes(4) + sequence.to_bytes(8, "big")
            plaintext = AESGCM(key).decrypt(bytes(12), record[4:], associated)
            assert record[:4] == bytes(4)
            assert plaintext == b"\0\0\0\1\x10".ljust(256, b"\0")


def test_a_call_tag_is_an_hmac_over_k1_without_the_tags() -> None:
    secrets = b"s" * 32, b"t" * 32
    pair = Pair.connect(secrets=secrets)
    pair.run()
    k1 = payload_of(pair.wire["guest"][0])
    tags = [mac(secret, lp(P + b"call tag", k1[:-64])) for secret in secrets]
    assert k1[-64:] == b"".join(tags)
