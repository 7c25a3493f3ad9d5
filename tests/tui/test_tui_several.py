"""Several conversations: one is on the screen, and only the person changes that."""

import asyncio
from dataclasses import replace

import pytest
from fake_engine import CONVERSATION, FakeEngine, closed, code, contact, gate, key_changed
from several import BOB, comes, fingerprint, place, says, view
from stage import Stage, in_conversation, on_stage
from textual.pilot import Pilot

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import SafeText, Trust
from securechat_tui.tui.interrupt import SECONDS_TO_PAUSE
from securechat_tui.tui.opening import HostAt
from securechat_tui.tui.screens.alarm import AlarmScreen
from securechat_tui.tui.screens.conversations import ConversationsScreen
from securechat_tui.tui.screens.unsigned import UnsignedScreen
from securechat_tui.tui.screens.verify import VerifyScreen
from securechat_tui.tui.widgets.conversation_list import ConversationList, ConversationStrip, Places


class Hesitating(FakeEngine):
    """An engine that takes its time to say that it has no room for a message."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = asyncio.Event()

    async def send(
        self,
        text: str,
        *,
        ref: str | None = None,
        conversation: str | None = None,
        signed: bool | None = None,
    ) -> None:
        assert (text, conversation) == ("for bob alone", BOB)
        await self.goes_on.wait()
        raise CommandError("no-space", "The disk is full.")


SIZES = [(120, 36), (80, 24), (50, 20)]
CAROL, DAVE = place("carol"), place("dave")


async def also(stage: Stage, *names: str) -> None:
    """More people come in."""
    for name in names:
        stage.engine.emit(*comes(name))
    await stage.settle()


def here(stage: Stage) -> str | None:
    return stage.app.state.conversation


def draft(stage: Stage) -> str:
    return stage.app.chat.composer.text


def list_is_shown(stage: Stage) -> bool:
    chat = stage.app.chat
    return bool(chat.query_one("#list-frame").display or chat.query_one(ConversationStrip).display)


@pytest.mark.parametrize("size", SIZES)
async def test_with_one_conversation_there_is_no_list(size: tuple[int, int]) -> None:
    async with in_conversation(size=size) as stage:
        assert not list_is_shown(stage)
        stage.engine.emit(says("bob", 1, "hello"))
        await stage.settle()
        assert stage.shows("hello")
        await stage.press("alt+down")
        assert stage.shows("no other conversation")
        assert here(stage) == BOB


@pytest.mark.parametrize("size", SIZES)
async def test_a_second_one_brings_the_list_and_takes_nothing(size: tuple[int, int]) -> None:
    async with in_conversation(size=size) as stage:
        stage.app.chat.composer.put("my draft")
        await also(stage, "carol")
        assert list_is_shown(stage)
        assert here(stage) == BOB
        assert draft(stage) == "my draft"
        assert stage.app.chat.composer.has_focus
        assert stage.shows("carol is here")


async def test_what_is_said_elsewhere_is_counted_and_stays_there() -> None:
    async with in_conversation() as stage:
        await also(stage, "carol", "dave")
        stage.engine.emit(
            says("carol", 1, "a word for you"), says("carol", 2, "another"), says("bob", 1, "hi")
        )
        await stage.settle()
        assert not stage.shows("a word for you")
        talks = stage.app.state.talks
        assert [talks[one].unread for one in (BOB, CAROL, DAVE)] == [0, 2, 0]
        await stage.press("alt+a")
        assert here(stage) == CAROL
        assert stage.shows("a word for you")
        assert stage.shows("─ 2 new ─")
        await stage.settle()
        assert talks[CAROL].unread == 0
        assert ("mark_read", CAROL) in stage.engine.calls
        await stage.press("alt+a")
        assert here(stage) == CAROL
        assert stage.shows("Nothing waits in another")


async def test_up_and_down_go_round_the_house_and_everybody() -> None:
    async with in_conversation() as stage:
        await also(stage, "carol", "dave")
        ways = []
        for key in (*["alt+down"] * 4, *["alt+up"] * 2):
            await stage.press(key)
            ways.append(here(stage))
        assert ways == [CAROL, DAVE, None, BOB, None, DAVE]


async def test_each_keeps_its_draft_its_earlier_inputs_its_place_and_its_search() -> None:
    async with in_conversation(size=(80, 24)) as stage:
        stage.engine.emit(*(says("bob", number, f"word {number}") for number in range(1, 80)))
        await also(stage, "carol")
        await stage.enter("said to bob")
        stage.app.chat.composer.put("for bob")
        await stage.press("pageup", "pageup")
        before = stage.app.chat.log_view.scroll_offset.y
        await stage.press("alt+down")
        assert here(stage) == CAROL
        assert draft(stage) == ""
        await stage.press("up")
        assert draft(stage) == ""
        await stage.type("for carol")
        await stage.press("alt+up")
        assert draft(stage) == "for bob"
        await stage.press("up")
        assert draft(stage) == "said to bob"
        await stage.press("down")
        assert draft(stage) == "for bob"
        assert stage.app.chat.log_view.scroll_offset.y == before
        await stage.enter("/find word 7")
        assert stage.shows("1 of 11")
        await stage.press("enter", "enter")
        place_in_log = stage.app.chat.log_view.scroll_offset.y
        await stage.press("alt+down")
        assert draft(stage) == "for carol"
        assert not stage.shows("⌕ Find")
        await stage.press("alt+up")
        assert stage.shows("⌕ Find")
        assert stage.shows("3 of 11")
        assert stage.app.chat.log_view.scroll_offset.y == place_in_log
        assert stage.app.chat.composer.has_focus


async def test_letters_typed_before_the_key_stay_and_those_after_it_go() -> None:
    async with in_conversation() as stage:
        await also(stage, "carol")
        await stage.pilot.press("a", "b", "alt+down", "c", "d", "alt+up", "e")
        await stage.settle()
        assert draft(stage) == "abe"
        await stage.press("alt+down")
        assert draft(stage) == "cd"


async def test_what_is_sent_goes_to_whom_it_was_typed_for_and_comes_back_there() -> None:
    engine = Hesitating()
    async with in_conversation(engine=engine) as stage:
        await also(stage, "carol")
        stage.app.chat.composer.put("for bob alone")
        await stage.pilot.press("enter", "alt+down")
        engine.goes_on.set()
        await stage.settle()
        assert here(stage) == CAROL
        assert draft(stage) == ""
        assert stage.shows("The disk is full.")
        await stage.press("alt+up")
        assert draft(stage) == "for bob alone"


async def test_what_comes_back_elsewhere_is_kept_at_the_end() -> None:
    engine = Hesitating()
    async with in_conversation(engine=engine) as stage:
        await also(stage, "carol", "dave")
        stage.app.chat.composer.put("for bob alone")
        await stage.pilot.press("enter", "alt+down", "a")
        engine.failures["keep_draft"] = CommandError("no-space", "The disk is full.")
        engine.goes_on.set()
        await stage.settle()
        stage.app.leave_program()
        await stage.until(lambda: len(stage.calls("keep_draft")) > 1)
    assert stage.calls("keep_draft") == [("keep_draft", BOB, "for bob alone"), ("keep_draft", CAROL, "a")]


async def test_names_and_the_house_can_be_gone_to() -> None:
    engine = FakeEngine(contacts=(contact("erin"),))
    engine.views = (replace(view("erin"), fingerprint=fingerprint("bob")),)
    async with in_conversation(engine=engine) as stage:
        await also(stage, "carol")
        await stage.enter("/go CAROL")
        assert here(stage) == CAROL
        await stage.enter("/go erin")
        assert here(stage) == place("erin")
        assert stage.shows("not connected")
        await stage.enter("/go house")
        assert here(stage) is None
        await stage.enter("/go nobody")
        assert stage.shows("Nothing is kept with nobody yet")


async def test_without_a_name_all_are_listed_and_enter_goes_there() -> None:
    engine = FakeEngine()
    engine.views = (view("erin"),)
    async with in_conversation(engine=engine, size=(80, 24)) as stage:
        await also(stage, "carol")
        await stage.enter("/go")
        assert isinstance(stage.app.screen, ConversationsScreen)
        for words in ("house", "bob", "carol", "erin", "◆ PINNED", "● here", "○ away"):
            assert stage.shows(words)
        await stage.press("down", "down", "enter")
        assert here(stage) == place("erin")
        await stage.enter("/go")
        await stage.press("escape")
        assert here(stage) == place("erin")


@pytest.mark.parametrize(("size", "offset"), [((120, 36), (5, 3)), ((80, 24), (16, 0))])
async def test_the_mouse_goes_there(size: tuple[int, int], offset: tuple[int, int]) -> None:
    async with in_conversation(size=size) as stage:
        await also(stage, "carol")
        widget = ConversationList if size[0] > 100 else ConversationStrip
        await click(stage.pilot, widget, offset)
        await stage.settle()
        assert here(stage) == CAROL
        await click(stage.pilot, widget, (2, 0))
        await stage.settle()
        assert here(stage) is None


async def click(pilot: Pilot[int], widget: type[Places], offset: tuple[int, int]) -> None:
    assert await pilot.click(widget, offset=offset)


async def test_whom_the_person_has_joined_comes_to_the_screen_unless_something_is_typed() -> None:
    async with in_conversation() as stage:
        await stage.enter("/join carol")
        stage.engine.emit(*comes("carol", role="host"))
        await stage.settle()
        assert here(stage) == CAROL
        await stage.enter("/talk dave")
        assert stage.calls("talk") == [("talk", "dave")]
        stage.app.chat.composer.put("half a sentence")
        stage.engine.emit(*comes("dave", role="host"))
        await stage.settle()
        assert here(stage) == CAROL
        assert draft(stage) == "half a sentence"
        assert stage.shows("dave is here")


async def test_who_comes_back_does_not_take_the_place_of_whom_the_person_has_joined() -> None:
    async with in_conversation() as stage:
        await also(stage, "carol")
        await stage.press("alt+down")
        stage.engine.emit(closed("lost", will_retry=True))
        await stage.settle()
        await stage.enter("/join dave")
        stage.engine.emit(*comes("bob", role="host", returning=True), *comes("erin"))
        await stage.settle()
        assert here(stage) == CAROL
        assert stage.shows("bob is here")
        stage.engine.emit(*comes("dave", role="host"))
        await stage.settle()
        assert here(stage) == DAVE


def knowing(name: str) -> FakeEngine:
    return FakeEngine(contacts=(replace(contact(name), fingerprint=fingerprint(name)),))


@pytest.mark.parametrize("role", ["host", "guest"])
async def test_with_whom_the_person_talks_comes_to_the_screen_whoever_has_called(role: str) -> None:
    async with in_conversation(engine=knowing("dave")) as stage:
        await also(stage, "carol")
        await stage.enter("/talk Dave")
        stage.engine.emit(*comes("erin", role="host", returning=True))
        await stage.settle()
        assert here(stage) == BOB
        stage.engine.emit(*comes("dave", role=role, returning=role == "host"))
        await stage.settle()
        assert here(stage) == DAVE


@pytest.mark.parametrize("is_cut", [False, True])
async def test_what_is_written_in_the_house_reaches_nobody_who_is_in_a_conversation(is_cut: bool) -> None:
    async with in_conversation() as stage:
        if is_cut:
            stage.engine.emit(closed(will_retry=True))
        await stage.enter("/go house")
        await stage.enter("/join dave")
        await stage.enter("/go house")
        await stage.enter("for dave")
        assert stage.calls("send") == []
        assert stage.app.chat.composer.text == "for dave"
        assert stage.shows("Nobody reads what is written in the house")


@pytest.mark.parametrize("command", ["talk", "join"])
async def test_a_stranger_of_the_name_that_was_asked_for_in_vain_does_not_come_to_the_screen(
    command: str,
) -> None:
    async with in_conversation() as stage:
        await also(stage, "carol")
        stage.engine.failures[command] = CommandError("unknown-contact", "No contact is called dave.")
        await stage.enter(f"/{command} dave")
        stage.engine.emit(*comes("dave", Trust.NEW, role="host"))
        await stage.settle()
        assert here(stage) == BOB


async def test_who_says_the_name_of_a_contact_that_is_sought_does_not_come_to_the_screen() -> None:
    async with in_conversation(engine=knowing("dave")) as stage:
        await also(stage, "carol")
        await stage.enter("/talk dave")
        stage.engine.emit(*comes("dave", Trust.NEW, other="another key"))
        await stage.settle()
        assert here(stage) == BOB


async def test_after_leaving_nobody_comes_to_the_screen() -> None:
    async with in_conversation() as stage:
        await also(stage, "carol")
        await stage.enter("/join dave")
        await stage.enter("/leave")
        stage.engine.emit(*comes("dave", role="host"))
        await stage.settle()
        assert here(stage) == BOB


async def test_who_has_gone_elsewhere_meanwhile_stays_there() -> None:
    async with in_conversation() as stage:
        await also(stage, "carol")
        await stage.enter("/join dave")
        await stage.press("alt+down")
        stage.engine.emit(*comes("dave", role="host"))
        await stage.settle()
        assert here(stage) == CAROL
        assert stage.shows("dave is here")


async def test_what_is_of_the_house_is_told_there_and_where_the_person_is() -> None:
    async with on_stage(HostAt("0.0.0.0:8000")) as stage:
        stage.engine.emit(*comes("bob"), *comes("carol"))
        await stage.settle()
        await stage.enter("/host stop")
        assert stage.shows("No longer waiting for guests.")
        await stage.press("alt+up")
        assert here(stage) is None
        assert stage.shows("No longer waiting for guests.")
        await stage.press("alt+up")
        assert here(stage) == CAROL
        assert not stage.shows("No longer waiting for guests.")


async def test_text_typed_before_the_first_guest_stands_in_their_conversation() -> None:
    engine = FakeEngine()
    engine.write = engine.deliver = False
    async with on_stage(HostAt("0.0.0.0:8000"), engine=engine) as stage:
        stage.app.chat.composer.put("half")
        stage.engine.emit(*comes("bob"))
        await stage.settle()
        assert here(stage) == BOB
        assert draft(stage) == "half"


async def test_a_question_elsewhere_waits_until_the_person_goes_there() -> None:
    async with in_conversation() as stage:
        stage.app.chat.composer.put("my draft")
        stage.engine.emit(*comes("carol", flows=False))
        stage.engine.emit(replace(gate("unsigned", "carol takes signed messages only."), conversation=CAROL))
        await stage.settle()
        assert here(stage) == BOB
        assert not stage.app.chat.composer.disabled
        assert stage.shows("The conversation with carol stands still")
        assert stage.shows("! question")
        stage.clock.now += SECONDS_TO_PAUSE
        await stage.press("alt+a")
        assert isinstance(stage.app.screen, UnsignedScreen)
        assert stage.app.chat.composer.disabled
        stage.clock.now += SECONDS_TO_PAUSE
        await stage.press("right", "enter")
        assert len(stage.calls("resolve")) == 1
        await stage.press("alt+up")
        assert here(stage) == BOB
        assert draft(stage) == "my draft"
        assert not stage.app.chat.composer.disabled


async def test_codes_elsewhere_wait_as_well() -> None:
    async with in_conversation() as stage:
        await also(stage, "carol")
        stage.engine.emit(replace(code(), conversation=CAROL))
        await stage.settle()
        assert here(stage) == BOB
        assert not isinstance(stage.app.screen, VerifyScreen)
        assert stage.shows("There are codes to compare with carol")
        assert stage.shows("! codes")
        await stage.press("alt+a")
        assert isinstance(stage.app.screen, VerifyScreen)
        assert stage.shows("unicorn")


async def test_an_alarm_about_somebody_else_names_them_and_waits() -> None:
    async with in_conversation() as stage:
        await also(stage, "carol")
        stage.engine.emit(replace(closed("lost"), conversation=CAROL))
        whom = SafeText.name("carol")
        stage.engine.emit(replace(key_changed(target=""), contact=whom, expected=fingerprint("carol")))
        await stage.settle()
        assert not isinstance(stage.app.screen, AlarmScreen)
        assert stage.shows("✖ KEY CHANGED: carol")
        assert stage.shows("! KEY CHANGED")
        assert not stage.app.chat.composer.disabled
        await stage.press("alt+a")
        assert isinstance(stage.app.screen, AlarmScreen)
        assert stage.shows("carol's key is DIFFERENT")
        stage.clock.now += SECONDS_TO_PAUSE
        await stage.press("enter")
        assert stage.calls("leave") == []
        assert not stage.app.chat.composer.disabled


async def test_to_host_at_a_gate_opens_nothing() -> None:
    async with on_stage() as stage:
        stage.engine.emit(*comes("bob", Trust.CHANGED, flows=False), gate("comparison", "Nothing is sent."))
        await stage.settle()
        assert stage.app.chat.composer.disabled
        stage.engine.emit_hosting("192.168.1.10:8000")
        await stage.settle()
        assert stage.app.chat.composer.disabled


async def test_somebody_who_comes_back_is_in_the_same_place() -> None:
    async with in_conversation() as stage:
        await also(stage, "carol")
        stage.engine.emit(closed("lost", will_retry=True))
        await stage.settle()
        assert stage.shows("✖ lost")
        stage.engine.emit(*comes("bob"))
        await stage.settle()
        assert stage.shows("● here")
        assert list(stage.app.state.talks) == [CONVERSATION, CAROL]
