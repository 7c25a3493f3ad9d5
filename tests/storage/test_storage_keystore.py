"""The identity file: made once, checked at each start, never overwritten."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from securechat_tui.protocol.errors import BadKey
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.storage.errors import BadIdentity, IdentityExists, OthersCanRead, ProfileError, TooLarge
from securechat_tui.storage.files import write_private
from securechat_tui.storage.keystore import create_identity, load_identity
from securechat_tui.storage.profile import Profile

OPENSSL = ["openssl", "genpkey", "-algorithm"]


def openssl(*arguments: str) -> bytes:
    """Make a key with a program that has nothing to do with ours."""
    return subprocess.run([*OPENSSL, *arguments], check=True, capture_output=True).stdout


def test_a_new_profile_has_no_identity(profile: Profile) -> None:
    assert load_identity(profile) is None


def test_an_identity_is_made_and_loaded(profile: Profile) -> None:
    made = create_identity(profile, 3072)
    loaded = load_identity(profile)
    assert loaded is not None
    assert loaded.public == made.public
    assert loaded.public.bits == 3072
    assert profile.identity_path.read_bytes().startswith(b"-----BEGIN PRIVATE KEY-----\n")
    if os.name == "posix":
        assert stat.S_IMODE(profile.identity_path.stat().st_mode) == 0o600


def test_an_identity_is_never_overwritten(profile: Profile) -> None:
    write_private(profile.identity_path, b"anything at all")
    with pytest.raises(IdentityExists, match="never overwritten"):
        create_identity(profile, 3072)
    assert profile.identity_path.read_bytes() == b"anything at all"


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
def test_a_dangling_link_counts_as_an_identity(profile: Profile) -> None:
    profile.identity_path.symlink_to(profile.folder / "nowhere")
    with pytest.raises(IdentityExists):
        create_identity(profile, 3072)
    with pytest.raises(ProfileError, match="symbolic link"):
        load_identity(profile)


def test_other_sizes_are_not_made(profile: Profile) -> None:
    with pytest.raises(BadKey):
        create_identity(profile, 2048)
    assert not profile.identity_path.exists()


@pytest.mark.parametrize(
    "kind",
    [
        ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
        ["ED25519"],
        ["RSA", "-pkeyopt", "rsa_keygen_bits:3072", "-aes256", "-pass", "pass:secret"],
        ["RSA", "-pkeyopt", "rsa_keygen_bits:3072", "-pkeyopt", "rsa_keygen_pubexp:3"],
    ],
    ids=" ".join,
)
def test_keys_of_another_kind_are_refused_and_kept(profile: Profile, kind: list[str]) -> None:
    pem = openssl(*kind)
    write_private(profile.identity_path, pem)
    with pytest.raises(BadIdentity, match="Put your copy back") as refused:
        load_identity(profile)
    assert str(profile.identity_path) in str(refused.value)
    assert refused.value.__cause__ is None
    assert profile.identity_path.read_bytes() == pem


def test_a_key_made_elsewhere_is_welcome(profile: Profile) -> None:
    write_private(profile.identity_path, openssl("RSA", "-pkeyopt", "rsa_keygen_bits:3072"))
    assert load_identity(profile) is not None


@pytest.mark.parametrize("damage", ["empty", "noise", "cut", "flipped", "public"])
def test_a_damaged_file_is_refused(profile: Profile, identity: IdentityKey, damage: str) -> None:
    pem = identity.to_pem()
    middle = len(pem) // 2
    write_private(
        profile.identity_path,
        {
            "empty": b"",
            "noise": os.urandom(2000),
            "cut": pem[:middle],
            "flipped": pem[:middle] + bytes([pem[middle] ^ 3]) + pem[middle + 1 :],
            "public": identity.public.pem().encode(),
        }[damage],
    )
    with pytest.raises(BadIdentity):
        load_identity(profile)


def test_a_huge_file_is_not_read(profile: Profile) -> None:
    write_private(profile.identity_path, b"x" * 100_000)
    with pytest.raises(TooLarge):
        load_identity(profile)


@pytest.mark.skipif(os.name != "posix", reason="the system has no POSIX permissions")
def test_a_key_that_others_can_read_is_refused(profile: Profile, identity: IdentityKey) -> None:
    write_private(profile.identity_path, identity.to_pem())
    profile.identity_path.chmod(0o644)
    with pytest.raises(OthersCanRead):
        load_identity(profile)


def test_no_part_of_a_key_is_in_what_is_shown(profile: Profile, identity: IdentityKey) -> None:
    pem = identity.to_pem()
    lines = [line for line in pem.decode().splitlines() if "-----" not in line]
    broken = pem.replace(b"-----END", b"-----SEND")
    write_private(profile.identity_path, broken)
    with pytest.raises(BadIdentity) as refused:
        load_identity(profile)
    shown = repr(identity) + str(identity) + repr(refused.value) + str(refused.value)
    assert not [line for line in lines if line[:16] in shown]


def test_import_reading_and_writing_need_nothing_of_posix(tmp_path: Path) -> None:
    script = tmp_path / "elsewhere.py"
    script.write_text(
        "import os, sys\n"
        "for name in ('geteuid', 'O_NOFOLLOW', 'O_NONBLOCK', 'O_CLOEXEC', 'mkfifo'): delattr(os, name)\n"
        "sys.modules['pwd'] = sys.modules['grp'] = None\n"
        "from securechat_tui.storage import config, files, keystore, profile, store\n"
        "own = profile.Profile.named()\n"
        "files.make_private_folder(own.folder)\n"
        "keystore.create_identity(own, 3072)\n"
        "assert keystore.load_identity(own)\n"
        "assert config.load_config(own)\n"
        "with store.Store(own, bytes(32)) as opened: assert not opened.pins().contacts\n"
    )
    environment = os.environ | {"SECURECHAT_TUI_HOME": str(tmp_path / "home")}
    subprocess.run([sys.executable, script], check=True, env=environment)
