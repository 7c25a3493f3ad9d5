"""Passphrases, and the keys that Argon2id makes of them.

A key is made of a passphrase, a salt and a cost. Salt and cost lie in clear beside what the key
protects, as a string of the PHC format: ``$argon2id$v=19$m=65536,t=3,p=4$SALT``.
"""

import base64
import re
import unicodedata
from dataclasses import dataclass, field
from typing import Final, Self

from securechat_tui.protocol import primitives
from securechat_tui.storage.errors import EmptyPassphrase, LongPassphrase, NotEnoughMemory, OddPassphrase

__all__ = ["MAX_PASSPHRASE_BYTES", "USUAL_COST", "Cost", "Passphrase", "Stretch", "checksum_line"]

MAX_PASSPHRASE_BYTES: Final = 1024
"""Of UTF-8, after normalisation."""
_SALT_LENGTH: Final = 16
_MIN_LANE_MEMORY: Final = 8
_MAX_MEMORY: Final = 256 * 1024
_MAX_PASSES: Final = 16
_MAX_LANES: Final = 16
_PHC: Final = re.compile(r"\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]{22})")


class Passphrase:
    """What a person has typed, in Unicode's composed form (NFC), as UTF-8.

    The same word is so the same passphrase on every keyboard and system, whether its accents come as
    letters of their own or as marks. White space counts. Raises :class:`EmptyPassphrase`,
    :class:`LongPassphrase` (over 1024 bytes) and :class:`OddPassphrase` (no Unicode text).
    """

    __slots__ = ("_utf8",)

    def __init__(self, text: str) -> None:
        if not text:
            raise EmptyPassphrase
        if len(text) > MAX_PASSPHRASE_BYTES:  # before it is normalised, which may take long
            raise LongPassphrase(limit=MAX_PASSPHRASE_BYTES)
        try:
            self._utf8 = unicodedata.normalize("NFC", text).encode()
        except UnicodeEncodeError:
            raise OddPassphrase from None
        if len(self._utf8) > MAX_PASSPHRASE_BYTES:
            raise LongPassphrase(limit=MAX_PASSPHRASE_BYTES)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Passphrase) and primitives.equal(self._utf8, other._utf8)

    def __hash__(self) -> int:
        return hash(self._utf8)

    def __repr__(self) -> str:
        return "Passphrase(...)"

    def stretched(self, salt: bytes, cost: "Cost") -> bytes:
        """Return 32 bytes of Argon2id; takes long by intent. Raises :class:`NotEnoughMemory`."""
        try:
            return primitives.argon2id(
                self._utf8, salt, memory=cost.memory, passes=cost.passes, lanes=cost.lanes
            )
        except primitives.CryptoFailure:
            raise NotEnoughMemory(size=cost.memory // 1024) from None


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess costs (RFC 9106): memory in KiB, passes over it, lanes.

    Raises :class:`ValueError` beyond bounds that a file from elsewhere must not cross: 256 MiB, 16
    passes, 16 lanes.
    """

    memory: int
    passes: int
    lanes: int

    def __post_init__(self) -> None:
        if not 1 <= self.lanes <= _MAX_LANES:
            raise ValueError(f"1 to {_MAX_LANES} lanes, not {self.lanes}")
        if not 1 <= self.passes <= _MAX_PASSES:
            raise ValueError(f"1 to {_MAX_PASSES} passes, not {self.passes}")
        if not _MIN_LANE_MEMORY * self.lanes <= self.memory <= _MAX_MEMORY:
            raise ValueError(f"{_MIN_LANE_MEMORY * self.lanes} to {_MAX_MEMORY} KiB, not {self.memory}")


USUAL_COST: Final = Cost(memory=64 * 1024, passes=3, lanes=4)
"""The second recommendation of RFC 9106: 64 MiB, 3 passes, 4 lanes."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A salt and a cost: how one key is made of a passphrase. Every key has a salt of its own."""

    cost: Cost
    salt: bytes = field(default_factory=lambda: primitives.random_bytes(_SALT_LENGTH))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what ``str`` wrote; raises :class:`ValueError`, also for a cost out of bounds."""
        found = _PHC.fullmatch(text)
        if found is None:
            raise ValueError("the line about Argon2id is not understood")
        memory, passes, lanes, salt = found.groups()
        return cls(Cost(int(memory), int(passes), int(lanes)), base64.b64decode(salt + "=="))

    def __str__(self) -> str:
        cost, salt = self.cost, base64.b64encode(self.salt).decode().rstrip("=")
        return f"$argon2id$v=19$m={cost.memory},t={cost.passes},p={cost.lanes}${salt}"

    def key(self, passphrase: Passphrase) -> bytes:
        """Return the key, 32 bytes; takes long by intent. Raises :class:`NotEnoughMemory`."""
        return passphrase.stretched(self.salt, self.cost)


def checksum_line(rest: bytes) -> bytes:
    """The line that tells a damaged file from a wrong passphrase: SHA-256 over all its other lines."""
    return b"sha256 " + primitives.sha256(rest).hex().encode() + b"\n"
