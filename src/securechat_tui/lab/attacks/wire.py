"""Attacks on the stream of messages: changing, repeating, exchanging, dropping, holding, cutting them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from securechat_tui.lab.attacks.outcome import Bench, Outcome, check_at
from securechat_tui.lab.peer import Finished
from securechat_tui.lab.scene import Scene
from securechat_tui.lab.units import Unit

__all__ = ["bit_flip", "delay", "drop", "reflect", "reorder", "replay", "truncate"]

TEXT: Final = "pay 5 to carol"
_HELD_SECONDS: Final = 61.0
_COUNTERS: Final = "Number the messages, authenticate the numbers, and take each number once and in order."


class Hold:
    """Keeps back one side's message units, in order."""

    def __init__(self, role: str = "guest") -> None:
        self.units: list[bytes] = []
        self._role = role

    def __call__(self, unit: Unit) -> Iterable[bytes]:
        """Keep a message unit; let everything else pass."""
        if unit.kind == "message" and unit.role == self._role:
            self.units.append(unit.data)
            return ()
        return (unit.data,)


# Changing.


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a bit is turned over: the unit by its place among its role's, a field, a byte of that."""

    role: str
    index: int
    part: int
    place: int
    name: str


@dataclass(frozen=True, slots=True)
class Flipped:
    """What one turned bit led to."""

    name: str
    effect: str
    """caught, harmless, or what was accepted changed."""
    check: str


async def bit_flip(bench: Bench) -> Outcome:
    """Hold one conversation for each field and place, with one bit turned over there."""
    results = [await _flip(bench, spot) for spot in await _spots(bench)]
    accepted = sorted({f"{one.name} ({one.effect})" for one in results if one.effect not in _EXPECTED})
    harmless = sorted({one.name for one in results if one.effect == "harmless"})
    checks = sorted({one.check.partition(":")[0] for one in results if one.effect == "caught"})
    tried = f"{len(results)} bits in {len({one.name for one in results})} fields were turned over"
    return bench.outcome(
        "bit-flip",
        by="" if accepted else "; ".join(checks),
        got=f"{tried}; accepted changed: {', '.join(accepted) or 'none'}"
        + (f"; without any effect: {', '.join(harmless)}" if harmless else ""),
        why=f"{tried}, one in each conversation, and these were accepted with another meaning: "
        f"{', '.join(accepted)}. No check covers them."
        if accepted
        else f"{tried}, one in each conversation, and nothing was shown that was not sent.",
        mend=(
            "Authenticate everything that has a meaning: IV, time, names and lengths, not the "
            "ciphertext alone."
        ),
    )


_EXPECTED: Final = ("caught", "harmless")


