"""What ``vectors/`` holds (docs/protocol.md, appendix C), as seeds and as the people of the harnesses."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from securechat_tui.protocol import primitives
from securechat_tui.protocol.errors import RecordFailure
from securechat_tui.protocol.frames import HEADER_LENGTH
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.protocol.records import unpad

__all__ = ["cases", "defects", "identity", "payloads", "plaintexts", "records", "transcript"]

_FOLDER: Final = Path(__file__).resolve().parents[1] / "vectors"

Case = dict[str, Any]


@cache
def cases(kind: str) -> dict[str, Case]:
    """Return all cases of a kind by their ids."""
    files = [json.loads(path.read_bytes()) for path in sorted(_FOLDER.glob("*.json"))]
    return {case["id"]: case for file in files if file["kind"] == kind for case in file["cases"]}


def identity(name: str) -> IdentityKey:
    """Return a test key."""
    return IdentityKey.from_pem(cases("identity")[name]["test_private_key"].encode())


def transcript(name: str) -> Case:
    """Return a recorded session."""
    return cases("transcript")[name]


def payload_of(frame: str) -> bytes:
    """Return what a frame in hexadecimal carries."""
    return bytes.fromhex(frame)[HEADER_LENGTH:]


def defects(about: str) -> list[bytes]:
    """Return the frames in the place of a "first contact" that are defective, or not, in one respect."""
    return [
        bytes.fromhex(case["input"])
        for case in cases("defect").values()
        if case["base"] == "first contact" and case["id"].startswith(f"{about}:")
    ]


def records(sender: str, session: str) -> list[bytes]:
    """Return the payloads that one side of a session sent, in their order."""
    frames = transcript(session)["frames"]
    return [bytes.fromhex(one["payload"]) for one in frames if one["from"] == sender and "payload" in one]


@cache
def plaintexts() -> tuple[bytes, ...]:
    """Return the plaintext of each defective record that opens, and of some whole ones."""
    found: dict[bytes, None] = {}
    for case in cases("defect").values():
        place = transcript(case["base"])["frames"][case["at"]]
        if "record_key" in place:
            key, ad = bytes.fromhex(place["record_key"]), bytes.fromhex(place["ad"])
            for record in (place["frame"], case["input"]):
                plaintext = _opened(key, payload_of(record)[4:], ad)
                found[plaintext] = None
    return tuple(plaintext for plaintext in found if plaintext)


def _opened(key: bytes, sealed: bytes, associated: bytes) -> bytes:
    try:
        return primitives.unseal(key, sealed, associated)
    except primitives.CryptoFailure:
        return b""


@cache
def payloads() -> tuple[bytes, ...]:
    """Return what is in the records of all sessions and in the defective ones, each once."""
    sent = [
        payload
        for name in cases("transcript")
        for side in ("guest", "host")
        for payload in records(side, name)
    ]
    return tuple(dict.fromkeys([*sent, *filter(None, map(_unpadded, plaintexts()))]))


def _unpadded(plaintext: bytes) -> bytes:
    try:
        return unpad(plaintext)
    except RecordFailure:
        return b""
