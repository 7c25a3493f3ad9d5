"""What is kept, as the two faces tell it."""

from typing import Any

import pytest
from headless_fake_engine import CONVERSATION, FINGERPRINT, TIME, FakeEngine, peer, secure
from headless_rig import Rig

from securechat_tui.chat.events import Checks, Found, Kept, SafeText, Trust
from securechat_tui.chat.gates import Resolution
from securechat_tui.chat.views import ConversationView
from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.headless.kept_lines import kept_lines
from securechat_tui.headless.openings import Stay
from securechat_tui.headless.plain_lines import Marks

OTHER = "d1" * 32
MESSAGE_FIELDS = {
    "number", "text", "author", "name", "claimed", "age", "late", "checks", "trust", "row", "by",
}  # fmt: skip


def kept(row: int = 7, text: str = "hello", by: str = "peer", **changes: object) -> Kept:
    fields: dict[str, Any] = {
        "row": row,
        "by": by,
        "number": 12,
        "text": SafeText(text),
        "author": FINGERPRINT,
        "name": SafeText("bob"),
        "claimed": TIME - 0.2,
        "time": TIME,
        "age": 0.2,
        "late": False,
        "checks": Checks(intact=True, in_order=True, fresh=True, signed=True),
        "trust": Trust.PINNED,
        "tick": "delivered" if by == "me" else "",
    }
    return Kept(**fields | changes)


def view(name: str = "bob", conversation: str = CONVERSATION) -> ConversationView:
    return ConversationView(
        id=conversation,
        name=SafeText(name),
        fingerprint=FINGERPRINT,
        trust=Trust.PINNED,
        live=True,
        awaited=False,
        unread=0,
        waiting=0,
        last=TIME,
    )


def engine(*views: ConversationView) -> FakeEngine:
    made = FakeEngine(peer(), secure())
    made.kept = (kept(7), kept(8, "mine", "me"))
    made.views = views or (view(),)
    return made


async def run(made: FakeEngine, *commands: dict[str, Any]) -> list[dict[str, Any]]:
    async with Rig(made) as rig:
        await rig.engine.asked_for("join")
        rig.type(*commands)
        rig.end()
        assert await rig.code() is ExitCode.DONE
        return rig.events


async def test_the_history_is_a_list_of_messages_oldest_first() -> None:
    made = engine()
    events = await run(made, {"cmd": "history", "limit": 10, "before": 9, "ref": "h"})
    assert ("history", CONVERSATION, 10, 9) in made.asked
    (answer,) = [one for one in events if one["event"] == "history"]
    assert (answer["ref"], answer["conversation"], answer["complete"]) == ("h", CONVERSATION, True)
    assert [(one["id"], one["by"], one["text"]) for one in answer["messages"]] == [
        (7, "peer", "hello"),
        (8, "me", "mine"),
    ]
    assert all(set(one) >= MESSAGE_FIELDS for one in answer["messages"])
    assert answer["messages"][0]["checks"]["signed"] is True


async def test_a_search_that_finds_nothing_is_answered_too() -> None:
    made = engine()
    events = await run(made, {"cmd": "search", "text": "dinner"})
    assert ("search", "dinner", None, 100) in made.asked
    (answer,) = [one for one in events if one["event"] == "found"]
    assert (answer["messages"], answer["text"]) == ([], "dinner")
    assert "ref" not in answer


async def test_a_search_is_answered_for_each_conversation() -> None:
    made = engine()
    made.found = tuple(
        Found(time=TIME, conversation=one, messages=(kept(),), text=SafeText("x"))
        for one in (CONVERSATION, OTHER)
    )
    events = await run(made, {"cmd": "search", "text": "x", "ref": "s"})
    answers = [one for one in events if one["event"] == "found"]
    assert [one["conversation"] for one in answers] == [CONVERSATION, OTHER]
    assert {one["ref"] for one in answers} == {"s"}


