"""The main screen: messages both ways, every command, sizes, bursts, untrusted text."""

from dataclasses import replace

import pytest
from fake_engine import (
    ALL_PASSED,
    CONVERSATION,
    IDENTITY,
    NOON,
    OWN_FINGERPRINT,
    PEER_FINGERPRINT,
    FakeEngine,
    closed,
    contact,
    message,
    peer,
    secure,
)
from stage import in_conversation, on_stage
from textual.content import Content
from textual.widgets import Input

from securechat_tui.chat.errors import CommandError
from securechat_tui.chat.events import (
    Checks,
    Delivered,
    Error,
    Notice,
    Refused,
    Rekeyed,
    RoundTrip,
    SafeText,
    Sent,
    Trust,
)
from securechat_tui.protocol.identity import Fingerprint
from securechat_tui.trust.pins import Change
from securechat_tui.tui.opening import HostAt, JoinTarget, StartScreen
from securechat_tui.tui.screens.contacts import ContactsScreen
from securechat_tui.tui.screens.details import DetailsScreen
from securechat_tui.tui.screens.help import HelpScreen
from securechat_tui.tui.screens.join import JoinScreen
from securechat_tui.tui.screens.verify import VerifyScreen
from securechat_tui.tui.widgets.sidebar import Sidebar

TRAPS = ("127.0.0.1:9 --new", "--new", "Dr. Bob", "bob  smith", "127.0.0.1:9")
"""Names that would be something else as the text after ``/join``."""
MARKUP = "[/x] [bold]no[/bold] [link=http://a] [/"


class TestMessages:
    async def test_in(self) -> None:
        async with in_conversation() as stage:
            stage.engine.emit(message(1, "hello from bob"))
            await stage.settle()
            assert stage.shows("hello from bob")
            assert stage.shows("in order #1")
            assert stage.shows("received 1")

    async def test_out_with_ticks(self) -> None:
        engine = FakeEngine()
        engine.deliver = engine.write = False
        async with in_conversation(engine=engine) as stage:

            def row() -> str:
                return next(line for line in stage.text().splitlines() if "my words" in line)

            await stage.enter("my words")
            assert "○" in row()
            engine.emit(Sent(time=NOON, conversation=CONVERSATION, number=1, ref=engine.refs[0]))
            await stage.settle()
            assert "✓" in row()
            assert "✓✓" not in row()
            engine.emit(
                Delivered(time=NOON, conversation=CONVERSATION, number=1, ref=engine.refs[0], durable=True)
            )
            await stage.settle()
            assert "✓✓" in row()
            assert stage.text().count("my words") == 1

    async def test_undelivered_ones_wait_for_the_next_meeting(self) -> None:
        engine = FakeEngine()
        engine.deliver = False
        async with in_conversation(engine=engine) as stage:
            await stage.enter("into the void")
            engine.emit(closed("lost"))
            await stage.settle()
            assert not stage.shows("! failed")
            assert stage.shows("1 message of yours waits for the next")

    async def test_what_the_engine_gave_up_is_marked(self) -> None:
        class Holding(FakeEngine):
            async def send(
                self,
                text: str,
                *,
                ref: str | None = None,
                conversation: str | None = None,
                signed: bool | None = None,
            ) -> None:
                self.calls.append(("send", text))

        async with on_stage(engine=Holding()) as stage:
            await stage.enter("for nobody")
            assert not stage.shows("failed")
            stage.engine.emit(Error(time=NOON, code="not-sent", message="Not sent: 1 message."))
            await stage.settle()
            assert stage.shows("! failed")
            assert stage.text().count("Not sent: 1 message.") == 1

    async def test_a_pending_retry_fails_nothing(self) -> None:
        engine = FakeEngine()
        engine.deliver = False
        async with in_conversation(engine=engine) as stage:
            await stage.enter("patience")
            engine.emit(closed("lost", will_retry=True))
            await stage.settle()
            assert not stage.shows("failed")
            assert stage.shows("connection lost")

    async def test_failed_checks_show_in_the_sidebar(self) -> None:
        bad = Checks(intact=True, in_order=True, fresh=False, signed=False)
        async with in_conversation() as stage:
            stage.engine.emit(message(1, "late and unsigned", checks=bad, age=600.0))
            await stage.settle()
            assert stage.shows("✗ late 10 min")
            assert stage.shows("– unsigned")

    async def test_a_burst_is_drawn_in_few_frames(self, monkeypatch: pytest.MonkeyPatch) -> None:
        drawn: list[int] = []
        async with in_conversation() as stage:
            render = Sidebar.render

            def counted(sidebar: Sidebar) -> Content:
                drawn.append(1)
                return render(sidebar)

            monkeypatch.setattr(Sidebar, "render", counted)
            before = stage.app.chat.log_view.entry_count
            stage.engine.emit(*(message(number, f"burst {number}") for number in range(1, 501)))
            await stage.until(lambda: stage.app.chat.log_view.entry_count == before + 500)
            await stage.settle()
            assert stage.shows("burst 500")
            assert stage.shows("in order #500")
            assert len(drawn) < 50

    async def test_notices_and_errors_become_sentences(self) -> None:
        async with in_conversation() as stage:
            stage.engine.emit(
                Notice(time=NOON, message="A stranger was turned away."),
                Error(time=NOON, code="cannot-connect", message="Nobody answers there: check the address."),
                Refused(time=NOON, reason="busy", message="The host is busy: try again later."),
            )
            await stage.settle()
            for sentence in ("A stranger was turned away.", "Nobody answers there", "The host is busy"):
                assert stage.shows(sentence)

    async def test_new_messages_below_are_announced(self) -> None:
        async with in_conversation(size=(80, 24)) as stage:
            stage.engine.emit(*(message(number, f"line {number}") for number in range(1, 61)))
            await stage.settle()
            await stage.press("pageup")
            stage.engine.emit(message(61, "line 61"))
            await stage.settle()
            assert stage.shows("↓ 1 new below (Ctrl+End)")
            assert not stage.shows("line 61")
            await stage.press("ctrl+end")
            assert stage.shows("line 61")
            assert not stage.shows("new below")

    async def test_scrolling_from_the_composer(self) -> None:
        async with in_conversation(size=(80, 24)) as stage:
            stage.engine.emit(*(message(number, f"line {number}.") for number in range(1, 101)))
            await stage.settle()
            await stage.press("ctrl+home")
            assert stage.shows("line 1.")
            await stage.press("pagedown")
            assert not stage.shows("line 1.")
            await stage.press("ctrl+end")
            assert stage.shows("line 100.")
            assert stage.app.chat.composer.has_focus

    async def test_what_came_while_away_is_marked(self) -> None:
        async with in_conversation() as stage:
            stage.engine.emit(message(1, "before"))
            await stage.settle()
            stage.app.on_app_blur()
            stage.engine.emit(message(2, "after"))
            await stage.settle()
            assert stage.shows("1 new")
            await stage.enter("back again")
            assert not stage.shows("1 new")


