"""Single derivations: every label, the encodings, chains, padding, trees, and the hashes of messages."""

import hashlib
from collections.abc import Iterator

from vector_files import Case
from vector_identities import BITS, identity
from vector_transcripts import code_of, hexed, shown

from securechat_tui.protocol import constants as c
from securechat_tui.protocol import keyschedule, primitives, signing
from securechat_tui.protocol.encoding import encode, u8, u32, u64
from securechat_tui.protocol.identity import Fingerprint
from securechat_tui.protocol.primitives import hash_of, hkdf_expand, hkdf_extract, hmac_sha256
from securechat_tui.protocol.records import Chain, Direction, pad
from securechat_tui.protocol.signing import Header, Seen
from securechat_tui.trust.codes import PICTURES, SafetyNumber, ShortAuthenticationString
from securechat_tui.trust.invites import Invite

LABELS = sorted(value for name, value in vars(c).items() if name.startswith("LABEL_"))
COUNTS = (*range(1, 10), 128)


def some(name: str, length: int = 32) -> bytes:
    """Return bytes that follow from a name."""
    return hashlib.shake_256(name.encode()).digest(length)


def case(name: str, function: str, output: object, **inputs: object) -> Case:
    """Return one derivation."""
    return {"id": name, "function": function, "inputs": hexed(inputs), "output": hexed(output)}


def encodings() -> Iterator[Case]:
    """Section 2."""
    lists: list[list[bytes]] = [
        [],
        [b""],
        [b"", b""],
        [b"a", b"bc"],
        [b"ab", b"c"],
        [bytes(300), some("x", 70)],
    ]
    for number, parts in enumerate(lists):
        yield case(f"encode {number}", "encode", encode(*parts), parts=parts)


def labels() -> Iterator[Case]:
    """Section 5 under each label of section 4."""
    key, parts = some("key"), [some("part", 40), b"", b"\0"]
    for label in LABELS:
        name = label.decode()
        for function, output in (
            ("hash_of", hash_of(label, *parts)),
            ("mac", hmac_sha256(key, label, *parts)),
            ("expand", hkdf_expand(key, label, *parts)),
        ):
            inputs = {"label": name, "parts": parts} | ({} if function == "hash_of" else {"key": key})
            yield case(f"{function} {name}", function, output, **inputs)
    yield case(
        "expand without parts",
        "expand",
        hkdf_expand(key, LABELS[0]),
        label=LABELS[0].decode(),
        parts=[],
        key=key,
    )
    for number, (salt, ikm) in enumerate(((some("salt"), some("ikm", 64)), (some("salt"), some("ikm", 96)))):
        yield case(f"extract {number}", "extract", hkdf_extract(salt, ikm), salt=salt, ikm=ikm)


def records() -> Iterator[Case]:
    """Section 10."""
    root, session_id = some("root"), some("session id")
    for direction in Direction:
        for epoch in (0, 1, 2**32 - 1):
            chain = Chain.start(root, direction, epoch)
            name = f"{direction.name.lower()}, epoch {epoch}"
            yield case(
                f"chain start of the {name}",
                "chain_start",
                chain.key,
                root=root,
                direction=direction,
                epoch=epoch,
            )
            for step in range(3):
                following, key = chain.step()
                output = {"chain_after": following.key, "record_key": key}
                yield case(f"chain step {step} of the {name}", "chain_step", output, chain=chain.key)
                chain = following
    for epoch, sequence in ((0, 0), (1, 17), (2**32 - 1, 2**64 - 1)):
        ad = encode(c.LABEL_RECORD, session_id, u8(Direction.GUEST)) + u32(epoch) + u64(sequence)
        names = {"session_id": session_id, "direction": 2, "epoch": epoch, "sequence": str(sequence)}
        yield case(f"associated data of epoch {epoch}", "record_ad", ad, **names)
    plaintext = pad(b"\x10")
    yield case(
        "seal", "seal", primitives.seal(root, plaintext, b"ad"), key=root, plaintext=plaintext, ad=b"ad"
    )
    for size in c.RECORD_SIZES:
        for length in (size - 4, size - 3):
            if length <= c.MAX_PAYLOAD_LENGTH:
                yield case(
                    f"size for a payload of {length} bytes",
                    "padded_size",
                    len(pad(bytes(length))),
                    length=length,
                )


