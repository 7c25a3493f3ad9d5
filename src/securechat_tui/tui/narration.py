"""What the log tells of the engine's events: messages as they are, the rest as one sentence each."""

import time
from collections.abc import Iterable, Sequence

from securechat_tui.chat.events import (
    Cancelled,
    Closed,
    ComparisonStopped,
    Delivered,
    Dialing,
    Error,
    Event,
    Gate,
    Hosting,
    Message,
    Notice,
    Peer,
    Queued,
    Refused,
    Rejected,
    SafeText,
    Secure,
    Sent,
    Trust,
    TrustChanged,
    VerifyAsked,
)
from securechat_tui.tui import wording
from securechat_tui.tui.archive import MessageArchive
from securechat_tui.tui.perform import Job
from securechat_tui.tui.screens.chat import ChatScreen
from securechat_tui.tui.state import join_address
from securechat_tui.tui.widgets.log_entries import Entry, MessageEntry, NoticeEntry, Tick

__all__ = ["Narrator", "sentence_for", "verdict_for"]

_NOT_SENT = "not-sent"
_UNSIGNED = "unsigned"
_STOPPED = {
    "declined": "The comparison has ended without a decision.",
    "mismatch": "✖ The person there says that the codes DIFFER: somebody may be in between. Ask another way.",
    "cut": "The comparison was cut off; it counts for nothing.",
}
_OWN_NICK = SafeText("you")


class Narrator:
    """Writes the log, and keeps what is needed to look a message up again."""

    def __init__(self, chat: ChatScreen) -> None:
        self._chat = chat
        self._received = MessageArchive()
        self._own: set[str] = set()
        """Entry ids of one's own messages."""
        self._unnumbered: set[str] = set()
        """Entry ids of those that wait for a peer."""
        self._undelivered: dict[str, None] = {}
        """Entry ids of one's own messages that may still be lost, oldest first."""

    def tell(self, events: Sequence[Event]) -> None:
        """Write what a batch of events means, new entries in one go."""
        fresh: list[Entry] = []
        for event in events:
            fresh += self._entries(event)
            if isinstance(event, Sent | Delivered):
                self._flush(fresh)
                self._tick(event)
            elif isinstance(event, Cancelled):
                self._flush(fresh)
                self._cancel(event)
            elif isinstance(event, Closed) and not event.awaited:
                self._flush(fresh)
                self._tell_waiting(event)
            elif isinstance(event, Error) and event.code == _NOT_SENT:
                self._fail(tuple(self._unnumbered))
        self._flush(fresh)

    def held(self, job: Job) -> None:
        """One's own message has been taken: show it as queued, unless its number has come already."""
        if job.ref not in self._own:
            self._unnumbered.add(job.ref)
            text = SafeText.multi(job.text)
            self._flush([self._own_entry(job.ref, text, time.time(), signed=job.signed)])

    def notice(self, sentence: str) -> None:
        """A dim line of the program itself."""
        self._flush([NoticeEntry(time=time.time(), text=SafeText.multi(sentence))])

    def clear(self) -> None:
        """Empty the log on the screen."""
        self._chat.log_view.clear()
        self._received = MessageArchive()
        self._own = set(self._undelivered)

    def selected_message(self) -> Message | None:
        """The received message that is selected in the log."""
        selected = self._chat.log_view.selected
        if selected is None or selected.own:
            return None
        return self._received[_place(selected.id)]

    def text_to_copy(self) -> str:
        """The text of the selected message, or of the last received one."""
        selected = self._chat.log_view.selected
        if selected is not None:
            return selected.text
        return self._received[len(self._received) - 1].text if len(self._received) else ""

    def _flush(self, entries: list[Entry]) -> None:
        if entries:
            self._chat.log_view.extend(list(entries))
            entries.clear()

    def _entries(self, event: Event) -> Iterable[Entry]:
        if isinstance(event, Message):
            return [self._received_entry(event)]
        if isinstance(event, Queued):
            return self._queued_entries(event)
        sentence = sentence_for(event)
        return [NoticeEntry(time=event.time, text=SafeText.multi(sentence))] if sentence else []

    def _received_entry(self, message: Message) -> MessageEntry:
        entry = f"in-{message.conversation}-{message.number}-{len(self._received)}"
        self._received.append(message)
        return MessageEntry(
            id=entry,
            time=message.time,
            nick=message.name,
            text=message.text,
            colour=wording.nick_colour(message.author),
            verdict=verdict_for(message),
            late=message.late,
        )

    def _queued_entries(self, event: Queued) -> list[Entry]:
        entry = event.ref or f"out-{event.conversation}-{event.number}"
        self._unnumbered.discard(entry)
        if entry in self._own:
            return []
        return [self._own_entry(entry, event.text, event.time, signed=event.signed)]

    def _own_entry(self, entry: str, text: SafeText, when: float, *, signed: bool) -> MessageEntry:
        self._own.add(entry)
        self._undelivered[entry] = None
        return MessageEntry(
            id=entry,
            time=when,
            nick=_OWN_NICK,
            text=text,
            own=True,
            verdict="" if signed else _UNSIGNED,
            tick=Tick.QUEUED,
        )

    def _cancel(self, event: Cancelled) -> None:
        """It stays in the log as cancelled; signed anew, it is another entry further down."""
        entry = event.ref or f"out-{event.conversation}-{event.number}"
        self._chat.log_view.update_tick(entry, Tick.CANCELLED)
        self._own.discard(entry)
        self._undelivered.pop(entry, None)

    def _tick(self, event: Sent | Delivered) -> None:
        entry = event.ref or f"out-{event.conversation}-{event.number}"
        if entry not in self._own:
            return
        if isinstance(event, Delivered):
            self._undelivered.pop(entry, None)
        tick = Tick.DELIVERED if isinstance(event, Delivered) else Tick.SENT
        self._chat.log_view.update_tick(entry, tick)

    def _tell_waiting(self, closed: Closed) -> None:
        """What was not delivered is not lost while the program runs: say so before it is typed again."""
        count = len(self._undelivered)
        if count:
            what = "1 message of yours waits" if count == 1 else f"{count} messages of yours wait"
            sentence = f"○ {what} for the next meeting, as long as this program runs."
            self._flush([NoticeEntry(time=closed.time, text=SafeText(sentence))])

    def _fail(self, entries: Sequence[str]) -> None:
        """These will not be delivered any more."""
        for entry in entries:
            self._chat.log_view.update_tick(entry, Tick.FAILED)
            self._undelivered.pop(entry, None)
            self._unnumbered.discard(entry)


