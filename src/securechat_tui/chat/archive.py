"""The kept conversations of a profile without an engine: what the command line exports and destroys."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from securechat_tui.chat.account import login_name
from securechat_tui.chat.errors import CommandError
from securechat_tui.protocol.identity import PublicIdentity
from securechat_tui.protocol.signing import conversation_id
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.backup import check_target
from securechat_tui.storage.config import load_config
from securechat_tui.storage.files import NewFile
from securechat_tui.storage.keystore import Keys
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.store import KnownConversation, Store
from securechat_tui.storage.transcripts import transcript_lines

__all__ = ["Archive", "KeptConversation", "check_target", "open_archive", "write_lines"]


@dataclass(frozen=True, slots=True)
class KeptConversation:
    """A conversation on disk, and what its peer is called here."""

    id: str
    name: SafeText
    peer: PublicIdentity
    is_present: bool
    """Whether it is under one's own present key, and not under a former one."""
    is_current: bool
    """Whether it is with the present key of a contact."""


@contextmanager
def open_archive(profile: Profile, keys: Keys) -> Iterator["Archive"]:
    """Open what a profile has kept; the profile is open. Raises the ProfileError family."""
    with Store(profile, keys.store) as store:
        yield Archive(profile, keys, store)


def write_lines(path: Path, lines: Iterator[bytes]) -> None:
    """Write a new file with mode 0600, whole or not at all. Raises FileExists and CannotWrite."""
    file = NewFile(path)
    try:
        file.write(lines)
        file.finish()
    finally:
        file.abandon()


class Archive:
    """Everything that is kept; it is open. The methods block, and raise the ProfileError family."""

    def __init__(self, profile: Profile, keys: Keys, store: Store) -> None:
        self._own = keys.identity.public
        self._own_name = load_config(profile).name or login_name()
        self._pins = store.pins()
        self._store = store

    def conversations(self) -> tuple[KeptConversation, ...]:
        """Describe all, oldest first."""
        return tuple(map(self._describe, self._store.conversations()))

    def _describe(self, known: KnownConversation) -> KeptConversation:
        peer = PublicIdentity.from_spki(known.peer)
        current = self._pins.by_fingerprint(peer.fingerprint)
        contact = current or self._pins.by_former(peer.fingerprint)
        name = contact.name if contact else SafeText.name(f"unverified {peer.fingerprint.short}")
        is_present = known.id == conversation_id(self._own.fingerprint, peer.fingerprint)
        return KeptConversation(known.id.hex(), name, peer, is_present, current is not None)

    def find(self, name: str | None) -> tuple[KeptConversation, ...]:
        """The conversations with a contact, under former keys too, or with the key of a fingerprint.

        All where nobody is named.
        Raises CommandError where there is none.
        """
        kept = self.conversations()
        if name is not None:
            kept = tuple(one for one in kept if name in (one.name, str(one.peer.fingerprint), one.id))
        if kept:
            return kept
        whom = "" if name is None else f" with {SafeText.line(name)}: give a contact's name or SHA256:…"
        raise CommandError("no-conversation", f"No conversation is kept{whom}.")

    def transcript(self, name: str | None) -> Iterator[bytes]:
        """Write the conversation with ``name``, or the only one, as lines that prove themselves.

        Raises CommandError where it is not clear which, and for one under a former key of one's own.
        """
        found = self.find(name)
        present = [one for one in found if one.is_present]
        if name is not None:  # the contact, as it is now
            present = [one for one in present if one.is_current] or present
        if not present:
            raise CommandError(
                "former-key",
                f"The conversation with {found[0].name} was under a former key of yours, whose public half "
                "is not kept: it cannot be exported.",
            )
        if len(present) > 1:
            names = ", ".join(one.name if one.is_current else str(one.peer.fingerprint) for one in present)
            raise CommandError("which", f"Several conversations are kept; say with whom: {names}.")
        (one,) = present
        store = self._store.conversation(bytes.fromhex(one.id), one.peer.spki)
        return transcript_lines(store, self._own, one.peer, (str(self._own_name), str(one.name)), time.time())

    def wipe(self, conversations: tuple[KeptConversation, ...]) -> None:
        """Destroy what is kept of conversations, with their keys."""
        for one in conversations:
            self._store.wipe(bytes.fromhex(one.id))
