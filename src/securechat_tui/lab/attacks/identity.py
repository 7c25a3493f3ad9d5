"""Attacks on who somebody is: swapped keys at first contact, and signatures that are taken off."""

import json
import pickle
from collections.abc import Iterable, Iterator

from securechat_tui.lab.attacks import substitution
from securechat_tui.lab.attacks.forwarding import forward_signed
from securechat_tui.lab.attacks.outcome import Bench, Outcome, check_at
from securechat_tui.lab.units import Unit, framed
from securechat_tui.lab.unpickle import loads_plain

__all__ = ["forward_signed", "strip_signature", "substitute_key"]

TEXT = "I resign"
_LENGTH = 4


async def substitute_key(bench: Bench) -> Outcome:
    """Sit between the two from the first byte on, with keys of one's own towards both."""
    if bench.protocol.polls:
        return await substitution.at_the_relay(bench)
    if bench.protocol.name == "current":
        return await substitution.of_an_identity(bench)
    return await substitution.between_two_keys(bench)


async def strip_signature(bench: Bench) -> Outcome:
    """Let messages arrive without their signature, in every form that the format knows."""
    if bench.protocol.name == "current":
        return await _without_signature_record(bench)
    if bench.protocol.signs_messages:
        return await _stripped_messages(bench)
    if bench.protocol.name == "json-cbc-hmac":
        return await _stripped_session(bench)
    return await _nothing_to_strip(bench)


async def _stripped_messages(bench: Bench) -> Outcome:
    async with bench.scene() as scene:
        scene.meddle = lambda unit: _unsigned(unit) if unit.kind == "message" else (unit.data,)
        await scene.say(TEXT)
        shown, by = bool(scene.host.shown), "; ".join(sorted({one.check for one in scene.host.rejected}))
        tried = len(scene.host.rejected) + len(scene.host.shown)
    return bench.outcome(
        "strip-signature",
        by="" if shown else by,
        got="an unsigned message was shown"
        if shown
        else f"nothing was shown, in {tried} ways of leaving it out",
        why=(
            "A message without a valid signature is not even decrypted, or is refused as the last of "
            "the checks."
        ),
        mend="Refuse what is not signed.",
    )


def _unsigned(unit: Unit) -> Iterator[bytes]:
    if any(part.name == "signature length" for part in unit.fields):
        sealed = unit.part("nonce") + unit.part("ciphertext") + unit.part("tag")
        yield framed("M", bytes(_LENGTH) + sealed)
        yield framed("M", sealed)
        return
    parts = loads_plain(unit.data[_LENGTH:])
    for changed in (parts | {"signature": b""}, {name: parts[name] for name in parts if name != "signature"}):
        body = pickle.dumps(changed)
        yield len(body).to_bytes(_LENGTH, "big") + body


async def _stripped_session(bench: Bench) -> Outcome:
    def meddle(unit: Unit) -> Iterable[bytes]:
        if unit.kind != "session":
            return (unit.data,)
        found = json.loads(unit.data)
        found["client_sig"] = ""
        return (json.dumps(found).encode() + b"\n\n",)

    async with bench.scene(meddle) as scene:
        await scene.say(TEXT)
        established, by = scene.host.established, check_at(scene.host)
    return bench.outcome(
        "strip-signature",
        by="" if established else by,
        got="a session without a signature" if established else "no session: its signature is asked for",
        why="The one signature of this protocol is over the session's key and IV, and the host asks "
        "for it. The  "
        "messages themselves carry none, so none of them can be shown to anybody as the guest's.",
        mend="Sign the messages, with recipient and number.",
        remains="messages carry no signature at all",
    )


async def _nothing_to_strip(bench: Bench) -> Outcome:
    async with bench.scene() as scene:
        await scene.say(TEXT)
        shown = scene.host.shown
    signed = any("signature" in one.passed for one in shown)
    return bench.outcome(
        "strip-signature",
        by="signature" if signed else "",
        got=f"nothing to take off: {len(shown)} message shown, signed by nobody",
        why="Not applicable as it stands: no message of this protocol has a signature, and each is accepted "
        "without one. Both sides have the same key, so either can have written anything.",
        mend="Sign the messages, with recipient and number.",
    )


async def _without_signature_record(bench: Bench) -> Outcome:
    async with bench.scene() as scene:
        before = len(scene.messages())
        held: list[Unit] = []

        def meddle(unit: Unit) -> Iterable[bytes]:
            if unit.kind == "message" and unit.role == "guest" and not held:
                held.append(unit)
                return ()
            return (unit.data,)

        scene.meddle = meddle
        await scene.say(TEXT)
        shown, by = bool(scene.host.shown), check_at(scene.host)
        records = len(scene.messages()) - before
    return bench.outcome(
        "strip-signature",
        by="" if shown else by,
        got="an unsigned message was shown" if shown else "nothing was shown",
        why=f"The signature went as the first of {records} records, and was left out. The next "
        "record does not  "
        "open in its place; and a signed message without its signature is refused by the inbox.",
    )
