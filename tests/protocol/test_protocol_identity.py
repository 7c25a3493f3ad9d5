"""Identity keys: which RSA keys are accepted, in public and in private; fingerprints; signatures."""

import base64
import hashlib
import math
import random
from functools import cache

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, x25519
from der_keys import NULL, PSS_OID, integer, loose_length, rsa_spki, tlv
from hypothesis import given
from hypothesis import strategies as st
from protocol_peers import identity_key

from securechat_tui.protocol import primitives
from securechat_tui.protocol.errors import BadKey
from securechat_tui.protocol.identity import Fingerprint, IdentityKey, PublicIdentity
from securechat_tui.protocol.primitives import CryptoFailure

PrivateKey = (
    rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | x25519.X25519PrivateKey
)
_RANDOM = random.Random(3072)  # noqa: S311 - moduli that are to be the same in every run


def modulus_of(key: IdentityKey) -> int:
    return key._key.public_key().public_numbers().n


@cache
def small_primes_product() -> int:
    return math.prod(n for n in range(3, 1 << 16, 2) if all(n % d for d in range(3, math.isqrt(n) + 1, 2)))


@cache
def modulus(bits: int, factor: int = 1) -> int:
    """Return an odd number of ``bits`` bits with this factor and no other one below 2^16."""
    small = small_primes_product()
    while True:
        other = _RANDOM.getrandbits(bits) | 1 | 3 << bits - 2
        found = factor * (other // factor | 1)
        if found.bit_length() == bits and math.gcd(found // factor, small) == 1:
            return found


def public_der(key: PrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def private_pem(key: PrivateKey, encryption: serialization.KeySerializationEncryption | None = None) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        encryption or serialization.NoEncryption(),
    )


@pytest.mark.parametrize("bits", [3072, 4096])
def test_keys_of_3072_and_4096_bits_are_accepted(bits: int) -> None:
    key = identity_key({3072: "alice", 4096: "dora"}[bits], bits)
    public = PublicIdentity.from_spki(key.public.spki)
    assert public.bits == bits
    assert public.signature_length == bits // 8
    assert public == key.public
    assert hash(public) == hash(key.public) != hash(identity_key("bob").public)
    assert public != identity_key("bob").public
    assert public != key.public.spki


def test_the_hand_made_encoding_is_the_canonical_one() -> None:
    key = identity_key("alice")
    assert rsa_spki(modulus_of(key)) == key.public.spki


@pytest.mark.parametrize("bits", [1024, 2048, 3071, 3073, 3080, 4095])
def test_other_sizes_are_refused(bits: int) -> None:
    with pytest.raises(BadKey):
        PublicIdentity.from_spki(rsa_spki(modulus(bits)))


@pytest.mark.parametrize("bits", [1024, 2048])
def test_the_library_itself_would_load_a_short_key(bits: int) -> None:
    spki = rsa_spki(modulus(bits))
    assert primitives.rsa_public_from_spki(spki).key_size == bits
    with pytest.raises(BadKey, match=f"{bits} bits"):
        PublicIdentity.from_spki(spki)


@pytest.mark.parametrize("exponent", [3, 17, 65539])
def test_another_exponent_is_refused(exponent: int) -> None:
    spki = rsa_spki(modulus_of(identity_key("alice")), exponent)
    with pytest.raises(BadKey, match="exponent"):
        PublicIdentity.from_spki(spki)


@pytest.mark.parametrize("exponent", [1, 2, 65536])
def test_a_senseless_exponent_is_refused(exponent: int) -> None:
    with pytest.raises(BadKey):
        PublicIdentity.from_spki(rsa_spki(modulus_of(identity_key("alice")), exponent))


@pytest.mark.parametrize("factor", [3, 5, 257, 65521])
def test_a_modulus_with_a_small_factor_is_refused(factor: int) -> None:
    with pytest.raises(BadKey, match="small factor"):
        PublicIdentity.from_spki(rsa_spki(modulus(3072, factor)))


def test_the_least_prime_above_the_bound_is_no_small_factor() -> None:
    assert PublicIdentity.from_spki(rsa_spki(modulus(3072, 65537))).bits == 3072


@pytest.mark.parametrize("even", [1 << 3071, (1 << 3072) - 2, modulus(3072) - 1])
def test_an_even_modulus_is_refused(even: int) -> None:
    assert even.bit_length() == 3072
    with pytest.raises(BadKey):
        PublicIdentity.from_spki(rsa_spki(even))


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256R1()),
        ed25519.Ed25519PrivateKey.generate(),
        x25519.X25519PrivateKey.generate(),
    ],
    ids=["P-256", "Ed25519", "X25519"],
)
def test_keys_of_another_type_are_refused(key: PrivateKey) -> None:
    with pytest.raises(BadKey):
        PublicIdentity.from_spki(public_der(key))
    with pytest.raises(BadKey):
        IdentityKey.from_pem(private_pem(key))