async def _spots(bench: Bench) -> list[Spot]:
    """Hold an undisturbed conversation and list every field's first, middle and last byte."""
    async with bench.scene() as scene:
        before = len(scene.units)
        await scene.say(TEXT)
        units = [one for place, one in enumerate(scene.units) if one.kind != "message" or place >= before]
        every = list(scene.units)
    counts = {id(unit): 0 for unit in every}
    for role in ("guest", "host"):
        for index, unit in enumerate(one for one in every if one.role == role):
            counts[id(unit)] = index
    spots: list[Spot] = []
    for unit in units:
        for number, part in enumerate(unit.fields):
            length = part.end - part.start
            for place in sorted({0, length // 2, length - 1} if length else ()):
                name = f"{unit.role}'s {unit.kind}: {part.name}"
                spots.append(Spot(unit.role, counts[id(unit)], number, place, name))
    return spots


async def _flip(bench: Bench, spot: Spot) -> Flipped:
    passed = {"guest": 0, "host": 0}

    def meddle(unit: Unit) -> Iterable[bytes]:
        index = passed[unit.role]
        passed[unit.role] += 1
        if unit.role == spot.role and index == spot.index and spot.part < len(unit.fields):
            return (bench.protocol.flip(unit, unit.fields[spot.part], spot.place),)
        return (unit.data,)

    async with bench.scene(meddle) as scene:
        await scene.say(TEXT)
        return Flipped(spot.name, _effect(scene), check_at(scene.host, scene.guest) or _SILENCE)


_SILENCE: Final = "nothing comes of it"


def _effect(scene: Scene) -> str:
    if not scene.host.shown:
        return "caught"
    shown, sent = scene.host.shown[0], scene.guest.sent
    if str(shown.text) != TEXT:
        return "another text"
    if shown.claimed is not None and abs(shown.claimed - scene.clock.now().unix) > 5:  # noqa: PLR2004 - seconds
        return "another time"
    if scene.protocol.polls and shown.sender != "alice":
        return "another sender"
    return "harmless" if sent and not scene.host.caught_by else "caught"


# Repeating and exchanging.


async def replay(bench: Bench) -> Outcome:
    """Let a message arrive a second time in the same conversation."""
    async with bench.scene() as scene:
        before = len(scene.messages())
        await scene.say(TEXT)
        await scene.inject("guest", *(unit.data for unit in scene.messages()[before:]))
        count, by = scene.host.texts.count(TEXT), check_at(scene.host)
    return bench.outcome(
        "replay",
        by=by if count == 1 else "",
        got=f"the message was shown {'once' if count == 1 else 'twice'}",
        why=f"The same bytes arrived twice; the second time the receiver's check failed ({by})."
        if count == 1
        else "The same bytes arrived twice, and every check passes the second time as it did the first: a "
        "random nonce, a signature or a time within the minute says nothing of having been seen before.",
        mend=_COUNTERS,
    )


async def reorder(bench: Bench) -> Outcome:
    """Hold the first message until the second has arrived."""
    hold = Hold()
    async with bench.scene() as scene:
        scene.meddle = hold
        await scene.say("first")
        count = len(hold.units)
        await scene.say("second")
        await scene.inject("guest", *hold.units[count:], *hold.units[:count])
        texts, by = scene.host.texts, check_at(scene.host)
    swapped = texts == ["second", "first"]
    return bench.outcome(
        "reorder",
        by="" if swapped else by,
        got="both messages were shown, in the wrong order" if swapped else f"shown: {texts or 'nothing'}",
        why="Nothing in a message says which one it is, so the order of arrival is taken for that of writing."
        if swapped
        else f"The second message does not open in the first one's place ({by}).",
        mend=_COUNTERS,
    )


# Dropping, holding and cutting.


async def drop(bench: Bench) -> Outcome:
    """Let the second of three messages disappear."""
    async with bench.scene() as scene:
        await scene.say("one")
        passing, scene.meddle = scene.meddle, Hold()
        await scene.say("two")
        scene.meddle = passing
        await scene.say("three")
        texts, by = scene.host.texts, check_at(scene.host, scene.guest)
        told = scene.guest.delivered
    lost = texts == ["one", "three"] and not by
    return bench.outcome(
        "drop",
        by="" if lost else by,
        got=f"shown: {', '.join(texts)}; acknowledged to the sender: {len(told)} of 3",
        why="The message is gone, and neither side has any means to notice."
        if lost
        else f"The message after the gap does not open ({by}); its author keeps what was not acknowledged, "
        "and sends it again in the next session.",
        mend=_COUNTERS + " Acknowledge what has arrived.",
        remains="nobody can be forced to deliver: he can stop the conversation, and that is noticed"
        if bench.protocol.name == "current"
        else "",
    )


async def delay(bench: Bench) -> Outcome:
    """Hold a message for more than a minute; where the time in it can be changed, change it."""
    hold = Hold()
    async with bench.scene() as scene:
        scene.meddle = hold
        await scene.say(TEXT)
        await scene.advance(_HELD_SECONDS)
        await scene.inject("guest", *hold.units)
        shown, by = bool(scene.host.shown), check_at(scene.host)
        has_iv = any(part.name == "iv" for unit in scene.messages() for part in unit.fields)
    if shown or not has_iv:
        return _delayed(bench, shown=shown, by=by)
    return await _delayed_with_new_time(bench, by)


def _delayed(bench: Bench, *, shown: bool, by: str) -> Outcome:
    return bench.outcome(
        "delay",
        by="" if shown else by,
        got="the message was shown as if it were new" if shown else "nothing was shown",
        why="No time is checked: the message opens whenever it comes."
        if shown
        else f"After more than a minute of silence the receiver had given up ({by}).",
        mend="Say when a message was written, authenticated, and show or refuse what is old; better still, "
        "notice silence.",
        remains="up to 45 seconds of silence look like a slow network; a late message shows its age"
        if bench.protocol.name == "current"
        else "",
    )


async def _delayed_with_new_time(bench: Bench, age_check: str) -> Outcome:
    """Hold a message that carries its IV, and write a later time into it through that."""
    hold = Hold()
    async with bench.scene() as scene:
        scene.meddle = hold
        written = int(scene.clock.now().unix)
        await scene.say(TEXT)
        await scene.advance(_HELD_SECONDS)
        unit = next(one for one in scene.messages() if one.data == hold.units[0])
        later = int(scene.clock.now().unix)
        for guess in (written, written + 1):  # the second may have turned between his watch and hers
            await scene.inject("guest", _with_time(unit, guess, later))
        shown, by = bool(scene.host.shown), check_at(scene.host)
    return bench.outcome(
        "delay",
        by="" if shown else by,
        got="as it was, it was refused; with another IV it was shown, dated to the present"
        if shown
        else "nothing was shown",
        why=f"Unchanged, the message is refused ({age_check}). But the time stands in the first "
        "block of CBC,  "
        "and a bit turned over in the IV is a bit turned over there; the HMAC does not cover the IV, nor the "
        "signature the time. He knows when it was sent, so he can write any time into it.",
        mend="Cover IV, time and recipient by the HMAC and the signature; or use an AEAD with the time as "
        "associated data.",
    )


def _with_time(unit: Unit, written: int, later: int) -> bytes:
    part = next(one for one in unit.fields if one.name == "iv")
    iv = bytearray(unit.part("iv"))
    for place, (old, new) in enumerate(zip(str(written).encode(), str(later).encode(), strict=True)):
        iv[place] ^= old ^ new
    return unit.data[: part.start] + bytes(iv) + unit.data[part.end :]


async def truncate(bench: Bench) -> Outcome:
    """End the connection before the last message, and compare with an end as it should be."""
    async with bench.scene() as scene:
        await scene.say("one", "two")
        scene.guest.leave()
        await scene.settle()
        proper = scene.host.finished
    async with bench.scene() as scene:
        await scene.say("one")
        scene.meddle = _silence
        await scene.say("two")
        await scene.cut()
        cut = scene.host.finished
    noticed = proper != cut
    return bench.outcome(
        "truncate",
        by=_missing(cut) if noticed else "",
        got="the last message never came" + ("" if noticed else ", and the end looks like any other"),
        why="A proper end is said inside the encryption, and this one was not: the receiver tells a cut from "
        "a goodbye."
        if noticed
        else "The protocol has no word for the end, so a cut looks exactly like a person who has left.",
        mend="End a conversation by an authenticated last message, and say so where it is missing.",
        remains="he can cut; that is told as a cut" if bench.protocol.name == "current" else "",
    )


def _silence(unit: Unit) -> Iterable[bytes]:
    return () if unit.kind == "message" else (unit.data,)


def _missing(cut: Finished | None) -> str:
    return f"the {cut.check if cut and cut.check else 'word of the end'} that is missing"


async def reflect(bench: Bench) -> Outcome:
    """Send the guest's message back to the guest, as if the host had written it."""
    async with bench.scene() as scene:
        before = len(scene.messages())
        await scene.say(TEXT)
        units = [_turned(unit) for unit in scene.messages()[before:]]
        await scene.inject("host", *units)
        shown, by = scene.guest.texts, check_at(scene.guest)
    return bench.outcome(
        "reflect",
        by="" if shown else by or "this side takes no messages in this protocol",
        got="her own message was shown to the author as the other side's" if shown else "nothing was shown",
        why="Both directions use one key, and nothing in a message says which way it goes."
        if shown
        else "What the guest has written does not pass for the host's: "
        + (f"{by}." if by else "a guest reads no messages here."),
        mend="One key for each direction, or the direction among what is authenticated.",
    )


def _turned(unit: Unit) -> bytes:
    """A relay's message names its way; he exchanges the names."""
    if b'"recipient"' not in unit.data:
        return unit.data
    found = json.loads(unit.data)
    found["sender"], found["recipient"] = found["recipient"], found["sender"]
    return json.dumps(found).encode()
