"""The identity under a passphrase: opened by nothing else, and never without a valid file."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from passphrases import CANARY, CHEAP, traces

from securechat_tui.protocol import primitives
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.storage.errors import (
    BadIdentity,
    CannotWrite,
    IdentityExists,
    NewerIdentity,
    PassphraseNeeded,
    WrongPassphrase,
)
from securechat_tui.storage.files import write_private
from securechat_tui.storage.keystore import (
    Keys,
    SealedIdentity,
    create_identity,
    load_identity,
    read_sealed,
    save_keys,
)
from securechat_tui.storage.passphrase import USUAL_COST, Cost, Passphrase, Stretch, checksum_line
from securechat_tui.storage.profile import Profile

RIGHT = Passphrase(CANARY)


@pytest.fixture
def sealed(profile: Profile, identity: IdentityKey) -> Profile:
    save_keys(profile, Keys.fresh(identity), RIGHT, CHEAP)
    return profile


def test_it_opens_with_its_passphrase_alone(sealed: Profile, identity: IdentityKey) -> None:
    opened = load_identity(sealed, RIGHT)
    assert opened is not None
    assert opened.public == identity.public
    with pytest.raises(WrongPassphrase) as refused:
        load_identity(sealed, Passphrase(CANARY.swapcase()))
    assert refused.value.__cause__ is None
    assert CANARY.swapcase() not in str(refused.value)
    with pytest.raises(PassphraseNeeded):
        load_identity(sealed)


def test_the_usual_cost_is_used_where_nobody_says_another(profile: Profile) -> None:
    made = create_identity(profile, 3072, RIGHT)
    sealed = read_sealed(profile)
    assert sealed is not None
    assert sealed.stretch.cost == USUAL_COST
    opened = load_identity(profile, RIGHT)
    assert opened is not None
    assert opened.public == made.public


def test_making_one_overwrites_nothing(sealed: Profile) -> None:
    before = sealed.identity_path.read_bytes()
    with pytest.raises(IdentityExists):
        create_identity(sealed, 3072, RIGHT, CHEAP)
    assert sealed.identity_path.read_bytes() == before


def test_what_can_be_read_without_the_passphrase(sealed: Profile, identity: IdentityKey) -> None:
    found = read_sealed(sealed)
    assert found is not None
    assert (found.bits, found.stretch.cost) == (3072, CHEAP)
    assert "PRIVATE" not in repr(found)
    clear = sealed.identity_path.read_bytes()
    assert identity.public.spki not in clear
    assert str(identity.public.fingerprint).encode() not in clear


def test_without_a_passphrase_nothing_is_sealed(profile: Profile, identity: IdentityKey) -> None:
    assert read_sealed(profile) is None
    save_keys(profile, Keys.fresh(identity))
    assert read_sealed(profile) is None
    opened = load_identity(profile, RIGHT)  # a passphrase given in vain does no harm
    assert opened is not None


def test_another_program_opens_it(sealed: Profile, identity: IdentityKey) -> None:
    """The block is plain PKCS#8 under the hexadecimal key, whatever stands before it."""
    found = read_sealed(sealed)
    assert found is not None
    password = found.stretch.key(RIGHT).hex()
    command = ["openssl", "pkey", "-in", str(sealed.identity_path), "-passin", "stdin", "-pubout"]
    done = subprocess.run(command, input=password.encode(), capture_output=True, check=True)
    assert done.stdout.decode() == identity.public.pem()


def test_every_flipped_byte_is_damage_and_not_a_wrong_passphrase(sealed: Profile) -> None:
    data = sealed.identity_path.read_bytes()
    header = data.index(b"-----BEGIN")
    for place in [*range(header), *range(header, len(data), 97), len(data) - 1]:
        write_private(sealed.identity_path, data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises((BadIdentity, NewerIdentity)):
            load_identity(sealed, RIGHT)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda data: data[:-40], BadIdentity),
        (lambda data: data + b"x\n", BadIdentity),
        (lambda data: data.replace(b"identity 2", b"identity 3"), NewerIdentity),
        (lambda data: data.replace(b"identity 2", b"identity 900"), NewerIdentity),
        (lambda data: data[data.index(b"-----BEGIN") :], BadIdentity),
        (lambda data: data.replace(b"m=8,", b"m=4194304,"), BadIdentity),
    ],
    ids=["cut", "longer", "newer", "much newer", "no header", "gigabytes"],
)
def test_other_damage(sealed: Profile, change: object, error: type[Exception]) -> None:
    assert callable(change)
    changed = change(sealed.identity_path.read_bytes())
    write_private(sealed.identity_path, changed)
    with pytest.raises(error):
        load_identity(sealed, RIGHT)
    assert sealed.identity_path.read_bytes() == changed


def forged(identity: IdentityKey, phc: str, bits: int) -> bytes:
    """A file with a true checksum, as somebody who means harm would write it."""
    seal = SealedIdentity.seal(Keys.fresh(identity), RIGHT, CHEAP)
    head = f"securechat-tui identity 2\n{phc or seal.stretch}\nRSA {bits}\n".encode()
    blocks = seal.encode().partition(b"sha256 ")[2].partition(b"\n")[2]
    return head + checksum_line(head + blocks) + blocks


def test_a_hostile_file_cannot_ask_for_gigabytes(profile: Profile, identity: IdentityKey) -> None:
    phc = str(Stretch(CHEAP)).replace("m=8,", "m=4194304,")
    write_private(profile.identity_path, forged(identity, phc, 3072))
    with pytest.raises(BadIdentity, match="KiB, not 4194304"):
        load_identity(profile, RIGHT)
    with pytest.raises(BadIdentity):
        read_sealed(profile)


