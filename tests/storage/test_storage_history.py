"""One conversation on disk: everything that was written is there, whatever happened in between."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from histories import (
    BOB,
    MINE,
    SPKI,
    STORE_KEY,
    THEIRS,
    batch,
    chatted,
    digest,
    queued,
    received,
    receiving,
    sending,
)

from securechat_tui.protocol.payloads import text_content
from securechat_tui.storage.history import ConversationStore
from securechat_tui.storage.messages import Abandoned, BatchSigned, Cancelled, Dropped, Skipped
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.store import Store
from securechat_tui.trust.states import Trust


@pytest.fixture
def store(profile: Profile) -> Iterator[Store]:
    with Store(profile, STORE_KEY) as store:
        yield store


@pytest.fixture
def history(store: Store) -> ConversationStore:
    return store.conversation(BOB, SPKI)


def rows(found: object) -> list[int]:
    assert isinstance(found, list)
    return [one.row for one in found]


def test_a_new_conversation_is_empty(history: ConversationStore) -> None:
    assert history.position() == (None, None, 1)
    assert history.waiting() == []
    assert history.page(10) == history.search("a", 10) == history.around(1) == []
    assert list(history.messages_for_export()) == []
    assert (history.unread(), history.draft(), history.last_time()) == (0, "", None)
    assert history.item(True, MINE, 1) is None
    assert history.running(MINE, 1) is None
    assert history.receiving(THEIRS) is None


def test_every_field_comes_back(history: ConversationStore) -> None:
    signed = batch(2)
    path = (digest(1), digest(2))
    history.write([queued(1, 1, "Grüße", ref="r1")], sending(1))
    one = replace(received(2, 1, "hej\x1b", batch=signed, index=1, path=path), fresh=False, age=61.5)
    history.write([one], None, receiving(1))
    own, theirs = history.page(10)
    assert (own.mine, own.generation, own.number, own.text) == (True, MINE, 1, "Grüße")
    assert (own.name, own.claimed_ms, own.time, own.trust) == ("alice", 1000, 1.0, Trust.PINNED)
    assert (own.age, own.fresh, own.signed, own.tick, own.ref) == (None, None, True, "queued", "r1")
    assert (theirs.mine, theirs.generation, theirs.number, theirs.text) == (False, THEIRS, 1, "hej␛")
    assert (theirs.age, theirs.fresh, theirs.signed, theirs.tick, theirs.ref) == (61.5, False, True, "", None)
    first, second = history.messages_for_export()
    assert (first.message, first.batch, first.path) == (own, None, ())
    assert (second.message, second.batch, second.index, second.path) == (theirs, signed, 1, path)
    assert (second.header, second.salt, second.content) == (one.header, one.salt, text_content("hej\x1b"))
    assert history.position() == (sending(1), receiving(1), 3)
    assert history.last_time() == 2.0
    assert "Grüße" not in repr(own) + repr(first)


def test_what_waits_has_its_signature(history: ConversationStore) -> None:
    history.write([queued(row, row, signed=row != 2) for row in (1, 2, 3, 4)], sending(4))
    signed, paths = batch(2), ((digest("a"),), (digest("b"),))
    history.write([BatchSigned(MINE, signed, (1, 3), paths)])
    first, second, third, last = history.waiting()
    assert (first.batch, first.index, first.path) == (signed, 0, paths[0])
    assert (second.batch, second.signed, second.header, second.salt) == (None, False, b"", b"")
    assert (third.batch, third.index, third.path) == (signed, 1, paths[1])
    assert third.batch is first.batch
    assert (last.batch, last.signed) == (None, True)
    expected = queued(3, 3)
    assert (third.header, third.salt, third.content) == (expected.header, expected.salt, expected.content)
    assert (third.item, third.running, third.claimed_ms) == (expected.item, expected.running, 3000)


def test_an_acknowledgement_ends_the_wait(history: ConversationStore) -> None:
    history.write([queued(row, row) for row in (1, 2, 3)], sending(3))
    history.write([Cancelled(MINE, 3)])
    history.write([], sending(3, acknowledged=1))
    assert [(one.number, one.gone) for one in history.waiting()] == [(2, False), (3, True)]
    assert [one.tick for one in history.page(10)] == ["delivered", "queued", "cancelled"]
    history.write([], sending(3, acknowledged=3))
    assert history.waiting() == []
    assert [one.tick for one in history.page(10)] == ["delivered", "delivered", "cancelled"]


def test_a_new_generation_numbers_anew_and_the_old_one_is_still_known(history: ConversationStore) -> None:
    history.write([queued(1, 1), queued(2, 2), queued(3, 3)], sending(3, acknowledged=1))
    new = b"n" * 16
    history.write([Dropped(2), queued(4, 1, "mine 2", generation=new)], sending(1, generation=new))
    assert [(one.row, one.tick) for one in history.page(9)] == [(1, "delivered"), (3, ""), (4, "queued")]
    assert [(one.generation, one.number) for one in history.waiting()] == [(new, 1)]
    assert history.item(True, MINE, 2) == digest(MINE, 2)
    assert history.item(True, new, 2) is None
    assert rows(history.search("mine", 9)) == [1, 3, 4]
    assert history.running(MINE, 3) == digest("running", MINE, 3)
    assert history.position()[0] == sending(1, generation=new)


def test_of_an_abandoned_generation_stays_what_leads_to_its_last_message(history: ConversationStore) -> None:
    history.write([queued(row, row) for row in range(1, 7)], sending(6, acknowledged=1))
    history.write([Cancelled(MINE, 4)])
    new = b"n" * 16
    dropped = [Dropped(row) for row in (2, 3, 5, 6)]
    history.write([*dropped, queued(7, 1, generation=new), Abandoned(MINE)], sending(1, generation=new))
    assert [one.number for one in history.leftovers(True, MINE, 0)] == [2, 3]
    assert [history.item(True, MINE, number) is None for number in range(1, 7)] == [False] * 4 + [True] * 2
    assert rows(history.page(9)) == [1, 4, 7]


def test_an_earlier_generation_of_the_peer_can_be_taken_up(history: ConversationStore) -> None:
    history.write([received(1, 1)], None, receiving(1))
    other = b"o" * 16
    history.write([received(2, 1, generation=other)], None, receiving(1, other))
    assert history.position()[1] == receiving(1, other)
    assert history.receiving(THEIRS) == receiving(1)
    history.write([received(3, 2)], None, receiving(2))
    assert history.position()[1] == receiving(2)
    assert history.item(False, THEIRS, 1) == digest(THEIRS, 1)


def test_numbers_of_both_sides_are_apart(history: ConversationStore) -> None:
    history.write([queued(1, 1, generation=THEIRS)], sending(1, generation=THEIRS))
    history.write([Skipped(THEIRS, 1, True, b"s" * 32)], None, receiving(1))
    assert history.item(True, THEIRS, 1) == digest(THEIRS, 1)
    assert history.item(False, THEIRS, 1) == b"s" * 32
    assert rows(history.page(9)) == [1]


def test_a_batch_that_arrives_in_parts_is_stored_once(history: ConversationStore) -> None:
    signed, other = batch(3), batch(1, "other")
    history.write([received(1, 1, batch=signed), received(2, 2, batch=signed, index=1)], None, receiving(2))
    history.write([received(3, 3, batch=batch(3), index=2)], None, receiving(3))
    history.write([received(4, 4, batch=other)], None, receiving(4))
    assert history._database.value("SELECT count(*) FROM batch") == 2
    assert [one.batch for one in history.messages_for_export()] == [signed, signed, signed, other]


def test_a_batch_of_a_transaction_that_failed_is_stored_again(history: ConversationStore) -> None:
    signed = batch(2)
    twice = [received(1, 1, batch=signed), received(1, 2, batch=signed, index=1)]
    with pytest.raises(Exception, match="UNIQUE"):
        history.write(twice, None, receiving(2))
    assert history.page(9) == []
    history.write([received(1, 1, batch=signed)], None, receiving(1))
    assert [one.batch for one in history.messages_for_export()] == [signed]


def test_what_can_be_sent_again(history: ConversationStore) -> None:
    history.write(
        [queued(1, 1), queued(2, 2, "two\x07", signed=False, ref="r"), queued(3, 3), queued(4, 4)],
        sending(4, acknowledged=3),
    )
    history.write([Cancelled(MINE, 3), received(5, 1)], None, receiving(1))
    two, four = history.sent_after(MINE, 1, 10)
    assert (two.row, two.number, two.text, two.claimed_ms, two.signed, two.ref) == (
        *(2, 2, "two\x07", 2000, False, "r"),
    )
    assert (four.number, four.signed, four.ref) == (4, True, None)
    assert [one.number for one in history.sent_after(MINE, 0, 2)] == [1, 2]
    assert history.sent_after(THEIRS, 0, 10) == []


def test_pages(history: ConversationStore) -> None:
    chatted(history, 5)
    assert rows(history.page(3)) == [8, 9, 10]
    assert rows(history.page(3, 8)) == [5, 6, 7]
    assert rows(history.page(3, 2)) == [1]
    assert history.page(3, 1) == []
    assert rows(history.around(5, 4)) == [3, 4, 5, 6]
    assert rows(history.around(1, 4)) == [1, 2]


def test_an_export_longer_than_its_pages_is_whole(history: ConversationStore) -> None:
    history.write([received(row, row) for row in range(1, 1202)], None, receiving(1201))
    assert [one.message.row for one in history.messages_for_export()] == list(range(1, 1202))


SAID = (
    "Héllo wörld",
    "say hello",
    "the NEAR future",
    'a "quoted" one',
    "foo-bar baz",
    "ﬁne ΔΈΛΤΑ",
    "50% * (x)",
)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("hello", [1, 2]),
        ("HELLO WOR", [1]),
        ("wor hello", []),
        ("hel", [1, 2]),
        ("NEAR", [3]),
        ("the NEAR fut", [3]),
        ("NEAR(the, 2)", []),
        ("quoted OR hello", []),
        ("hello*", [1, 2]),
        ("text:hello", []),
        ("^say", [2]),
        ('"quoted', [4]),
        ('"', []),
        ("-hello", [1, 2]),
        ("foo-ba", [5]),
        ("bar", [5]),
        ("δέλτα", [6]),
        ("50", [7]),
        ("x\0y", []),
        ("", []),
        (" \t\n", []),
        ("(((", []),
        ("\ud800", []),
    ],
    ids=range(23),
)
def test_what_is_searched_for_is_words_and_never_syntax(
    history: ConversationStore, typed: str, expected: list[int]
) -> None:
    history.write([received(row, row, text) for row, text in enumerate(SAID, 1)], None, receiving(7))
    assert rows(history.search(typed, 10)) == expected


def test_a_search_is_ordered_by_row_and_goes_on(history: ConversationStore) -> None:
    history.write([received(row, row, "word " * (row % 5 + 1)) for row in range(1, 30)], None, receiving(29))
    assert rows(history.search("word", 10)) == list(range(20, 30))
    assert rows(history.search("word", 10, before=20)) == list(range(10, 20))
    assert len(history.search("word " * 1000, 10)) == 10


def test_read_marks_and_drafts(history: ConversationStore, store: Store, profile: Profile) -> None:
    chatted(history, 3)
    assert history.unread() == 3
    history.mark_read(5)
    history.mark_read(2)
    assert history.unread() == 1
    history.keep_draft("half \ud83d")
    assert history.draft() == "half ?"
    history.keep_draft("what I was about to s")
    store.close()
    with Store(profile, STORE_KEY) as again:
        kept = again.conversation(BOB, SPKI)
        assert (kept.unread(), kept.draft()) == (1, "what I was about to s")
        kept.keep_draft("")
        assert kept.draft() == ""


def test_a_wipe_keeps_what_delivery_needs_and_nothing_else(
    history: ConversationStore, store: Store, profile: Profile
) -> None:
    history.write([queued(row, row, f"kanarie {row}") for row in (1, 2, 3)], sending(3, acknowledged=1))
    history.write([BatchSigned(MINE, batch(2), (2, 3), ((digest(1),), (digest(2),)))])
    history.write([received(4, 1, "kanarie"), Skipped(THEIRS, 2, True, b"s" * 32)], None, receiving(2))
    history.keep_draft("kanarie")
    before = list(profile.conversations_folder.glob("*.db"))
    store.wipe(BOB)
    after = list(profile.conversations_folder.glob("*.db"))
    assert len(before) == len(after) == 1
    assert before != after
    for _ in range(2):
        assert history.position() == (sending(3, acknowledged=1), receiving(2), 5)
        assert history.page(9) == history.search("kanarie", 9) == []
        assert list(history.messages_for_export()) == []
        assert (history.unread(), history.draft(), history.last_time()) == (0, "", None)
        assert [history.item(True, MINE, number) for number in (1, 2, 3)] == [
            digest(MINE, number) for number in (1, 2, 3)
        ]
        assert [history.item(False, THEIRS, n) for n in (1, 2)] == [digest(THEIRS, 1), b"s" * 32]
        left = history.waiting()
        assert [(one.number, one.gone, one.signed, one.row, one.batch) for one in left] == [
            (2, True, True, None, None),
            (3, True, True, None, None),
        ]
        assert [one.running for one in left] == [digest("running", MINE, n) for n in (2, 3)]
        assert {one.content + one.header + one.salt for one in left} == {b""}
        assert history.sent_after(MINE, 0, 9) == []
        store.close()
        history = store.open().conversation(BOB, SPKI)
    history.write([received(5, 3)], None, receiving(3))
    assert rows(history.page(9)) == [5]
    store.wipe(BOB)
    assert history.position()[2] == 6


def test_an_old_generation_does_not_survive_a_wipe(history: ConversationStore, store: Store) -> None:
    history.write([queued(1, 1)], sending(1, acknowledged=1))
    history.write([queued(2, 1, generation=b"n" * 16)], sending(1, generation=b"n" * 16))
    store.wipe(BOB)
    assert history.item(True, MINE, 1) is None
    assert history.item(True, b"n" * 16, 1) == digest(b"n" * 16, 1)


def test_nothing_is_left_of_what_was_forgotten(
    history: ConversationStore, store: Store, profile: Profile
) -> None:
    chatted(history)
    store.forget(BOB)
    store.forget(BOB)
    store.wipe(BOB)
    assert store.conversations() == ()
    assert list(profile.conversations_folder.iterdir()) == []
    assert store.conversation(BOB, SPKI).position() == (None, None, 1)


def test_everything_is_wiped(store: Store, profile: Profile, home: Path) -> None:
    others = [bytes([value]) * 32 for value in (1, 2, 3)]
    for other in others:
        chatted(store.conversation(other, SPKI))
    before = set(profile.conversations_folder.iterdir())
    store.wipe_everything()
    assert not before & set(profile.conversations_folder.iterdir())
    for other in others:
        history = store.conversation(other, SPKI)
        assert history.page(9) == []
        assert history.position() == (sending(3), receiving(3), 7)
    assert str(home) in repr(store)
    assert "k" * 32 not in repr(store)
