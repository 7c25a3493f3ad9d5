"""Appendix C of docs/protocol.md: every value in the vectors, computed anew from the document.

Signatures are verified, ``oc`` and ``ct`` are opened with the private keys on file, and everything else is
computed and compared. ``Mismatch`` says which value differs.
"""

import base64
from collections.abc import Callable, Iterator
from typing import Any

from reference_comparison import code_number, commitment, safety_number, shown
from reference_crypto import (
    PREFIX,
    Identity,
    encode,
    expand,
    extract,
    hash_of,
    mac,
    seal,
    sha256,
    u,
)
from reference_handshake import call_tag, version_list
from reference_invites import Invite, read_invite
from reference_messages import (
    HEADER_LABEL,
    climb,
    leaf_of,
    steps,
    tree_path,
    tree_root,
)
from reference_records import SIZES, Direction

Case = dict[str, Any]


class Mismatch(AssertionError):
    """A value on file is not what the document says."""


def same(name: str, found: object, expected: object) -> None:
    """Compare a computed value with the one on file, where bytes are hexadecimal."""
    if hexed(found) != expected:
        raise Mismatch(f"{name}: computed {hexed(found)}, on file {expected}")


def hexed(value: object) -> object:
    """A value as the files have it."""
    if isinstance(value, bytes):
        return value.hex()
    return [hexed(one) for one in value] if isinstance(value, list) else value


def h(text: str) -> bytes:
    """Bytes of a file."""
    return bytes.fromhex(text)


# C.1, C.2


def fingerprint_shown(spki: bytes) -> str:
    """Section 6."""
    return "SHA256:" + base64.b64encode(sha256(spki)).decode().rstrip("=")


def check_identity(case: Case, me: Identity) -> None:
    """One of the people."""
    same("spki", me.spki, case["spki"])
    same("bits", me.key.key_size, case["bits"])
    same("fingerprint", me.fp, case["fingerprint"])
    same("shown", fingerprint_shown(me.spki), case["shown"])
    same("short", fingerprint_shown(me.spki)[7:15], case["short"])


def bare(label: str) -> bytes:
    """A label without the prefix that this peer writes before each."""
    assert label.encode().startswith(PREFIX)
    return label.encode()[len(PREFIX) :]


def parts(case: Case) -> list[bytes]:
    """The parts behind a label."""
    return [h(one) for one in case["parts"]]


def header_of(case: Case) -> bytes:
    """Section 13.3."""
    names = b"".join(h(case[name]) for name in ("conversation", "author", "recipient", "generation"))
    generation, number, item = case["seen"]
    seen = h(generation) + u(number, 8) + h(item)
    claimed = u(case["claimed_ms"], 8)
    return (
        HEADER_LABEL
        + names
        + u(int(case["number"]), 8)
        + h(case["previous"])
        + seen
        + claimed
        + h(case["content_hash"])
    )


def chain_step(chain: bytes) -> dict[str, str]:
    """Section 10."""
    key, after = Direction.step_of(chain)
    return {"chain_after": after.hex(), "record_key": key.hex()}


def record_ad(session_id: bytes, direction: int, epoch: int, sequence: int) -> bytes:
    """Section 10."""
    return encode(PREFIX + b"record", session_id, u(direction, 1)) + u(epoch, 4) + u(sequence, 8)


def padded_size(length: int) -> int:
    """Section 10."""
    return next(size for size in SIZES if 4 + length <= size)


def chain_start(root: bytes, direction: int, epoch: int) -> bytes:
    """Section 10."""
    return expand(root, b"host chain" if direction == 1 else b"guest chain", u(epoch, 4))


def conversation(one: bytes, other: bytes) -> bytes:
    """Section 13.1."""
    return hash_of(b"conversation", *sorted((one, other)))


