"""The handshake's messages and the keys that follow from them.

    K1  guest -> host  versions, X25519 key, ML-KEM-768 key, two tags
    K2  host -> guest  version, X25519 key, ML-KEM ciphertext, E_H
    S   guest -> host  E_G

E_H and E_G are the sealed sections that name host and guest; both are padded to a fixed length, so
that neither the key size nor a rotation shows.
"""

from dataclasses import dataclass
from typing import Final

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import primitives
from securechat_tui.protocol.encoding import Reader, encode, lp16, u8, u16
from securechat_tui.protocol.errors import HandshakeFailure, MalformedPayload, VersionMismatch
from securechat_tui.protocol.identity import PublicIdentity
from securechat_tui.protocol.primitives import hash_of, hkdf_expand, hkdf_extract, sha256
from securechat_tui.protocol.rotation import Rotation, encode_rotations, read_rotations

_CLEAR_K2_LENGTH: Final = 2 + c.X25519_LENGTH + c.MLKEM_CIPHERTEXT_LENGTH


def encode_versions(versions: tuple[int, ...]) -> bytes:
    """Return a list of versions: its length, then two bytes each, highest first."""
    return u8(len(versions)) + b"".join(map(u16, versions))


def read_versions(reader: Reader) -> tuple[int, ...]:
    """Read 1 to 16 versions, strictly descending; raises :class:`MalformedPayload`."""
    count = reader.number(1)
    if not 1 <= count <= c.MAX_OFFERED_VERSIONS:
        raise MalformedPayload("number of versions")
    versions = tuple(reader.number(2) for _ in range(count))
    if list(versions) != sorted(set(versions), reverse=True):
        raise MalformedPayload("versions not in descending order")
    return versions


