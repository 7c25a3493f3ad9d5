"""The primitives that the ancestors use; with ``protocol.primitives`` the only importer of the library.

They are apart from the product's, since they follow other rules: keys of 2048 bits, OAEP without a
label, PSS with the longest salt, CBC. A failed check raises :class:`BadCrypto`.
"""

import os
from collections.abc import Callable
from typing import Final, TypeVar

from cryptography.hazmat.primitives import constant_time, hashes, hmac, padding, serialization
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

T = TypeVar("T")

PrivateKey = rsa.RSAPrivateKey
PublicKey = rsa.RSAPublicKey

GCM_NONCE: Final = 12
GCM_TAG: Final = 16
CBC_IV: Final = 16
MAC_LENGTH: Final = 32
MAX_PEM: Final = 4096
"""Bytes of a public key in PEM; one of 4096 bits has 800."""
_EXPONENT: Final = 65537
_BITS: Final = (2048, 3072, 4096)
_BLOCK_BITS: Final = 128
_SHA256: Final = hashes.SHA256()
_OAEP: Final = rsa_padding.OAEP(rsa_padding.MGF1(_SHA256), _SHA256, None)
_PSS: Final = rsa_padding.PSS(rsa_padding.MGF1(_SHA256), rsa_padding.PSS.MAX_LENGTH)


class BadCrypto(Exception):
    """A primitive refused its input: a wrong tag, signature, padding or key."""


def _guarded(operation: Callable[[], T]) -> T:
    try:
        return operation()
    except Exception as error:  # noqa: BLE001 - the library's exceptions differ from version to version
        raise BadCrypto(type(error).__name__) from None


def random_bytes(length: int) -> bytes:
    """Return ``length`` bytes of the system's generator."""
    return os.urandom(length)


def equal(left: bytes, right: bytes) -> bool:
    """Compare in constant time."""
    return constant_time.bytes_eq(left, right)


def sha256(data: bytes) -> bytes:
    """Return SHA-256, 32 bytes."""
    digest = hashes.Hash(_SHA256)
    digest.update(data)
    return digest.finalize()


def generate(bits: int) -> PrivateKey:
    """Make an RSA key; one of 4096 bits takes seconds."""
    return rsa.generate_private_key(_EXPONENT, bits)


def to_pem(key: PublicKey) -> bytes:
    """Return the SubjectPublicKeyInfo as PEM, with its final line end."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def from_pem(pem: bytes) -> PublicKey:
    """Load a public RSA key of 2048 to 4096 bits; raises :class:`BadCrypto`."""
    if len(pem) > MAX_PEM:
        raise BadCrypto("longer than any key")
    key = _guarded(lambda: serialization.load_pem_public_key(pem))
    if not isinstance(key, PublicKey) or key.key_size not in _BITS:
        raise BadCrypto("not an RSA key of 2048, 3072 or 4096 bits")
    return key


def private_to_pem(key: PrivateKey) -> bytes:
    """Return the private key as unencrypted PKCS#8 PEM: the json-cbc-hmac host keeps its key so."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def private_from_pem(pem: bytes) -> PrivateKey:
    """Load an unencrypted private RSA key; raises :class:`BadCrypto`."""
    key = _guarded(lambda: serialization.load_pem_private_key(pem, None))
    if not isinstance(key, PrivateKey) or key.key_size not in _BITS:
        raise BadCrypto("not an RSA key of 2048, 3072 or 4096 bits")
    return key


def oaep_encrypt(key: PublicKey, message: bytes) -> bytes:
    """Return RSAES-OAEP (RFC 8017, section 7.1), SHA-256, no label."""
    return _guarded(lambda: key.encrypt(message, _OAEP))


def oaep_decrypt(key: PrivateKey, ciphertext: bytes) -> bytes:
    """Open what :func:`oaep_encrypt` made; raises :class:`BadCrypto`."""
    return _guarded(lambda: key.decrypt(ciphertext, _OAEP))


def pss_sign(key: PrivateKey, message: bytes) -> bytes:
    """Return an RSASSA-PSS signature (RFC 8017, section 8.1), SHA-256, the longest salt."""
    return key.sign(message, _PSS, _SHA256)


def pss_verify(key: PublicKey, signature: bytes, message: bytes) -> None:
    """Check what :func:`pss_sign` made; raises :class:`BadCrypto`."""
    _guarded(lambda: key.verify(signature, message, _PSS, _SHA256))


def gcm_encrypt(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes | None = None) -> bytes:
    """Return the AES-GCM ciphertext and its 16 bytes of tag (SP 800-38D)."""
    return AESGCM(key).encrypt(nonce, plaintext, associated)


def gcm_decrypt(key: bytes, nonce: bytes, sealed: bytes, associated: bytes | None = None) -> bytes:
    """Open what :func:`gcm_encrypt` made; raises :class:`BadCrypto`."""
    return _guarded(lambda: AESGCM(key).decrypt(nonce, sealed, associated))


def cbc_encrypt(key: bytes, iv: bytes, plaintext: bytes) -> bytes:
    """Return the AES-CBC ciphertext (SP 800-38A), padded by PKCS#7."""
    padder = padding.PKCS7(_BLOCK_BITS).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(padder.update(plaintext) + padder.finalize()) + encryptor.finalize()


def cbc_decrypt(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    """Open what :func:`cbc_encrypt` made; raises :class:`BadCrypto`, for wrong padding too."""

    def decrypt() -> bytes:
        decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
        unpadder = padding.PKCS7(_BLOCK_BITS).unpadder()
        return unpadder.update(decryptor.update(ciphertext) + decryptor.finalize()) + unpadder.finalize()

    return _guarded(decrypt)


def mac(key: bytes, message: bytes) -> bytes:
    """Return HMAC-SHA256 (RFC 2104), 32 bytes."""
    code = hmac.HMAC(key, _SHA256)
    code.update(message)
    return code.finalize()


def derive(secret: bytes, info: bytes) -> bytes:
    """Return 32 bytes of HKDF-SHA256 without salt (RFC 5869)."""
    return HKDF(_SHA256, 32, None, info).derive(secret)
