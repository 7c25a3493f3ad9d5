"""What stands in a profile's files, and keys: contacts, settings, identity, fingerprints."""

import base64
import json
from dataclasses import replace
from pathlib import Path

import msgspec

from fuzz.harness import Harness, refused
from fuzz.people import GUEST, HOST, OTHER
from securechat_tui.protocol import constants as c
from securechat_tui.protocol import primitives
from securechat_tui.protocol.errors import BadKey
from securechat_tui.protocol.identity import Fingerprint, PublicIdentity
from securechat_tui.protocol.text import SafeText
from securechat_tui.storage import backup
from securechat_tui.storage.config import Config, decode_config, encode_config
from securechat_tui.storage.contacts import decode_contacts, encode_contacts
from securechat_tui.storage.errors import BadBackup, BadConfig, NewerBackup, UnknownSetting, WrongSetting
from securechat_tui.storage.keystore import Keys, SealedIdentity, decode_clear, encode_clear
from securechat_tui.storage.passphrase import Cost, Stretch, checksum_line
from securechat_tui.trust.pins import ClockOffset, Contact, Pins, after_handshake
from securechat_tui.trust.states import Trust

_CONFIG, _BACKUP = Path("config.toml"), Path("backup")
_STRETCH = Stretch(Cost(memory=64, passes=1, lanes=1), bytes(16))


def check_contacts(data: bytes) -> bool:
    """A contacts file: what was read is written so that it is read again."""
    pins = refused(lambda: decode_contacts(data), ValueError)
    assert pins is None or decode_contacts(encode_contacts(pins)) == pins
    return pins is not None


def _contacts() -> list[bytes]:
    contact = Contact.met(GUEST.public, 1.5, 1).seen(2.0, 1, ("192.0.2.7", 8000))
    contact = after_handshake(contact, b"s" * 32).with_trust(Trust.BLOCKED, 3.0, "a person's decision")
    contact = replace(
        contact.refusing(OTHER.public.fingerprint, 4.0, "different"), clock=ClockOffset.measured(-1500, 4.0)
    )
    two = encode_contacts(Pins((contact, Contact.met(OTHER.public, 2.0, 1))))
    short = json.dumps(json.loads(two)).encode()
    return [
        two,
        short,
        encode_contacts(Pins()),
        short.replace(b'"format": 1', b'"format": 2'),
        b"{}",
        b"[" * 999,
    ]


def check_config(data: bytes) -> bool:
    """A settings file."""
    declared = (BadConfig, UnknownSetting, WrongSetting)
    config = refused(lambda: decode_config(_CONFIG, data), *declared)
    assert config is None or decode_config(_CONFIG, encode_config(config)) == config
    return config is not None


def _configs() -> list[bytes]:
    full = Config("Zoë", "[::1]:9000", "bell", "light", False, True, {"log.newest": "ctrl+end,f8"})
    return [
        encode_config(full),
        b"",
        b"# mine\nname = 'a'\n[keys]\nhelp.x = 1",
        b"sign_messages = false\nrequire_signatures = 1",
        b'keys = { help = "f1" }\nbind = """\na"""',
        b"name = 1979-05-27T07:32:00Z\nx = 0x_1\ny = [1e5, nan, true]",
        b"x = " + b"9" * 5000,
    ]


def check_spki(data: bytes) -> bool:
    """A peer's public key."""
    key = refused(lambda: PublicIdentity.from_spki(data), BadKey)
    if key is None:
        return False
    assert key.spki == data
    assert key.bits in c.RSA_BITS
    assert key.fingerprint == primitives.sha256(data)
    return True


def _spkis() -> list[bytes]:
    good = GUEST.public.spki
    return [
        good,
        HOST.public.spki,
        good + b"\0",
        good[:-1] + b"\3",
        good[:-3] + b"\0\0\3",
        bytes.fromhex("302a300506032b656e032100") + bytes(32),
    ]


def check_pem(data: bytes) -> bool:
    """An identity file."""
    found = refused(lambda: decode_clear(data), BadKey)
    if found is None:
        return False
    identity, store = found
    keys = Keys.fresh(identity) if store is None else Keys(identity, store)
    again, kept = decode_clear(encode_clear(keys))
    assert again.public == identity.public
    assert kept == keys.store
    return True


def _pems() -> list[bytes]:
    good = GUEST.to_pem()
    whole = encode_clear(Keys(GUEST, bytes(32)))
    block = whole.removeprefix(good)
    with_store = [whole, whole + block, block + good, whole[:-1], whole.replace(b"AAA=", b"AAB=")]
    return [
        *with_store,
        good,
        good[:200],
        good.replace(b"PRIVATE", b"PUBLIC"),
        GUEST.public.pem().encode(),
        b"",
    ]


