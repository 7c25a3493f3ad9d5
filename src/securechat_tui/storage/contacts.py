"""The contacts on disk: one piece of JSON, written whole, read strictly.

The schema is closed: an unknown field, a wrong type or a value out of its bounds is damage. Damage
is reported and never overwritten: who could not load has nothing to save. Where it is kept:
:mod:`~securechat_tui.storage.book`.
"""

from typing import Annotated, Final, Literal, Self

import msgspec

from securechat_tui.protocol import constants as c
from securechat_tui.protocol.identity import Fingerprint
from securechat_tui.protocol.text import MAX_NAME, SafeText
from securechat_tui.trust.pins import (
    MAX_ADDRESSES,
    MAX_CONTACTS,
    MAX_FORMER,
    MAX_HISTORY,
    MAX_OFFSET_MS,
    MAX_REFUSED,
    Change,
    ClockOffset,
    Contact,
    Pins,
)
from securechat_tui.trust.states import Trust

__all__ = ["NewerFormat", "decode_contacts", "encode_contacts"]

_FORMAT: Final = 1

_Seconds = Annotated[float, msgspec.Meta(ge=-1e12, le=1e12)]
_Digest = Annotated[bytes, msgspec.Meta(min_length=c.HASH_LENGTH, max_length=c.HASH_LENGTH)]
_Secret = Annotated[bytes, msgspec.Meta(min_length=c.KEY_LENGTH, max_length=c.KEY_LENGTH)]
_Offset = Annotated[int, msgspec.Meta(ge=-MAX_OFFSET_MS, le=MAX_OFFSET_MS)]
_Host = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
_Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class _Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bytes are base64; times are Unix seconds."""


class _ChangeRecord(_Strict, frozen=True):
    when: _Seconds
    before: Trust
    after: Trust
    how: Annotated[str, msgspec.Meta(max_length=100)]
    fingerprint: _Digest


class _ClockRecord(_Strict, frozen=True):
    milliseconds: _Offset
    when: _Seconds


class _ContactRecord(_Strict, frozen=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_NAME)]
    named: bool
    spki: Annotated[bytes, msgspec.Meta(min_length=1, max_length=c.MAX_SPKI_LENGTH)]
    bits: int
    trust: Trust
    history: Annotated[tuple[_ChangeRecord, ...], msgspec.Meta(max_length=MAX_HISTORY)]
    first_seen: _Seconds
    last_seen: _Seconds
    version: Annotated[int, msgspec.Meta(ge=1, le=65535)]
    addresses: Annotated[tuple[tuple[_Host, _Port], ...], msgspec.Meta(max_length=MAX_ADDRESSES)]
    newest: _Secret | None
    confirmed: _Secret | None
    announced: _Digest | None = None
    former: Annotated[tuple[_Digest, ...], msgspec.Meta(max_length=MAX_FORMER)] = ()
    refused: Annotated[tuple[_Digest, ...], msgspec.Meta(max_length=MAX_REFUSED)] = ()
    clock: _ClockRecord | None = None
    heritage: Annotated[tuple[_Digest, ...], msgspec.Meta(max_length=MAX_FORMER)] = ()

    def __repr__(self) -> str:
        return f"_ContactRecord({self.name!r})"

    @classmethod
    def of(cls, contact: Contact) -> Self:
        """Take over a contact's fields; its fingerprint follows from its key."""
        return cls(
            name=str(contact.name),
            named=contact.named,
            spki=contact.spki,
            bits=contact.bits,
            trust=contact.trust,
            history=tuple(
                _ChangeRecord(one.when, one.before, one.after, one.how, bytes(one.fingerprint))
                for one in contact.history
            ),
            first_seen=contact.first_seen,
            last_seen=contact.last_seen,
            version=contact.version,
            addresses=contact.addresses,
            newest=contact.newest,
            confirmed=contact.confirmed,
            announced=None if contact.announced is None else bytes(contact.announced),
            former=tuple(map(bytes, contact.former)),
            refused=tuple(map(bytes, contact.refused)),
            clock=None
            if contact.clock is None
            else _ClockRecord(contact.clock.milliseconds, contact.clock.when),
            heritage=tuple(map(bytes, contact.heritage)),
        )

    def contact(self) -> Contact:
        """Build the contact; raises :class:`ValueError` where its parts cannot be true."""
        return Contact(
            name=SafeText.name(self.name),
            named=self.named,
            spki=self.spki,
            bits=self.bits,
            trust=self.trust,
            history=tuple(
                Change(one.when, one.before, one.after, one.how, Fingerprint(one.fingerprint))
                for one in self.history
            ),
            first_seen=self.first_seen,
            last_seen=self.last_seen,
            version=self.version,
            addresses=self.addresses,
            newest=self.newest,
            confirmed=self.confirmed,
            announced=None if self.announced is None else Fingerprint(self.announced),
            former=tuple(map(Fingerprint, self.former)),
            refused=tuple(map(Fingerprint, self.refused)),
            clock=None if self.clock is None else ClockOffset(self.clock.milliseconds, self.clock.when),
            heritage=tuple(map(Fingerprint, self.heritage)),
        )


class _Book(_Strict, frozen=True):
    format: Literal[1]
    contacts: Annotated[tuple[_ContactRecord, ...], msgspec.Meta(max_length=MAX_CONTACTS)]


class _Format(msgspec.Struct):
    """As much of any format as tells which it is."""

    format: int


class NewerFormat(ValueError):
    """A newer version has written this."""


def encode_contacts(pins: Pins) -> bytes:
    """Return all contacts as JSON."""
    book = _Book(format=_FORMAT, contacts=tuple(map(_ContactRecord.of, pins.contacts)))
    return msgspec.json.encode(book)


def decode_contacts(data: bytes) -> Pins:
    """Read what :func:`encode_contacts` wrote; raises :class:`ValueError`, NewerFormat among them."""
    try:
        if msgspec.json.decode(data, type=_Format).format > _FORMAT:
            raise NewerFormat
        book = msgspec.json.decode(data, type=_Book)
        return Pins(tuple(record.contact() for record in book.contacts))
    except RecursionError:
        raise ValueError("nested too deeply") from None
