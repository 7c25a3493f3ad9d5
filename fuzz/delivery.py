"""What an authenticated peer says of messages: bodies in an inbox, RESUME and the like at an outbox."""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from copy import deepcopy
from functools import cache
from unittest.mock import patch

from fuzz.harness import Harness, refused, state_of
from fuzz.people import GUEST, HOST
from fuzz.recorded import records
from securechat_tui.chat.inbox import Accepted, Inbox
from securechat_tui.chat.items import Items
from securechat_tui.chat.outbox import Outbox, PeerForgot, ResumeConflict
from securechat_tui.protocol import constants as c
from securechat_tui.protocol import signing
from securechat_tui.protocol.encoding import Reader, lp16
from securechat_tui.protocol.errors import MalformedPayload, OutOfOrder, SignatureFailure
from securechat_tui.protocol.payloads import (
    Acknowledgement,
    Gone,
    Kind,
    Payload,
    Resume,
    Signature,
    Signed,
    Unsigned,
    decode_payload,
    text_content,
)
from securechat_tui.protocol.signing import NO_GENERATION, NO_HASH, Seen

_DECLARED = (MalformedPayload, SignatureFailure, OutOfOrder)
_GENERATION = b"g" * c.GENERATION_LENGTH
_OWN, _PEER = HOST.public, GUEST.public


def _payloads(data: bytes) -> Iterator[Payload]:
    """Read payloads behind their lengths; one that is cut short is the last."""
    reader = Reader(data)
    with suppress(MalformedPayload):
        while True:
            payload = _payload(reader.bounded(2, len(data)))
            if payload is not None:
                yield payload


def _payload(data: bytes) -> Payload | None:
    return refused(lambda: decode_payload(data), MalformedPayload)


def _together(payloads: Iterable[Payload]) -> bytes:
    return b"".join(lp16(payload.encode()) for payload in payloads)


def _take(inbox: Inbox, payload: Payload) -> bool:
    """Do what an encounter does with a payload; tell whether it advanced the inbox."""
    match payload:
        case Resume():
            inbox.announce(payload.generation)
        case Signature():
            inbox.signature(payload)
        case Signed():
            return isinstance(inbox.signed(payload), Accepted)
        case Unsigned():
            return isinstance(inbox.unsigned(payload), Accepted)
        case Gone():
            return inbox.gone(payload)
    return False


def check_inbox(data: bytes) -> bool:
    """Payloads of a peer one after the other: what is refused changes nothing, a message advances by one."""
    inbox = Inbox(_OWN.fingerprint, _PEER, _check_seen)
    accepted = [_check_taken(inbox, payload) for payload in _payloads(data)]
    return any(accepted)


def _check_taken(inbox: Inbox, payload: Payload) -> bool:
    before, high, running = state_of(inbox), inbox.high, inbox.running
    advanced = refused(lambda: _take(inbox, payload), *_DECLARED)
    if advanced:
        item = inbox._items[inbox.high]
        assert item is not None
        assert inbox.running == signing.running_next(running, item)
        assert inbox.high == high + 1
    elif advanced is None or not isinstance(payload, Signature | Resume):
        assert state_of(inbox) == before
    assert inbox._items[inbox.high + 1] is None
    return bool(advanced)


def _check_seen(seen: Seen) -> None:
    """One's own side has sent nothing."""
    if seen.generation == _GENERATION:
        raise OutOfOrder("names a message that was never sent")


def _inboxes() -> list[bytes]:
    said = [decode_payload(one) for one in records("guest", "cut")]
    resume = next(one for one in said if isinstance(one, Resume))
    signed = [one for one in said if isinstance(one, Signature | Signed)][:3]
    generation = resume.generation
    unsigned = Unsigned(generation, 1, 5, text_content("unsigned"))
    gone = Gone(generation, 2, signed=True, item=b"i" * 32)
    nothing = Resume(resume.conversation, NO_GENERATION, NO_GENERATION, 0, NO_HASH)
    return [
        _together((resume, *signed)),
        _together((resume, *signed, *signed)),
        _together((resume, unsigned, gone, unsigned)),
        _together((resume, *signed[:2], gone, *signed[2:])),
        _together((resume, signed[1])),
        _together((*signed, nothing)),
        _together((resume, Unsigned(generation, 1, 0, b"\2"), unsigned)),
        *(
            b"".join(map(lp16, records("guest", name)))
            for name in ("first contact", "unsigned and gone", "resumed")
        ),
    ]