class TestUntrustedText:
    async def test_markup_in_every_place_ends_nothing(self) -> None:
        evil = contact(MARKUP)
        async with in_conversation(engine=FakeEngine(contacts=(evil,))) as stage:
            stage.engine.emit(peer(MARKUP, known_elsewhere=MARKUP), secure(), message(1, MARKUP, name=MARKUP))
            stage.engine.emit(Notice(time=NOON, message=MARKUP), Error(time=NOON, code="x", message=MARKUP))
            await stage.settle()
            assert stage.shows("[/x] [bold]no[/bold]")
            for key in ("f1", "f2", "f2", "f3", "f4"):
                await stage.press(key)
                assert stage.app.is_running
                await stage.press("escape")
            await stage.enter("/contacts")
            assert stage.shows("[/x]")
            await stage.press("delete", "escape")
            await stage.enter(MARKUP)
            await stage.enter(f"/{MARKUP}")
            assert stage.app.is_running

    async def test_controls_do_not_reach_the_screen(self) -> None:
        async with in_conversation() as stage:
            raw = SafeText("a\x1b]0;owned\x07b\u202ec\x9bd")
            stage.engine.emit(Notice(time=NOON, message=raw))
            stage.app.chat.show_hint(raw)
            await stage.settle()
            assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(stage.text())

    async def test_the_title_carries_no_message(self) -> None:
        async with in_conversation() as stage:
            stage.engine.emit(message(1, "secret words"))
            await stage.settle()
            assert "secret" not in f"{stage.app.title}{stage.app.sub_title}{stage.app.screen.title}"