DERIVATIONS: dict[str, Callable[[Case], object]] = {
    "encode": lambda c: encode(*parts(c)),
    "hash_of": lambda c: hash_of(bare(c["label"]), *parts(c)),
    "mac": lambda c: mac(h(c["key"]), bare(c["label"]), *parts(c)),
    "expand": lambda c: expand(h(c["key"]), bare(c["label"]), *parts(c)),
    "extract": lambda c: extract(h(c["salt"]), h(c["ikm"])),
    "seal": lambda c: seal(h(c["key"]), h(c["plaintext"]), h(c["ad"])),
    "chain_start": lambda c: chain_start(h(c["root"]), c["direction"], c["epoch"]),
    "chain_step": lambda c: chain_step(h(c["chain"])),
    "record_ad": lambda c: record_ad(h(c["session_id"]), c["direction"], c["epoch"], int(c["sequence"])),
    "padded_size": lambda c: padded_size(c["length"]),
    "tree_root": lambda c: tree_root([h(one) for one in c["leaves"]]),
    "conversation": lambda c: conversation(*map(h, c["fingerprints"])),
    "header": header_of,
    "header_hash": lambda c: hash_of(b"header hash", h(c["header"])),
    "leaf": lambda c: leaf_of(h(c["header"])),
    "content_hash": lambda c: hash_of(b"content", h(c["salt"]), h(c["content"])),
    "batch_signed": lambda c: batch_signed(h(c["conversation"]), c["count"], h(c["root"])),
    "unsigned_item": lambda c: hash_of(b"unsigned message", h(c["fields"]), h(c["content"])),
    "running_start": lambda c: hash_of(
        b"running hash start", h(c["conversation"]), h(c["author"]), h(c["generation"])
    ),
    "running_next": lambda c: hash_of(b"running hash", h(c["running"]), h(c["item"])),
    "commitment": lambda c: commitment(h(c["session_id"]), h(c["r_g"])),
    "comparison_code": lambda c: shown(
        code_number(*(h(c[name]) for name in ("session_id", "r_g", "r_h")), *map(h, c["fingerprints"]))
    ),
    "code_shown": lambda c: shown(int(c["number"])),
    "safety_number": lambda c: safety_number(*map(h, c["fingerprints"])),
    "fingerprint": lambda c: sha256(h(c["spki"])),
    "fingerprint_shown": lambda c: fingerprint_shown(h(c["spki"])),
    "fingerprint_short": lambda c: fingerprint_shown(h(c["spki"]))[7:15],
    "call_tag": lambda c: call_tag(h(c["secret"]), h(c["core"])),
    "invite_tag_secret": lambda c: invite_of(c).tag_secret(),
    "invite": lambda c: same_invite(invite_of(c)),
    "version_list": lambda c: version_list(c["versions"]),
}


def invite_of(case: Case) -> Invite:
    """Section 9.4."""
    secret = h(case["secret"])
    return Invite(tuple(case["hosts"]), case["port"], h(case["fingerprint"]), secret, case["expires"])


def same_invite(invite: Invite) -> str:
    """Section 9.4: its text, which reads back as what it was made of, also in capitals."""
    for text in (invite.text(), invite.text().upper()):
        same("invite", read_invite(text).text(), invite.text())
    return invite.text()


def batch_signed(conversation: bytes, count: int, root: bytes) -> bytes:
    """Section 13.4."""
    return encode(PREFIX + b"message signature", conversation, u(count, 1), root)


def check_derivation(case: Case, others: dict[str, Case]) -> None:
    """One function with inputs and output; ``others`` are all derivations by their ids."""
    inputs = case["inputs"]
    if case["function"] == "tree_path":
        leaves = [h(one) for one in others[inputs["tree"]]["inputs"]["leaves"]]
        path = tree_path(inputs["index"], leaves)
        same(case["id"], path, case["output"])
        same("steps", len(path), steps(inputs["index"], len(leaves)))
        same(
            "climb",
            climb(leaves[inputs["index"]], inputs["index"], len(leaves), path),
            tree_root(leaves).hex(),
        )
    else:
        same(case["id"], DERIVATIONS[case["function"]](inputs), case["output"])


def values(kind: str, files: list[Case]) -> Iterator[Case]:
    """The cases of one kind."""
    for file in files:
        if file["kind"] == kind:
            yield from file["cases"]
