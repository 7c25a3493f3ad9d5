"""The key of the history in the identity file: there from the first start on, and never lost to a change."""

import pytest
from passphrases import CANARY, CHEAP

from securechat_tui.protocol import primitives
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.storage import keystore
from securechat_tui.storage.errors import BadIdentity, CannotWrite, PassphraseNeeded, WrongPassphrase
from securechat_tui.storage.files import write_private
from securechat_tui.storage.keystore import (
    Keys,
    SealedIdentity,
    create_keys,
    decode_clear,
    encode_clear,
    load_identity,
    open_keys,
    read_sealed,
    save_keys,
)
from securechat_tui.storage.passphrase import Cost, Passphrase, Stretch, checksum_line
from securechat_tui.storage.profile import Profile

RIGHT = Passphrase(CANARY)
DEARER = Cost(memory=16, passes=2, lanes=1)


def old_sealed(identity: IdentityKey, cost: Cost = CHEAP) -> bytes:
    """A file as it was written before there was a store."""
    stretch = Stretch(cost)
    pem = identity.to_pem(stretch.key(RIGHT).hex().encode())
    head = f"securechat-tui identity 1\n{stretch}\nRSA {identity.public.bits}\n".encode()
    return head + checksum_line(head + pem) + pem


def opened(profile: Profile, passphrase: Passphrase | None = None) -> Keys:
    keys = open_keys(profile, passphrase)
    assert keys is not None
    return keys


def test_a_new_identity_has_one(profile: Profile) -> None:
    assert open_keys(profile) is None
    made = create_keys(profile, 3072)
    assert len(made.store) == 32
    assert opened(profile).store == made.store
    assert "store" not in repr(made)
    data = profile.identity_path.read_bytes()
    assert data.startswith(made.identity.to_pem())
    assert decode_clear(data)[1] == made.store


def test_it_is_under_the_passphrase_and_nowhere_else(profile: Profile, identity: IdentityKey) -> None:
    keys = Keys.fresh(identity)
    save_keys(profile, keys, RIGHT, CHEAP)
    assert opened(profile, RIGHT).store == keys.store
    with pytest.raises(WrongPassphrase):
        open_keys(profile, Passphrase("another"))
    with pytest.raises(PassphraseNeeded):
        open_keys(profile)
    clear = encode_clear(keys).splitlines()[-2]
    data = profile.identity_path.read_bytes()
    assert keys.store not in data
    assert clear not in data
    sealed = read_sealed(profile)
    assert sealed is not None
    assert len(sealed.store) == 32 + 16
    assert "store" not in repr(sealed)


@pytest.mark.parametrize("passphrase", [None, RIGHT], ids=["clear", "sealed"])
def test_an_older_file_gains_it_when_it_is_opened_for_writing(
    profile: Profile, identity: IdentityKey, passphrase: Passphrase | None
) -> None:
    before = identity.to_pem() if passphrase is None else old_sealed(identity, DEARER)
    write_private(profile.identity_path, before)
    loaded = load_identity(profile, passphrase)
    assert loaded is not None
    assert profile.identity_path.read_bytes() == before  # looking changes nothing
    first = opened(profile, passphrase)
    assert first.identity.public == identity.public
    after = profile.identity_path.read_bytes()
    assert opened(profile, passphrase).store == first.store
    assert profile.identity_path.read_bytes() == after
    if passphrase is not None:
        sealed, old = read_sealed(profile), SealedIdentity.parse(before)
        assert sealed is not None
        assert after.startswith(b"securechat-tui identity 2\n")
        assert sealed.stretch.cost == DEARER
        assert sealed.stretch.salt != old.stretch.salt  # every sealing has a key of its own
        with pytest.raises(WrongPassphrase):
            open_keys(profile, Passphrase("another"))


def test_an_older_file_in_clear_stays_in_clear_whatever_is_typed(
    profile: Profile, identity: IdentityKey
) -> None:
    write_private(profile.identity_path, identity.to_pem())
    keys = opened(profile, RIGHT)
    assert read_sealed(profile) is None
    assert opened(profile).store == keys.store


