"""Sections 12.4 and 12.5 of docs/protocol.md: codes that two people compare."""

import hashlib
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from reference_crypto import PREFIX, Chance, Fields, encode, expand, extract, hash_of, u
from reference_messages import Reject

ASK, COMMIT, REPLY, REVEAL, STOP = range(8, 13)
DECLINED, MISMATCH = 1, 2
LENGTHS: Final = {ASK: 0, COMMIT: 32, REPLY: 32, REVEAL: 32, STOP: 1}
"""What follows the kind."""
WORD_LIST_HASH: Final = "2f5eed53a4727b4bf8880d8f3f199efc90e58503646d9ff8eff3a2ed3b24dbda"

# Appendix D
PICTURES: Final = [
    tuple(one.split())
    for one in """
🐶 dog  🐱 cat  🦁 lion  🐴 horse  🦄 unicorn  🐷 pig  🐘 elephant  🐰 rabbit  🐼 panda
🐓 rooster  🐧 penguin  🐢 turtle  🐟 fish  🐙 octopus  🦋 butterfly  🐝 bee  🐍 snake
🐌 snail  🌷 tulip  🌳 tree  🌵 cactus  🍄 mushroom  🌍 globe  🌙 moon  🌈 rainbow  🔥 fire
🍌 banana  🍎 apple  🍓 strawberry  🌽 corn  🍕 pizza  🎂 cake  🍺 beer  🎩 hat  👓 glasses
👑 crown  🔧 wrench  🔨 hammer  🤖 robot  👻 ghost  💀 skull  👍 thumb  ⌛ hourglass
🎁 gift  💡 lamp  📕 book  📎 paperclip  🔒 lock  🔑 key  📞 telephone  🚂 train
🚲 bicycle  🚀 rocket  🚗 car  🏆 trophy  ⚽ football  🎸 guitar  🎺 trumpet  🔔 bell
⚓ anchor  🎧 headphones  🎲 dice  📌 pin  ⛄ snowman
""".replace("\n", "  ")
    .strip()
    .split("  ")
]

Said = list[tuple[int, bytes]]
"""Payloads: kind and body."""


def pictures(number: int) -> list[list[str]]:
    """Seven of six bits, the first bits first."""
    return [list(PICTURES[number >> 6 * place & 63]) for place in reversed(range(7))]


def shown(number: int) -> dict[str, object]:
    """Both spellings of a code."""
    return {"digits": f"{number:013d}", "pictures": pictures(number)}


def code_number(session_id: bytes, r_g: bytes, r_h: bytes, fp_g: bytes, fp_h: bytes) -> int:
    """The first 42 bits."""
    derived = expand(extract(session_id, r_g + r_h), b"comparison code", fp_g, fp_h)
    return int.from_bytes(derived, "big") >> 256 - 42


def commitment(session_id: bytes, r_g: bytes) -> bytes:
    """What the guest says first."""
    return hash_of(b"comparison commit", session_id, r_g)


def words() -> list[str]:
    """The English list of BIP 39: a file of the package ``mnemonic``, of which nothing is run."""
    package = find_spec("mnemonic")
    assert package is not None
    assert package.origin is not None
    data = (Path(package.origin).parent / "wordlist" / "english.txt").read_bytes()
    assert hashlib.sha256(data).hexdigest() == WORD_LIST_HASH
    return data.decode().split()


def safety_number(one: bytes, other: bytes) -> dict[str, object]:
    """Both spellings of what two keys have in common."""
    salt = hash_of(b"safety number")[:16]
    password = encode(PREFIX + b"safety number", *sorted((one, other)))
    derived = Argon2id(salt=salt, length=32, iterations=3, lanes=4, memory_cost=65536).derive(password)
    number, listed = int.from_bytes(derived, "big") >> 256 - 132, words()
    chosen = [listed[number >> 11 * place & 2047] for place in reversed(range(12))]
    return {"digits": f"{number:040d}", "words": chosen}


class Comparison:
    """One side of a session's comparisons. What the methods return is to be sent, in this order."""

    def __init__(self, is_host: bool, session_id: bytes, fp_g: bytes, fp_h: bytes, chance: Chance) -> None:
        self.is_host, self.session_id, self.names, self.chance = is_host, session_id, (fp_g, fp_h), chance
        self.is_stopping = False
        self._begin_anew()

    def _begin_anew(self) -> None:
        self.has_asked = self.is_asked = False
        self.r_g, self.r_h, self.committed = b"", b"", b""
        self.code: int | None = None

    def ask(self) -> Said:
        """Our person wants to compare."""
        if self.code is not None:
            self._begin_anew()
        if self.has_asked or self.is_stopping:
            return []
        self.has_asked = True
        return [(ASK, b""), *self._commit()]

    def stop(self, reason: int) -> Said:
        """Our person ends a run, or a wish for one."""
        self._begin_anew()
        self.is_stopping = True
        return [(STOP, u(reason, 1))]

    def take(self, kind: int, body: bytes) -> Said:
        """A payload of the peer."""
        Fields(body).need(len(body) == LENGTHS[kind])
        if kind == STOP:
            Fields(body).need(body[0] in {DECLINED, MISMATCH})
            is_answer, self.is_stopping = self.is_stopping, False
            self._begin_anew()
            return [] if is_answer else [(STOP, u(DECLINED, 1))]
        if self.is_stopping:
            return []
        return self._asked() if kind == ASK else self._step(kind, body)

    def _asked(self) -> Said:
        if self.code is not None:
            self._begin_anew()
        if self.is_asked:
            return self.stop(DECLINED)
        self.is_asked = True
        return self._commit()

    def _commit(self) -> Said:
        if self.is_host or not (self.has_asked and self.is_asked):
            return []
        self.r_g = self.chance.random("r_g", 32)
        return [(COMMIT, commitment(self.session_id, self.r_g))]

    def _step(self, kind: int, body: bytes) -> Said:
        """The one step that is due where we stand; any other ends the run."""
        if kind == COMMIT and self.is_host and self.has_asked and self.is_asked and not self.committed:
            self.committed, self.r_h = body, self.chance.random("r_h", 32)
            return [(REPLY, self.r_h)]
        if kind == REPLY and self.r_g and not self.is_host and self.code is None:
            self.r_h = body
            return self._know([(REVEAL, self.r_g)])
        if kind == REVEAL and self.committed and self.code is None:
            self.r_g = body
            if commitment(self.session_id, body) != self.committed:
                raise Reject("comparison failure: another value than was committed to")
            return self._know([])
        return self.stop(DECLINED)

    def _know(self, said: Said) -> Said:
        self.code = code_number(self.session_id, self.r_g, self.r_h, *self.names)
        return said