class TestCommands:
    async def test_help_lists_every_command_by_key_and_word(self) -> None:
        for way in ("f1", "/help"):
            async with in_conversation(size=(120, 80)) as stage:
                await (stage.press(way) if way == "f1" else stage.enter(way))
                assert isinstance(stage.app.screen, HelpScreen)
                for command in stage.app.commands:
                    assert stage.shows(command.summary[:40])
                assert not stage.shows("/alarm")
                await stage.press("escape")
                assert stage.app.chat.composer.has_focus

    async def test_sidebar_wide(self) -> None:
        async with in_conversation() as stage:
            assert stage.shows("─ Security ─")
            await stage.press("f2")
            assert not stage.shows("─ Security ─")
            assert stage.shows("◇ NEW  k3JfAbcd…")
            await stage.enter("/sidebar")
            assert stage.shows("─ Security ─")

    async def test_sidebar_over_a_narrow_screen(self) -> None:
        async with in_conversation(size=(80, 24)) as stage:
            stage.engine.emit(message(1, "beneath"))
            await stage.settle()
            await stage.press("f2")
            assert stage.shows("─ Security ─")
            assert stage.shows("LAST MESSAGE")
            assert not stage.shows("beneath")
            await stage.press("escape")
            assert stage.shows("beneath")
            await stage.press("f2", "x")
            assert stage.shows("beneath")
            assert stage.app.chat.composer.text == "x"

    async def test_details_of_the_last_message(self) -> None:
        for way in ("f4", "/details"):
            async with in_conversation() as stage:
                stage.engine.emit(message(7, "look at me", age=0.3))
                await stage.settle()
                await (stage.press(way) if way == "f4" else stage.enter(way))
                assert isinstance(stage.app.screen, DetailsScreen)
                for text in ("intact", "readable", "in order", "(0.3 s)", "signed", "◇ NEW", "#7"):
                    assert stage.shows(text)
                assert stage.shows("2026-11-21 12:07:00")

    async def test_details_of_the_selected_message(self) -> None:
        async with in_conversation() as stage:
            unsigned = Checks(intact=True, in_order=True, fresh=True, signed=False)
            stage.engine.emit(message(1, "older", checks=unsigned), message(2, "newer", checks=ALL_PASSED))
            await stage.settle()
            await stage.press("shift+tab", "up", "up", "f4")
            assert stage.shows("only this session vouches for it")
            assert stage.shows("#1")

    async def test_details_with_nothing_received(self) -> None:
        async with in_conversation() as stage:
            await stage.press("f4")
            assert stage.shows("No message has been received yet")

    async def test_host(self) -> None:
        async with in_conversation() as stage:
            await stage.enter("/host")
            await stage.enter("/host 8001")
            await stage.enter("/host 127.0.0.1:9000")
            assert [call[1] for call in stage.calls("host")] == [
                None,
                "0.0.0.0:8001",
                "127.0.0.1:9000",
            ]

    async def test_join(self) -> None:
        async with on_stage(HostAt("0.0.0.0:8000")) as stage:
            await stage.enter("/join 10.0.0.1")
            await stage.enter("/guest carol")
            await stage.enter("/join --new 10.0.0.1:9")
            assert stage.calls("join") == [
                ("join", "10.0.0.1", False),
                ("join", "carol", False),
                ("join", "10.0.0.1:9", True),
            ]

    async def test_join_without_an_address_asks_for_one(self) -> None:
        async with on_stage(HostAt("0.0.0.0:8000")) as stage:
            await stage.enter("/join")
            assert isinstance(stage.app.screen, JoinScreen)
            await stage.press("enter")
            assert stage.shows("type the address")
            await stage.type("10.0.0.1")
            await stage.press("tab", "space", "shift+tab", "enter")
            assert stage.calls("join") == [("join", "10.0.0.1", True)]

    @pytest.mark.parametrize(
        ("name", "is_offered"),
        [
            ("Dr. Bob", True),
            ("anna.smith", False),
            ("127.0.0.1:9 --new", True),  # no address, and no flag either
            ("127.0.0.1:9", False),
            ("127.0.0.1", False),
            ("localhost", False),
        ],
    )
    async def test_the_form_offers_no_name_that_may_be_a_machines_and_adds_nothing_to_what_is_typed(
        self, name: str, is_offered: bool
    ) -> None:
        engine = FakeEngine(contacts=(contact(name),))
        async with on_stage(HostAt("0.0.0.0:8000"), engine=engine) as stage:
            await stage.enter("/join")
            await stage.type(name[:-1])
            await stage.press("right")
            assert stage.app.screen.query_one("#target", Input).value == (name if is_offered else name[:-1])
            await stage.press("enter")
            assert stage.calls("join") == [("join", name if is_offered else name[:-1], False)]

    async def test_the_form_can_be_left(self) -> None:
        async with on_stage(HostAt("0.0.0.0:8000")) as stage:
            await stage.enter("/join")
            await stage.press("escape")
            assert stage.calls("join") == []
            assert stage.app.chat.composer.has_focus

    async def test_leave_stays_in_the_program(self) -> None:
        async with in_conversation() as stage:
            await stage.enter("/leave")
            assert stage.calls("leave") == [("leave",)]
            assert stage.shows("conversation ended")
            assert stage.app.is_running

    async def test_contacts_join(self) -> None:
        engine = FakeEngine(contacts=(contact("bob"), contact("alice", last_seen=NOON)))
        async with on_stage(HostAt("0.0.0.0:8000"), engine=engine) as stage:
            await stage.enter("/contacts")
            assert isinstance(stage.app.screen, ContactsScreen)
            await stage.press("down", "enter")
            assert stage.calls("join") == [("join", PEER_FINGERPRINT, False)]

    async def test_contacts_tell_the_history_of_trust(self) -> None:
        key = Fingerprint(bytes(32))
        changes = (
            Change(NOON - 86400, Trust.NEW, Trust.PINNED, "first contact", key),
            Change(NOON, Trust.PINNED, Trust.VERIFIED, "codes compared: the same", key),
        )
        bob = replace(contact("bob", trust=Trust.VERIFIED), history=changes)
        async with on_stage(engine=FakeEngine(contacts=(bob,))) as stage:
            await stage.enter("/contacts")
            await stage.press("d")
            for text in (
                "✔ VERIFIED",
                bob.fingerprint,
                "NEW to PINNED: first contact",
                "codes compared: the same",
            ):
                assert stage.shows(text)
            assert stage.shows(f"(key {key.short}…)")
            await stage.press("escape")
            assert isinstance(stage.app.screen, ContactsScreen)

    @pytest.mark.parametrize("is_blocked", [False, True])
    async def test_contacts_block_and_unblock(self, is_blocked: bool) -> None:
        trust = Trust.BLOCKED if is_blocked else Trust.PINNED
        async with on_stage(engine=FakeEngine(contacts=(contact("bob", trust=trust),))) as stage:
            await stage.enter("/contacts")
            await stage.press("b")
            assert stage.calls("block") == [("block", "bob", not is_blocked)]
            assert stage.shows("no longer blocked" if is_blocked else "bob is blocked")

    async def test_contacts_forget_asks_twice(self) -> None:
        engine = FakeEngine(contacts=(contact("bob"),))
        async with in_conversation(engine=engine) as stage:
            await stage.enter("/contacts")
            await stage.press("delete")
            assert stage.calls("forget") == []
            assert stage.shows("Delete again forgets bob's key")
            await stage.press("delete")
            assert stage.calls("forget") == [("forget", "bob")]
            assert stage.shows("bob is forgotten")

    async def test_contacts_of_nobody(self) -> None:
        async with in_conversation() as stage:
            await stage.enter("/contacts")
            assert stage.shows("Nobody yet")
            await stage.press("delete", "escape")
            assert stage.calls("forget") == []

    async def test_copy_the_last_message(self) -> None:
        async with in_conversation() as stage:
            await stage.enter("/copy")
            assert stage.shows("No message has been received yet")
            stage.engine.emit(message(1, "worth keeping"))
            await stage.settle()
            await stage.enter("/copy")
            assert stage.app.clipboard == "worth keeping"

    async def test_copy_the_selected_message(self) -> None:
        async with in_conversation() as stage:
            await stage.enter("mine")
            stage.engine.emit(message(1, "theirs"))
            await stage.settle()
            await stage.press("shift+tab", "up", "up")
            stage.app.desk.perform("copy")
            assert stage.app.clipboard == "mine"

    async def test_clear_empties_the_log_alone(self) -> None:
        async with in_conversation() as stage:
            stage.engine.emit(message(1, "gone from view"))
            await stage.settle()
            await stage.enter("/clear")
            assert not stage.shows("gone from view")
            assert stage.shows("received 1")
            stage.engine.emit(message(2, "next"))
            await stage.settle()
            assert stage.shows("next")

    @pytest.mark.parametrize("word", ["/quit", "/exit"])
    async def test_quit(self, word: str) -> None:
        async with in_conversation() as stage:
            stage.app.chat.composer.put(word)
            await stage.pilot.press("enter")
            assert stage.app.return_value == 0

    async def test_alarm_is_unknown_without_a_practice_peer(self) -> None:
        async with in_conversation() as stage:
            await stage.enter("/alarm")
            assert stage.shows("/alarm is not a command")

    async def test_a_failed_command_is_one_sentence(self) -> None:
        async with in_conversation() as stage:
            stage.engine.failures["leave"] = CommandError("no-conversation", "There is nobody to leave.")
            await stage.enter("/leave")
            assert stage.shows("There is nobody to leave.")
            assert stage.app.is_running

    async def test_the_palette_offers_the_registry_and_no_screenshot(self) -> None:
        async with in_conversation() as stage:
            titles = [entry.title for entry in stage.app.get_system_commands(stage.app.screen)]
            assert sorted(titles) == sorted(one.title for one in stage.app.commands if one.palette)
            assert not [title for title in titles if "screenshot" in title.casefold()]
            await stage.press("ctrl+p")
            await stage.type("verify")
            await stage.pilot.pause(0.3)
            await stage.press("enter")
            await stage.until(lambda: isinstance(stage.app.screen, VerifyScreen))

    async def test_the_footer_names_keys_and_words(self) -> None:
        async with in_conversation() as stage:
            assert "F1 /help F2 /sidebar F3 /verify F4 /details ^F /find ^P Palette" in stage.text()


