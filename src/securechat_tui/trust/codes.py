"""Codes that two people compare: seven pictures, digits, words.

Each form stands for a number, all of it. Pictures are single code points, two cells wide in every
terminal, of Unicode 9 or older; their names are what people say to each other.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from mnemonic import Mnemonic

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import primitives
from securechat_tui.protocol.encoding import encode
from securechat_tui.protocol.identity import Fingerprint

__all__ = ["PICTURES", "SafetyNumber", "ShortAuthenticationString"]

PICTURES: Final = (
    ("🐶", "dog"), ("🐱", "cat"), ("🦁", "lion"), ("🐴", "horse"), ("🦄", "unicorn"), ("🐷", "pig"),
    ("🐘", "elephant"), ("🐰", "rabbit"), ("🐼", "panda"), ("🐓", "rooster"), ("🐧", "penguin"),
    ("🐢", "turtle"), ("🐟", "fish"), ("🐙", "octopus"), ("🦋", "butterfly"), ("🐝", "bee"),
    ("🐍", "snake"), ("🐌", "snail"), ("🌷", "tulip"), ("🌳", "tree"), ("🌵", "cactus"),
    ("🍄", "mushroom"), ("🌍", "globe"), ("🌙", "moon"), ("🌈", "rainbow"), ("🔥", "fire"),
    ("🍌", "banana"), ("🍎", "apple"), ("🍓", "strawberry"), ("🌽", "corn"), ("🍕", "pizza"),
    ("🎂", "cake"), ("🍺", "beer"), ("🎩", "hat"), ("👓", "glasses"), ("👑", "crown"),
    ("🔧", "wrench"), ("🔨", "hammer"), ("🤖", "robot"), ("👻", "ghost"), ("💀", "skull"),
    ("👍", "thumb"), ("⌛", "hourglass"), ("🎁", "gift"), ("💡", "lamp"), ("📕", "book"),
    ("📎", "paperclip"), ("🔒", "lock"), ("🔑", "key"), ("📞", "telephone"), ("🚂", "train"),
    ("🚲", "bicycle"), ("🚀", "rocket"), ("🚗", "car"), ("🏆", "trophy"), ("⚽", "football"),
    ("🎸", "guitar"), ("🎺", "trumpet"), ("🔔", "bell"), ("⚓", "anchor"), ("🎧", "headphones"),
    ("🎲", "dice"), ("📌", "pin"), ("⛄", "snowman"),
)  # fmt: skip
"""Six bits each: the sign, and the word for it."""

_PICTURE_BITS: Final = 6
_WORD_BITS: Final = 11


@dataclass(frozen=True, slots=True)
class ShortAuthenticationString:
    """What one comparison run shows on both sides (RFC 6189, 4.5.2): 42 bits in two spellings."""

    number: int

    BITS: ClassVar = 42

    @classmethod
    def of(cls, secret: bytes) -> Self:
        """Take the first 42 bits of a derived secret."""
        return cls(_first_bits(secret, cls.BITS))

    @property
    def pictures(self) -> tuple[tuple[str, str], ...]:
        """Seven pictures with their names, the most significant bits first."""
        return tuple(PICTURES[part] for part in _parts(self.number, self.BITS, _PICTURE_BITS))

    @property
    def digits(self) -> str:
        """The same number as 13 decimal digits."""
        return f"{self.number:013d}"


@dataclass(frozen=True, slots=True)
class SafetyNumber:
    """What two identity keys have in common for ever: 132 bits in two spellings.

    For a comparison without a session. A slow, memory-hard hash stands before it: candidate keys cost
    an attacker microseconds, and 132 bits of a plain hash would be no more than 2^66 of them.
    """

    number: int

    BITS: ClassVar = 132

    @classmethod
    def of(cls, one: Fingerprint, other: Fingerprint) -> Self:
        """Derive it, the same for both orders. Takes a good part of a second and 64 MiB: use a thread."""
        secret = primitives.argon2id(
            encode(c.LABEL_SAFETY_NUMBER, *sorted((one, other))),
            primitives.hash_of(c.LABEL_SAFETY_NUMBER)[: c.SAFETY_SALT_LENGTH],
            memory=c.SAFETY_MEMORY_KIB,
            passes=c.SAFETY_PASSES,
            lanes=c.SAFETY_LANES,
        )
        return cls(_first_bits(secret, cls.BITS))

    @property
    def words(self) -> tuple[str, ...]:
        """Twelve words of the BIP 39 English list, the most significant bits first."""
        words = Mnemonic("english").wordlist
        return tuple(words[part] for part in _parts(self.number, self.BITS, _WORD_BITS))

    @property
    def digits(self) -> str:
        """The same number as 40 decimal digits."""
        return f"{self.number:040d}"


def _first_bits(secret: bytes, bits: int) -> int:
    return int.from_bytes(secret) >> (8 * len(secret) - bits)


def _parts(number: int, bits: int, width: int) -> Iterator[int]:
    """Split a number into its groups of bits, the most significant first."""
    return (number >> shift & (1 << width) - 1 for shift in range(bits - width, -1, -width))