@cache
def loose_spkis() -> dict[str, bytes]:
    """Encodings of a good key that are not the one canonical encoding."""
    n = modulus_of(identity_key("alice"))
    good = rsa_spki(n)
    padded = tlv(0x30, tlv(0x02, b"\0\0" + n.to_bytes(384, "big")) + tlv(0x02, b"\1\0\1"))
    algorithm = good[4 : 4 + 15]
    return {
        "BER length": rsa_spki(n, loose=True),
        "BER length of the algorithm": tlv(0x30, b"\x30" + loose_length(13) + algorithm[2:] + good[19:]),
        "indefinite length": b"\x30\x80" + good[4:] + b"\0\0",
        "trailing byte": good + b"\0",
        "trailing byte inside the key": rsa_spki(n, after=b"\0"),
        "third integer inside the key": rsa_spki(n, after=b"\x02\x01\x00"),
        "missing parameters": rsa_spki(n, parameters=b""),
        "other parameters": rsa_spki(n, parameters=b"\x30\x00"),
        "two parameters": rsa_spki(n, parameters=NULL + NULL),
        "PSS algorithm": rsa_spki(n, oid=PSS_OID),
        "PSS algorithm without parameters": rsa_spki(n, oid=PSS_OID, parameters=b""),
        "needless zero before the modulus": tlv(0x30, algorithm + tlv(0x03, b"\0" + padded)),
        "negative modulus": tlv(
            0x30,
            algorithm
            + tlv(0x03, b"\0" + tlv(0x30, tlv(0x02, n.to_bytes(384, "big")) + tlv(0x02, b"\1\0\1"))),
        ),
        "unused bits": good.replace(b"\x03\x82\x01\x8f\x00", b"\x03\x82\x01\x8f\x01", 1),
        "cut": good[:-1],
        "no bytes": b"",
        "PKCS#1 only": tlv(0x30, b"\x02\x82\x01\x81\0" + n.to_bytes(384, "big") + tlv(0x02, b"\1\0\1")),
        "PEM": identity_key("alice").public.pem().encode(),
        "over-long": rsa_spki(modulus(8192)),
        "an exponent as long as the modulus": rsa_spki(n, n - 2),
    }


@pytest.mark.parametrize("name", list(loose_spkis()))
def test_anything_but_the_canonical_encoding_is_refused(name: str) -> None:
    spki = loose_spkis()[name]
    assert spki != identity_key("alice").public.spki
    with pytest.raises(BadKey):
        PublicIdentity.from_spki(spki)


@given(st.binary(max_size=600))
def test_no_bytes_raise_anything_but_bad_key(data: bytes) -> None:
    with pytest.raises(BadKey):
        PublicIdentity.from_spki(data)


def test_every_change_of_one_byte_is_refused_or_another_key() -> None:
    public = identity_key("alice").public
    for position in range(40):
        changed = bytearray(public.spki)
        changed[position] ^= 1
        try:
            other = PublicIdentity.from_spki(bytes(changed))
        except BadKey:
            continue
        assert other.fingerprint != public.fingerprint


@pytest.mark.parametrize("bits", [3072, 4096])
def test_a_private_key_survives_its_pem(bits: int) -> None:
    key = identity_key({3072: "alice", 4096: "dora"}[bits], bits)
    again = IdentityKey.from_pem(key.to_pem())
    assert again.public == key.public
    assert b"ENCRYPTED" not in key.to_pem()
    key.public.verify(again.sign(b"message"), b"message")


def test_a_traditional_pem_is_accepted() -> None:
    key = identity_key("alice")
    pem = key._key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    assert IdentityKey.from_pem(pem).public == key.public


