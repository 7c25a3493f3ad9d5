"""What a person means by the words after ``join`` and ``host``."""

from contextlib import suppress
from dataclasses import replace

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.house import Dialled
from securechat_tui.network.addresses import Address, BadAddress
from securechat_tui.network.listener import CannotListen, Listener
from securechat_tui.protocol.identity import Fingerprint, PublicIdentity
from securechat_tui.trust.invites import MAX_HOSTS, BadInvite, Invite
from securechat_tui.trust.pins import Contact, Endpoint, Pins


def verifying(pins: Pins, typed: str, key: str) -> Dialled:
    """Read a target and the one other key to compare codes with there; raises :class:`CommandError`."""
    dialled = choose_target(pins, typed, new=False)
    if isinstance(dialled.target, tuple) and not pins.by_address(dialled.target):
        raise CommandError(
            "unknown-contact", "Nobody is pinned at that address, so there is no changed key: join it."
        )
    return replace(dialled, verifying=read_fingerprint(key))


def read_fingerprint(typed: str) -> Fingerprint:
    """Read a fingerprint in full; raises :class:`CommandError`."""
    try:
        return Fingerprint.parse(typed)
    except ValueError:
        raise CommandError(
            "bad-fingerprint", "Give the fingerprint in full, as the alarm shows it: SHA256:…"
        ) from None


def choose_target(pins: Pins, typed: str, *, new: bool) -> Dialled:
    """Read a contact's fingerprint or name, or an address; ``new``: whoever is there, whatever is pinned.

    Text with a dot or a colon is an address if it can be one: peers choose their names, and none may choose
    one that catches calls to a machine. Raises :class:`CommandError`.
    """
    contact = None if new else _contact_meant(pins, typed)
    if contact is not None:
        return Dialled(typed, contact, _last_address(contact))
    try:
        address = Address.parse(typed)
    except BadAddress as error:
        raise CommandError("bad-address", str(error)) from None
    endpoint = (address.host, address.port)
    return Dialled(typed, None if new else endpoint, endpoint)


def _contact_meant(pins: Pins, typed: str) -> Contact | None:
    with suppress(ValueError):
        return _with_key(pins, Fingerprint.parse(typed))
    if _looks_like_address(typed):
        with suppress(BadAddress):
            Address.parse(typed)
            return None
    return pins.by_name(typed)


def _with_key(pins: Pins, fingerprint: Fingerprint) -> Contact:
    contact = pins.by_fingerprint(fingerprint)
    if contact is None:
        raise CommandError("unknown-contact", "No contact has that key.")
    return contact


def _looks_like_address(typed: str) -> bool:
    return bool(set(typed) & set(".:")) or typed.casefold() == "localhost"


def says_machine(typed: str) -> bool:
    """Whether text says a machine on its face, by a port, in digits alone, or as this one.

    No name of a contact stands for that, also where it was offered.
    """
    return ":" in typed or set(typed) <= set("0123456789.") or typed.casefold() == "localhost"


def reaching(contact: Contact) -> Dialled:
    """Aim at a contact, where it was met last; raises :class:`CommandError` where no address is known."""
    return Dialled(contact.name, contact, _last_address(contact))


def aims_at(dialled: Dialled, peer: PublicIdentity, endpoint: Endpoint | None) -> bool:
    """Whether a call is meant for somebody known: by key, or by where ``endpoint`` it was reached.

    Who asks for a stranger, brings an invite or wants to compare another key has a reason to call.
    """
    if dialled.verifying is not None:
        return False
    match dialled.target:
        case Contact() as contact:
            return contact.fingerprint == peer.fingerprint
        case None:
            return False
        case target:
            return target == endpoint


def pinned_at(dialled: Dialled, pins: Pins) -> tuple[Fingerprint, ...]:
    """Return whose keys are expected where an address is called; none where whoever is there is."""
    if dialled.verifying is not None or not isinstance(dialled.target, tuple):
        return ()
    return tuple(contact.fingerprint for contact in pins.by_address(dialled.target))


def read_invite(typed: str, moment: float) -> Dialled:
    """Read an invite at ``moment`` (Unix seconds); raises :class:`CommandError`."""
    try:
        invite = Invite.parse(typed, moment)
        addresses = [Address.parse(str(Address(host, port))) for host, port in invite.endpoints]
    except (BadInvite, BadAddress) as error:
        raise CommandError("bad-invite", str(error)) from None
    first, *others = ((address.host, address.port) for address in addresses)
    return Dialled(str(addresses[0]), None, first, others=tuple(others), invite=invite)


def invited_hosts(reachable: tuple[Address, ...]) -> tuple[str, ...]:
    """Choose the hosts to name in an invite: those that others can reach, where there are any.

    Addresses with a scope mean nothing on another machine.
    """
    hosts = [address.host for address in reachable if not address.is_loopback and "%" not in address.host]
    return tuple(hosts or [address.host for address in reachable])[:MAX_HOSTS]


async def listen(listener: Listener, typed: str) -> tuple[Address, ...]:
    """Listen at ``ADDRESS[:PORT]``; raises :class:`CommandError`."""
    try:
        return await listener.start(Address.parse(typed, bind=True))
    except BadAddress as error:
        raise CommandError("bad-address", str(error)) from None
    except CannotListen as error:
        raise CommandError("cannot-listen", str(error)) from None


def _last_address(contact: Contact) -> tuple[str, int]:
    if not contact.addresses:
        raise CommandError(
            "bad-address",
            f"No address of {contact.name} is known, since you have only been called: join ADDRESS instead.",
        )
    return contact.addresses[-1]


def own_secrets(pins: Pins, dialled: Dialled) -> tuple[bytes | None, bytes | None]:
    """Return the secrets to show: those of the contact meant, or last seen at the address.

    An invite's takes the second place, beside the newest of its host where that is known already.

    Never the same one twice: two equal tags would tell anybody on the path that there was one.
    """
    if dialled.invite is not None:
        inviter = pins.by_fingerprint(dialled.invite.fingerprint)
        return inviter.newest if inviter else None, dialled.invite.tag_secret
    match dialled.target:
        case Contact() as contact:
            return _distinct(contact)
        case None:
            return None, None
        case endpoint:
            there = pins.by_address(endpoint)
            return _distinct(there[0]) if there else (None, None)


def _distinct(contact: Contact) -> tuple[bytes | None, bytes | None]:
    return contact.newest, None if contact.confirmed == contact.newest else contact.confirmed
