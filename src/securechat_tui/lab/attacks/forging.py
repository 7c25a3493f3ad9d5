"""A recipient who wants to prove more than was said, and a judge who checks with the protocol's own code."""

from securechat_tui.lab import primitives as p
from securechat_tui.lab.attacks.outcome import Bench, Outcome
from securechat_tui.lab.json_cbc_hmac import decode_object, encode_object
from securechat_tui.lab.line import DrivenClock
from securechat_tui.lab.peer import Event, Finished, Rejected, Shown
from securechat_tui.lab.units import HEADER, Unit, framed

__all__ = ["forge_as_recipient"]

FORGED = "I owe you a thousand"


async def forge_as_recipient(bench: Bench) -> Outcome:
    """Let bob make a message of alice with the keys that he has, and let a judge check the whole record."""
    async with bench.scene() as scene:
        await scene.say("hello")
        units = [unit for unit in scene.units if unit.role == "guest"]
    session = next(unit for unit in units if unit.kind == "session")
    forged = _forge(bench, session)
    moment = DrivenClock().now()
    judge = bench.protocol.make("host", bench.keys, moment, "bob")
    happened: list[Event] = []
    for data in (*(unit.data for unit in units), forged):
        happened += judge.receive(data, moment)
    believed = any(isinstance(event, Shown) and str(event.text) == FORGED for event in happened)
    by = next((event.check for event in happened if isinstance(event, Rejected | Finished)), "")
    return bench.outcome(
        "forge-as-recipient",
        by="" if believed else by,
        got="the judge takes it for alice's" if believed else "the judge refuses it",
        why="Bob has every key that is needed to make such a message, so it proves nothing that he has one."
        if believed
        else "To make it pass, bob would need alice's private key, which she alone has.",
        mend="Sign each message with a key that its author alone has.",
    )


def _forge(bench: Bench, session: Unit) -> bytes:
    """Make a message with what bob has: his private key, hence the session's key."""
    bob = bench.keys.rsa("bob")
    if bench.protocol.name == "json-cbc-hmac":
        secret = p.oaep_decrypt(bob, decode_object(session.data, "enc_session")[0])
        cipher = p.cbc_encrypt(secret[:32], secret[32:], FORGED.encode())
        return encode_object({"cipher": cipher, "hmac": p.mac(secret[:32], cipher)}) + b"\n\n"
    key, nonce = p.oaep_decrypt(bob, session.data[HEADER:]), p.random_bytes(p.GCM_NONCE)
    sealed = nonce + p.gcm_encrypt(key, nonce, FORGED.encode())
    if not bench.protocol.signs_messages:
        return framed("M", sealed)
    signature = p.pss_sign(bob, sealed)
    return framed("M", len(signature).to_bytes(4, "big") + signature + sealed)
