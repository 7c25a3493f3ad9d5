"""Somebody with keys of his own between two people who meet for the first time."""

import base64
import json
from collections.abc import Iterable
from typing import Final

from securechat_tui.lab import primitives as p
from securechat_tui.lab.attacks.outcome import Bench, Outcome, check_at
from securechat_tui.lab.catalogue import with_layout
from securechat_tui.lab.current import CurrentPeer
from securechat_tui.lab.five_layer import Layout
from securechat_tui.lab.json_cbc_hmac import encode_object
from securechat_tui.lab.line import DrivenClock, StreamLine
from securechat_tui.lab.peer import Peer
from securechat_tui.lab.scene import MakePeer, Scene
from securechat_tui.lab.units import Unit

__all__ = ["at_the_relay", "between_two_keys", "of_an_identity"]

TEXTS: Final = ("meet me at nine", "bring the papers")
_WHY_OPEN: Final = (
    "Each side got his key in the place of the other's, and had nothing to hold it against. He reads every "
    "message and passes it on, and both sides see a perfectly good conversation."
)
_MEND: Final = (
    "Compare the keys on another way (a code, a fingerprint, an invite), and keep them for the next time."
)
_RELAY_INFO: Final = b"chat_session_key_alice_bob"


def _casting(bench: Bench, guest: str, host: str) -> MakePeer:
    """Return who plays the two roles of a scene."""
    moment = DrivenClock().now()
    return lambda role: bench.protocol.make(role, bench.keys, moment, guest if role == "guest" else host)


async def _pass_on(near: Scene, far: Scene) -> list[str]:
    """Let alice speak to him, and him to bob; return what he has read on the way."""
    for text in TEXTS:
        await near.say(text)
    read = near.host.texts
    for text in read:
        await far.say(text)
    return read


async def between_two_keys(bench: Bench) -> Outcome:
    """Be bob to alice and alice to bob."""
    async with (
        bench.scene(make=_casting(bench, "alice", "mallory")) as near,
        bench.scene(make=_casting(bench, "mallory", "bob")) as far,
    ):
        read = await _pass_on(near, far)
        arrived, by = far.host.texts, check_at(far.host, near.guest)
    got_through = read == list(TEXTS) == arrived
    note = await _without_the_secret(bench) if bench.protocol.name == "five-layer" else ""
    return bench.outcome(
        "substitute-key",
        by="" if got_through else by or "nothing came through",
        got=f"read {len(read)} of {len(TEXTS)} messages; {len(arrived)} accepted at the other end",
        why=(_WHY_OPEN + note) if got_through else "His messages were not accepted.",
        mend=_MEND,
    )


async def _without_the_secret(bench: Bench) -> str:
    """Try the same without the secret that both programs contain."""
    stranger = Bench(with_layout(Layout(secret=b"a guess")), bench.keys)
    own, moment = _casting(bench, "alice", "bob"), DrivenClock().now()

    def make(role: str) -> Peer:
        return own(role) if role == "host" else stranger.protocol.make(role, bench.keys, moment, "mallory")

    async with bench.scene(make=make) as scene:
        await scene.say(TEXTS[0])
        by = check_at(scene.host)
    return (
        f" Without the secret of the HMAC he is caught ({by}); but it is in every copy of the program, "
        "so whoever has a copy has it."
    )