def highest_common(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """Return the highest version of both lists; raises :class:`VersionMismatch`."""
    common = set(one) & set(other)
    if not common:
        raise VersionMismatch("no common version")
    return max(common)


@dataclass(frozen=True, slots=True)
class K1:
    """The guest's first message; ``tags`` are 32 bytes each."""

    versions: tuple[int, ...]
    x25519: bytes
    encapsulation_key: bytes
    tags: tuple[bytes, bytes]

    def core(self) -> bytes:
        """Return everything but the tags: what the tags cover."""
        return encode_versions(self.versions) + self.x25519 + self.encapsulation_key

    def encode(self) -> bytes:
        """Return the frame's payload."""
        return self.core() + b"".join(self.tags)

    @classmethod
    def decode(cls, data: bytes, own_versions: tuple[int, ...]) -> "K1":
        """Read K1; raises MalformedPayload, or VersionMismatch before looking at what follows."""
        reader = Reader(data)
        versions = read_versions(reader)
        highest_common(own_versions, versions)
        k1 = cls(
            versions,
            reader.take(c.X25519_LENGTH),
            reader.take(c.MLKEM_KEY_LENGTH),
            (reader.take(c.TAG_LENGTH), reader.take(c.TAG_LENGTH)),
        )
        reader.end()
        return k1


def call_tag(secret: bytes, core: bytes) -> bytes:
    """Return the tag that shows a secret in K1, 32 bytes; it covers both of the guest's fresh keys."""
    return primitives.hmac_sha256(secret, c.LABEL_CALL_TAG, core)


@dataclass(frozen=True, slots=True)
class K2:
    """The host's answer; ``sealed`` is E_H."""

    version: int
    x25519: bytes
    ciphertext: bytes
    sealed: bytes

    def clear(self) -> bytes:
        """Return the part that is not encrypted."""
        return u16(self.version) + self.x25519 + self.ciphertext

    def encode(self) -> bytes:
        """Return the frame's payload."""
        return self.clear() + self.sealed

    @classmethod
    def decode(cls, data: bytes) -> "K2":
        """Read K2, whose length the frame reader has checked."""
        reader = Reader(data)
        return cls(
            reader.number(2),
            reader.take(c.X25519_LENGTH),
            reader.take(c.MLKEM_CIPHERTEXT_LENGTH),
            reader.rest(len(data) - _CLEAR_K2_LENGTH),
        )


@dataclass(frozen=True, slots=True)
class HostSection:
    """The plaintext of E_H."""

    spki: bytes
    versions: tuple[int, ...]
    rotations: tuple[Rotation, ...]
    signature: bytes = b""

    def message(self, t1: bytes) -> bytes:
        """Return the bytes that the host signs."""
        versions, rotations = encode_versions(self.versions), encode_rotations(self.rotations)
        return encode(c.LABEL_HOST_SIGNATURE, t1, sha256(self.spki), self.spki, versions, rotations)

    def encode(self) -> bytes:
        """Return the padded plaintext."""
        named = lp16(self.spki) + encode_versions(self.versions) + encode_rotations(self.rotations)
        return (named + lp16(self.signature)).ljust(c.HOST_SECTION_LENGTH, b"\0")

    @classmethod
    def decode(cls, plaintext: bytes) -> "HostSection":
        """Read the section; raises :class:`MalformedPayload`."""
        reader = Reader(plaintext)
        section = cls(
            reader.bounded(2, c.MAX_SPKI_LENGTH),
            read_versions(reader),
            read_rotations(reader),
            reader.bounded(2, c.MAX_SIGNATURE_LENGTH),
        )
        reader.zeros()
        return section


@dataclass(frozen=True, slots=True)
class GuestSection:
    """The plaintext of E_G; ``wrapped`` is the guest's contribution under the host's RSA key."""

    spki: bytes
    wrapped: bytes
    rotations: tuple[Rotation, ...]
    signature: bytes = b""

    def message(self, t2: bytes, host_fingerprint: bytes) -> bytes:
        """Return the bytes that the guest signs."""
        own = sha256(self.spki)
        return encode(
            c.LABEL_GUEST_SIGNATURE,
            t2,
            sha256(self.wrapped),
            own,
            host_fingerprint,
            self.spki,
            encode_rotations(self.rotations),
        )

    def encode(self) -> bytes:
        """Return the padded plaintext."""
        named = lp16(self.spki) + lp16(self.wrapped) + encode_rotations(self.rotations)
        return (named + lp16(self.signature)).ljust(c.GUEST_SECTION_LENGTH, b"\0")

    @classmethod
    def decode(cls, plaintext: bytes) -> "GuestSection":
        """Read the section; raises :class:`MalformedPayload`."""
        reader = Reader(plaintext)
        section = cls(
            reader.bounded(2, c.MAX_SPKI_LENGTH),
            reader.bounded(2, c.MAX_SIGNATURE_LENGTH),
            read_rotations(reader),
            reader.bounded(2, c.MAX_SIGNATURE_LENGTH),
        )
        reader.zeros()
        return section


def first_transcript(k1: bytes, clear_k2: bytes) -> bytes:
    """Return T1, 32 bytes."""
    return hash_of(c.LABEL_T1, k1, clear_k2)


def second_transcript(t1: bytes, host_sealed: bytes) -> bytes:
    """Return T2, 32 bytes."""
    return hash_of(c.LABEL_T2, t1, host_sealed)


def third_transcript(t2: bytes, guest_sealed: bytes, guest: bytes, host: bytes) -> bytes:
    """Return T3, 32 bytes; ``guest`` and ``host`` are fingerprints."""
    return hash_of(c.LABEL_T3, t2, guest_sealed, guest, host)


def oaep_label(t2: bytes) -> bytes:
    """Return the OAEP label that binds the guest's contribution to this handshake, 32 bytes."""
    return hash_of(c.LABEL_OAEP, t2)


@dataclass(frozen=True, slots=True, repr=False)
class HandshakeKeys:
    """The keys of E_H and E_G, 32 bytes each, used once."""

    host: bytes
    guest: bytes

    @classmethod
    def derive(cls, t1: bytes, kem_secret: bytes, dh_secret: bytes) -> "HandshakeKeys":
        """Derive both from the two ephemeral secrets under T1."""
        secret = hkdf_extract(t1, kem_secret + dh_secret)
        return cls(hkdf_expand(secret, c.LABEL_HOST_SECTION), hkdf_expand(secret, c.LABEL_GUEST_SECTION))


@dataclass(frozen=True, slots=True, repr=False)
class Master:
    """What a completed handshake yields, 32 bytes each."""

    t3: bytes
    fin_host: bytes
    fin_guest: bytes
    root: bytes
    session_id: bytes
    exporter: bytes

    @classmethod
    def derive(cls, t3: bytes, kem_secret: bytes, dh_secret: bytes, contribution: bytes) -> "Master":
        """Derive everything from the three contributions under T3."""
        secret = hkdf_extract(t3, kem_secret + dh_secret + contribution)
        return cls(
            t3,
            primitives.hmac_sha256(hkdf_expand(secret, c.LABEL_FIN_HOST_KEY), c.LABEL_FIN, t3),
            primitives.hmac_sha256(hkdf_expand(secret, c.LABEL_FIN_GUEST_KEY), c.LABEL_FIN, t3),
            hkdf_expand(secret, c.LABEL_ROOT),
            hkdf_expand(secret, c.LABEL_SESSION_ID),
            hkdf_expand(secret, c.LABEL_EXPORTER),
        )

    def reconnect_secret(self) -> bytes:
        """Return the secret by which the two recognise each other next time, 32 bytes."""
        return hkdf_expand(self.exporter, c.LABEL_RECONNECT)


def check_fin(expected: bytes, received: bytes) -> None:
    """Compare a FIN in constant time; raises :class:`HandshakeFailure`."""
    if not primitives.equal(expected, received):
        raise HandshakeFailure("FIN")


def identify(spki: bytes, message: bytes, signature: bytes) -> PublicIdentity:
    """Check a peer's key and its signature; raises BadKey or CryptoFailure."""
    identity = PublicIdentity.from_spki(spki)
    identity.verify(signature, message)
    return identity
