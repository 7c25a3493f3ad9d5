"""The picture is the one ``ssh-keygen`` draws of the same digest."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from securechat_tui.protocol.identity import Fingerprint
from securechat_tui.trust.randomart import HEIGHT, WIDTH, randomart

RECORDED = """\
+---[RSA 3072]----+
|                 |
|         o       |
|        =        |
|   .   * +       |
|  o   o S +      |
|   o . B.B o     |
|    ooooEoB o    |
|   +..O*++.o .   |
|   o***=+.o+.    |
+----[SHA256]-----+"""


def test_a_recorded_picture_of_ssh_keygen() -> None:
    fingerprint = Fingerprint.parse("SHA256:lLnk6uJ+vGncOtaxoswE+bWtRe03rrMUvMpbDMPSD24")
    assert "\n".join(randomart(fingerprint, 3072)) == RECORDED


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="OpenSSH is not installed")
@pytest.mark.parametrize("bits", [3072, 4096])
def test_the_installed_ssh_keygen_draws_the_same(bits: int, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", str(bits), "-N", "", "-f", key], check=True)
    drawn = subprocess.run(
        ["ssh-keygen", "-lv", "-E", "sha256", "-f", key], check=True, capture_output=True, text=True
    )
    first, *picture = drawn.stdout.splitlines()
    assert list(randomart(Fingerprint.parse(first.split()[1]), bits)) == picture


def test_the_most_visited_square_gets_the_last_sign() -> None:
    picture = randomart(Fingerprint(bytes(16) + b"\xff" * 16), 4096)
    assert picture[0] == "+---[RSA 4096]----+"
    assert picture[1].startswith("|^")
    assert picture[9].endswith("E|")


@settings(deadline=None)
@given(st.binary(min_size=32, max_size=32))
def test_every_picture_has_the_same_size_one_start_and_end(digest: bytes) -> None:
    picture = randomart(Fingerprint(digest), 3072)
    assert [len(line) for line in picture] == [WIDTH + 2] * (HEIGHT + 2)
    field = "".join(picture[1:-1])
    assert field.count("E") == 1
    assert field.count("S") == (0 if picture[5][9] == "E" else 1)