def _with_checksum(data: bytes) -> bytes:
    """Put the right checksum in its place: no edit would find it."""
    before, mark, after = data.partition(b"sha256 ")
    rest = after.partition(b"\n")[2]
    return before + checksum_line(before + rest) + rest if mark else data


def check_sealed_identity(data: bytes) -> bool:
    """An identity file with a passphrase, as far as it is read without one."""
    whole = _with_checksum(data)
    sealed = refused(lambda: SealedIdentity.parse(whole), ValueError)
    assert sealed is None or SealedIdentity.parse(sealed.encode()) == sealed
    return sealed is not None


def _sealed_identities() -> list[bytes]:
    pem = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"
    good = SealedIdentity(_STRETCH, 3072, pem, bytes(48)).encode()
    older = SealedIdentity(_STRETCH, 3072, pem, b"").encode()
    swapped = good.replace(b"identity 2", b"identity 1")
    damaged = [good[:-9], good.replace(b"m=64", b"m=9999999"), good.replace(b"p=1", b"p=0"), swapped]
    return [good, older, *damaged]


def check_backup(data: bytes) -> bool:
    """A backup, as far as it is read without its passphrase."""
    whole = _with_checksum(data)
    found = refused(lambda: backup._parse(_BACKUP, whole), ValueError, NewerBackup)
    if found is None:
        return False
    head, stretch, sealed = found
    assert whole.startswith(head)
    assert Stretch.parse(str(stretch)) == stretch
    assert len(sealed) <= len(whole)
    return True


def _backups() -> list[bytes]:
    head = f"securechat-tui backup 1\n{_STRETCH}\n".encode()
    good = head + b"sha256 \n" + base64.encodebytes(bytes(80))
    return [good, good[:-3], good.replace(b"backup 1", b"backup 02"), good.replace(b"t=1", b"t=17")]


def check_backup_content(data: bytes) -> bool:
    """What is in a backup, as whoever knows its passphrase could have made it."""
    try:
        found = backup._decode(_BACKUP, data)
    except (BadBackup, NewerBackup) as error:
        _check_told(error)
        return False
    assert all(one.newest is one.confirmed is None for one in found.pins.contacts)
    again = backup._decode(_BACKUP, backup._encode(found))
    assert (again.made, again.name, again.pins) == (found.made, found.name, found.pins)
    assert again.identity.public == found.identity.public
    assert "PRIVATE" not in repr(found)
    return True


def _check_told(error: Exception) -> None:
    """A refusal can be shown: it holds no key, and nothing that a terminal would obey."""
    assert str(error).isprintable()
    assert "PRIVATE" not in str(error)


def _backup_contents() -> list[bytes]:
    pins = Pins((Contact.met(OTHER.public, 2.0, 1), Contact.met(HOST.public, 1.5, 1)))
    good = backup._encode(backup.Backup(1_800_000_000.5, SafeText("Zoë"), GUEST, pins))
    kept = after_handshake(Contact.met(OTHER.public, 2.0, 1), b"s" * 32)
    secret = msgspec.json.decode(good) | {"contacts": json.loads(encode_contacts(Pins((kept,))))}
    return [
        good,
        backup._encode(backup.Backup(0, SafeText("a"), HOST, Pins())),
        json.dumps(secret).encode(),
        good.replace(b'"format":1', b'"format":2'),
        good.replace(b'"new"', b'"\\u001b[31m"'),
        good.replace("Zoë".encode(), b"\\u202e\\u0000"),
        good.replace(GUEST.to_pem()[40:80], HOST.to_pem()[40:80]),
        good[:-1],
        b'{"contacts":' + b"[" * 999,
        b"{}",
    ]


def check_fingerprint(data: bytes) -> bool:
    """A fingerprint that somebody has written down."""
    text = data.decode("utf-8", "surrogateescape")
    found = refused(lambda: Fingerprint.parse(text), ValueError)
    assert found is None or str(found) == text
    return found is not None


def _fingerprints() -> list[bytes]:
    good = str(GUEST.public.fingerprint)
    raw = base64.urlsafe_b64encode(GUEST.public.fingerprint)
    return [good.encode(), good.encode() + b"=", good[:-1].encode(), b"SHA256:" + raw, b"SHA256:\xff"]


HARNESSES = (
    Harness("backup file", check_backup, _backups, 400),
    Harness("backup content", check_backup_content, _backup_contents, 5000),
    Harness("sealed identity", check_sealed_identity, _sealed_identities, 400),
    Harness("contacts file", check_contacts, _contacts, 2400),
    Harness("config file", check_config, _configs, 320),
    Harness("fingerprint", check_fingerprint, _fingerprints, 128),
    Harness("public key", check_spki, _spkis, c.MAX_SPKI_LENGTH + 50),
    Harness("identity file", check_pem, _pems, 4096, seconds=1.0),
)
