"""Sections 8 and 9 of docs/protocol.md: the handshake in both roles, pins, call tags."""

import hmac
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from reference_crypto import (
    Chance,
    Fields,
    Identity,
    PublicIdentity,
    Violation,
    Wire,
    expand,
    extract,
    hash_of,
    lp16,
    mac,
    oaep_padding,
    seal,
    sha256,
    u,
    unseal,
)
from reference_invites import Invite

FAILURE = "handshake failure"
BUSY, OTHER_VERSION = 1, 2
HANDSHAKE_SECONDS = 10


class Hint(Exception):
    """Section 7: what a host said instead of K2, or what we said as a host; it binds nobody."""

    def __init__(self, code: int, versions: list[int]) -> None:
        super().__init__(code, versions)
        self.code, self.versions = code, versions


@dataclass
class Contact:
    """Section 9: the pin of a peer, and the reconnect secrets kept for it."""

    key: PublicIdentity
    newest: bytes | None = None
    confirmed: bytes | None = None

    @property
    def secrets(self) -> list[bytes]:
        """Those that there are."""
        return [*dict.fromkeys(one for one in (self.newest, self.confirmed) if one is not None)]


@dataclass(frozen=True)
class Agreed:
    """What both sides have after section 8.5."""

    is_host: bool
    contact: Contact
    t3: bytes
    root: bytes
    session_id: bytes
    reconnect: bytes


# Section 8.1, 8.3: lists


def version_list(versions: list[int]) -> bytes:
    """The encoding of 8.1."""
    return u(len(versions), 1) + b"".join(u(version, 2) for version in versions)


def read_versions(fields: Fields) -> list[int]:
    """1 to 16 versions, strictly descending."""
    versions = [fields.number(2) for _ in range(fields.number(1))]
    fields.need(1 <= len(versions) <= 16 and versions == sorted(set(versions), reverse=True))
    return versions


def read_rotations(fields: Fields) -> bytes:
    """Section 9.3: this peer does not act on statements; it checks their layout."""
    start, count = fields.at, fields.number(1)
    fields.need(count <= 2)
    for _ in range(count):
        fields.take(32 + 32 + 4)
        fields.lp16(512)
    return fields.data[start : fields.at]


def pad(section: bytes, size: int) -> bytes:
    """Zeros up to ``size``."""
    return section + bytes(size - len(section))


# Section 5: the two key agreements


def exchange(own: X25519PrivateKey, public: bytes, outcome: str = FAILURE) -> bytes:
    """X25519; ``cryptography`` refuses an all-zero result."""
    try:
        return own.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        raise Violation(f"{outcome}: X25519") from None


def encapsulate(chance: Chance, ek: bytes, outcome: str = FAILURE) -> tuple[bytes, bytes]:
    """ML-KEM-768: shared secret and ciphertext."""
    try:
        return chance.encapsulate(ek)
    except ValueError:
        raise Violation(f"{outcome}: ML-KEM") from None


# Section 9.2: call tags


def call_tag(secret: bytes, core: bytes) -> bytes:
    """The tag that shows ``secret``."""
    return mac(secret, b"call tag", core)


def place(chance: Chance, secret: bytes | None, core: bytes) -> bytes:
    """What fills a tag's place: the tag, or something nobody can tell from one."""
    return chance.random("tag", 32) if secret is None else call_tag(secret, core)


def find_caller(contacts: list[Contact], core: bytes, tags: bytes) -> tuple[Contact, bytes] | None:
    """Who calls, and the secret that was shown; the lower one counts if both were."""
    for contact in contacts:
        for secret in sorted(contact.secrets):
            tag = call_tag(secret, core)
            if any(hmac.compare_digest(tag, place) for place in (tags[:32], tags[32:])):
                return contact, secret
    return None


# Section 8.5