@pytest.mark.parametrize(("exponent", "bits"), [(65537, 1024), (65537, 2048), (3, 3072)])
def test_a_private_key_that_breaks_the_rules_is_refused(exponent: int, bits: int) -> None:
    key = rsa.generate_private_key(exponent, bits)
    with pytest.raises(BadKey):
        IdentityKey.from_pem(private_pem(key))


def test_a_damaged_private_key_is_refused() -> None:
    pem = identity_key("alice").to_pem()
    der = bytearray(base64.b64decode(b"".join(pem.splitlines()[1:-1])))
    der[len(der) // 2] ^= 1
    body = base64.encodebytes(bytes(der))
    with pytest.raises(BadKey):
        IdentityKey.from_pem(b"-----BEGIN PRIVATE KEY-----\n" + body + b"-----END PRIVATE KEY-----\n")


@pytest.mark.parametrize("part", ["n", "d", "p", "q", "dmp1", "dmq1", "iqmp"])
def test_a_private_key_whose_parts_do_not_fit_together_is_refused(part: str) -> None:
    pem = identity_key("alice").to_pem()
    der = base64.b64decode(b"".join(pem.splitlines()[1:-1]))
    numbers = identity_key("alice")._key.private_numbers()
    value: int = numbers.public_numbers.n if part == "n" else getattr(numbers, part)
    written, other = integer(value), integer(value ^ 2)
    assert der.count(written) == 1
    body = base64.encodebytes(der.replace(written, other))
    with pytest.raises(BadKey):
        IdentityKey.from_pem(b"-----BEGIN PRIVATE KEY-----\n" + body + b"-----END PRIVATE KEY-----\n")


NUMBERS = ("n", "e", "d", "p", "q", "dmp1", "dmq1", "iqmp")


def numbers_of(key: IdentityKey) -> dict[str, int]:
    private = key._key.private_numbers()
    public = {"n": private.public_numbers.n, "e": private.public_numbers.e}
    return public | {name: getattr(private, name) for name in NUMBERS[2:]}


def pem_of(numbers: dict[str, int]) -> bytes:
    """The PKCS#1 PEM of a private key (RFC 8017, appendix A.1.2), whatever its numbers are."""
    der = tlv(0x30, integer(0) + b"".join(integer(numbers[name]) for name in NUMBERS))
    body = base64.encodebytes(der)
    return b"-----BEGIN RSA PRIVATE KEY-----\n" + body + b"-----END RSA PRIVATE KEY-----\n"


def test_the_numbers_of_a_private_key_make_one() -> None:
    key = identity_key("alice")
    assert IdentityKey.from_pem(pem_of(numbers_of(key))).public == key.public


@pytest.mark.parametrize("name", ["n", "p", "q"])
@pytest.mark.parametrize("value", [0, 1])
def test_a_private_key_without_factors_is_refused(name: str, value: int) -> None:
    with pytest.raises(BadKey, match="PEM"):
        IdentityKey.from_pem(pem_of(numbers_of(identity_key("alice")) | {name: value}))


def test_a_private_key_whose_factor_is_no_prime_is_refused() -> None:
    e, q = 65537, numbers_of(identity_key("dora", 4096))["q"]
    p = 0
    while (p * q).bit_length() != 4096 or math.gcd(e, p - 1) != 1:
        p = rsa.generate_private_key(e, 2048).public_key().public_numbers().n
    d = pow(e, -1, math.lcm(p - 1, q - 1))
    values = (p * q, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))
    with pytest.raises(BadKey, match="PEM"):
        IdentityKey.from_pem(pem_of(dict(zip(NUMBERS, values, strict=True))))