def trees() -> Iterator[Case]:
    """Section 13.4."""
    for count in COUNTS:
        leaves = [some(f"leaf {number}") for number in range(count)]
        root, paths = signing.merkle_tree(leaves)
        yield case(f"tree of {count}", "tree_root", root, leaves=leaves)
        for index in sorted({0, 1, 2, 3, 4, 5, 6, 7, count // 2 - 1, count // 2, count - 2, count - 1}):
            if 0 <= index < count:
                name = f"path of leaf {index} of {count}"
                yield case(name, "tree_path", paths[index], tree=f"tree of {count}", index=index)


def messages() -> Iterator[Case]:
    """Section 13."""
    alice, bob = (identity(name).public.fingerprint for name in ("alice", "bob"))
    generation, salt, content = some("generation", 16), some("salt"), "\1 grüße".encode()
    conversation = signing.conversation_id(alice, bob)
    for one, other in ((alice, bob), (bob, alice)):
        yield case(
            f"conversation {len(one)}{one < other}", "conversation", conversation, fingerprints=[one, other]
        )
    hashed = signing.content_hash(salt, content)
    yield case("content hash", "content_hash", hashed, salt=salt, content=content)
    for number, previous, seen in (
        (1, bytes(32), Seen()),
        (2**64 - 1, some("previous"), Seen(generation, 7, some("seen"))),
    ):
        header = Header(
            conversation, alice, bob, generation, number, previous, seen, 1_700_000_000_000, hashed
        )
        data = header.encode()
        fields = {
            "conversation": conversation,
            "author": alice,
            "recipient": bob,
            "generation": generation,
            "number": str(number),
            "previous": previous,
            "seen": [seen.generation, seen.number, seen.header_hash],
            "claimed_ms": 1_700_000_000_000,
            "content_hash": hashed,
        }
        yield case(f"header of number {number}", "header", data, **fields)
        yield case(f"header hash of number {number}", "header_hash", signing.header_hash(data), header=data)
        yield case(f"leaf of number {number}", "leaf", signing.leaf_hash(data), header=data)
    numbered = generation + u64(3) + u64(1_700_000_000_000)
    item = signing.unsigned_item(numbered, content)
    yield case("unsigned item", "unsigned_item", item, fields=numbered, content=content)
    start = signing.running_start(conversation, alice, generation)
    yield case(
        "running hash at 0",
        "running_start",
        start,
        conversation=conversation,
        author=alice,
        generation=generation,
    )
    yield case(
        "running hash at 1", "running_next", signing.running_next(start, item), running=start, item=item
    )
    for count in (1, 128):
        signed = signing.batch_message(conversation, count, item)
        yield case(
            f"what signs {count}", "batch_signed", signed, conversation=conversation, count=count, root=item
        )
    commitment = hash_of(c.LABEL_COMPARISON_COMMIT, some("session id"), some("r_g"))
    yield case("commitment", "commitment", commitment, session_id=some("session id"), r_g=some("r_g"))


def names() -> Iterator[Case]:
    """Fingerprints, call tags, version lists."""
    for name in BITS:
        public = identity(name).public
        yield case(f"fingerprint of {name}", "fingerprint", public.fingerprint, spki=public.spki)
        yield case(
            f"shown fingerprint of {name}", "fingerprint_shown", str(public.fingerprint), spki=public.spki
        )
        yield case(
            f"short fingerprint of {name}", "fingerprint_short", public.fingerprint.short, spki=public.spki
        )
    for length in (1219, 1249):
        secret, core = some("secret"), some("core", length)
        yield case(
            f"call tag over {length} bytes",
            "call_tag",
            keyschedule.call_tag(secret, core),
            secret=secret,
            core=core,
        )
    for versions in ((1,), (2, 1), tuple(range(65535, 65519, -1))):
        output = keyschedule.encode_versions(versions)
        yield case(f"list of {len(versions)} versions", "version_list", output, versions=list(versions))


def invites() -> Iterator[Case]:
    """Section 9.4."""
    fingerprint, secret = identity("alice").public.fingerprint, some("invite", 16)
    for number, (hosts, port) in enumerate(
        (
            (("192.0.2.7",), 8000),
            (("2001:db8::7",), 65535),
            (("my-host.example", "192.0.2.7", "2001:db8::7", "198.51.100.1"), 1),
        )
    ):
        invite = Invite(hosts, port, fingerprint, 1_800_000_600 + number, secret)
        parts = {"hosts": list(hosts), "port": port, "fingerprint": fingerprint, "secret": secret}
        inputs = {**parts, "expires": invite.expires}
        yield case(f"invite {number}", "invite", invite.encode(), **inputs)
        yield case(f"tag secret of invite {number}", "invite_tag_secret", invite.tag_secret, **inputs)


def codes() -> Iterator[Case]:
    """Section 12.4: the code of a run, and every picture."""
    alice, bob = (identity(name).public.fingerprint for name in ("alice", "bob"))
    session_id, r_g, r_h = some("session id"), some("r_g"), some("r_h")
    for what, values, names in (
        ("alice calls bob", (r_g, r_h), (alice, bob)),
        ("bob calls alice", (r_g, r_h), (bob, alice)),
        ("the values exchanged", (r_h, r_g), (alice, bob)),
    ):
        inputs = {"session_id": session_id, "r_g": values[0], "r_h": values[1], "fingerprints": list(names)}
        yield case(f"code, {what}", "comparison_code", code_of(session_id, values, names), **inputs)
    for first in range(0, len(PICTURES), 7):
        number = sum(place % 64 << 6 * (first + 6 - place) for place in range(first, first + 7))
        output = shown(ShortAuthenticationString(number))
        yield case(f"code from picture {first}", "code_shown", output, number=str(number))
    for number in (0, 1, 2**42 - 1):
        output = shown(ShortAuthenticationString(number))
        yield case(f"code of number {number}", "code_shown", output, number=str(number))


def safety_numbers() -> Iterator[Case]:
    """Section 12.5."""
    alice, bob, carol = (identity(name).public.fingerprint for name in ("alice", "bob", "carol"))
    for what, one, other in (
        ("alice and bob", alice, bob),
        ("bob and alice", bob, alice),
        ("alice and carol", alice, carol),
        ("the least and the greatest", Fingerprint(b"\xff" * 32), Fingerprint(bytes(32))),
    ):
        number = SafetyNumber.of(one, other)
        output = {"digits": number.digits, "words": list(number.words)}
        yield case(f"safety number of {what}", "safety_number", output, fingerprints=[one, other])


def derivations() -> list[Case]:
    """Return all of them."""
    parts = (encodings, labels, records, trees, messages, names, invites, codes, safety_numbers)
    return [one for part in parts for one in part()]