class Master:
    """What follows from T2, E_G, both names and the three shared values."""

    def __init__(self, t2: bytes, e_g: bytes, fp_g: bytes, fp_h: bytes, shared: bytes) -> None:
        self.t3 = hash_of(b"T3", t2, e_g, fp_g, fp_h)
        self.master = extract(self.t3, shared)
        self.fin_host = mac(expand(self.master, b"fin host key"), b"fin", self.t3)
        self.fin_guest = mac(expand(self.master, b"fin guest key"), b"fin", self.t3)

    def agreed(self, is_host: bool, contact: Contact) -> Agreed:
        """The values that outlive the handshake."""
        root, session_id = expand(self.master, b"root"), expand(self.master, b"session id")
        reconnect = expand(expand(self.master, b"exporter"), b"reconnect secret")
        return Agreed(is_host, contact, self.t3, root, session_id, reconnect)


def read_fin(wire: Wire, expected: bytes, deadline: float) -> None:
    """Compare the other side's FIN in constant time."""
    _, fin = wire.receive({b"F": range(32, 33)}, deadline)
    if not hmac.compare_digest(fin, expected):
        raise Violation(f"{FAILURE}: FIN")


def guest_handshake(
    wire: Wire, me: Identity, expected: Contact | None, offered: list[int], invite: Invite | None = None
) -> Agreed:
    """The guest's side of section 8. ``expected`` is who must answer, None at a first contact.

    With an ``invite``, its host must answer, and its tag takes the second place (9.4).
    """
    chance = wire.chance
    deadline = chance.now() + HANDSHAKE_SECONDS
    x_g, kem = chance.x25519(), chance.mlkem()
    core = version_list(offered) + x_g.public_key().public_bytes_raw() + kem.public_key().public_bytes_raw()
    newest, confirmed = (expected.newest, expected.confirmed) if expected else (None, None)
    second = confirmed if confirmed != newest else None
    second = invite.tag_secret() if invite else second
    k1 = core + place(chance, newest, core) + place(chance, second, core)
    wire.send(b"K", k1)

    kind, k2 = wire.receive({b"K": range(3698, 3699), b"H": range(2, 65)}, deadline)
    if kind == b"H":
        raise read_hint(k2)
    t1 = hash_of(b"T1", k1, k2[:1122])
    shared = kem.decapsulate(k2[34:1122]) + exchange(x_g, k2[2:34])
    hs = extract(t1, shared)

    # 8.3: E_H
    section = Fields(unseal(expand(hs, b"host section key"), k2[1122:], t1, FAILURE), FAILURE)
    spki, host_versions = section.lp16(550), read_versions(section)
    rotations, signature = read_rotations(section), section.lp16(512)
    section.need(not any(section.rest()))
    if int.from_bytes(k2[:2], "big") != max({*offered} & {*host_versions}, default=None):
        raise Violation("version mismatch: not the highest common version")
    host = PublicIdentity(spki)
    signed = (t1, host.fp, host.spki, version_list(host_versions), rotations)
    host.verify(FAILURE, signature, b"host signature", *signed)
    if host.fp == me.fp:
        raise Violation("own fingerprint")
    if expected is not None and expected.key.fp != host.fp:
        raise Violation("handshake failure: another key than the pinned one")
    if invite is not None and invite.fp != host.fp:
        raise Violation("handshake failure: another key than the one in the invite")

    # 8.4
    t2 = hash_of(b"T2", t1, k2[1122:])
    o = chance.random("o", 32)
    oc = chance.wrap(host, o, hash_of(b"oaep", t2))
    signature = me.sign(b"guest signature", t2, sha256(oc), me.fp, host.fp, me.spki, me.rotations)
    guest_section = pad(lp16(me.spki) + lp16(oc) + me.rotations + lp16(signature), 2816)
    e_g = seal(expand(hs, b"guest section key"), guest_section, t2)
    wire.send(b"S", e_g)

    # 8.5: the secret is stored before FIN_G (9.2)
    master = Master(t2, e_g, me.fp, host.fp, shared + o)
    read_fin(wire, master.fin_host, deadline)
    contact = expected or Contact(host)
    agreed = master.agreed(is_host=False, contact=contact)
    if len(contact.secrets) < 2:
        contact.newest, contact.confirmed = agreed.reconnect, contact.newest
    wire.send(b"F", master.fin_guest)
    return agreed