class TestSidebar:
    async def test_everything_it_shows(self) -> None:
        async with in_conversation() as stage:
            stage.engine.emit(
                Rekeyed(time=NOON + 3660, conversation=CONVERSATION, epoch=3),
                RoundTrip(time=NOON, conversation=CONVERSATION, seconds=0.042),
                message(12, "hi"),
            )
            await stage.settle()
            for text in (
                *("◇ NEW", "● connected  42 ms", "+---[RSA 3072]----+", "SHA256:k3JfAbcd…", "F3 in full"),
                *("X25519+ML-KEM-768 · GCM", "keys renewed 13:01 (epoch 3)", "✓ intact", "✓ readable"),
                *("✓ in order #12", "✓ fresh 0.2 s", "✓ signed", "sent 0 · received 1 · bad 0"),
            ):
                assert stage.shows(text)

    async def test_pinned_since(self) -> None:
        async with on_stage() as stage:
            stage.engine.emit_peer(trust=Trust.PINNED)
            await stage.settle()
            assert stage.shows("◆ PINNED")
            assert stage.shows("known since 12 Nov 2026")

    async def test_a_namesake(self) -> None:
        async with on_stage() as stage:
            stage.engine.emit(peer(known_elsewhere="SHA256:other"), secure())
            await stage.settle()
            assert stage.shows("! this name is known with")
            assert stage.shows("somebody else as bob")


