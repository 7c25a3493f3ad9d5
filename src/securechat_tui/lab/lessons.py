"""Seven lessons: an attack, a defence that fails and one that works, each run in front of the reader."""

from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Final

from securechat_tui.lab.attacks import ATTACKS, Bench, Outcome
from securechat_tui.lab.attacks.forging import forge_as_recipient
from securechat_tui.lab.bare import BARE
from securechat_tui.lab.catalogue import PROTOCOLS, LabProtocol
from securechat_tui.lab.keyring import KeyRing

__all__ = ["LESSONS", "Act", "Lesson", "Played", "play"]

Run = Callable[[Bench], Coroutine[None, None, Outcome]]


@dataclass(frozen=True, slots=True)
class Act:
    """One attack on one protocol, and what to know before it runs; ``tries`` says what is tried."""

    heading: str
    before: str
    protocol: LabProtocol
    tries: str
    run: Run
    holds: bool
    """Whether the lesson shows a defence that holds; the run has the last word."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """One property, and three acts about it."""

    name: str
    question: str
    acts: tuple[Act, Act, Act]
    learnt: str


@dataclass(frozen=True, slots=True)
class Played:
    """An act that has been run."""

    lesson: Lesson
    act: Act
    outcome: Outcome

    @property
    def as_told(self) -> bool:
        """Whether the run has shown what the lesson is about."""
        return self.outcome.caught == self.act.holds


_HEADINGS: Final = ("The attack", "A defence that fails", "A defence that works")


def _act(place: int, protocol: str | LabProtocol, attack: str, before: str) -> Act:
    found = PROTOCOLS[protocol] if isinstance(protocol, str) else protocol
    chosen = ATTACKS[attack]
    return Act(_HEADINGS[place], before, found, chosen.tries, chosen.run, holds=place == 2)  # noqa: PLR2004


def _forging(place: int, protocol: str, before: str) -> Act:
    tries = "as the recipient, make a message that the author never wrote, and show it to a judge"
    return Act(_HEADINGS[place], before, PROTOCOLS[protocol], tries, forge_as_recipient, holds=place == 2)  # noqa: PLR2004


LESSONS: Final = (
    Lesson(
        "confidentiality",
        "Who can read what is said?",
        (
            _act(0, BARE, "read-along", "Two people write to each other, and nothing is encrypted."),
            _act(
                1,
                "json-cbc-hmac",
                "equal-iv",
                "Now everything is encrypted by AES-256. The key is secret; but "
                "each message begins with the same IV.",
            ),
            _act(
                2,
                "current",
                "equal-iv",
                "A key of its own for each record: nothing repeats, and lengths are "
                "rounded up to five sizes.",
            ),
        ),
        "Encryption hides what is said, if it also hides whether it was said before. Sizes and times remain.",
    ),
    Lesson(
        "integrity",
        "Can what is said be changed on the way?",
        (
            _act(0, BARE, "bit-flip", "A bit is turned over in each line that passes."),
            _act(
                1,
                "five-layer",
                "bit-flip",
                "Now there is an HMAC over the ciphertext, and a signature over the "
                "text. The IV and the time lie between the two, and neither covers them.",
            ),
            _act(2, "gcm", "bit-flip", "An AEAD covers nonce, ciphertext and tag in one step."),
        ),
        "What is not authenticated can be changed. Authenticate everything that has a meaning, and "
        "check first.",
    ),
    Lesson(
        "authentication",
        "Who has written this, and to whom?",
        (
            _act(
                0,
                "gcm",
                "forward-signed",
                "Whoever has agreed on a key can say whatever he likes in anybody's name.",
            ),
            _act(
                1,
                "signed-gcm",
                "forward-signed",
                "Now each message is signed. The signature says who wrote it, and not for whom.",
            ),
            _act(2, "current", "forward-signed", "The signature covers author, recipient and conversation."),
        ),
        "A signature proves what it covers and nothing else: put the recipient and the conversation in.",
    ),
    Lesson(
        "non-repudiation",
        "Can the recipient prove to a third person who wrote it?",
        (
            _forging(
                0, "gcm", "Both sides have the same key. A judge is shown a conversation and a message."
            ),
            _forging(
                1,
                "json-cbc-hmac",
                "Now the guest signs the session's key, and each message has an HMAC "
                "under it. The host has that key, too.",
            ),
            _forging(2, "signed-gcm", "Each message is signed with a key that only its author has."),
        ),
        "A MAC convinces the two who share its key, and nobody else. Only a signature convinces a "
        "judge; whoever "
        "does not want that should not sign, which is why the product asks.",
    ),
    Lesson(
        "freshness",
        "Is this new, or has somebody sent it again?",
        (
            _act(0, "gcm", "replay", "Each message has a random nonce. The same bytes are sent twice."),
            _act(
                1,
                "five-layer",
                "replay",
                "Now a time is in each message, and after 60 seconds it is refused. "
                "The second copy comes at once.",
            ),
            _act(
                2, "current", "replay", "Each record has its number and its own key, and a key is used once."
            ),
        ),
        "A nonce keeps two messages apart; it does not remember. A time bounds how late a copy may "
        "come. Only a "
        "receiver that counts, or that has thrown the key away, refuses the second copy.",
    ),
    Lesson(
        "forward secrecy",
        "What does a stolen key open afterwards?",
        (
            _act(
                0,
                "gcm",
                "recorded-then-stolen-key",
                "Everything was recorded. Now the host's RSA key is stolen.",
            ),
            _act(
                1,
                "five-layer",
                "recorded-then-stolen-key",
                "A fresh AES key for each message: but each of them "
                "went over the wire under the same RSA key.",
            ),
            _act(
                2,
                "current",
                "recorded-then-stolen-key",
                "The keys come from X25519 and ML-KEM pairs that "
                "lived for one handshake. RSA proves who is there, and adds a share that opens "
                "nothing alone.",
            ),
        ),
        "A fresh key helps nothing if an old one opens it. Agree on keys with something that is thrown away.",
    ),
    Lesson(
        "first contact",
        "Whose key is this?",
        (
            _act(
                0,
                "gcm",
                "substitute-key",
                "Two people have never met. Somebody sits between them from the first byte on.",
            ),
            _act(
                1,
                "signed-gcm",
                "substitute-key",
                "Now both have keys and sign everything with them. The keys came over the same wire.",
            ),
            _act(
                2,
                "current",
                "substitute-key",
                "The two compare a code on another way, or one of them has an "
                "invite, or they have met before.",
            ),
        ),
        "Keys that come over the wire prove nothing about people. One check on another way is needed, once.",
    ),
)


async def play(lesson: Lesson, keys: KeyRing) -> AsyncIterator[Played]:
    """Run a lesson's acts one after the other."""
    for act in lesson.acts:
        yield Played(lesson, act, await act.run(Bench(act.protocol, keys)))
