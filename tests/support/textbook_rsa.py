"""RSASSA-PSS and RSAES-OAEP with SHA-256, written from RFC 8017 with the standard library alone.

A second opinion about parameters for which no vectors are published. It keeps no secret: textbook
arithmetic, plain comparisons.
"""

import hashlib
from dataclasses import dataclass

_HASH_LENGTH = 32


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def mgf1(seed: bytes, length: int) -> bytes:
    """Appendix B.2.1."""
    blocks = -(-length // _HASH_LENGTH)
    return b"".join(_sha256(seed + number.to_bytes(4, "big")) for number in range(blocks))[:length]


@dataclass(frozen=True)
class TextbookKey:
    """A private key: modulus and private exponent."""

    n: int
    d: int

    @property
    def length(self) -> int:
        return (self.n.bit_length() + 7) // 8

    def _power(self, data: bytes) -> bytes:
        return pow(int.from_bytes(data, "big"), self.d, self.n).to_bytes(self.length, "big")

    def pss_sign(self, message: bytes, salt: bytes) -> bytes:
        """Section 8.1.1, with the encoding of section 9.1.1."""
        digest = _sha256(bytes(8) + _sha256(message) + salt)
        bits = self.n.bit_length() - 1
        block = (b"\1" + salt).rjust((bits + 7) // 8 - _HASH_LENGTH - 1, b"\0")
        masked = bytearray(_xor(block, mgf1(digest, len(block))))
        masked[0] &= 0xFF >> (-bits % 8)
        return self._power(bytes(masked) + digest + b"\xbc")

    def oaep_decrypt(self, ciphertext: bytes, label: bytes) -> bytes:
        """Section 7.1.2; raises AssertionError where the ciphertext is none."""
        block = self._power(ciphertext)
        masked_seed, masked = block[1 : 1 + _HASH_LENGTH], block[1 + _HASH_LENGTH :]
        seed = _xor(masked_seed, mgf1(masked, _HASH_LENGTH))
        data = _xor(masked, mgf1(seed, len(masked)))
        assert block[0] == 0
        assert data[:_HASH_LENGTH] == _sha256(label)
        separator, _, message = data[_HASH_LENGTH:].partition(b"\1")
        assert not separator.strip(b"\0")
        return message
