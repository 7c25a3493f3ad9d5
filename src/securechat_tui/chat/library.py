"""What is kept, as the faces ask for it: pages of history, what a search finds, read marks, drafts."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from securechat_tui.chat.account import Account
from securechat_tui.chat.conversation import Conversation
from securechat_tui.chat.conversations import Conversations
from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import Found, History
from securechat_tui.chat.export_path import export_path
from securechat_tui.chat.kept import Checks, Kept
from securechat_tui.chat.shelf import Shelf
from securechat_tui.chat.telling import unverified
from securechat_tui.chat.views import ConversationView
from securechat_tui.protocol import constants as c
from securechat_tui.protocol.signing import conversation_id
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.errors import DamagedConversation
from securechat_tui.storage.files import NewFile
from securechat_tui.storage.messages import StoredMessage, Tick
from securechat_tui.storage.transcripts import transcript_lines

__all__ = ["Library"]

_LINES: Final = 200
"""Lines of an export that are read together, while nothing is written: some milliseconds."""
_FORMER_KEY: Final = (
    "This conversation was under a former key of yours, whose public half is not kept: it cannot be exported."
)


class Library:
    """Reads what the conversations of a profile have kept. What cannot be read raises ProfileError."""

    def __init__(
        self, account: Account, conversations: Conversations, begun_anew: Callable[[Conversation], None]
    ) -> None:
        """``begun_anew`` is told of a conversation of which nothing is left."""
        self._account = account
        self._conversations = conversations
        self._begun_anew = begun_anew

    def overview(self, awaited: Iterable[Conversation]) -> tuple[ConversationView, ...]:
        """Describe every conversation, the most recent first; ``awaited`` are expected back."""
        expected = set(awaited)
        views = (self._view(one, awaited=one in expected) for one in self._conversations.all())
        return tuple(sorted(views, key=lambda view: view.last, reverse=True))

    def _view(self, conversation: Conversation, *, awaited: bool) -> ConversationView:
        fingerprint, pins = conversation.peer.fingerprint, self._account.pins
        contact = pins.by_fingerprint(fingerprint) or pins.by_former(fingerprint)
        name = contact.name if contact else unverified(fingerprint)
        if self._conversations.is_former(conversation):
            name = SafeText.name(f"{name} (former key)")
        return ConversationView(
            id=conversation.id,
            name=name,
            fingerprint=str(fingerprint),
            trust=contact.trust if contact else conversation.trust,
            live=conversation.secure,
            awaited=awaited,
            unread=conversation.marks.unread,
            waiting=len(conversation.outbox),
            last=conversation.marks.last,
            draft=conversation.marks.draft,
        )

    def find(self, conversation: str) -> Conversation:
        """Return a conversation by its id; raises CommandError where there is none."""
        found = self._conversations.by_id(conversation)
        if found is None:
            raise CommandError("no-conversation", "There is no such conversation here.")
        return found

    async def history(
        self, conversation: str, limit: int, before: int | None, after: int | None = None
    ) -> History:
        """Return the last ``limit`` messages, of those below row ``before``; the first above ``after``."""
        found = self.find(conversation)
        store = found.journal.store
        if after is None:
            stored = await found.journal.read(partial(store.page, limit + 1, before))
            page = stored[-limit:] if limit else []
        else:
            stored = await found.journal.read(partial(store.page_after, after, limit + 1))
            page = stored[:limit]
        return History(
            time=time.time(),
            conversation=found.id,
            messages=tuple(self._kept(found, one) for one in page),
            complete=len(stored) <= limit,
        )

    async def search(
        self, text: str, conversation: str | None, limit: int, before: int | None, after: int | None
    ) -> tuple[Found, ...]:
        """Return what holds all the words of ``text``, in one conversation or in each that has any.

        Of each the last ``limit``, of those below row ``before``; or the first above ``after``.
        """
        where = self._conversations.all() if conversation is None else (self.find(conversation),)
        found = [await self._search_one(one, text, limit, before, after) for one in where]
        return tuple(one for one in found if one.messages)

    async def _search_one(
        self, conversation: Conversation, text: str, limit: int, before: int | None, after: int | None
    ) -> Found:
        question = partial(conversation.journal.store.search, text, limit, before, after)
        stored = await conversation.journal.read(question)
        return Found(
            time=time.time(),
            conversation=conversation.id,
            messages=tuple(self._kept(conversation, one) for one in stored),
            text=SafeText.line(text),
        )

    async def export(self, conversation: str, file: str) -> Path:
        """Write a conversation as it is now to a new file, with what proves its authors; return which file.

        ``file`` is a path, a folder, or empty for one in the home folder. Nothing is left of a file that
        could not be finished. Raises CommandError for a conversation under a former key of one's own.
        """
        found, own = self.find(conversation), self._account.own_key.public
        if found.id != conversation_id(own.fingerprint, found.peer.fingerprint).hex():
            raise CommandError("former-key", _FORMER_KEY)
        name = self._view(found, awaited=False).name
        path = await asyncio.to_thread(export_path, file, name, time.time())
        names = (str(SafeText.name(self._account.name)), str(name))
        lines = transcript_lines(found.journal.store, own, found.peer, names, time.time())
        new = await asyncio.to_thread(NewFile, path)
        try:
            while some := await found.journal.read(partial(_next_of, lines)):
                await asyncio.to_thread(new.write, some)
            await asyncio.to_thread(new.finish)
        finally:
            new.abandon()
        return path

    def _kept(self, conversation: Conversation, stored: StoredMessage) -> Kept:
        age = stored.age or 0.0
        own = self._account.own_key.public.fingerprint
        return Kept(
            row=stored.row,
            by="me" if stored.mine else "peer",
            number=stored.number,
            text=stored.text,
            author=str(own if stored.mine else conversation.peer.fingerprint),
            name=SafeText.name(self._account.name) if stored.mine else stored.name,
            claimed=stored.claimed_ms / 1000,
            time=stored.time,
            age=age,
            late=age > c.FRESH_SECONDS,
            checks=Checks(intact=True, in_order=True, fresh=stored.fresh is not False, signed=stored.signed),
            trust=stored.trust,
            tick=_tick(conversation, stored),
        )

    async def mark_read(self, conversation: str) -> None:
        """Everything that has been shown of a conversation has been seen."""
        found = self.find(conversation)
        if found.marks.unread:
            found.marks.unread = 0
            await found.journal.read(partial(found.journal.store.mark_read, found.marks.shown))

    async def keep_draft(self, conversation: str, text: str) -> None:
        """Keep what is being typed; an empty text takes it away."""
        found = self.find(conversation)
        if text != found.marks.draft:

            def kept(_: None) -> None:
                found.marks.draft = text

            await found.journal.read(partial(found.journal.store.keep_draft, text), kept)

    async def wipe(self, conversation: str) -> None:
        """Destroy what is kept of a conversation, and its key; it can go on.

        What was not delivered yet is cancelled with it. One whose file is damaged begins anew, and no session
        that stands can go on with that.
        """
        found = self.find(conversation)
        with suppress(DamagedConversation):  # what could not be kept goes with the rest
            await found.journal.commit()
        await found.journal.read(partial(self._destroy, found), partial(self._destroyed, found))

    def _destroy(self, conversation: Conversation) -> Shelf | None:
        """Wipe a conversation; return what it goes on with where nothing of it could be read."""
        if self._account.store.wipe(conversation.number):
            return None
        return Shelf.load(conversation.journal.store)

    def _destroyed(self, conversation: Conversation, shelf: Shelf | None) -> None:
        """Let memory follow the disk."""
        waiting = [
            one for one in conversation.outbox.undelivered() if one.number <= conversation.boxes.last_kept
        ]
        if shelf is not None:
            conversation.begin_anew(shelf)
        for message in waiting:
            conversation.let_go(message, renumbered=False)
            message.text, message.content = "", b""
        conversation.marks.unread, conversation.marks.draft = 0, ""
        if shelf is not None:
            self._begun_anew(conversation)


def _tick(conversation: Conversation, stored: StoredMessage) -> Tick:
    """How far a message has come by now: what the peer says of it is told before it is on disk."""
    if stored.tick != "queued":
        return stored.tick
    return conversation.outbox.tick(stored.generation, stored.number) or stored.tick


def _next_of(lines: Iterator[bytes]) -> list[bytes]:
    return [*islice(lines, _LINES)]