def _place(entry: str) -> int:
    """Which of the received messages an entry's id belongs to."""
    return int(entry.rpartition("-")[2])


def verdict_for(message: Message) -> str:
    """What the log says beside a message: nothing where all is well; lateness it says by itself.

    An unsigned message is no fault: its author has chosen so.
    """
    faults = [name for name, passed in wording.check_rows(message.checks) if not passed and name != "fresh"]
    if faults == ["signed"]:
        return _UNSIGNED
    return f"✗ not {faults[0]}" if faults else ""


def sentence_for(event: Event) -> str:
    """The one sentence for an event that is not a message; empty for those the sidebar alone shows."""
    match event:
        case Dialing(address=address, port=port, returning=returning):
            # How often it has tried to come back stands in the sidebar; a line each would fill the log.
            return "" if returning else f"Connecting to {join_address(address, port)} …"
        case Hosting(active=active):
            return "" if active else "No longer waiting for guests."
        case Peer():
            return _peer_sentence(event)
        case Secure():
            return "Secure: fresh keys are agreed, and messages flow now."
        case Closed() | Rejected() | Refused() | Notice() | Error() | Gate():
            return _said_by_engine(event)
        case _:
            return _trust_sentence(event)


def _trust_sentence(event: Event) -> str:
    match event:
        case VerifyAsked():
            return "The person there would like to compare codes with you: F3 (or /verify)."
        case ComparisonStopped(reason=reason):
            return _STOPPED[reason]
        case TrustChanged(trust=trust, how=how):
            return f"{wording.trust_glyph(trust)} {wording.trust_word(trust)}: {how}."
        case _:
            return ""


def _peer_sentence(peer: Peer) -> str:
    word = f"{wording.trust_glyph(peer.trust)} {wording.trust_word(peer.trust)}"
    calls = "" if peer.name == peer.contact else f", who says the name {peer.name},"
    is_unknown = peer.trust in {Trust.NEW, Trust.CHANGED} and not peer.contact.startswith("unverified ")
    key = f" ({wording.short_fingerprint(peer.fingerprint)})" if is_unknown else ""
    sentence = f"{peer.contact}{key}{calls} is here: {word}, {wording.trust_explanation(peer.trust)}."
    if peer.known_elsewhere:
        return f"! You know somebody else as {peer.name}, with another key: compare (F3). {sentence}"
    return f"{sentence} F3 shows how to compare." if peer.trust is Trust.NEW else sentence


def _said_by_engine(event: Closed | Rejected | Refused | Notice | Error | Gate) -> str:
    if isinstance(event, Rejected):
        return f"✗ {event.message}"
    return event.message
