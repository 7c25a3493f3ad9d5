"""The primitives as the product calls them, against published answers.

Where the product fixes a parameter to a value for which nothing is published (the zero nonce, the
injective encoding of labels, the salt length of PSS), the vector's value is put in its place for the
test, and everything else is the product's own call.
"""

import importlib.metadata
from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric import mlkem, padding, rsa, x25519
from published_vectors import records, titled
from textbook_rsa import TextbookKey

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import primitives
from securechat_tui.protocol.primitives import CryptoFailure

H = bytes.fromhex


@pytest.fixture
def bare_label(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a label stand alone, without the encoding that goes around labels and parts."""

    def alone(label: bytes, *parts: bytes) -> bytes:
        assert not parts
        return label

    monkeypatch.setattr(primitives, "encode", alone)


def test_the_vectors_are_those_of_the_installed_library() -> None:
    version = importlib.metadata.version
    assert version("cryptography_vectors") == version("cryptography")


@pytest.mark.parametrize(("name", "count"), [("Short", 65), ("Long", 64)])
def test_sha256_of_nist(name: str, count: int) -> None:
    cases = list(records(f"hashes/SHA2/SHA256{name}Msg.rsp", "Len"))
    assert len(cases) == count
    for case in cases:
        assert primitives.sha256(H(case["Msg"])[: int(case["Len"]) // 8]) == H(case["MD"])


@pytest.mark.usefixtures("bare_label")
def test_hmac_sha256_of_rfc_4231() -> None:
    cases = list(records("HMAC/rfc-4231-sha256.txt", "Len"))
    assert len(cases) == 6
    for case in cases:
        assert primitives.hmac_sha256(H(case["Key"]), H(case["Msg"])) == H(case["MD"])


def test_the_chain_step_is_hmac_sha512_of_rfc_4231(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = list(records("HMAC/rfc-4231-sha512.txt", "Len"))
    assert len(cases) == 6
    for case in cases:
        monkeypatch.setattr(primitives, "_STEP_INPUT", H(case["Msg"]))
        assert b"".join(primitives.chain_step(H(case["Key"]))) == H(case["MD"])


@pytest.mark.usefixtures("bare_label")
@pytest.mark.parametrize(("name", "count"), [("rfc-5869-HKDF-SHA256", 3), ("hkdf-generated", 1)])
def test_hkdf_of_rfc_5869(name: str, count: int) -> None:
    cases = list(records(f"KDF/{name}.txt", "COUNT"))
    assert len(cases) == count
    for case in cases:
        key = primitives.hkdf_extract(H(case["salt"]), H(case["IKM"]))
        assert key == H(case.get("PRK", key.hex()))
        assert primitives.hkdf_expand(key, H(case["info"])) == H(case["OKM"])[: c.KEY_LENGTH]


def _gcm(name: str) -> list[dict[str, str]]:
    """Return the cases with the product's lengths of key, nonce and tag."""
    fitting = {"Keylen": "256", "IVlen": "96", "Taglen": "128"}
    return [one for one in records(f"ciphers/AES/GCM/{name}.rsp", "Count") if fitting.items() <= one.items()]


def test_sealing_is_aes_256_gcm_of_nist(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = _gcm("gcmEncryptExtIV256")
    assert len(cases) == 375
    for case in cases:
        monkeypatch.setattr(c, "RECORD_NONCE", H(case["IV"]))
        key, associated = H(case["Key"]), H(case["AAD"])
        assert primitives.seal(key, H(case["PT"]), associated) == H(case["CT"] + case["Tag"])
        assert primitives.unseal(key, H(case["CT"] + case["Tag"]), associated) == H(case["PT"])


def test_unsealing_refuses_what_nist_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = _gcm("gcmDecrypt256")
    assert len(cases) == 375
    refused = 0
    for case in cases:
        monkeypatch.setattr(c, "RECORD_NONCE", H(case["IV"]))
        sealed = (H(case["Key"]), H(case["CT"] + case["Tag"]), H(case["AAD"]))
        if "FAIL" in case:
            refused += 1
            with pytest.raises(CryptoFailure):
                primitives.unseal(*sealed)
        else:
            assert primitives.unseal(*sealed) == H(case["PT"])
    assert refused == 191


def test_x25519_of_rfc_7748() -> None:
    cases = list(records("asymmetric/X25519/rfc7748.txt", "COUNT"))
    assert len(cases) == 3
    for case in cases:
        exchange = primitives.Exchange()
        exchange._private = x25519.X25519PrivateKey.from_private_bytes(H(case["INPUT_SCALAR"]))
        assert exchange.agree(H(case["INPUT_U"])) == H(case["OUTPUT_U"])


def test_mlkem_768_and_its_implicit_rejection() -> None:
    """Encapsulation draws its own randomness, which cannot be fed: what it makes is opened instead."""
    cases = list(records("asymmetric/MLKEM/kat_MLKEM_768.rsp", "count"))
    assert len(cases) == 1000
    for case in cases:
        encapsulation = primitives.Encapsulation()
        encapsulation._private = mlkem.MLKEM768PrivateKey.from_seed_bytes(H(case["d"] + case["z"]))
        public = encapsulation._private.public_key().public_bytes_raw()
        assert public == H(case["pk"])
        assert encapsulation.open(H(case["ct"])) == H(case["ss"])
        assert encapsulation.open(H(case["ct_n"])) == H(case["ss_n"])
        secret, ciphertext = primitives.encapsulate(public)
        assert encapsulation.open(ciphertext) == secret


def _pss() -> list[dict[str, str]]:
    name = "asymmetric/RSA/FIPS_186-2/SigVerPSS_186-3.rsp"
    return [case for case in records(name, "SHAAlg", "n", "p", "q") if case["SHAAlg"] == "SHA256"]


def _public(case: dict[str, str]) -> rsa.RSAPublicKey:
    return rsa.RSAPublicNumbers(int(case["e"], 16), int(case["n"], 16)).public_key()


def test_pss_of_nist_but_for_the_length_of_the_salt(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = _pss()
    assert len(cases) == 90
    (salt_length,) = {len(H(case["SaltVal"])) for case in cases}
    mgf = primitives._PSS._mgf
    accepted = 0
    for case in cases:
        monkeypatch.setattr(primitives, "_PSS", padding.PSS(mgf, salt_length))
        signed = (_public(case), H(case["S"]), H(case["Msg"]))
        if case["Result"].startswith("P"):
            accepted += 1
            primitives.pss_verify(*signed)
        else:
            with pytest.raises(CryptoFailure):
                primitives.pss_verify(*signed)
        monkeypatch.undo()
        with pytest.raises(CryptoFailure):  # the product's own salt has 32 bytes, and no other is accepted
            primitives.pss_verify(*signed)
    assert accepted == 15


def test_pss_with_the_products_salt_by_a_second_implementation() -> None:
    """What reproduces NIST's signatures with NIST's salts makes signatures with 32 bytes of salt.

    With keys of the product's lengths.
    """
    keys = [(case, TextbookKey(int(case["n"], 16), int(case["d"], 16))) for case in _pss()]
    fitting = [(case, key) for case, key in keys if case["Result"][0] == "P" and key.length * 8 in c.RSA_BITS]
    assert len(fitting) == 6
    for case, textbook in fitting:
        message = H(case["Msg"])
        assert textbook.pss_sign(message, H(case["SaltVal"])) == H(case["S"])
        primitives.pss_verify(_public(case), textbook.pss_sign(message, bytes(range(32))), message)


def _oaep() -> list[dict[str, str]]:
    return list(titled("asymmetric/RSA/oaep-custom/oaep-sha256-sha256.txt", "Encryption"))


@cache
def _private(modulus: str) -> rsa.RSAPrivateKey:
    """Return a vector's key, made once; ``Exponent`` is titled twice, the private one last."""
    case = next(case for case in _oaep() if case["Modulus"] == modulus)
    names = ("Prime 1", "Prime 2", "Exponent", "Prime exponent 1", "Prime exponent 2", "Coefficient")
    p, q, d, dmp1, dmq1, iqmp = (int(case[name], 16) for name in names)
    public = rsa.RSAPublicNumbers(int(case["Public exponent"], 16), int(modulus, 16))
    return rsa.RSAPrivateNumbers(p, q, d, dmp1, dmq1, iqmp, public).private_key()


def _message(case: dict[str, str]) -> bytes:
    return H(case["Message"])


def test_oaep_with_sha256() -> None:
    """Published with the empty label only; the label has its turn below."""
    cases = _oaep()
    assert len(cases) == 60
    for case in cases:
        key = _private(case["Modulus"])
        assert primitives.oaep_decrypt(key, H(case["Encryption"]), b"") == _message(case)


def test_oaep_with_a_label_by_a_second_implementation() -> None:
    """What opens a published ciphertext under each key opens the product's, with a label."""
    label = bytes(range(32))
    one_of_each = {case["Modulus"]: case for case in _oaep()}
    assert len(one_of_each) == 10
    for modulus, case in one_of_each.items():
        key, textbook = _private(modulus), TextbookKey(int(modulus, 16), int(case["Exponent"], 16))
        assert textbook.oaep_decrypt(H(case["Encryption"]), b"") == _message(case)
        wrapped = primitives.oaep_encrypt(key.public_key(), _message(case), label)
        assert textbook.oaep_decrypt(wrapped, label) == _message(case)
        assert primitives.oaep_decrypt(key, wrapped, label) == _message(case)
        with pytest.raises(CryptoFailure):
            primitives.oaep_decrypt(key, wrapped, b"")
