"""A person's long-term RSA key: the rules it must obey, its fingerprint, what it signs."""

import base64
import binascii
import math
from functools import cache, lru_cache
from typing import Self

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import primitives
from securechat_tui.protocol.errors import BadKey
from securechat_tui.protocol.primitives import CryptoFailure


class Fingerprint(bytes):
    """SHA-256 of a SubjectPublicKeyInfo, 32 bytes; ``str`` writes it as OpenSSH does."""

    __slots__ = ()
    PREFIX = "SHA256:"

    def __str__(self) -> str:
        return self.PREFIX + base64.b64encode(self).decode().rstrip("=")

    @property
    def short(self) -> str:
        """The first eight characters after the prefix: a memory aid, never a proof."""
        return str(self)[len(self.PREFIX) :][:8]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what ``str`` wrote; raises :class:`ValueError`."""
        body = text.removeprefix(cls.PREFIX)
        try:
            raw = base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
        except binascii.Error:
            raise ValueError("not a SHA256: fingerprint") from None
        if len(raw) != c.HASH_LENGTH or str(cls(raw)) != text:
            raise ValueError("not a SHA256: fingerprint")
        return cls(raw)


@cache
def _small_primes_product() -> int:
    """The product of all odd primes below 2^16, for one greatest-common-divisor test."""
    sieve = bytearray([1]) * c.RSA_SMALLEST_FACTOR
    for candidate in range(3, math.isqrt(c.RSA_SMALLEST_FACTOR) + 1, 2):
        if sieve[candidate]:
            sieve[candidate * candidate :: candidate] = bytes(
                len(range(candidate * candidate, c.RSA_SMALLEST_FACTOR, candidate))
            )
    factors = [candidate for candidate in range(3, c.RSA_SMALLEST_FACTOR, 2) if sieve[candidate]]
    while len(factors) > 1:  # like with like: one after the other takes twice as long
        factors = [math.prod(factors[at : at + 2]) for at in range(0, len(factors), 2)]
    return factors[0]


@lru_cache(maxsize=64)
def _has_small_factor(modulus: int) -> bool:
    """Whether a prime below 2^16 divides it: costs half a signature, and the same few people come back."""
    return modulus % 2 == 0 or math.gcd(modulus, _small_primes_product()) != 1


def _check_rules(spki: bytes) -> primitives.RsaPublicKey:
    """Load an SPKI and hold it to the rules; raises :class:`BadKey`.

    The library's loader alone admits 1024-bit keys, e = 3 and non-canonical encodings.
    """
    if len(spki) > c.MAX_SPKI_LENGTH:
        raise BadKey("longer than any accepted key")
    try:
        key = primitives.rsa_public_from_spki(spki)
        numbers = key.public_numbers()
        canonical = primitives.rsa_public_to_spki(key)
    except CryptoFailure:
        raise BadKey("not an RSA SubjectPublicKeyInfo") from None
    if key.key_size not in c.RSA_BITS:
        raise BadKey(f"{key.key_size} bits; 3072 or 4096 are accepted")
    if numbers.e != c.RSA_EXPONENT:
        raise BadKey("public exponent is not 65537")
    if canonical != spki:
        raise BadKey("not the canonical encoding")
    if _has_small_factor(numbers.n):
        raise BadKey("the modulus has a small factor")
    return key


class PublicIdentity:
    """A peer's checked public key."""

    __slots__ = ("_key", "bits", "fingerprint", "spki")

    def __init__(self, spki: bytes) -> None:
        self._key = _check_rules(spki)
        self.spki = spki
        self.bits = self._key.key_size
        self.fingerprint = Fingerprint(primitives.sha256(spki))

    @classmethod
    def from_spki(cls, spki: bytes) -> Self:
        """Check a DER SubjectPublicKeyInfo against every rule; raises :class:`BadKey`."""
        return cls(bytes(spki))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PublicIdentity) and self.spki == other.spki

    def __hash__(self) -> int:
        return hash(self.spki)

    def __repr__(self) -> str:
        return f"PublicIdentity({self.fingerprint})"

    @property
    def signature_length(self) -> int:
        """Bytes of a signature and of an OAEP ciphertext under this key."""
        return self.bits // 8

    def verify(self, signature: bytes, message: bytes) -> None:
        """Check an RSA-PSS signature; raises :class:`CryptoFailure`."""
        primitives.pss_verify(self._key, signature, message)

    def wrap(self, secret: bytes, label: bytes) -> bytes:
        """Encrypt a secret to this key with RSA-OAEP."""
        return primitives.oaep_encrypt(self._key, secret, label)

    def pem(self) -> str:
        """The key as PEM, for people."""
        return primitives.rsa_public_to_pem(self._key)


class IdentityKey:
    """A person's private key. ``sign`` and ``unwrap`` take milliseconds: call them in a thread."""

    __slots__ = ("_key", "public")

    def __init__(self, key: primitives.RsaPrivateKey) -> None:
        self._key = key
        self.public = PublicIdentity.from_spki(primitives.rsa_public_to_spki(key.public_key()))

    @classmethod
    def generate(cls, bits: int) -> Self:
        """Make a new key of 3072 or 4096 bits; raises :class:`BadKey` for another size."""
        if bits not in c.RSA_BITS:
            raise BadKey(f"{bits} bits; 3072 or 4096 are accepted")
        return cls(primitives.rsa_generate(bits))

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """Load an unencrypted PEM key and check it; raises :class:`BadKey`."""
        try:
            return cls(primitives.rsa_private_from_pem(pem))
        except CryptoFailure:
            raise BadKey("not an unencrypted RSA private key in PEM") from None

    @classmethod
    def from_encrypted_pem(cls, pem: bytes, password: bytes) -> Self:
        """Load an encrypted PEM key and check it; raises :class:`CryptoFailure`, :class:`BadKey`.

        The former says that the password does not open it, or that it is damaged: nobody can tell which.
        """
        return cls(primitives.rsa_private_from_pem(pem, password))

    def to_pem(self, password: bytes | None = None) -> bytes:
        """The private key as PKCS#8 PEM: a secret, where no ``password`` encrypts it."""
        return primitives.rsa_private_to_pem(self._key, password)

    def sign(self, message: bytes) -> bytes:
        """Return an RSA-PSS signature."""
        return primitives.pss_sign(self._key, message)

    def unwrap(self, ciphertext: bytes, label: bytes, fallback: bytes) -> bytes:
        """Open an OAEP ciphertext; on any failure return ``fallback``, drawn before the attempt.

        The caller goes on with whatever comes out, so that a forged ciphertext fails nowhere but
        at FIN and there is no oracle (RFC 8017, section 7.1.2, note).
        """
        try:
            secret = primitives.oaep_decrypt(self._key, ciphertext, label)
        except CryptoFailure:
            return fallback
        return secret if len(secret) == len(fallback) else fallback

    def __repr__(self) -> str:
        return f"IdentityKey({self.public.fingerprint})"
