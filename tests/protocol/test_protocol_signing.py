"""Messages' headers, hashes and batch signatures, with an independent Merkle tree as the judge."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protocol_peers import identity_key

from securechat_tui.protocol import signing
from securechat_tui.protocol.errors import MalformedPayload, SignatureFailure
from securechat_tui.protocol.signing import (
    Header,
    Seen,
    batch_message,
    conversation_id,
    header_hash,
    leaf_hash,
    merkle_tree,
    node_hash,
    path_length,
    path_root,
    running_next,
    running_start,
    verify_batch,
)

P = b"securechat-tui/1 "
b16 = st.binary(min_size=16, max_size=16)
b32 = st.binary(min_size=32, max_size=32)
u64 = st.integers(0, 2**64 - 1)
headers = st.builds(Header, b32, b32, b32, b16, u64, b32, st.builds(Seen, b16, u64, b32), u64, b32)
EXAMPLE = Header(
    b"C" * 32, b"A" * 32, b"R" * 32, b"G" * 16, 7, b"P" * 32, Seen(b"S" * 16, 5, b"H" * 32), 9, b"D" * 32
)


def merkle_root(leaves: Sequence[bytes]) -> bytes:
    return merkle_tree(leaves)[0]


def merkle_path(index: int, leaves: Sequence[bytes]) -> tuple[bytes, ...]:
    return merkle_tree(leaves)[1][index]


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def lp(*parts: bytes) -> bytes:
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def leaves_of(count: int) -> list[bytes]:
    return [sha256(b"\0" + bytes((n,)) * 300) for n in range(count)]


def levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """The tree from below, level by level; a node without a sibling moves up unchanged."""
    found = [list(leaves)]
    while len(found[-1]) > 1:
        row = found[-1]
        found.append(
            [
                sha256(b"\1" + b"".join(row[n : n + 2])) if n + 1 < len(row) else row[n]
                for n in range(0, len(row), 2)
            ]
        )
    return found


def siblings(index: int, tree: list[list[bytes]]) -> tuple[bytes, ...]:
    """The path of a leaf, from the same tree."""
    path = []
    for row in tree[:-1]:
        if index ^ 1 < len(row):
            path.append(row[index ^ 1])
        index //= 2
    return tuple(path)


def test_the_root_is_the_one_of_an_independent_tree_for_every_count() -> None:
    for count in range(1, 129):
        leaves = leaves_of(count)
        assert merkle_root(leaves) == levels(leaves)[-1][0], count


def test_the_whole_tree_at_once_is_the_independent_one_for_every_count() -> None:
    for count in range(1, 129):
        leaves = leaves_of(count)
        (root, paths), tree = merkle_tree(leaves), levels(leaves)
        assert root == tree[-1][0], count
        assert paths == tuple(siblings(index, tree) for index in range(count)), count


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 32, 33, 63, 64, 65, 100, 127, 128])
def test_every_leafs_path_is_the_one_of_an_independent_tree(count: int) -> None:
    leaves = leaves_of(count)
    root, tree = merkle_root(leaves), levels(leaves)
    for index, leaf in enumerate(leaves):
        path = merkle_path(index, leaves)
        assert path == siblings(index, tree)
        assert len(path) == path_length(index, count) <= 7
        assert path_root(leaf, index, count, path) == root


def test_the_root_of_known_leaves() -> None:
    one, two, three = leaves_of(3)
    assert merkle_root([one]) == one
    assert merkle_root([one, two]) == sha256(b"\1" + one + two)
    assert merkle_root([one, two, three]) == sha256(b"\1" + sha256(b"\1" + one + two) + three)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_path_leads_to_the_root_for_its_own_leaf_and_place_alone(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 128))
    index = data.draw(st.integers(0, count - 1))
    leaves = leaves_of(count)
    root, path = merkle_root(leaves), merkle_path(index, leaves)
    other_count = data.draw(st.integers(1, 128))
    other_index = data.draw(st.integers(0, other_count - 1))
    if path_length(other_index, other_count) == len(path) and other_index != index:
        assert path_root(leaves[index], other_index, other_count, path) != root
    other_leaf = data.draw(st.sampled_from(leaves))
    if other_leaf != leaves[index]:
        assert path_root(other_leaf, index, count, path) != root
    if path:
        place = data.draw(st.integers(0, len(path) - 1))
        changed = (*path[:place], sha256(path[place]), *path[place + 1 :])
        assert path_root(leaves[index], index, count, changed) != root
    if len(set(path)) > 1:
        assert path_root(leaves[index], index, count, path[::-1]) != root


@pytest.mark.parametrize("siblings_given", [0, 1, 3])
def test_a_path_of_another_length_is_our_own_mistake(siblings_given: int) -> None:
    """The decoder admits none; one that came so far must not lead anywhere."""
    with pytest.raises(ValueError, match="zip"):
        path_root(leaves_of(1)[0], 1, 4, leaves_of(siblings_given))


def test_a_count_that_changes_the_tree_is_bound_by_the_signature() -> None:
    """Where a path fits two counts, the signed count still decides."""
    assert batch_message(b"c" * 32, 3, b"r" * 32) != batch_message(b"c" * 32, 4, b"r" * 32)


def test_leaves_and_nodes_never_meet() -> None:
    left, right = leaves_of(2)
    assert leaf_hash(left + right) != node_hash(left, right)
    assert leaf_hash(b"\1" + left + right) != node_hash(left, right)
    assert leaf_hash(b"header") == sha256(b"\0header")
    assert node_hash(left, right) == sha256(b"\1" + left + right)
    assert node_hash(left, right) != node_hash(right, left)


def test_odd_leaves_are_not_doubled() -> None:
    leaves = leaves_of(3)
    assert merkle_root(leaves) != merkle_root([*leaves, leaves[-1]])


@given(headers)
def test_a_header_is_decoded_as_it_was_encoded(header: Header) -> None:
    data = header.encode()
    assert len(data) == Header.LENGTH
    assert Header.decode(data) == header
    assert Header.decode(data).encode() == data


def test_a_header_has_its_layout() -> None:
    label = P + b"message header"
    expected = (
        label
        + b"C" * 32
        + b"A" * 32
        + b"R" * 32
        + b"G" * 16
        + (7).to_bytes(8, "big")
        + b"P" * 32
        + b"S" * 16
        + (5).to_bytes(8, "big")
        + b"H" * 32
        + (9).to_bytes(8, "big")
        + b"D" * 32
    )
    assert EXAMPLE.encode() == expected
    assert Header.LENGTH == len(expected) == len(label) + 248


def test_a_header_of_another_length_or_label_is_refused() -> None:
    data = EXAMPLE.encode()
    for length in range(len(data)):
        with pytest.raises(MalformedPayload):
            Header.decode(data[:length])
    for bad in (data + b"\0", b"S" + data[1:], data.replace(b"/1", b"/2", 1)):
        with pytest.raises(MalformedPayload):
            Header.decode(bad)


def test_a_conversation_is_the_same_from_both_sides() -> None:
    one, other = b"a" * 32, b"b" * 32
    assert conversation_id(one, other) == conversation_id(other, one)
    assert conversation_id(one, other) == sha256(lp(P + b"conversation", one, other))
    assert conversation_id(one, one) != conversation_id(one, other)


def test_hashes_are_the_ones_of_the_specification() -> None:
    assert header_hash(b"header") == sha256(lp(P + b"header hash", b"header"))
    assert signing.content_hash(b"s" * 32, b"text") == sha256(lp(P + b"content", b"s" * 32, b"text"))
    assert signing.unsigned_item(b"fields", b"text") == sha256(
        lp(P + b"unsigned message", b"fields", b"text")
    )
    start = running_start(b"c" * 32, b"a" * 32, b"g" * 16)
    assert start == sha256(lp(P + b"running hash start", b"c" * 32, b"a" * 32, b"g" * 16))
    assert running_next(start, b"i" * 32) == sha256(lp(P + b"running hash", start, b"i" * 32))
    assert batch_message(b"c" * 32, 5, b"r" * 32) == lp(P + b"message signature", b"c" * 32, b"\5", b"r" * 32)


def running(items: Sequence[bytes]) -> bytes:
    value = running_start(b"c" * 32, b"a" * 32, b"g" * 16)
    for item in items:
        value = running_next(value, item)
    return value


@given(st.lists(b32, max_size=6), st.lists(b32, max_size=6))
def test_the_running_hash_tells_any_two_histories_apart(one: list[bytes], other: list[bytes]) -> None:
    assert (running(one) == running(other)) == (one == other)


def test_the_running_hash_begins_anew_for_each_conversation_author_and_generation() -> None:
    starts = {
        running_start(b"c" * 32, b"a" * 32, b"g" * 16),
        running_start(b"d" * 32, b"a" * 32, b"g" * 16),
        running_start(b"c" * 32, b"b" * 32, b"g" * 16),
        running_start(b"c" * 32, b"a" * 32, b"h" * 16),
    }
    assert len(starts) == 4


@pytest.mark.parametrize("count", [1, 2, 128])
def test_a_batch_signature_holds_for_its_conversation_count_and_root_alone(count: int) -> None:
    alice, conversation = identity_key("alice"), b"c" * 32
    root = merkle_root(leaves_of(count))
    signature = alice.sign(batch_message(conversation, count, root))
    verify_batch(alice.public, conversation, count, root, signature)
    wrong = [
        (identity_key("bob").public, conversation, count, root, signature),
        (alice.public, b"d" * 32, count, root, signature),
        (alice.public, conversation, count % 128 + 1, root, signature),
        (alice.public, conversation, count, sha256(root), signature),
        (alice.public, conversation, count, root, signature[::-1]),
        (alice.public, conversation, count, root, signature[:-1]),
        (alice.public, conversation, count, root, b""),
    ]
    for author, where, size, top, bad in wrong:
        with pytest.raises(SignatureFailure):
            verify_batch(author, where, size, top, bad)


def test_a_whole_batch_from_signing_to_checking() -> None:
    """What the author makes, the recipient can check leaf by leaf, and no changed leaf passes."""
    alice, conversation = identity_key("alice"), conversation_id(b"a" * 32, b"b" * 32)
    batch = [replace(EXAMPLE, conversation=conversation, number=n).encode() for n in range(1, 6)]
    leaves = [leaf_hash(header) for header in batch]
    root = merkle_root(leaves)
    signature = alice.sign(batch_message(conversation, len(batch), root))
    verify_batch(alice.public, conversation, len(batch), root, signature)
    for index, header in enumerate(batch):
        path = merkle_path(index, leaves)
        assert path_root(leaf_hash(header), index, len(batch), path) == root
        forged = replace(Header.decode(header), number=99).encode()
        assert path_root(leaf_hash(forged), index, len(batch), path) != root
