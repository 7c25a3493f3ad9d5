"""The judge finds what is wrong: each test breaks one check of the protocol, and he tells."""

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from man_in_the_middle import Line, Nobody, accepted, checkpoints
from meddling import Deed, Flip, Instead, Swap, Tally

from securechat_tui.protocol import keyschedule, primitives, records
from securechat_tui.protocol.encoding import u32
from securechat_tui.protocol.frames import HEADER_LENGTH

FIN, HELLO, SIGNATURE, SIGNED = 2, 3, 7, 8


def verdicts(deed: Deed) -> list[str]:
    """Let a man in the middle do one thing, and return what the judge says."""
    tally = Tally()
    tally.attempt(checkpoints(Line.between("alice", "bob"))[deed.role, deed.index], deed)
    return tally.findings


def unseal_anything(key: bytes, ciphertext: bytes, associated: bytes) -> bytes:
    """Decrypt as AES-256-GCM with the zero nonce does, without a look at the tag."""
    del associated
    counter = Cipher(algorithms.AES(key), modes.CTR(bytes(15) + b"\2")).decryptor()
    return counter.update(ciphertext[:-16])


def test_records_without_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    text_in_hello = 8 * (HEADER_LENGTH + 4 + 4 + 3) + 7
    assert verdicts(Flip("guest", HELLO, text_in_hello)) == []
    monkeypatch.setattr(primitives, "unseal", unseal_anything)
    found = verdicts(Flip("guest", HELLO, text_in_hello))
    assert any("after what the peer did not write" in word for word in found)
    assert any("was told what the peer did not say" in word for word in found)


def test_fins_that_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyschedule, "check_fin", lambda *_: None)
    for role, index in (("host", 1), ("guest", FIN)):
        assert any("accepted Authenticated" in word for word in verdicts(Flip(role, index, 80)))


def test_tags_that_are_no_part_of_the_transcript(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = keyschedule.first_transcript
    monkeypatch.setattr(keyschedule, "first_transcript", lambda k1, clear_k2: whole(k1[:-64], clear_k2))
    found = verdicts(Flip("guest", 0, 8 * 1288 - 1))
    assert any("completed though it was heard wrongly" in word for word in found)


@pytest.mark.parametrize(
    "deed",
    [
        lambda frame: Instead("guest", SIGNED, (frame, frame)),
        lambda _: Instead("guest", SIGNED, ()),
        lambda _: Swap("guest", SIGNATURE),
    ],
    ids=["repeated", "dropped", "swapped"],
)
def test_records_that_are_not_bound_to_their_place(
    monkeypatch: pytest.MonkeyPatch, deed: Callable[[bytes], Deed]
) -> None:
    monkeypatch.setattr(primitives, "chain_step", lambda key: (key, key))
    placeless = SimpleNamespace(pack=lambda epoch, _: u32(epoch) + bytes(8))
    monkeypatch.setattr(records, "_PLACE", placeless)
    points = checkpoints(Line.between("alice", "bob"))
    point = points["guest", SIGNATURE]
    tally = Tally()
    tally.attempt(point, deed(points["guest", SIGNED].sides["guest"].frames[SIGNED]))
    assert any("was told what the peer did not say" in word for word in tally.findings)


def test_another_name_than_the_peers() -> None:
    line = Line.between("mallory", "bob")
    line.play(Nobody())
    assert accepted(line) == []
    line.sides["guest"].key = line.sides["host"].key
    assert any("another identity" in word for word in accepted(line))