def read_hint(payload: bytes) -> Hint:
    """Section 7: the hint."""
    fields = Fields(payload, "frame refused")
    code, versions = fields.number(1), [fields.number(2) for _ in range(fields.number(1))]
    fields.need(len(versions) <= 16)
    fields.end()
    if code not in {BUSY, OTHER_VERSION}:
        raise Violation(f"{FAILURE}: hint {code}")
    return Hint(code, versions)


def host_handshake(
    wire: Wire, me: Identity, contacts: list[Contact], spoken: list[int], busy: bool
) -> Agreed:
    """The host's side of section 8. A new peer is added to ``contacts``."""
    chance = wire.chance
    deadline = chance.now() + HANDSHAKE_SECONDS
    _, k1 = wire.receive({b"K": range(1, 2049)}, deadline)
    fields = Fields(k1, FAILURE)
    common = {*read_versions(fields)} & {*spoken}
    if not common:
        raise refuse_call(wire, OTHER_VERSION, spoken)
    fields.need(len(k1) == fields.at + 32 + 1184 + 64)
    x_public, ek, tags = fields.take(32), fields.take(1184), fields.rest()
    caller = find_caller(contacts, k1[:-64], tags)
    if busy:
        raise refuse_call(wire, BUSY, spoken)

    # 8.2, 8.3
    x_h = chance.x25519()
    ss_mlkem, ct = encapsulate(chance, ek)
    shared = ss_mlkem + exchange(x_h, x_public)
    clear = u(max(common), 2) + x_h.public_key().public_bytes_raw() + ct
    t1 = hash_of(b"T1", k1, clear)
    hs = extract(t1, shared)
    versions = version_list(spoken)
    signature = me.sign(b"host signature", t1, me.fp, me.spki, versions, me.rotations)
    section = pad(lp16(me.spki) + versions + me.rotations + lp16(signature), 2560)
    e_h = seal(expand(hs, b"host section key"), section, t1)
    wire.send(b"K", clear + e_h)

    # 8.4: everything is checked before the private key touches oc
    _, e_g = wire.receive({b"S": range(2832, 2833)}, deadline)
    t2 = hash_of(b"T2", t1, e_h)
    fields = Fields(unseal(expand(hs, b"guest section key"), e_g, t2, FAILURE), FAILURE)
    spki, oc = fields.lp16(550), fields.lp16(512)
    rotations, signature = read_rotations(fields), fields.lp16(512)
    fields.need(not any(fields.rest()))
    guest = PublicIdentity(spki)
    signed = (t2, sha256(oc), guest.fp, me.fp, spki, rotations)
    guest.verify(FAILURE, signature, b"guest signature", *signed)
    if guest.fp == me.fp:
        raise Violation("own fingerprint")
    if caller and caller[0].key.fp != guest.fp:
        raise Violation("handshake failure: the tag names another key")
    o = unwrap(me, oc, hash_of(b"oaep", t2), chance.random("fallback", 32))

    # 8.5
    master = Master(t2, e_g, guest.fp, me.fp, shared + o)
    wire.send(b"F", master.fin_host)
    read_fin(wire, master.fin_guest, deadline)
    contact = next((known for known in contacts if known.key.fp == guest.fp), None) or Contact(guest)
    if contact not in contacts:
        contacts.append(contact)
    agreed = master.agreed(is_host=True, contact=contact)
    contact.newest = agreed.reconnect
    contact.confirmed = caller[1] if caller else contact.confirmed
    return agreed


def refuse_call(wire: Wire, code: int, spoken: list[int]) -> Hint:
    """Say a hint."""
    wire.send(b"H", u(code, 1) + version_list(spoken))
    return Hint(code, spoken)


def unwrap(me: Identity, oc: bytes, label: bytes, fallback: bytes) -> bytes:
    """Section 8.4: ``o``, or random bytes drawn before, so that a forged oc fails at FIN and nowhere else."""
    try:
        o = me.private.decrypt(oc, oaep_padding(label))
    except ValueError:
        return fallback
    return o if len(o) == 32 else fallback
