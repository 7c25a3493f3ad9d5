"""What the log tells of the engine's events: messages as they are, the rest as one sentence each."""

import time
from collections.abc import Callable, Iterable, Sequence

from securechat_tui.chat.events import (
    Cancelled,
    Closed,
    ComparisonStopped,
    Delivered,
    Dialing,
    Error,
    Event,
    Gate,
    History,
    Hosting,
    Kept,
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
from securechat_tui.tui.state import join_address
from securechat_tui.tui.widgets.chat_log import ChatLog
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
_IN = "in-"
_KEPT = "also after a restart"
_NOT_KEPT = "as long as this program runs"


class Narrator:
    """Writes one log, and keeps what is needed to look a message up again.

    ``takes`` says of a row of what is kept whether the log has no message with it yet.
    """

    def __init__(self, log: ChatLog) -> None:
        self._log = log
        self.takes: Callable[[int], bool] = lambda _: True
        self._received = MessageArchive()
        self._last: Message | None = None
        self._notices: list[NoticeEntry] = []
        self._own: dict[str, str] = {}
        """Entry ids of one's own messages, by what events call them."""
        self._numbers: dict[str, int] = {}
        """The numbers of one's own messages that were written in this run, by entry id."""
        self._latest: tuple[int, bool] | None = None
        """Number of the latest message, and whether it is one's own."""
        self._unnumbered: set[str] = set()
        """Entry ids of those that wait for a peer."""
        self._undelivered: dict[str, int] = {}
        """The rows of one's own messages that are not delivered, by entry id, oldest first."""

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

    def knows(self, ref: str | None) -> bool:
        """Whether one's own message with this name stands in the log."""
        return ref in self._own

    def held(self, job: Job) -> None:
        """One's own message has been taken: show it as queued, unless its number has come already."""
        if job.ref not in self._own:
            self._unnumbered.add(job.ref)
            text = SafeText.multi(job.text)
            self._flush([self._own_entry(job.ref, text, time.time(), signed=job.signed)])

    def tell_kept(self, page: History, messages: Sequence[Kept], *, top: str) -> None:
        """Put those of a page before everything; ``top`` is what stands above them."""
        entries = [self._kept_entry(one, page.conversation) for one in messages]
        if self._last is None:
            theirs = [one for one in messages if one.by == "peer"]
            self._last = _received(theirs[-1], page.conversation) if theirs else None
        self._log.prepend(entries, top=top, more=not page.complete)

    def _kept_entry(self, kept: Kept, conversation: str) -> MessageEntry:
        if kept.by == "peer":
            return self._received_entry(_received(kept, conversation))
        tick = Tick(kept.tick or "delivered")
        signed = kept.checks.signed
        return self._own_entry(_out(kept), kept.text, kept.time, signed=signed, row=kept.row, tick=tick)

    def notice(self, sentence: str) -> None:
        """A dim line of the program itself."""
        self._flush([NoticeEntry(time=time.time(), text=SafeText.multi(sentence))])

    def clear(self) -> None:
        """Empty the log on the screen."""
        self._log.clear()
        self._received = MessageArchive()
        self._own = {name: entry for name, entry in self._own.items() if entry in self._undelivered}
        self._numbers, self._latest = {}, None

    def selected_message(self) -> Message | None:
        """The received message that is selected in the log."""
        selected = self._log.selected
        if selected is None or selected.own:
            return None
        return self._received[_place(selected.id)]

    def meant(self) -> tuple[int, bool] | None:
        """The number of the selected or else the latest message, and whether it is one's own."""
        selected = self._log.selected
        if selected is None:
            return self._latest
        if selected.own:
            number = self._numbers.get(selected.id)
            return None if number is None else (number, True)
        return self._received[_place(selected.id)].number, False

    def text_to_copy(self) -> str:
        """The text of the selected message, or of the last received one."""
        selected = self._log.selected
        if selected is not None:
            return selected.text
        return self._last.text if self._last else ""

    def _flush(self, entries: list[Entry]) -> None:
        if entries:
            self._log.extend(list(entries))
            entries.clear()

    def _entries(self, event: Event) -> Iterable[Entry]:
        if isinstance(event, Message):
            self._last = event
            self._latest = event.number, False
            return [self._received_entry(event)] if self.takes(event.row) else []
        if isinstance(event, Queued):
            return self._queued_entries(event)
        sentence = sentence_for(event)
        return [NoticeEntry(time=event.time, text=SafeText.multi(sentence))] if sentence else []

    def _received_entry(self, message: Message) -> MessageEntry:
        self._received.append(message)
        return MessageEntry(
            id=f"{_IN}{len(self._received) - 1}",
            row=message.row,
            time=message.time,
            nick=message.name,
            text=message.text,
            colour=wording.nick_colour(message.author),
            verdict=verdict_for(message),
            late=message.late,
        )

    def _queued_entries(self, event: Queued) -> list[Entry]:
        entry = event.ref or _out(event)
        self._unnumbered.discard(entry)
        is_new = self.takes(event.row)
        if entry in self._own:
            self._undelivered[entry] = event.row
            return []
        if not is_new:
            self._own[entry] = _out(event)  # a page has brought it already
            return []
        return [self._own_entry(entry, event.text, event.time, signed=event.signed, row=event.row)]

    def _own_entry(
        self, entry: str, text: SafeText, when: float, *, signed: bool, row: int = 0, tick: Tick = Tick.QUEUED
    ) -> MessageEntry:
        if tick is Tick.QUEUED:
            self._own[entry] = entry
            self._undelivered[entry] = row
        return MessageEntry(
            id=entry,
            row=row,
            time=when,
            nick=_OWN_NICK,
            text=text,
            own=True,
            verdict="" if signed else _UNSIGNED,
            tick=tick,
        )

    def _entry_of(self, event: Sent | Delivered | Cancelled) -> str:
        """The entry that an event about one's own message is about; empty where there is none."""
        return self._own.get(event.ref or "") or self._own.get(_out(event), "")

    def _cancel(self, event: Cancelled) -> None:
        """It stays in the log as cancelled; signed anew, it is another entry further down."""
        entry = self._entry_of(event)
        self._log.update_tick(entry, Tick.CANCELLED)
        self._undelivered.pop(entry, None)
        for name in (event.ref or "", _out(event)):
            self._own.pop(name, None)

    def _tick(self, event: Sent | Delivered) -> None:
        entry = self._entry_of(event)
        if entry:
            is_delivered = isinstance(event, Delivered)
            self._log.update_tick(entry, Tick.DELIVERED if is_delivered else Tick.SENT)
        if isinstance(event, Delivered):
            self._undelivered.pop(entry, None)
        elif entry:
            self._numbers[entry] = event.number
            self._latest = event.number, True

    def _tell_waiting(self, closed: Closed) -> None:
        """What was not delivered is not lost: say so before it is typed again."""
        rows = list(self._undelivered.values())
        for count, until in ((len(rows) - rows.count(0), _KEPT), (rows.count(0), _NOT_KEPT)):
            if count:
                what = "1 message of yours waits" if count == 1 else f"{count} messages of yours wait"
                sentence = SafeText(f"○ {what} for the next meeting, {until}.")
                self._flush([NoticeEntry(time=closed.time, text=sentence)])

    def _fail(self, entries: Sequence[str]) -> None:
        """These will not be delivered any more."""
        for entry in entries:
            self._log.update_tick(entry, Tick.FAILED)
            self._undelivered.pop(entry, None)
            self._unnumbered.discard(entry)


def _place(entry: str) -> int:
    """Which of the received messages an entry's id belongs to."""
    return int(entry.removeprefix(_IN))


def _out(event: Queued | Sent | Delivered | Cancelled | Kept) -> str:
    """What one's own message is called by its number, where it has no other name."""
    return f"out-{event.number}"


def _received(kept: Kept, conversation: str) -> Message:
    """A kept message as it was told of when it was received."""
    return Message(
        time=kept.time,
        conversation=conversation,
        number=kept.number,
        text=kept.text,
        author=kept.author,
        name=kept.name,
        claimed=kept.claimed,
        age=kept.age,
        late=kept.late,
        checks=kept.checks,
        trust=kept.trust,
        row=kept.row,
    )


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
    meaning = wording.trust_explanation(peer.trust, differed=peer.differed)
    sentence = f"{peer.contact}{key}{calls} is here: {word}, {meaning}."
    if peer.known_elsewhere:
        return f"! You know somebody else as {peer.name}, with another key: compare (F3). {sentence}"
    return f"{sentence} F3 shows how to compare." if peer.trust is Trust.NEW else sentence


def _said_by_engine(event: Closed | Rejected | Refused | Notice | Error | Gate) -> str:
    if isinstance(event, Rejected):
        return f"✗ {event.message}"
    return event.message