def _outbox() -> Outbox:
    """Return an outbox with four messages: three written, one of those acknowledged."""
    outbox = object.__new__(Outbox)
    vars(outbox).update((name, _own_copy(value)) for name, value in _outbox_state().items())
    return outbox


def _own_copy(value: object) -> object:
    if isinstance(value, deque):
        return value.copy()
    if isinstance(value, Items):
        return deepcopy(value)
    return bytearray(value) if isinstance(value, bytearray) else value


@cache
@patch("securechat_tui.chat.outbox.random_bytes", bytes)
def _outbox_state() -> dict[str, object]:
    outbox = Outbox(_OWN.fingerprint, _PEER.fingerprint)
    outbox.generation = _GENERATION
    messages = [outbox.add(text, None, 0, Seen()) for text in ("one", "two", "three")]
    outbox.kept(outbox.position)
    batch = outbox.batch(messages, b"s" * 384)
    assert batch is not None
    outbox.signed(messages, batch)
    while outbox.next_to_write():
        pass
    outbox.add("four", None, 0, Seen())
    outbox.kept(outbox.position)
    outbox.acknowledge(Acknowledgement(_GENERATION, 1, messages[0].running))
    return vars(outbox)


def check_resume(data: bytes) -> bool:
    """RESUMEs and acknowledgements at the author of messages."""
    outbox = _outbox()
    accepted = [_check_word(outbox, word) for word in _payloads(data)]
    return any(accepted)


def _check_word(outbox: Outbox, word: Payload) -> bool:
    before, last, waiting = state_of(outbox), outbox.acknowledged, len(outbox)
    if isinstance(word, Resume):
        delivered = refused(lambda: outbox.resume(word), ResumeConflict, PeerForgot)
    elif isinstance(word, Acknowledgement):
        delivered = refused(lambda: outbox.acknowledge(word), OutOfOrder)
    else:
        return False
    if delivered is None:
        assert state_of(outbox) == before
        return False
    assert len(outbox) == waiting - len(delivered)
    assert [one.number for one in delivered] == [*range(last + 1, last + 1 + len(delivered))]
    assert outbox.acknowledged == last + len(delivered)
    assert not delivered or word.running == delivered[-1].running
    return bool(delivered)


def _resumes() -> list[bytes]:
    outbox = _outbox()
    at = [outbox._running_at(number) for number in range(1, 5)]
    conversation = outbox.conversation
    other = b"o" * c.GENERATION_LENGTH
    words: list[Payload] = [
        *(Resume(conversation, other, _GENERATION, high + 1, running) for high, running in enumerate(at)),
        Resume(conversation, other, NO_GENERATION, 0, NO_HASH),
        Resume(conversation, other, _GENERATION, 0, NO_HASH),
        Resume(conversation, other, _GENERATION, 2, NO_HASH),
        Resume(conversation, other, other, 7, NO_HASH),
        *(Acknowledgement(_GENERATION, high + 1, running) for high, running in enumerate(at)),
        Acknowledgement(other, 9, NO_HASH),
    ]
    recorded = [one for one in records("host", "resumed") if one[0] in (Kind.RESUME, Kind.ACKNOWLEDGEMENT)]
    together = [_together(words[:2]), _together(words[-6:]), b"".join(map(lp16, recorded))]
    return [*together, *(_together((word,)) for word in words)]


HARNESSES = (
    Harness("inbox", check_inbox, _inboxes, 2800),
    Harness("resume", check_resume, _resumes, 400),
)