class TestHosting:
    async def test_what_the_other_must_type(self) -> None:
        async with on_stage(HostAt("0.0.0.0:8000")) as stage:
            assert stage.calls("host") == [("host", "0.0.0.0:8000", False)]
            assert stage.shows("securechat-tui join 192.168.1.10:8000")
            assert stage.shows("securechat-tui join [fd00::10]:8000")
            assert stage.shows(OWN_FINGERPRINT)
            stage.engine.emit_peer()
            await stage.settle()
            assert not stage.shows("securechat-tui join")

    async def test_that_nobody_can_reach_it(self) -> None:
        async with on_stage() as stage:
            stage.engine.emit_hosting()
            await stage.settle()
            assert stage.shows("only programs on this machine can reach it")
            assert stage.shows("securechat-tui join 192.168.1.10:8000")

    async def test_a_port_in_use_is_a_sentence_and_an_exit_code(self) -> None:
        engine = FakeEngine()
        engine.failures["host"] = CommandError("cannot-listen", "Port 8000 is in use: try /host 8001.")
        async with on_stage(HostAt("0.0.0.0:8000"), engine=engine) as stage:
            assert stage.shows("Port 8000 is in use: try /host 8001.")
            assert stage.app.is_running
            await stage.pilot.press("ctrl+c", "ctrl+c")
            assert stage.app.return_value == 3


