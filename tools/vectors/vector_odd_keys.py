"""RSA keys that break a rule of section 6 and still make signatures that verify.

A library refuses to sign with most of them, so RSASSA-PSS (RFC 8017, 8.1.1) stands here in full.
"""

import hashlib
import math
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import rsa
from der_keys import rsa_spki
from vector_chance import Drawn
from vector_identities import identity

_SALT = bytes(range(32))


@dataclass(frozen=True)
class OddKey:
    """A key by its primes."""

    primes: tuple[int, ...]
    exponent: int = 65537

    @property
    def modulus(self) -> int:
        """The product of the primes."""
        return math.prod(self.primes)

    @property
    def spki(self) -> bytes:
        """The SubjectPublicKeyInfo."""
        return rsa_spki(self.modulus, self.exponent)

    def sign(self, message: bytes) -> bytes:
        """Return an RSA-PSS signature with SHA-256 and a salt of 32 bytes."""
        private = pow(self.exponent, -1, math.lcm(*(prime - 1 for prime in self.primes)))
        encoded = pss_encode(message, self.modulus.bit_length() - 1)
        signature = pow(int.from_bytes(encoded, "big"), private, self.modulus)
        return signature.to_bytes((self.modulus.bit_length() + 7) // 8, "big")


def pss_encode(message: bytes, bits: int) -> bytes:
    """Return EMSA-PSS (RFC 8017, 9.1.1) of ``bits`` bits."""
    length = (bits + 7) // 8
    hashed = hashlib.sha256(bytes(8) + hashlib.sha256(message).digest() + _SALT).digest()
    block = (b"\1" + _SALT).rjust(length - len(hashed) - 1, b"\0")
    masked = bytes(one ^ other for one, other in zip(block, mgf1(hashed, len(block)), strict=True))
    top = masked[0] & 0xFF >> 8 * length - bits
    return bytes((top,)) + masked[1:] + hashed + b"\xbc"


def mgf1(seed: bytes, length: int) -> bytes:
    """Return MGF1 with SHA-256 (RFC 8017, B.2.1)."""
    blocks = (hashlib.sha256(seed + number.to_bytes(4, "big")).digest() for number in range(length // 32 + 1))
    return b"".join(blocks)[:length]


def odd_keys(drawn: Drawn) -> dict[str, OddKey]:
    """Return a key for each rule."""
    carol = identity("carol")._key.private_numbers()
    keys = {f"of {bits} bits": OddKey(primes(drawn, bits, bits)) for bits in (2048, 3070, 3080, 4094)}
    keys["with exponent 3"] = OddKey(primes(drawn, 3072, 3072, exponent=3), 3)
    keys["with exponent 65539"] = OddKey((carol.p, carol.q), 65539)
    for factor in (3, 65521):
        rest = primes(drawn, 3072 - (factor - 1).bit_length(), 3072, factor)
        keys[f"with a factor {factor}"] = OddKey((factor, *rest))
    return keys


def primes(drawn: Drawn, bits: int, whole: int, factor: int = 1, exponent: int = 65537) -> tuple[int, int]:
    """Return two primes of ``bits`` bits together, whose product with ``factor`` has ``whole`` bits."""
    inputs = (b"primes", f"{bits} {whole} {factor} {exponent}".encode())
    found = drawn.find(*inputs)
    while found is None:
        numbers = rsa.generate_private_key(exponent, bits).private_numbers()
        if (numbers.p * numbers.q * factor).bit_length() == whole:
            found = drawn.keep(numbers.p.to_bytes(512, "big") + numbers.q.to_bytes(512, "big"), *inputs)
    return int.from_bytes(found[:512], "big"), int.from_bytes(found[512:], "big")