async def at_the_relay(bench: Bench) -> Outcome:
    """Hand alice a key of one's own as bob's, and bob the master secret under his real one."""
    mallory = bench.keys.rsa("mallory")
    bobs: list[p.PublicKey] = []
    secrets: list[bytes] = []

    def meddle(unit: Unit) -> Iterable[bytes]:
        found = json.loads(unit.data)
        if unit.kind == "key":
            bobs.append(p.from_pem(base64.b64decode(found["public_key_pem_b64"])))
            found["public_key_pem_b64"] = base64.b64encode(p.to_pem(mallory.public_key())).decode()
            return (json.dumps(found).encode(),)
        if unit.kind == "session":
            secrets.append(p.oaep_decrypt(mallory, base64.b64decode(found["encrypted_master_secret_b64"])))
            return (encode_object({"encrypted_master_secret_b64": p.oaep_encrypt(bobs[0], secrets[0])}),)
        return (unit.data,)

    async with bench.scene(meddle) as scene:
        await scene.say(*TEXTS)
        arrived, by = scene.host.texts, check_at(scene.host, scene.guest)
        read = (
            [_open(p.derive(secrets[0], _RELAY_INFO), unit) for unit in scene.messages()] if secrets else []
        )
    got_through = read == list(TEXTS) == arrived
    return bench.outcome(
        "substitute-key",
        by="" if got_through else by or "nothing came through",
        got=f"read {len(read)} of {len(TEXTS)} messages; {len(arrived)} accepted at the other end",
        why="The relay hands out the keys, and alice takes what she is given: the relay sees "
        "everything that it  "
        "was not meant to see. " + _WHY_OPEN,
        mend=_MEND,
    )


def _open(key: bytes, unit: Unit) -> str:
    parts = [base64.b64decode(unit.part(name)) for name in ("nonce", "ciphertext", "tag", "associated_data")]
    return p.gcm_decrypt(key, parts[0], parts[1] + parts[2], parts[3]).decode()


async def of_an_identity(bench: Bench) -> Outcome:
    """The same against the product: unchecked, with a comparison of codes, with an invite, with a pin."""
    async with (
        bench.scene(make=_casting(bench, "alice", "mallory")) as near,
        bench.scene(make=_casting(bench, "mallory", "bob")) as far,
    ):
        read = await _pass_on(near, far)
        differ = await _codes_differ(near, far)
    invited = await _meets(bench, "an invite")
    pinned = await _meets(bench, "a pin")
    caught = differ and invited == "invite" and pinned == "pin"
    return bench.outcome(
        "substitute-key",
        by="comparing codes; an invite; from then on the pin" if caught else "",
        got=f"unchecked, read {len(read)} of {len(TEXTS)} messages; with a comparison of codes, an "
        "invite or a  "
        "pinned key: nothing",
        why="He was put in between three times. Two people who compared the codes of their "
        f"session saw {'different' if differ else 'equal'} ones; a guest with an invite stopped "
        "before saying "
        f"who she is (check: {invited}); so did one who had met the real key before (check: "
        f"{pinned}). A person "
        "who compares nothing and has no invite talks with him; the program shows the key as new, "
        "not as verified.",
        mend=_MEND,
        remains="a first contact that nobody checks is not protected, and is shown as not verified",
    )


async def _codes_differ(near: Scene, far: Scene) -> bool:
    """Let both pairs compare; tell whether alice and bob see different codes."""
    for scene in (near, far):
        for side in (scene.guest, scene.host):
            if isinstance(side.peer, CurrentPeer) and isinstance(side.line, StreamLine):
                side.line.conclude(side.peer.compare(scene.clock.now()))
            await scene.settle()
    codes = [_code(near.guest.peer), _code(far.host.peer)]
    return all(codes) and codes[0] != codes[1]


def _code(peer: Peer) -> str:
    comparison = peer.comparison if isinstance(peer, CurrentPeer) else None
    return comparison.code.digits if comparison is not None and comparison.code is not None else ""


async def _meets(bench: Bench, how: str) -> str:
    """Let alice meet him where she knows bob's key, and return the check that stopped her."""
    moment = DrivenClock().now()
    alice, bob, mallory = (bench.keys.identity(name) for name in ("alice", "bob", "mallory"))

    def honest(role: str) -> Peer:
        return CurrentPeer(role, alice if role == "guest" else bob, moment)

    async with bench.scene(make=honest) as scene:
        contact = scene.guest.peer.contact(moment) if isinstance(scene.guest.peer, CurrentPeer) else None

    def swapped(role: str) -> Peer:
        if role == "host":
            return CurrentPeer(role, mallory, moment)
        if how == "an invite":
            return CurrentPeer(role, alice, moment, promised=bob.public.fingerprint)
        return CurrentPeer(role, alice, moment, expects=contact)

    async with bench.scene(make=swapped) as scene:
        return scene.guest.caught_by
