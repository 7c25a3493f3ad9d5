"""Entries, rows and anchors, against a plain list of heights."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from securechat_tui.chat.events import SafeText
from securechat_tui.tui.widgets.log_entries import (
    Entry,
    LocalDays,
    MessageEntry,
    NoticeEntry,
    Tick,
    clock_text,
    pack,
    unpack,
)
from securechat_tui.tui.widgets.log_layout import Extent, Line, wrap
from securechat_tui.tui.widgets.log_model import LogModel, status_text
from securechat_tui.tui.widgets.log_rows import RowTable
from securechat_tui.tui.widgets.log_store import CHUNK, EntryStore

NOON = 1_763_726_400.0
DAY = 86_400.0


def message(
    number: int,
    text: str = "hello",
    *,
    time: float | None = None,
    own: bool = False,
    tick: Tick | None = None,
    late: bool = False,
    verdict: str = "",
) -> MessageEntry:
    return MessageEntry(
        id=f"m{number}",
        time=NOON + number if time is None else time,
        nick=SafeText("bob"),
        text=SafeText(text),
        own=own,
        tick=tick,
        late=late,
        verdict=verdict,
    )


def filled(count: int, words: int = 30) -> LogModel:
    model = LogModel()
    for number in range(count):
        model.append(message(number, f"message {number} " + "lorem ipsum " * (number * 7 % words)))
    return model


def exact_heights(model: LogModel) -> list[int]:
    return [model.measure(index) for index in range(len(model))]


entries = st.one_of(
    st.builds(
        MessageEntry,
        id=st.text(),
        time=st.floats(allow_nan=False),
        nick=st.text().map(SafeText),
        text=st.text().map(SafeText),
        own=st.booleans(),
        verdict=st.text(st.characters(exclude_categories=())),
        late=st.booleans(),
        tick=st.sampled_from([None, *Tick]),
    ),
    st.builds(NoticeEntry, time=st.floats(allow_nan=False), text=st.text().map(SafeText)),
)


@given(st.lists(entries))
def test_packing_loses_nothing(several: list[Entry]) -> None:
    assert unpack(pack(several)) == several


def test_the_store_is_a_sequence_whose_entries_can_be_replaced() -> None:
    store = EntryStore()
    expected = [message(number) for number in range(CHUNK * 20 + 3)]
    for entry in expected:
        store.append(entry)
    for index in (0, CHUNK - 1, CHUNK * 19, len(expected) - 1):
        expected[index] = message(index, "another")
        store.replace(index, expected[index])
    assert [store[index] for index in range(len(store))] == expected
    with pytest.raises(IndexError):
        store[len(expected)]


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(0, 400), st.booleans()), min_size=1, max_size=200),
    st.integers(1, 90),
    st.data(),
)
@settings(max_examples=60)
def test_rows_agree_with_a_plain_list(
    extents: list[tuple[int, int, bool]], width: int, data: st.DataObject
) -> None:
    table = RowTable()
    for lines, cells, day_rule in extents:
        table.append(Extent(lines, cells), day_rule=day_rule)
    table.resize(width)
    heights = [data.draw(st.integers(1, 40)) for _ in extents]
    for index in data.draw(st.permutations(range(len(extents)))):
        table.set_measured(index, heights[index])
    assert table.height == sum(heights)
    assert [table.row_of(index) for index in range(len(heights))] == [
        sum(heights[:index]) for index in range(len(heights))
    ]
    rows = [(index, offset) for index, height in enumerate(heights) for offset in range(height)]
    assert [table.locate(row) for row in range(len(rows))] == rows
    assert table.locate(10**6) == rows[-1]
    assert table.locate(-1) == rows[0]


@given(st.integers(1, 300), st.integers(1, 120))
@settings(max_examples=40)
def test_the_height_is_the_number_of_lines_once_all_is_measured(count: int, width: int) -> None:
    model = filled(count)
    model.resize(width)
    heights = exact_heights(model)
    assert model.height == sum(heights)
    assert heights == [model.layout(index).height for index in range(count)]


@given(st.integers(2, 400), st.integers(20, 120), st.integers(20, 120), st.floats(0, 1), st.integers(1, 50))
@settings(max_examples=40)
def test_measuring_does_not_move_what_an_anchor_holds(
    count: int, before: int, after: int, share: float, rows: int
) -> None:
    model = filled(count)
    model.resize(before)
    anchor = model.anchor_at(int(share * model.height))
    model.settle(anchor.entry, rows)
    assert model.anchor_at(model.row_at(anchor)) == anchor
    model.resize(after)
    model.settle(anchor.entry, rows)
    held = model.anchor_at(model.row_at(anchor))
    assert (held.entry, held.head) == (anchor.entry, anchor.head)
    lines = model.layout(anchor.entry).lines
    if anchor.head < 0:
        following = [line.start for line in lines if line.start > held.character]
        assert held.character <= anchor.character
        assert not following or anchor.character < following[0]


def test_settling_makes_everything_within_reach_exact() -> None:
    model = filled(1000)
    model.settle(500, 40)
    first = model.row_of(500)
    assert model.height > first + 40
    assert [model.locate(row) for row in range(first, first + 40)] == [
        (index, offset) for index in range(500, 560) for offset in range(model.layout(index).height)
    ][:40]


def test_a_day_rule_stands_wherever_the_local_day_changes() -> None:
    model = LogModel()
    days = [0, 0, 1, 1, 3]
    for number, day in enumerate(days):
        model.append(message(number, time=NOON + day * DAY))
    model.append(message(9, time=float("inf")))
    model.append(message(10, time=NOON + 3 * DAY + 5))
    assert [len(model.layout(index).head) for index in range(len(model))] == [1, 0, 1, 0, 1, 0, 0]


@pytest.mark.parametrize("wild", [float("nan"), float("inf"), -float("inf"), 1e300, -1e18])
def test_a_time_no_calendar_knows_has_no_day(wild: float) -> None:
    assert LocalDays().day(wild) is None
    assert clock_text(wild) == "--:--"


def marked(model: LogModel) -> tuple[int | None, int]:
    return model.marker.place, model.marker.count


def test_the_marker_stands_above_the_first_message_received_after_it_was_set() -> None:
    model = filled(3)
    model.set_marker()
    model.append(message(3, own=True, tick=Tick.SENT))
    model.append(NoticeEntry(time=NOON, text=SafeText("note")))
    assert marked(model) == (None, 0)
    for number in (5, 6):
        model.append(message(number))
    assert marked(model) == (5, 2)
    height = model.measure(5)
    model.set_marker()
    assert marked(model) == (None, 0)
    assert model.measure(5) == height - 1


def test_a_tick_goes_its_way_until_it_is_delivered() -> None:
    model = filled(CHUNK)
    model.append(message(CHUNK, own=True, tick=Tick.QUEUED))
    for number in range(CHUNK + 1, 3 * CHUNK):
        model.append(message(number))
    for tick, status in ((Tick.SENT, "✓"), (Tick.FAILED, "! failed"), (Tick.DELIVERED, "✓✓")):
        assert model.update_tick(f"m{CHUNK}", tick) == CHUNK
        assert model.layout(CHUNK).status == status
    assert model.update_tick(f"m{CHUNK}", Tick.SENT) is None
    assert model.update_tick("m0", Tick.SENT) is None


def test_a_message_keeps_its_lines_from_queued_to_delivered() -> None:
    model = LogModel()
    model.append(message(0, "word " * 50, own=True, tick=Tick.QUEUED))
    lines = model.layout(0).lines
    for tick in (Tick.SENT, Tick.DELIVERED):
        model.update_tick("m0", tick)
        assert model.layout(0).lines == lines


def test_late_is_said_in_a_word() -> None:
    assert status_text(message(0, late=True)) == "~ late"
    assert status_text(message(0, late=True, verdict="✓ signed")) == "✓ signed ~ late"


def test_only_what_is_near_the_viewport_is_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    wrapped: list[str] = []

    def counting(text: str, width: int) -> list[Line]:
        wrapped.append(text)
        return wrap(text, width)

    monkeypatch.setattr("securechat_tui.tui.widgets.log_model.wrap", counting)
    model, reach = LogModel(), 40
    for number in range(20_000):
        model.append(message(number, f"message {number} " + "word " * (number % 30)))
    assert model.height >= len(model)
    assert wrapped == []
    for center, width in ((len(model) - 1, 80), (7_000, 80), (7_000, 31), (0, 120)):
        model.resize(width)
        model.settle(center, reach)
        assert len(wrapped) <= 2 * reach + 1
        wrapped.clear()