def test_a_disk_that_takes_nothing_leaves_the_older_file(
    profile: Profile, identity: IdentityKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = old_sealed(identity)
    write_private(profile.identity_path, before)

    def fail(*_: object) -> None:
        raise CannotWrite(path=profile.identity_path, reason="no space left on device")

    monkeypatch.setattr(keystore, "write_private", fail)
    with pytest.raises(CannotWrite):
        open_keys(profile, RIGHT)
    assert profile.identity_path.read_bytes() == before


BLOCK = encode_clear(Keys(IdentityKey.generate(3072), b"s" * 32)).partition(b"-----END PRIVATE KEY-----\n")[2]


@pytest.mark.parametrize(
    "block",
    [
        BLOCK + BLOCK,
        BLOCK[:-10],
        BLOCK.replace(b"=", b""),
        BLOCK.replace(b"c", b"\xff"),
        BLOCK.replace(b"\n", b"\r\n"),
    ],
    ids=["twice", "cut", "short", "no base64", "other line ends"],
)
def test_a_damaged_block_is_told_and_never_replaced(
    profile: Profile, identity: IdentityKey, block: bytes
) -> None:
    """A fresh key in its place would close the history for ever."""
    data = identity.to_pem() + block
    write_private(profile.identity_path, data)
    for load in (open_keys, load_identity):
        with pytest.raises(BadIdentity, match="block with the key of the message store"):
            load(profile)
    assert profile.identity_path.read_bytes() == data


def rewritten(data: bytes, old: bytes, new: bytes) -> bytes:
    """Somebody who means harm sets the checksum right."""
    head, _, rest = data.replace(old, new).partition(b"sha256 ")
    blocks = rest.partition(b"\n")[2]
    return head + checksum_line(head + blocks) + blocks


def test_a_sealed_block_belongs_to_its_file(profile: Profile, identity: IdentityKey) -> None:
    own, other = (SealedIdentity.seal(Keys.fresh(identity), RIGHT, CHEAP) for _ in range(2))
    write_private(profile.identity_path, SealedIdentity(own.stretch, 3072, own.pem, other.store).encode())
    with pytest.raises(BadIdentity, match="does not open"):
        open_keys(profile, RIGHT)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"identity 2", b"identity 1"),
        (b"SEALED STORE KEY", b"SEALED STORE KEX"),
        (b"\n-----END SEC", b"-----END SEC"),
    ],
    ids=["older number", "name", "line"],
)
def test_a_sealed_file_of_another_shape_is_damaged(
    profile: Profile, identity: IdentityKey, old: bytes, new: bytes
) -> None:
    data = SealedIdentity.seal(Keys.fresh(identity), RIGHT, CHEAP).encode()
    write_private(profile.identity_path, rewritten(data, old, new))
    with pytest.raises(BadIdentity):
        open_keys(profile, RIGHT)


def test_an_older_number_cannot_drop_the_block(identity: IdentityKey) -> None:
    """An older file put back is one: its identity opens, and a history under the lost key says so then."""
    data = SealedIdentity.seal(Keys.fresh(identity), RIGHT, CHEAP)
    with pytest.raises(ValueError, match="not those of its format"):
        SealedIdentity.parse(rewritten(data.encode(), b"identity 2", b"identity 1"))
    older = SealedIdentity(data.stretch, data.bits, data.pem, b"").encode()
    assert SealedIdentity.parse(older).store == b""
    with pytest.raises(ValueError, match="not those of its format"):
        SealedIdentity.parse(rewritten(older, b"identity 1", b"identity 2"))


def test_a_key_that_seals_is_used_once(identity: IdentityKey, monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[bytes] = []
    real = primitives.seal

    def noted(key: bytes, plaintext: bytes, associated: bytes) -> bytes:
        used.append(key)
        return real(key, plaintext, associated)

    monkeypatch.setattr(primitives, "seal", noted)
    keys = Keys.fresh(identity)
    for _ in range(3):
        SealedIdentity.seal(keys, RIGHT, CHEAP)
    assert len(set(used)) == 3
