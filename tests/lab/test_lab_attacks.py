"""The attacks measure: where a check is taken out, the cell of the matrix changes by itself."""

import asyncio
import pickle
from collections.abc import Callable

import pytest
from lab_pairs import keys

from securechat_tui.chat.inbox import Inbox
from securechat_tui.lab import five_layer, json_cbc_hmac, primitives, units
from securechat_tui.lab.attacks import ATTACKS, Bench, Outcome
from securechat_tui.lab.catalogue import PROTOCOLS
from securechat_tui.lab.unpickle import loads_plain
from securechat_tui.protocol.payloads import Signed
from securechat_tui.protocol.signing import Header
from securechat_tui.trust import comparison

Break = Callable[[pytest.MonkeyPatch], None]


def run(protocol: str, attack: str) -> Outcome:
    return asyncio.run(ATTACKS[attack].run(Bench(PROTOCOLS[protocol], keys())))


def any_signature(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(primitives, "pss_verify", lambda *_: None)


def any_pickle(patch: pytest.MonkeyPatch) -> None:
    def read(data: bytes) -> dict[str, bytes]:
        pickle.loads(data)  # noqa: S301 - made here
        return loads_plain(data)

    patch.setattr(five_layer, "loads_plain", read)


def any_age(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(five_layer, "MAX_AGE", 1000)


def one_nonce(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(primitives, "random_bytes", bytes)


def no_encryption(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(primitives, "gcm_encrypt", lambda _key, _nonce, text, *_: text + bytes(16))
    patch.setattr(primitives, "gcm_decrypt", lambda _key, _nonce, sealed, *_: sealed[:-16])


def no_bound(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(json_cbc_hmac, "MAX_UNIT", 1 << 40)


def any_codes(patch: pytest.MonkeyPatch) -> None:
    """Let both comparisons come to the same code, whoever is in between."""
    patch.setattr(comparison, "hkdf_expand", lambda *_: bytes(32))


def any_recipient(patch: pytest.MonkeyPatch) -> None:
    """Let the inbox take the parties of any header for its own."""
    real = Inbox.signed

    def signed(self: Inbox, leaf: Signed) -> object:
        header = header_of(leaf)
        self._parties = (header.conversation, header.author, header.recipient)
        self.generation = header.generation
        return real(self, leaf)

    patch.setattr(Inbox, "signed", signed)


def header_of(leaf: Signed) -> Header:
    return Header.decode(leaf.header)


@pytest.mark.parametrize(
    ("protocol", "attack", "without"),
    [
        ("signed-gcm", "reflect", any_signature),
        ("gcm", "bit-flip", no_encryption),
        ("json-cbc-hmac", "strip-signature", any_signature),
        ("five-layer", "hostile-pickle", any_pickle),
        ("gcm", "equal-iv", one_nonce),
        ("gcm", "read-along", no_encryption),
        ("json-cbc-hmac", "huge-frame", no_bound),
        ("current", "substitute-key", any_codes),
        ("current", "forward-signed", any_recipient),
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_without_the_check_it_is_not_caught(
    monkeypatch: pytest.MonkeyPatch, protocol: str, attack: str, without: Break
) -> None:
    assert run(protocol, attack).caught
    without(monkeypatch)
    outcome = run(protocol, attack)
    assert not outcome.caught
    assert outcome.by == "nothing"


def test_without_the_age_a_delay_needs_no_trick(monkeypatch: pytest.MonkeyPatch) -> None:
    any_age(monkeypatch)
    assert run("five-layer", "delay").got == "the message was shown as if it were new"


def test_a_unit_is_bounded_everywhere() -> None:
    assert units.MAX_TEXT < units.MAX_UNIT <= 128 * 1024