@pytest.mark.parametrize("pem", [b"", b"\0\xff", b"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_private_key_is_refused(pem: bytes) -> None:
    with pytest.raises(BadKey, match="PEM"):
        IdentityKey.from_pem(pem)


def test_a_public_pem_is_no_private_key() -> None:
    with pytest.raises(BadKey):
        IdentityKey.from_pem(identity_key("alice").public.pem().encode())


def test_an_encrypted_private_key_is_refused() -> None:
    pem = private_pem(identity_key("alice")._key, serialization.BestAvailableEncryption(b"passphrase"))
    with pytest.raises(BadKey, match="unencrypted"):
        IdentityKey.from_pem(pem)


def test_an_encrypted_pem_opens_with_its_password_alone() -> None:
    key = identity_key("alice")
    pem = key.to_pem(b"password")
    assert pem.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    assert IdentityKey.from_encrypted_pem(pem, b"password").public == key.public
    for other in (b"passwort", b"passwor", b""):
        with pytest.raises(CryptoFailure):
            IdentityKey.from_encrypted_pem(pem, other)
    with pytest.raises(CryptoFailure):
        IdentityKey.from_encrypted_pem(key.to_pem(), b"password")


@pytest.mark.parametrize("bits", [512, 2048, 3073, 8192])
def test_no_key_of_another_size_is_made(bits: int) -> None:
    with pytest.raises(BadKey):
        IdentityKey.generate(bits)


def test_the_fingerprint_is_the_hash_of_the_spki_as_openssh_writes_it() -> None:
    public = identity_key("alice").public
    digest = hashlib.sha256(public.spki).digest()
    assert public.fingerprint == digest
    assert str(public.fingerprint) == "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
    assert public.fingerprint.short == str(public.fingerprint)[7:15]


@given(st.binary(min_size=32, max_size=32))
def test_a_fingerprint_is_read_as_it_was_written(raw: bytes) -> None:
    assert Fingerprint.parse(str(Fingerprint(raw))) == raw


@pytest.mark.parametrize(
    "text",
    [
        "",
        "SHA256:",
        "SHA256:x",
        "SHA256:" + "A" * 42,
        "SHA256:" + "A" * 42 + "B",
        "A" * 43,
        "sha256:" + "A" * 43,
        "SHA256:" + "A" * 43 + "=",
        "SHA256:" + "é" * 43,
        "SHA256:" + "-" * 43,
        "SHA256:" + "A" * 43 + " ",
    ],
)
def test_what_is_no_fingerprint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Fingerprint.parse(text)


def test_a_signature_holds_for_its_message_and_key_alone() -> None:
    alice, bob = identity_key("alice"), identity_key("bob")
    signature = alice.sign(b"message")
    alice.public.verify(signature, b"message")
    for public, bad, message in [
        (alice.public, signature, b"massage"),
        (bob.public, signature, b"message"),
        (alice.public, signature[:-1], b"message"),
        (alice.public, b"", b"message"),
        (alice.public, b"\xff" * 384, b"message"),
        (alice.public, b"\0" + signature, b"message"),
    ]:
        with pytest.raises(CryptoFailure):
            public.verify(bad, message)


@pytest.mark.parametrize("salt", [0, 20, 31, 33, padding.PSS.MAX_LENGTH])
def test_a_signature_with_another_salt_length_is_refused(salt: int) -> None:
    key = identity_key("alice")
    sha256 = primitives._SHA256
    signature = key._key.sign(b"message", padding.PSS(padding.MGF1(sha256), salt), sha256)
    with pytest.raises(CryptoFailure):
        key.public.verify(signature, b"message")


def test_a_wrapped_secret_opens_under_its_label() -> None:
    key = identity_key("alice")
    wrapped = key.public.wrap(b"s" * 32, b"label")
    assert key.unwrap(wrapped, b"label", b"f" * 32) == b"s" * 32


@pytest.mark.parametrize("secret", [b"", b"s" * 31, b"s" * 33])
def test_a_secret_of_a_wrong_length_gives_the_fallback(secret: bytes) -> None:
    key = identity_key("alice")
    assert key.unwrap(key.public.wrap(secret, b"label"), b"label", b"f" * 32) == b"f" * 32


def test_what_does_not_open_gives_the_fallback() -> None:
    key = identity_key("alice")
    good = key.public.wrap(b"s" * 32, b"label")
    for wrapped, label in [
        (good, b"lapel"),
        (identity_key("bob").public.wrap(b"s" * 32, b"label"), b"label"),
        (b"", b"label"),
        (good[:-1], b"label"),
        (b"\0" + good, b"label"),
        (b"\xff" * 384, b"label"),
        (bytes(384), b"label"),
        (bytes(512), b"label"),
    ]:
        assert key.unwrap(wrapped, label, b"f" * 32) == b"f" * 32


def test_no_key_shows_its_secret_in_its_repr() -> None:
    key = identity_key("alice")
    assert repr(key) == f"IdentityKey({key.public.fingerprint})"
    assert repr(key.public) == f"PublicIdentity({key.public.fingerprint})"


def test_an_empty_password_is_refused_and_does_not_mean_none() -> None:
    with pytest.raises(ValueError, match="Password"):
        identity_key("alice").to_pem(b"")
