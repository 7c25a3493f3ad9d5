"""Attacks of somebody who only listens, and of somebody who has listened and steals keys later."""

import base64
import binascii
from collections.abc import Iterator
from typing import Final

from securechat_tui.lab.attacks.outcome import Bench, Outcome
from securechat_tui.lab.current import CurrentPeer
from securechat_tui.lab.line import DrivenClock
from securechat_tui.lab.peer import Event, Moment, Peer, Shown
from securechat_tui.lab.relay import RelayPeer, Request
from securechat_tui.lab.units import Unit

__all__ = ["equal_iv", "read_along", "recorded_then_stolen_key"]

TREASURE: Final = "the treasure lies under the third oak"
_BLOCK: Final = 16
_MAIN_FIELDS: Final = ("ciphertext", "cipher")


def plain_parts(unit: Unit) -> Iterator[bytes]:
    """Give what anybody can read of a unit: its bytes, and what base64 in it stands for."""
    yield unit.data
    for part in unit.fields:
        try:
            yield base64.b64decode(unit.data[part.start : part.end], validate=True)
        except (binascii.Error, ValueError):
            continue


async def read_along(bench: Bench) -> Outcome:
    """Look for the text in everything that passes, and for what sizes and names tell."""
    async with bench.scene() as scene:
        await scene.say(TREASURE)
        seen = any(TREASURE.encode() in part for unit in scene.units for part in plain_parts(unit))
        first = max(len(unit.data) for unit in scene.messages())
        count = len(scene.messages())
        await scene.say(TREASURE + "s")
        second = max(len(unit.data) for unit in scene.messages()[count:])
        names = any(b'"alice"' in unit.data for unit in scene.units)
        arrived = scene.host.texts
    told = "the size in steps" if first == second else "the length of each text to the byte"
    told += ", who writes to whom and when" if names else ", and when something passes"
    return bench.outcome(
        "read-along",
        by="" if seen or len(arrived) != 2 else "encryption",  # noqa: PLR2004 - both texts were sent
        got="every text" if seen else f"no text; {told}",
        why="The text was looked for in every byte that passed, as it is and behind base64"
        + (", and was found." if seen else ", and is not there: it is encrypted before it leaves."),
        mend="Encrypt the text before it leaves.",
        remains=f"he still sees {told}" if bench.protocol.name == "current" else "",
    )


def _main_field(unit: Unit) -> bytes:
    name = next(part.name for part in unit.fields if part.name in _MAIN_FIELDS)
    raw = unit.part(name)
    try:
        return base64.b64decode(raw, validate=True)
    except (binascii.Error, ValueError):
        return raw


async def equal_iv(bench: Bench) -> Outcome:
    """Send two texts with the same beginning and compare their ciphertexts block by block."""
    beginning = "Dear Bob, as agreed yesterday, the amount is "
    async with bench.scene() as scene:
        await scene.say(beginning + "5")
        first = [_main_field(unit) for unit in scene.messages()]
        await scene.say(beginning + "7000")
        second = [_main_field(unit) for unit in scene.messages()][len(first) :]
    equal = max(_equal_blocks(one, other) for one in first for other in second)
    return bench.outcome(
        "equal-iv",
        by="" if equal else "a new IV, nonce or key for each message",
        got=f"{equal} equal blocks of {_BLOCK} bytes: the texts begin alike" if equal else "no equal block",
        why="Two texts that begin alike were sent. Under one key and one IV, CBC turns equal beginnings into "
        "equal blocks, for everybody to see."
        if equal
        else "Two texts that begin alike were sent, and their ciphertexts have not one block in common.",
        mend="A new random IV for each message, sent along and authenticated; or an AEAD with a new nonce.",
    )


def _equal_blocks(one: bytes, other: bytes) -> int:
    count = 0
    while one[: (count + 1) * _BLOCK] == other[: (count + 1) * _BLOCK] and len(one) > count * _BLOCK:
        count += 1
    return count


async def recorded_then_stolen_key(bench: Bench) -> Outcome:
    """Record a conversation, take both private keys, and let the protocol's own code read the recording."""
    async with bench.scene() as scene:
        await scene.say(TREASURE, TREASURE.upper())
        recorded = list(scene.units)
    reads, stopped = _reading(bench, recorded)
    found = [text for text in reads if text in (TREASURE, TREASURE.upper())]
    return bench.outcome(
        "recorded-then-stolen-key",
        by="" if found else f"keys that no longer exist ({stopped})",
        got=f"{len(found)} of 2 recorded texts, with the RSA keys alone",
        why="The session key went over the wire under an RSA key that lives on. Whoever has recorded it "
        "needs nothing but that key, years later."
        if found
        else "The recording was played to the product's own code with both stolen identity keys. The "
        "session's keys came from X25519 and ML-KEM pairs that were thrown away, and nothing opened.",
        mend=(
            "Agree on the session key with ephemeral Diffie-Hellman or a KEM, sign that, throw the keys away."
        ),
    )


def _reading(bench: Bench, recorded: list[Unit]) -> tuple[list[str], str]:
    """Return what the stolen keys read in a recording, and what stopped the reading."""
    moment = DrivenClock().now()
    texts: list[str] = []
    stopped = ""
    for role in ("host", "guest"):
        owner = "bob" if role == "host" else "alice"
        other = "guest" if role == "host" else "host"
        thief = bench.protocol.make(role, bench.keys, moment, owner)
        happened = _play(thief, [unit for unit in recorded if unit.role == other], moment)
        texts += [str(event.text) for event in happened if isinstance(event, Shown)]
        stopped = stopped or next((str(event.check) for event in happened if hasattr(event, "check")), "")
    return texts, stopped


def _play(thief: Peer, units: list[Unit], moment: Moment) -> list[Event]:
    """Let a peer with a stolen key take one side's recorded units."""
    if isinstance(thief, RelayPeer):
        return _play_to_client(thief, units, moment)
    happened: list[Event] = []
    for unit in units:
        happened += thief.receive(unit.data, moment)
    if isinstance(thief, CurrentPeer) and not thief.closed:
        happened += thief.receive_eof(moment)
    return happened


def _play_to_client(thief: RelayPeer, units: list[Unit], moment: Moment) -> list[Event]:
    if thief.user == "alice":
        return []  # she has no key that could be stolen
    happened: list[Event] = []
    for unit in units:
        if unit.kind == "session":
            request = Request("GET", "/get_encrypted_master_secret")
            happened += thief.answered(request, 200, unit.data, moment)
        elif unit.kind == "message":
            body = b'{"messages": [' + unit.data + b"]}"
            happened += thief.answered(Request("GET", "/get_messages/bob"), 200, body, moment)
    return happened