def test_a_size_that_is_not_that_of_the_key_is_damage(profile: Profile, identity: IdentityKey) -> None:
    write_private(profile.identity_path, forged(identity, "", 4096))
    with pytest.raises(BadIdentity, match="3072 bits, where its first lines say 4096"):
        load_identity(profile, RIGHT)


def test_changing_and_removing_the_passphrase(sealed: Profile, identity: IdentityKey) -> None:
    first = sealed.identity_path.read_bytes()
    save_keys(sealed, Keys.fresh(identity), Passphrase("another"), CHEAP)
    assert sealed.identity_path.read_bytes() != first
    with pytest.raises(WrongPassphrase):
        load_identity(sealed, RIGHT)
    assert load_identity(sealed, Passphrase("another")) is not None
    save_keys(sealed, Keys.fresh(identity))
    assert load_identity(sealed) is not None


def test_a_key_is_sealed_differently_each_time(identity: IdentityKey) -> None:
    one, other = (SealedIdentity.seal(Keys.fresh(identity), RIGHT, CHEAP) for _ in range(2))
    assert one.stretch.salt != other.stretch.salt
    assert one.pem != other.pem


def test_nothing_in_clear_depends_on_the_passphrase(
    identity: IdentityKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands before the encrypted block tells nobody whether a guess is right, without Argon2id."""
    monkeypatch.setattr(primitives, "random_bytes", bytes)
    files = [
        SealedIdentity.seal(Keys.fresh(identity), Passphrase(text), CHEAP).encode()
        for text in (CANARY, "another")
    ]
    (head, block), (other_head, other_block) = (file.split(b"sha256 ") for file in files)
    assert head == other_head
    assert block != other_block
    for file, rest in zip(files, (block, other_block), strict=True):
        _, _, pem = rest.partition(b"\n")
        assert file == head + checksum_line(head + pem) + pem


def test_neither_key_nor_passphrase_is_in_any_file(sealed: Profile, identity: IdentityKey) -> None:
    assert traces(sealed.folder) == []
    inside = re.sub(rb"-----.*-----|\n", b"", identity.to_pem())
    assert all(inside[:40] not in path.read_bytes() for path in sealed.folder.iterdir())


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_failed_change_leaves_the_old_passphrase(
    sealed: Profile, identity: IdentityKey, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        if call == "write":
            patched.setattr(os, "fdopen", fail)
        else:
            patched.setattr(os, call, fail)
        with pytest.raises(CannotWrite):
            save_keys(sealed, Keys.fresh(identity), Passphrase("another"), CHEAP)
    assert load_identity(sealed, RIGHT) is not None
    assert not list(sealed.folder.glob(".*.tmp"))


CRASH = """
import os, pathlib, sys
from securechat_tui.storage import files
from securechat_tui.storage.keystore import Keys, open_keys, save_keys
from securechat_tui.storage.passphrase import Cost, Passphrase
from securechat_tui.storage.profile import Profile

folder, fatal = pathlib.Path(sys.argv[1]), int(sys.argv[2])
old, new = (Passphrase(line.strip()) if line.strip() else None for line in sys.stdin)
calls = 0

def counted(real):
    def call(*arguments, **named):
        global calls
        calls += 1
        if calls == fatal:
            os._exit(9)
        return real(*arguments, **named)
    return call

with Profile("p", folder) as profile:
    keys = open_keys(profile, old)
    for name in ("fsync", "replace", "fdopen", "open", "close"):
        setattr(os, name, counted(getattr(os, name)))
    files.tempfile.mkstemp = counted(files.tempfile.mkstemp)
    save_keys(profile, keys, new, Cost(8, 1, 1))
os._exit(0)
"""


@pytest.mark.parametrize(
    ("old", "new"), [("", "new"), ("old", "new"), ("old", "")], ids=["set", "change", "remove"]
)
def test_a_crash_at_any_moment_leaves_one_valid_identity(
    tmp_path: Path, identity: IdentityKey, old: str, new: str
) -> None:
    folder = tmp_path / "p"
    with Profile("p", folder) as profile:
        save_keys(profile, Keys.fresh(identity), Passphrase(old) if old else None, CHEAP)
    original = profile.identity_path.read_bytes()
    outcomes = []
    for fatal in range(1, 30):
        write_private(profile.identity_path, original)
        command = [sys.executable, "-c", CRASH, str(folder), str(fatal)]
        done = subprocess.run(command, input=f"{old}\n{new}\n", text=True, check=False)
        after = profile.identity_path.read_bytes()
        kept = after == original
        opened = load_identity(profile, Passphrase(given) if (given := old if kept else new) else None)
        assert opened is not None
        assert opened.public == identity.public
        outcomes.append(kept)
        if done.returncode == 0:
            break
        assert done.returncode == 9
    assert outcomes == sorted(outcomes, reverse=True)  # first the old one, from one moment on the new one
    assert outcomes[0]
    assert not outcomes[-1]
    assert len(outcomes) > 4
    with profile:
        assert not list(folder.glob(".*.tmp"))


def test_a_cost_in_clear_cannot_be_made_cheaper_for_a_thief(sealed: Profile) -> None:
    """Other parameters make another key: what they protect stays closed."""
    found = read_sealed(sealed)
    assert found is not None
    weaker = SealedIdentity(Stretch(Cost(8, 2, 1), found.stretch.salt), found.bits, found.pem, found.store)
    write_private(sealed.identity_path, weaker.encode())
    with pytest.raises(WrongPassphrase):
        load_identity(sealed, RIGHT)
