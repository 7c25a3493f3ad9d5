"""What is played in each transcript."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from vector_chance import Chance, Drawn
from vector_identities import BITS, identity
from vector_people import Clock, Person, Scene, Stopped

from securechat_tui.protocol import signing
from securechat_tui.protocol.payloads import Resume, Signature, Signed, StopReason
from securechat_tui.protocol.rotation import Rotation
from securechat_tui.protocol.signing import NO_HASH, Header

BATCHES = (1, 2, 3, 32, 128)


def first_contact(scene: Scene) -> None:
    """Two strangers, a message each way, a goodbye."""
    scene.run()
    for person, text in ((scene.guest, "Hello, Bob."), (scene.host, "Hello, Alice. Is it you?")):
        person.write(text)
        scene.run()
    scene.guest.write("It is.")
    scene.run()
    scene.guest.leave()
    scene.run()


def handshake(scene: Scene) -> None:
    """Nothing but a handshake, cut before the host's first record."""
    scene.run()
    scene.cut()


def returning(scene: Scene) -> None:
    """A handshake, and the conversation goes on."""
    scene.run()
    scene.host.write("Back again?")
    scene.run()
    scene.host.leave()
    scene.run()


def batches(scene: Scene) -> None:
    """Every size of batch, both ways; what is not ASCII, and the longest text."""
    scene.run()
    for count in BATCHES:
        texts = [f"{number} of {count}: grüße, 你好" for number in range(1, count + 1)]
        scene.guest.write(*texts)
        scene.run()
        if count <= 3:
            scene.host.write(*texts)
            scene.run()
    scene.host.write("x" * 32768)
    scene.run()
    scene.host.leave()
    scene.run()


def unsigned_and_gone(scene: Scene) -> None:
    """Unsigned messages, and messages that are gone, between signed ones."""
    scene.run()
    guest = scene.guest
    guest.write("signed")
    guest.unsigned("unsigned")
    guest.gone("signed and cancelled", signed=True)
    guest.write("signed, after one that is gone")
    guest.gone("unsigned and cancelled", signed=False)
    guest.write("signed again")
    scene.run()
    scene.host.write("I have seen number 6.")
    scene.run()
    guest.leave()
    scene.run()


def rekeys(scene: Scene) -> None:
    """Two rekeys, each with a message of the guest on the way in the old epoch."""
    scene.run()
    for epoch in (1, 2):
        scene.guest.write(f"before epoch {epoch}")
        scene.run()
        scene.wait(11_000)
        scene.guest.rekey()
        scene.guest.write(f"on the way to epoch {epoch}")
        scene.run()
        scene.host.write(f"in epoch {epoch}")
        scene.run()
    scene.guest.leave()
    scene.run()


def cut(scene: Scene) -> None:
    """Five messages; three have arrived, two of them were acknowledged."""
    scene.run()
    scene.guest.write("one", "two")
    scene.run()
    scene.host.write("I have two.")
    scene.run()
    scene.guest.write("three", "four", "five")
    for _ in range(2):  # the signature and the first leaf
        scene.step()
    scene.cut()


def resumed(scene: Scene) -> None:
    """What has not been acknowledged is written again, its signature first."""
    scene.run()
    scene.guest.pour()
    scene.run()
    scene.host.write("Now I have five.")
    scene.run()
    scene.guest.leave()
    scene.run()


def comparison(scene: Scene) -> None:
    """Both ask, and both come to the same code."""
    scene.run()
    for person in (scene.guest, scene.host):
        person.ask()
        scene.run()
    both_see_a_code(scene)
    scene.guest.leave()
    scene.run()


def comparison_stopped(scene: Scene) -> None:
    """The guest declines the host's wish, comes back to it, and its person finds another code."""
    scene.run()
    scene.host.ask()
    scene.run()
    scene.guest.stop(StopReason.DECLINED)
    scene.run()
    for person in (scene.guest, scene.host):
        person.ask()
        scene.run()
    both_see_a_code(scene)
    scene.guest.stop(StopReason.MISMATCH)
    scene.run()
    scene.guest.leave()
    scene.run()


