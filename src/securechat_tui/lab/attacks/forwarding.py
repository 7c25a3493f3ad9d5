"""Bob passes on to carol what alice has written to him, as if she had written it to her."""

import pickle
from collections.abc import Callable
from typing import Final

from securechat_tui.lab import primitives as p
from securechat_tui.lab.attacks.outcome import Bench, Outcome, check_at
from securechat_tui.lab.current import CurrentPeer
from securechat_tui.lab.five_layer import DEFAULT_SECRET, encrypt
from securechat_tui.lab.json_cbc_hmac import decode_object, encode_object
from securechat_tui.lab.line import DrivenClock, StreamLine
from securechat_tui.lab.peer import Moment, Peer
from securechat_tui.lab.scene import StreamScene, Talker
from securechat_tui.lab.units import HEADER, Splitter, Unit, framed
from securechat_tui.protocol import signing
from securechat_tui.protocol.payloads import Payload, Signature, Signed

__all__ = ["forward_signed"]

TEXT: Final = "I will pay you 500"
_END: Final = b"\n\n"
_PREFIX: Final = 4
Answer = Callable[[Unit], list[bytes]]


class Impersonator(Peer):
    """A guest who speaks the format, and says what he likes in somebody else's name."""

    def __init__(self, splitter: Splitter, moment: Moment, opening: list[bytes], answer: Answer) -> None:
        """``opening`` is written at once; ``answer`` takes the host's key and returns what follows."""
        super().__init__("guest", splitter, moment)
        self._answer = answer
        for unit in opening:
            self._write(unit)

    def _take(self, unit: Unit, _moment: Moment) -> None:
        if unit.kind == "key" and not self.established:
            for piece in self._answer(unit):
                self._write(piece)
            self._establish("")


async def forward_signed(bench: Bench) -> Outcome:
    """Hold a conversation between alice and bob; then let bob forward it to carol."""
    if bench.protocol.polls:
        return await _in_the_name_of_alice(bench)
    async with bench.scene() as scene:
        await scene.say(TEXT)
        units, host = scene.units, scene.host.peer
    if isinstance(host, CurrentPeer):
        return await _of_the_product(bench, host)
    opening, answer = _FORGERIES[bench.protocol.name](bench, units)
    carol = await _forward(bench, opening, answer)
    return _outcome(bench, carol, "alice's key" if bench.protocol.name != "gcm" else "no key at all")


async def _of_the_product(bench: Bench, bob: CurrentPeer) -> Outcome:
    """Forward her signature as it is; then her message under a signature of bob's own."""
    as_it_is = await _forward_letters(bench, bob.letters)
    signed_anew = await _forward_letters(bench, _signed_by_bob(bench, bob.letters))
    accepted = TEXT in as_it_is.texts + signed_anew.texts
    checks = f"{check_at(as_it_is)}; {check_at(signed_anew)}"
    return bench.outcome(
        "forward-signed",
        by="" if accepted else checks,
        got="carol was shown alice's words" if accepted else "carol was shown nothing, in both ways",
        why="Her signature covers her conversation with bob, so carol cannot take it for one of "
        "theirs; and under  "
        f"a new signature of bob's, the header still names alice and bob. Carol's checks fail ({checks}).",
        mend="Sign the recipient and the conversation with the text.",
    )


def _signed_by_bob(bench: Bench, letters: list[Payload]) -> list[Payload]:
    """Put alice's message, header and all, under a signature of bob's for his conversation with carol."""
    bob, carol = bench.keys.identity("bob"), bench.keys.identity("carol")
    conversation = signing.conversation_id(bob.public.fingerprint, carol.public.fingerprint)
    leaf = next(letter for letter in letters if isinstance(letter, Signed))
    root = signing.leaf_hash(leaf.header)
    signature = bob.sign(signing.batch_message(conversation, 1, root))
    return [Signature(1, root, signature), leaf]


def _outcome(bench: Bench, carol: Talker, whose: str) -> Outcome:
    accepted, by = carol.texts == [TEXT], check_at(carol)
    passed = ", ".join(carol.shown[0].passed) if carol.shown else ""
    nobody = (
        "No message of this protocol is signed, so this was run as the nearest thing: bob says "
        "it in her name. "
    )
    return bench.outcome(
        "forward-signed",
        by="" if accepted else by,
        got=f"carol was shown alice's words as said to herself (checks passed: {passed}; {whose})"
        if accepted
        else "carol was shown nothing",
        why=("" if bench.protocol.signs_messages or bench.protocol.name == "json-cbc-hmac" else nobody)
        + "What alice has vouched for names neither its recipient nor the conversation, so it is as good for "
        "carol as it was for bob."
        if accepted
        else f"Carol's check fails ({by}).",
        mend="Sign the recipient and the conversation with the text.",
    )


async def _forward(bench: Bench, opening: list[bytes], answer: Answer) -> Talker:
    moment = DrivenClock().now()

    def make(role: str) -> Peer:
        if role == "guest":
            return Impersonator(bench.protocol.split("host"), moment, opening, answer)
        return bench.protocol.make(role, bench.keys, moment, "carol")

    async with bench.scene(make=make) as scene:
        return scene.host