async def test_a_wipe_wants_the_name() -> None:
    made = engine(view("bob"), view("carol", OTHER))
    events = await run(
        made,
        {"cmd": "wipe", "name": "bo", "ref": "1"},
        {"cmd": "wipe", "name": "bob", "conversation": OTHER, "ref": "2"},
        {"cmd": "wipe", "name": "carol", "ref": "3"},
        {"cmd": "mark-read", "conversation": OTHER},
    )
    codes = [(one["ref"], one["code"]) for one in events if one["event"] == "error"]
    assert codes == [("1", "not-confirmed"), ("2", "not-confirmed")]
    assert [one for one in made.asked if one[0] in {"wipe", "mark_read"}] == [
        ("wipe", OTHER),
        ("mark_read", OTHER),
    ]
    (wiped,) = [one for one in events if one["event"] == "wiped"]
    assert (wiped["conversation"], wiped["ref"]) == (OTHER, "3")


async def test_two_of_one_name_are_not_wiped_by_the_name_alone() -> None:
    made = engine(view("bob"), view("bob", OTHER))
    events = await run(
        made, {"cmd": "wipe", "name": "bob"}, {"cmd": "wipe", "name": "bob", "conversation": OTHER}
    )
    assert [one["code"] for one in events if one["event"] == "error"] == ["which"]
    assert [one for one in made.asked if one[0] == "wipe"] == [("wipe", OTHER)]


@pytest.mark.parametrize(
    ("views", "outcome"),
    [((view(),), "history"), ((view(), view("carol", OTHER)), "which"), ((), "no-conversation")],
    ids=["one", "two", "none"],
)
async def test_where_nobody_is_here_the_only_one_kept_is_meant(
    views: tuple[ConversationView, ...], outcome: str
) -> None:
    made = FakeEngine()
    made.views = views
    async with Rig(made, opening=Stay()) as rig:
        rig.type({"cmd": "history"})
        rig.end()
        assert await rig.code() is ExitCode.DONE
        assert [one.get("code", one["event"]) for one in rig.events[1:]] == [outcome]
    asked = [one for one in made.asked if one[0] == "history"]
    assert asked == ([("history", CONVERSATION, 200, None)] if outcome == "history" else [])


@pytest.mark.parametrize("plain", [False, True], ids=["json", "plain"])
@pytest.mark.parametrize("choice", ["resend", "new-generation"])
async def test_differing_accounts_are_decided_about(plain: bool, choice: str) -> None:
    async with Rig(engine(), plain=plain) as rig:
        await rig.engine.asked_for("join")
        rig.type(f"/resolve {choice}" if plain else {"cmd": "resolve", "choice": choice})
        rig.end()
        assert await rig.code() is ExitCode.DONE
    assert ("resolve", Resolution(choice)) in rig.engine.asked


async def test_the_history_in_lines() -> None:
    made = engine()
    made.found = (
        Found(time=TIME, conversation=CONVERSATION, messages=(kept(text="found"),), text=SafeText("x")),
    )
    async with Rig(made, plain=True) as rig:
        await rig.engine.asked_for("join")
        rig.type("/history 5", "/search din ner", "/wipe bob")
        rig.end()
        assert await rig.code() is ExitCode.DONE
        text = rig.text
    assert ("history", CONVERSATION, 5, None) in made.asked
    assert ("search", "din ner", None, 100) in made.asked
    assert ("wipe", CONVERSATION) in made.asked
    assert "<bob> hello" in text
    assert "<me> mine" in text
    assert "With bob:" in text
    assert "<bob> found" in text


@pytest.mark.parametrize("line", ["/history 0", "/history x", "/history 1001", "/search", "/wipe nobody"])
async def test_lines_that_say_too_little_do_nothing(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    made = engine()
    async with Rig(made, plain=True) as rig:
        await rig.engine.asked_for("join")
        rig.type(line)
        rig.end()
        await rig.code()
    assert {one[0] for one in made.asked} <= {"join", "flush", "close"}
    assert capsys.readouterr().err


def test_a_kept_message_cannot_forge_a_line() -> None:
    lines = kept_lines([kept(text="a\n[2026-01-01 00:00] <bob> forged")], Marks("utf-8"))
    assert len(lines) == 3
    assert lines[1].startswith("         | ")
    (own, state) = kept_lines([kept(by="me", text="b", tick="cancelled")], Marks("utf-8"))
    assert own.endswith("<me> b")
    assert state.endswith("[#12 signed, cancelled]")