def both_see_a_code(scene: Scene) -> None:
    """Hold the two codes against each other, as their persons do."""
    if scene.guest.code is None or scene.guest.code != scene.host.code:
        raise ValueError("the run has not led to one code")


def rejected(scene: Scene) -> None:
    """A message whose number is not due: the host ends the session for good."""
    scene.run()
    scene.guest.write("number 1")
    scene.run()
    leaf_number_3(scene.guest)
    scene.run()


def leaf_number_3(author: Person) -> None:
    """Write, well signed, number 3 after number 1."""
    box, salt, content = author.author, author.scene.chance.draw(32, "salt"), b"\1number 3"
    peer, claimed = author.session._handshake.peer.fingerprint, author.scene.clock.unix_ms
    hashed = signing.content_hash(salt, content)
    own, seen = author.key.public.fingerprint, signing.Seen()
    names = (box.conversation, own, peer, box.generation)
    header = Header(*names, 3, box._previous, seen, claimed, hashed)
    root = signing.leaf_hash(header.encode())
    signature = author.scene.chance.sign(author.key, signing.batch_message(box.conversation, 1, root))
    author.send(Signature(1, root, signature))
    author.send(Signed(header.encode(), salt, 0, 1, (), content))


def gated(scene: Scene) -> None:
    """The guest says that it holds what the host has never written: a person has to decide."""
    scene.run()
    scene.host.write("the only message")
    scene.run()
    box, peer = scene.guest.author, scene.host.author
    scene.guest.send(Resume(box.conversation, box.generation, peer.generation, 7, NO_HASH))
    scene.run()


@dataclass(frozen=True)
class Script:
    """How a transcript comes about."""

    play: Callable[[Scene], None]
    earlier: str | None = None
    """The transcript whose conversation and secrets go on."""
    versions: tuple[tuple[int, ...], tuple[int, ...]] = ((1,), (1,))
    speaks: bool = True
    rotates: bool = False


SCRIPTS = {
    "first contact": Script(first_contact),
    "return": Script(handshake, earlier="first contact", speaks=False),
    "return after a cut": Script(returning, earlier="return"),
    "rotations": Script(returning, rotates=True),
    "versions": Script(returning, versions=((9, 2, 1), (7, 1))),
    "batches": Script(batches),
    "unsigned and gone": Script(unsigned_and_gone),
    "rekeys": Script(rekeys),
    "cut": Script(cut),
    "resumed": Script(resumed, earlier="cut"),
    "comparison": Script(comparison),
    "comparison stopped": Script(comparison_stopped),
    "rejected": Script(rejected),
    "gated": Script(gated),
}


def rotation(chance: Chance, old: str, new: str, counter: int) -> Rotation:
    """Return an old key's statement about its successor."""
    bare = Rotation(identity(old).public.fingerprint, identity(new).public.fingerprint, counter, b"")
    return Rotation(bare.old, bare.new, counter, chance.sign(identity(old), bare.message()))


@contextmanager
def played(name: str, drawn: Drawn, stop: int | None = None) -> Iterator[Scene]:
    """Play a script to its end, or until the frame ``stop`` is the next to be delivered."""
    script, chance, clock = SCRIPTS[name], Chance(name, drawn), Clock()
    earlier = None
    if script.earlier:
        with played(script.earlier, drawn) as earlier:
            pass
    for person in BITS:
        identity(person)  # checking a key draws as well, and not from what the script draws
    with chance.installed():
        guest = (rotation(chance, "alice before", "alice", 1),)
        host = (
            rotation(chance, "bob long before", "bob before", 3),
            rotation(chance, "bob before", "bob", 4),
        )
        scene = Scene(
            chance,
            clock,
            versions=script.versions,
            rotations=(guest, host) if script.rotates else ((), ()),
            earlier=earlier,
            speaks=script.speaks,
            stop=stop,
        )
        with suppress(Stopped):
            script.play(scene)
        yield scene