class TestSizes:
    async def test_down_to_nothing_and_back(self) -> None:
        async with in_conversation() as stage:
            stage.engine.emit(message(1, "still here"))
            stage.app.chat.composer.put("my draft")
            await stage.settle()
            for size in ((80, 24), (50, 20)):
                await stage.pilot.resize_terminal(*size)
                await stage.settle()
                assert stage.shows("still here")
                assert stage.shows("◇ NEW  k3JfAbcd…  ● connected  ✓ all checks")
                assert stage.shows("my draft")
            await stage.pilot.resize_terminal(20, 5)
            await stage.settle()
            assert stage.shows("Window too small")
            await stage.pilot.resize_terminal(120, 36)
            await stage.settle()
            assert stage.shows("still here")
            assert stage.shows("─ Security ─")
            assert stage.app.chat.composer.text == "my draft"
            assert stage.app.chat.composer.has_focus

    @pytest.mark.parametrize("key", ["f1", "f3", "f4", "ctrl+p"])
    async def test_everything_opens_in_a_tiny_window(self, key: str) -> None:
        async with in_conversation(size=(20, 5)) as stage:
            stage.engine.emit(message(1, "a"))
            await stage.settle()
            await stage.press(key, "escape")
            assert stage.app.is_running

    @pytest.mark.parametrize("size", [(1, 1), (2, 40), (200, 2)])
    async def test_absurd_sizes(self, size: tuple[int, int]) -> None:
        async with in_conversation(size=size) as stage:
            stage.engine.emit(message(1, "a"))
            await stage.settle()
            assert stage.app.is_running

    async def test_the_start_screen_in_a_tiny_window(self) -> None:
        async with on_stage(StartScreen(), size=(20, 5)) as stage:
            assert stage.shows("Window too small")


class TestOpenings:
    async def test_join(self) -> None:
        async with on_stage(JoinTarget("10.0.0.1:9", new=True)) as stage:
            assert stage.calls("join") == [("join", "10.0.0.1:9", True)]

    async def test_host_from_the_start_screen(self) -> None:
        async with on_stage(StartScreen()) as stage:
            assert stage.shows(f"You are {IDENTITY.name}")
            assert not stage.shows("Try it alone")
            await stage.press("enter")
            assert stage.calls("host") == [("host", None, False)]
            assert stage.shows("Waiting for a guest")

    async def test_join_from_the_start_screen(self) -> None:
        async with on_stage(StartScreen()) as stage:
            await stage.press("down", "enter")
            await stage.type("bob")
            await stage.press("enter")
            assert stage.calls("join") == [("join", "bob", False)]
            assert stage.app.screen is stage.app.chat

    async def test_a_contact_from_the_start_screen(self) -> None:
        async with on_stage(StartScreen(), engine=FakeEngine(contacts=(contact("bob"),))) as stage:
            assert stage.shows("◆ PINNED")
            await stage.press("down", "down", "enter")
            assert stage.calls("join") == [("join", PEER_FINGERPRINT, False)]

    @pytest.mark.parametrize("name", TRAPS)
    async def test_whoever_is_chosen_is_meant_by_the_key(self, name: str) -> None:
        async with on_stage(StartScreen(), engine=FakeEngine(contacts=(contact(name),))) as stage:
            await stage.press("down", "down", "enter")
            await stage.enter("/contacts")
            await stage.press("enter")
            assert stage.calls("join") == [("join", PEER_FINGERPRINT, False)] * 2

    async def test_the_command_line_says_a_target_and_no_flag(self) -> None:
        async with on_stage(JoinTarget("carol --new")) as stage:
            assert stage.calls("join") == [("join", "carol --new", False)]

    async def test_try_it_alone(self) -> None:
        async with on_stage(StartScreen(alone=lambda: 0)) as stage:
            await stage.press("down", "down")
            await stage.pilot.press("enter")
            assert stage.app.wants_alone
            assert stage.app.return_value == 0

    async def test_only_what_works_is_offered_on_the_start_screen(self) -> None:
        async with on_stage(StartScreen()) as stage:
            assert stage.shows("F1 /help F3 /verify")
            assert not stage.shows("/sidebar")
            await stage.press("f4", "ctrl+p", "f1")
            assert isinstance(stage.app.screen, HelpScreen)

    async def test_esc_goes_to_the_chat(self) -> None:
        async with on_stage(StartScreen()) as stage:
            await stage.press("escape")
            assert stage.app.screen is stage.app.chat
