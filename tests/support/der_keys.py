"""Writes SubjectPublicKeyInfo by hand, so that tests can break each of its rules."""

RSA_OID = bytes.fromhex("2a864886f70d010101")
PSS_OID = bytes.fromhex("2a864886f70d01010a")
NULL = b"\x05\x00"


def length(value: int) -> bytes:
    """Return a DER length."""
    if value < 128:
        return bytes((value,))
    body = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return bytes((0x80 | len(body),)) + body


def loose_length(value: int) -> bytes:
    """Return a length with a needless leading zero: BER, but not DER."""
    body = value.to_bytes(3, "big")
    return bytes((0x80 | len(body),)) + body


def tlv(tag: int, body: bytes, *, loose: bool = False) -> bytes:
    return bytes((tag,)) + (loose_length if loose else length)(len(body)) + body


def integer(value: int) -> bytes:
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def rsa_spki(
    modulus: int,
    exponent: int = 65537,
    *,
    oid: bytes = RSA_OID,
    parameters: bytes = NULL,
    loose: bool = False,
    after: bytes = b"",
) -> bytes:
    """Return an SPKI; ``after`` goes behind the exponent, inside the key."""
    key = tlv(0x30, integer(modulus) + integer(exponent) + after)
    algorithm = tlv(0x30, tlv(0x06, oid) + parameters)
    return tlv(0x30, algorithm + tlv(0x03, b"\0" + key), loose=loose)
