"""Looking whether everything is as it should be: files, key, contacts, network, clock.

Nothing is changed or made, and no passphrase is needed.
"""

import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from securechat_tui.network.addresses import Address, BadAddress, reachable_addresses
from securechat_tui.network.sockets import CannotListen, hosts_for, open_sockets
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage.book import look_at_book
from securechat_tui.storage.config import Config, load_config
from securechat_tui.storage.errors import ProfileError
from securechat_tui.storage.files import check_entry, leftovers, others_can_replace
from securechat_tui.storage.keystore import clear_store_key, load_identity, read_sealed
from securechat_tui.storage.passphrase import USUAL_COST, Cost
from securechat_tui.storage.profile import Profile
from securechat_tui.trust.pins import ClockOffset, Pins

__all__ = ["Finding", "State", "examine"]

_MAX_ENTRIES: Final = 1000
_MAX_LINE: Final = 1000
_FAR_SECONDS: Final = 60
"""From how many seconds on the distance between two clocks is told."""
_PORT_IN_USE: Final = "port-in-use"
_NO_KEY: Final = "their key is under the passphrase, or cannot be read"
_NOT_NOW: Final = "another securechat-tui has them, or was killed and has not been started since"


class State(StrEnum):
    """How a finding is meant."""

    OK = "ok"
    NOTE = "note"
    """Nothing is wrong, and a person should know it."""
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found about one thing, and what to do, in words that can be shown."""

    check: str
    state: State
    message: SafeText


def finding(check: str, state: State, message: str) -> Finding:
    """Say what was found; file names in it come from outside."""
    return Finding(check, state, SafeText.line(message, _MAX_LINE))


def examine(profile: Profile, now: float | None = None) -> Iterator[Finding]:
    """Look at a profile and this machine; ``now`` is the time in Unix seconds."""
    moment = time.time() if now is None else now
    yield from _folder(profile, profile.folder)
    if profile.data_folder != profile.folder and os.path.lexists(profile.data_folder):
        yield from _folder(profile, profile.data_folder)
    yield from _identity(profile)
    pins, about_contacts = _contacts(profile)
    config, about_settings = _settings(profile)
    yield from (about_contacts, about_settings)
    yield _lock(profile)
    yield from _network(config, in_use=profile.is_in_use())
    yield from _clocks(pins, moment)


def _folder(profile: Profile, folder: Path) -> Iterator[Finding]:
    if not os.path.lexists(folder):
        yield finding("files", State.NOTE, f"{folder} is not there yet: the first start makes it.")
        return
    entries = [folder, *_below(folder)]
    wrong = [sentence for path in entries if (sentence := _complaint(profile, path))]
    wrong += [
        f"Every user of this machine can replace what is in {parent}: take that right away with 'chmod o-w'."
        for parent in (folder.parent, folder.parent.parent)
        if others_can_replace(parent)
    ]
    for sentence in wrong:
        yield finding("files", State.WRONG, sentence)
    if not wrong:
        sentence = f"{folder} and the {len(entries) - 1} entries in it are yours and closed to others."
        yield finding("files", State.OK, sentence)
    if leftovers(folder):
        yield finding("files", State.NOTE, "A write was interrupted; the next start removes what it left.")


def _below(folder: Path) -> list[Path]:
    """Everything in a folder, as long as it is not absurdly much; links are not followed."""
    found: list[Path] = []
    for root, folders, files in os.walk(folder):
        found += [Path(root, name) for name in sorted([*folders, *files])]
        if len(found) > _MAX_ENTRIES:
            break
    return found[:_MAX_ENTRIES]


def _complaint(profile: Profile, path: Path) -> str:
    try:
        check_entry(path, private=path != profile.config_path)
    except ProfileError as error:
        return str(error)
    return ""


def _identity(profile: Profile) -> Iterator[Finding]:
    try:
        sealed = read_sealed(profile)
        key = None if sealed else load_identity(profile)
    except ProfileError as error:
        yield finding("identity", State.WRONG, str(error))
        return
    if sealed:
        yield finding("identity", State.OK, f"The key is RSA {sealed.bits}, as its file says.")
        yield _passphrase(sealed.stretch.cost)
    elif key:
        yield finding("identity", State.OK, f"The key is RSA {key.public.bits}.")
        yield finding(
            "passphrase",
            State.NOTE,
            "The key has no passphrase: whoever can read your files can be you, and read your contacts and "
            "history. 'identity passphrase' sets one.",
        )
    else:
        yield finding("identity", State.NOTE, "There is no identity yet: the first start makes one.")


def _passphrase(cost: Cost) -> Finding:
    words = f"{cost.memory / 1024:g} MiB, {cost.passes} passes, {cost.lanes} lanes"
    if cost.memory * cost.passes < USUAL_COST.memory * USUAL_COST.passes:
        sentence = f"The passphrase is cheaper to guess than usual ({words}): set it again."
        return finding("passphrase", State.NOTE, sentence)
    return finding("passphrase", State.OK, f"The key is under a passphrase (Argon2id, {words}).")


def _contacts(profile: Profile) -> tuple[Pins | None, Finding]:
    """The contacts, where they can be looked at as they lie there, without asking for anything."""
    try:
        key = clear_store_key(profile)
        pins = look_at_book(profile, key)
    except ProfileError as error:
        return None, finding("contacts", State.WRONG, str(error))
    if pins is None:
        sentence = f"The contacts were not looked at: {_NOT_NOW if key else _NO_KEY}."
        return None, finding("contacts", State.NOTE, sentence)
    sizes = Counter(contact.bits for contact in pins.contacts)
    words = ", ".join(f"{count} with RSA {bits}" for bits, count in sorted(sizes.items()))
    return pins, finding("contacts", State.OK, f"Contacts: {words or 'none yet'}.")


def _settings(profile: Profile) -> tuple[Config, Finding]:
    try:
        config = load_config(profile)
    except ProfileError as error:
        return Config(), finding("settings", State.WRONG, str(error))
    return config, finding("settings", State.OK, "The settings can be read.")


def _lock(profile: Profile) -> Finding:
    if profile.is_in_use():
        sentence = (
            f"Another securechat-tui has the profile '{profile.name}' open: to use it here, close that."
        )
        return finding("lock", State.NOTE, sentence)
    return finding("lock", State.OK, "No other process has the profile open.")


def _network(config: Config, *, in_use: bool) -> Iterator[Finding]:
    try:
        bind = Address.parse(config.bind, bind=True)
        hosts = hosts_for(bind)
        sockets = open_sockets(bind, hosts) if hosts else []
    except BadAddress as error:
        yield finding("network", State.WRONG, f"The setting 'bind' is {config.bind}. {error}")
        return
    except CannotListen as error:
        usual = error.code == _PORT_IN_USE and in_use
        yield finding("network", State.NOTE if usual else State.WRONG, str(error))
        return
    if not hosts:
        sentence = f"A host here listens at {bind}, as 'bind' says; what that name stands for is found then."
        yield finding("network", State.NOTE, sentence)
        return
    bound = [Address.of_socket(sock.getsockname()) for sock in sockets]
    for sock in sockets:
        sock.close()
    yield _reach(reachable_addresses(bound))


def _reach(reachable: tuple[Address, ...]) -> Finding:
    far = [str(address) for address in reachable if not address.is_loopback]
    if not far:
        sentence = (
            "A host here can be reached from this machine alone: connect it to a network, or see 'bind'."
        )
        return finding("network", State.NOTE, sentence)
    sentence = (
        f"A host here listens at {', '.join(far)}. Whether a guest gets there past firewalls and routers "
        "cannot be known from here: let one try."
    )
    return finding("network", State.OK, sentence)


def _clocks(pins: Pins | None, now: float) -> Iterator[Finding]:
    if pins is None:
        yield finding("clock", State.OK, f"The clock says {_minute(now)}.")
        return
    yield _clock(pins, now)
    for contact in pins.contacts:
        if contact.clock is not None and abs(contact.clock.milliseconds) > _FAR_SECONDS * 1000:
            yield _far_clock(contact.name, contact.clock)


def _far_clock(name: SafeText, clock: ClockOffset) -> Finding:
    distance = _distance(abs(clock.milliseconds) // 1000)
    way = "behind" if clock.milliseconds > 0 else "ahead of"
    return finding(
        "clock",
        State.NOTE,
        f"{name}'s clock was {distance} {way} yours at {_minute(clock.when)}: one of the two is wrong, and "
        "the times of writing with it. Compare yours with another clock and set it, or tell "
        f"{name} to set theirs.",
    )


def _distance(seconds: int) -> str:
    """Whole seconds in the two largest units that say something."""
    for size, unit, smaller, rest in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= size:
            more = seconds % size // smaller
            return f"{seconds // size} {unit} {more} {rest}" if more else f"{seconds // size} {unit}"
    return f"{seconds} s"


def _clock(pins: Pins, now: float) -> Finding:
    latest = max((contact.last_seen for contact in pins.contacts), default=0.0)
    if latest > now:
        sentence = (
            f"The clock says {_minute(now)}, and the last session was at {_minute(latest)}: set the clock, "
            "or your messages are shown to others as late."
        )
        return finding("clock", State.WRONG, sentence)
    return finding("clock", State.OK, f"The clock says {_minute(now)}, later than every session so far.")


def _minute(seconds: float) -> str:
    return f"{datetime.fromtimestamp(min(max(seconds, 0.0), 2.5e11), tz=UTC).astimezone():%Y-%m-%d %H:%M}"
