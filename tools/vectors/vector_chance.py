"""Takes the place of everything that is random in the product, so that a recording can be made again.

X25519 and ML-KEM keys and random bytes follow from a name. What the library alone can draw (the salt of
a signature, the seed of OAEP, the message of an encapsulation) is kept from one run to the next under a
hash of its inputs.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from securechat_tui.protocol import primitives
from securechat_tui.protocol.encoding import encode
from securechat_tui.protocol.identity import IdentityKey, PublicIdentity
from securechat_tui.protocol.primitives import RsaPublicKey


class Drawn:
    """What only the library can draw, as it came out the first time."""

    def __init__(self, known: dict[str, str]) -> None:
        self._known = known
        self.used: dict[str, str] = {}
        self.is_new = False
        """Whether anything had to be drawn that was not known."""

    def find(self, *inputs: bytes) -> bytes | None:
        """Return the value for these inputs, if there is one."""
        key = _name(inputs)
        if key not in self._known:
            return None
        self.used[key] = self._known[key]
        return bytes.fromhex(self._known[key])

    def keep(self, value: bytes, *inputs: bytes) -> bytes:
        """Keep a value that was drawn just now."""
        self.is_new = True
        self._known[_name(inputs)] = self.used[_name(inputs)] = value.hex()
        return value


def _name(inputs: tuple[bytes, ...]) -> str:
    return hashlib.sha256(encode(*inputs)).hexdigest()


def agree(private: bytes, public: bytes) -> bytes:
    """Return the X25519 secret of a private key on file."""
    return X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(public))


class Chance:
    """The randomness of one recording, and the private values behind what was sent."""

    def __init__(self, name: str, drawn: Drawn) -> None:
        self._name = name
        self._drawn = drawn
        self._counts: Counter[str] = Counter()
        self.x25519: dict[bytes, bytes] = {}
        """Private keys by public ones."""
        self.mlkem: dict[bytes, bytes] = {}
        """Seeds (64 bytes) by encapsulation keys."""
        self.shared: dict[bytes, bytes] = {}
        """Shared secrets by ML-KEM ciphertexts."""
        self.wrapped: dict[bytes, bytes] = {}
        """Contributions by OAEP ciphertexts."""

    def draw(self, length: int, purpose: str = "bytes") -> bytes:
        """Return bytes that follow from the recording's name, the purpose and how often it was asked."""
        what = f"{purpose} {length}"
        self._counts[what] += 1
        seed = f"securechat-tui test vectors: {self._name}: {what}: {self._counts[what]}"
        return hashlib.shake_256(seed.encode()).digest(length)

    def sign(self, key: IdentityKey, message: bytes) -> bytes:
        """Return the signature that this key has made over this message, or make one."""
        inputs = (b"sign", key.public.spki, message)
        return self._drawn.find(*inputs) or self._drawn.keep(key.sign(message), *inputs)

    def sign_with_salt(self, key: IdentityKey, message: bytes, length: int) -> bytes:
        """Return an RSA-PSS signature with a salt of another length than the protocol's."""
        inputs = (f"sign with a salt of {length}".encode(), key.public.spki, message)
        scheme = padding.PSS(padding.MGF1(hashes.SHA256()), length)
        return self._drawn.find(*inputs) or self._drawn.keep(
            key._key.sign(message, scheme, hashes.SHA256()), *inputs
        )

    def wrap(self, key: PublicIdentity, secret: bytes, label: bytes) -> bytes:
        """Return an OAEP ciphertext of these inputs."""
        inputs = (b"oaep", key.spki, secret, label)
        found = self._drawn.find(*inputs) or self._drawn.keep(_OAEP(key._key, secret, label), *inputs)
        self.wrapped[found] = secret
        return found

    def encapsulate(self, public: bytes) -> tuple[bytes, bytes]:
        """Return shared secret and ciphertext for an encapsulation key."""
        pair = self._drawn.find(b"encapsulate", public) or self._drawn.keep(
            b"".join(_ENCAPSULATE(public)), b"encapsulate", public
        )
        self.shared[pair[32:]] = pair[:32]
        return pair[:32], pair[32:]

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Let the product draw from here."""
        chance = self

        class Exchange(primitives.Exchange):
            def __init__(self) -> None:
                private = chance.draw(32, "x25519")
                self._private = X25519PrivateKey.from_private_bytes(private)
                self.public = self._private.public_key().public_bytes_raw()
                chance.x25519[self.public] = private

        class Encapsulation(primitives.Encapsulation):
            def __init__(self) -> None:
                seed = chance.draw(64, "mlkem")
                self._private = MLKEM768PrivateKey.from_seed_bytes(seed)
                self.public = self._private.public_key().public_bytes_raw()
                chance.mlkem[self.public] = seed

        def oaep_encrypt(key: RsaPublicKey, message: bytes, label: bytes) -> bytes:
            return chance.wrap(PublicIdentity(primitives.rsa_public_to_spki(key)), message, label)

        with ExitStack() as stack:
            for module, name, value in (
                (primitives, "Exchange", Exchange),
                (primitives, "Encapsulation", Encapsulation),
                (primitives, "encapsulate", self.encapsulate),
                (primitives, "random_bytes", self.draw),
                (primitives, "oaep_encrypt", oaep_encrypt),
            ):
                stack.enter_context(patch.object(module, name, value))
            stack.enter_context(patch("securechat_tui.chat.outbox.random_bytes", self.draw))
            yield


_ENCAPSULATE = primitives.encapsulate
_OAEP = primitives.oaep_encrypt