async def _forward_letters(bench: Bench, letters: list[Payload]) -> Talker:
    """The product: bob has a session of his own with carol, and puts these payloads into it."""
    moment = DrivenClock().now()
    owners = {"guest": "bob", "host": "carol"}
    async with StreamScene(
        bench.protocol, lambda role: bench.protocol.make(role, bench.keys, moment, owners[role])
    ) as scene:
        peer, line = scene.guest.peer, scene.guest.line
        for payload in letters:
            if isinstance(peer, CurrentPeer) and isinstance(line, StreamLine) and not peer.closed:
                line.conclude(peer.say(payload, scene.clock.now()))
            await scene.settle()
        return scene.host


# What bob makes of alice's units, for each format: what he opens with, and what he answers to carol's key.


def _find(units: list[Unit], kind: str) -> Unit:
    return next(unit for unit in units if unit.kind == kind and unit.role == "guest")


def _as_gcm(_bench: Bench, _units: list[Unit]) -> tuple[list[bytes], Answer]:
    key, nonce = p.random_bytes(32), p.random_bytes(p.GCM_NONCE)

    def answer(carols: Unit) -> list[bytes]:
        wrapped = p.oaep_encrypt(p.from_pem(carols.data[HEADER:]), key)
        return [framed("S", wrapped), framed("M", nonce + p.gcm_encrypt(key, nonce, TEXT.encode()))]

    return [], answer


def _as_signed_gcm(bench: Bench, units: list[Unit]) -> tuple[list[bytes], Answer]:
    """The guest chooses the session key, so bob takes the one of alice; then her frame fits as it is."""
    key = p.oaep_decrypt(bench.keys.rsa("bob"), _find(units, "session").data[HEADER:])

    def answer(carols: Unit) -> list[bytes]:
        wrapped = p.oaep_encrypt(p.from_pem(carols.data[HEADER:]), key)
        return [framed("S", wrapped), _find(units, "message").data]

    return [_find(units, "key").data], answer


def _as_json(bench: Bench, units: list[Unit]) -> tuple[list[bytes], Answer]:
    """Her signature is over key and IV alone, which bob knows: he sends both on under carol's key."""
    wrapped, pem, signature = decode_object(
        _find(units, "session").data, "enc_session", "client_pub", "client_sig"
    )
    secret = p.oaep_decrypt(bench.keys.rsa("bob"), wrapped)

    def answer(carols: Unit) -> list[bytes]:
        key = p.from_pem(carols.part("public key (PEM)"))
        session = {"enc_session": p.oaep_encrypt(key, secret), "client_pub": pem, "client_sig": signature}
        return [encode_object(session) + _END, _find(units, "message").data]

    return [], answer


def _as_five_layer(bench: Bench, units: list[Unit]) -> tuple[list[bytes], Answer]:
    """The signature is over the text alone: time, key and HMAC bob makes anew."""
    signature = _find(units, "message").part("signature")
    del bench

    def answer(carols: Unit) -> list[bytes]:
        stamp = str(int(DrivenClock().now().unix)).encode()
        parts = encrypt(p.from_pem(carols.part("public key (PEM)")), stamp + b"|" + TEXT.encode())
        parts |= {"signature": signature, "hmac": p.mac(DEFAULT_SECRET, parts["ciphertext"])}
        body = pickle.dumps(parts)
        return [_find(units, "key").data, len(body).to_bytes(_PREFIX, "big") + body]

    return [], answer


_FORGERIES: Final[dict[str, Callable[[Bench, list[Unit]], tuple[list[bytes], Answer]]]] = {
    "gcm": _as_gcm,
    "signed-gcm": _as_signed_gcm,
    "json-cbc-hmac": _as_json,
    "five-layer": _as_five_layer,
}


async def _in_the_name_of_alice(bench: Bench) -> Outcome:
    """At a relay: send bob a master secret of one's own, and words of alice under it."""
    secret = p.random_bytes(32)
    key = p.derive(secret, b"chat_session_key_alice_bob")
    bobs: list[p.PublicKey] = []

    def meddle(unit: Unit) -> list[bytes]:
        if unit.kind == "key":
            bobs.append(p.from_pem(decode_object(unit.data, "public_key_pem_b64")[0]))
        if unit.kind == "session":
            return [encode_object({"encrypted_master_secret_b64": p.oaep_encrypt(bobs[0], secret)})]
        return [unit.data]

    async with bench.scene(meddle) as scene:
        nonce, stamp = p.random_bytes(p.GCM_NONCE), str(int(scene.clock.now().unix)).encode()
        sealed = p.gcm_encrypt(key, nonce, TEXT.encode(), stamp)
        values = {"ciphertext": sealed[: -p.GCM_TAG], "nonce": nonce, "tag": sealed[-p.GCM_TAG :]}
        named = encode_object({**values, "associated_data": stamp})[:-1]
        await scene.inject("guest", named + b', "sender": "alice", "recipient": "bob"}')
        return _outcome(bench, scene.host, "no key at all")
