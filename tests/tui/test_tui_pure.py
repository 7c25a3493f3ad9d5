"""What needs no screen: words, history, presses, completion, the registry, the state."""

from dataclasses import replace

import pytest
from fake_engine import ALL_PASSED, CONVERSATION, NOON, FakeEngine, closed, key_changed, message, peer, secure

from securechat_tui.chat.events import (
    Checks,
    Dialing,
    Error,
    Hosting,
    Listening,
    Refused,
    Rekeyed,
    RoundTrip,
    Trust,
)
from securechat_tui.tui import commands, wording
from securechat_tui.tui.commands import COMMANDS, Scope, available, bindings, find, parse
from securechat_tui.tui.completion import complete
from securechat_tui.tui.history import InputHistory
from securechat_tui.tui.interrupt import DoublePress
from securechat_tui.tui.narration import sentence_for, verdict_for
from securechat_tui.tui.perform import host_job, split_flag
from securechat_tui.tui.screens.alarm import alarm_sentence
from securechat_tui.tui.state import ChatState, Link, join_address


class TestHistory:
    def test_walks_back_and_forth_and_keeps_the_draft(self) -> None:
        history = InputHistory()
        history.add("one")
        history.add("two")
        assert history.older("draft") == "two"
        assert history.older("two") == "one"
        assert history.older("one") is None
        assert history.newer("one") == "two"
        assert history.newer("two") == "draft"
        assert history.newer("draft") is None

    def test_the_same_text_twice_is_kept_once(self) -> None:
        history = InputHistory()
        history.add("one")
        history.add("one")
        assert history.older("") == "one"
        assert history.older("one") is None

    def test_forgets_the_oldest_beyond_its_limit(self) -> None:
        history = InputHistory(limit=2)
        for text in ("one", "two", "three"):
            history.add(text)
        assert [history.older("") for _ in range(3)] == ["three", "two", None]


class TestDoublePress:
    def test_twice_within_the_time(self) -> None:
        press = DoublePress(3.0)
        assert not press.press(10.0)
        assert press.press(13.0)

    def test_too_late_is_a_first_one_again(self) -> None:
        press = DoublePress(3.0)
        assert not press.press(10.0)
        assert not press.press(13.1)
        assert press.press(13.2)

    def test_a_third_press_begins_anew(self) -> None:
        press = DoublePress(3.0)
        press.press(1.0)
        assert press.press(2.0)
        assert not press.press(2.5)

    def test_forgotten(self) -> None:
        press = DoublePress(3.0)
        press.press(1.0)
        press.forget()
        assert not press.press(1.5)


def keys_in(scopes: set[Scope]) -> list[str]:
    commands = [command for command in COMMANDS if command.scope in scopes and command.keys]
    return [key for command in commands for key in command.keys.split(",")]


class TestRegistry:
    def test_ids_words_and_keys_are_unique(self) -> None:
        ids = [command.id for command in COMMANDS]
        words = [word for command in COMMANDS for word in command.words]
        for names in (ids, words, keys_in({*Scope} - {Scope.FIND}), keys_in({*Scope} - {Scope.COMPOSER})):
            assert len(names) == len(set(names))

    def test_every_key_has_a_binding_with_the_id_of_its_command(self) -> None:
        bound = {binding.id for scope in Scope for binding in bindings(scope)}
        assert bound == {command.id for command in COMMANDS if command.keys}

    def test_the_words_that_exist(self) -> None:
        words = {word for command in available(practice=False) for word in command.words}
        assert words == {
            *(
                "help",
                "accept",
                "connections",
                "conversations",
                "export",
                "go",
                "next",
                "previous",
                "search",
                "talk",
                "unread",
                "wipe",
                "host",
                "invite",
                "join",
                "guest",
                "leave",
                "reconnect",
                "contacts",
                "details",
                "verify",
                "signed",
                "unsigned",
            ),
            *("copy", "clear", "sidebar", "quit", "exit", "find", "nick", "notify", "theme", "passphrase"),
            "wire",
        }

    def test_alarm_only_with_a_practice_peer(self) -> None:
        assert find("alarm", available(practice=False)) is None
        assert find("alarm", available(practice=True)) is not None

    def test_every_palette_entry_has_a_word(self) -> None:
        assert all(command.words for command in COMMANDS if command.palette)

    def test_help_fits_in_eighty_columns(self) -> None:
        for command in available(practice=True):
            assert len(command.summary) <= 46
            assert len(command.usage) <= 23

    def test_nothing_is_bound_to_what_terminals_keep(self) -> None:
        keys = {key for command in COMMANDS for key in command.keys.split(",")}
        assert not keys & {"ctrl+q", "ctrl+s", "ctrl+z", "ctrl+b", "alt+enter"}

    @pytest.mark.parametrize(
        ("text", "parsed"),
        [
            ("hello", None),
            ("//etc", None),
            ("/", ("", "")),
            ("/help", ("help", "")),
            ("/join  10.0.0.1:8000 ", ("join", "10.0.0.1:8000")),
            (" /help", None),
        ],
    )
    def test_parse(self, text: str, parsed: tuple[str, str] | None) -> None:
        assert parse(text) == parsed

    def test_find_by_second_word(self) -> None:
        found = find("exit", commands.COMMANDS)
        assert found is not None
        assert found.id == "quit"


class TestCompletion:
    def test_the_only_match_is_completed_with_a_space(self) -> None:
        assert complete("/cont", COMMANDS, ()) == ("/contacts ", ())

    def test_several_matches_go_as_far_as_they_agree(self) -> None:
        assert complete("/co", COMMANDS, ()) == ("/co", ("connections", "contacts", "conversations", "copy"))
        assert complete("/h", COMMANDS, ()) == ("/h", ("help", "host"))

    def test_names_after_join(self) -> None:
        assert complete("/join b", COMMANDS, ("bob", "alice")) == ("/join bob ", ())
        assert complete("/join ", COMMANDS, ("10.0.0.1 --new", "--new", "bob")) == ("/join bob ", ())
        assert complete("/join al", COMMANDS, ("alice", "alina")) == ("/join ali", ("alice", "alina"))

    def test_no_names_after_other_words(self) -> None:
        assert complete("/host b", COMMANDS, ("bob",)) == ("/host b", ())

    def test_messages_are_left_alone(self) -> None:
        assert complete("hello b", COMMANDS, ("bob",)) == ("hello b", ())
        assert complete("/x\ny", COMMANDS, ()) == ("/x\ny", ())

    def test_no_match_changes_nothing(self) -> None:
        assert complete("/zzz", COMMANDS, ()) == ("/zzz", ())

    def test_case_does_not_matter(self) -> None:
        assert complete("/join BO", COMMANDS, ("Bob",)) == ("/join Bob ", ())


class TestArguments:
    @pytest.mark.parametrize(
        ("argument", "bind"),
        [("", None), ("8001", "0.0.0.0:8001"), ("127.0.0.1:9", "127.0.0.1:9")],
    )
    async def test_host(self, argument: str, bind: str | None) -> None:
        engine = FakeEngine()
        await host_job(engine, argument).call()
        await host_job(engine, f"--invite-only {argument}").call()
        assert engine.calls == [("host", bind, False), ("host", bind, True)]

    @pytest.mark.parametrize(
        ("argument", "target"),
        [
            ("bob", ("bob", False)),
            ("--new 10.0.0.1", ("10.0.0.1", True)),
            ("10.0.0.1 --new", ("10.0.0.1", True)),
            ("bob the second", ("bob the second", False)),
        ],
    )
    def test_join(self, argument: str, target: tuple[str, bool]) -> None:
        assert split_flag(argument, "--new") == target

    def test_addresses_are_written_as_they_are_typed(self) -> None:
        assert join_address("10.0.0.1", 8000) == "10.0.0.1:8000"
        assert join_address("::1", 8000) == "[::1]:8000"


class TestWording:
    def test_every_trust_state_has_a_glyph_and_a_word(self) -> None:
        for trust in Trust:
            assert len(wording.trust_glyph(trust)) == 1
            assert wording.trust_word(trust).isupper()
            assert wording.trust_explanation(trust)

    def test_verdicts(self) -> None:
        def checks(**failed: bool) -> Checks:
            return Checks(**{"intact": True, "in_order": True, "fresh": True, "signed": True, **failed})

        assert wording.verdict_word(ALL_PASSED) == "✓ all checks"
        assert wording.verdict_word(checks(fresh=False)) == "✗ late"
        assert wording.verdict_word(checks(signed=False)) == "– unsigned"
        assert wording.verdict_word(checks(fresh=False, signed=False)) == "✗ late"
        assert wording.verdict_word(checks(intact=False)) == "✗ not intact"

    def test_verdicts_in_the_log_leave_lateness_to_it(self) -> None:
        late = Checks(intact=True, in_order=True, fresh=False, signed=True)
        unsigned = Checks(intact=True, in_order=True, fresh=True, signed=False)
        assert verdict_for(message(1, "a")) == ""
        assert verdict_for(message(1, "a", checks=late)) == ""
        assert verdict_for(message(1, "a", checks=unsigned)) == "unsigned"

    @pytest.mark.parametrize(
        ("seconds", "words"),
        [(-1.0, "0.0 s"), (0.2, "0.2 s"), (59.9, "59.9 s"), (60.0, "1 min"), (7200.0, "2 h")],
    )
    def test_ages(self, seconds: float, words: str) -> None:
        assert wording.age_words(seconds) == words

    def test_other_words(self) -> None:
        assert wording.short_fingerprint("SHA256:abcdefghijkl") == "SHA256:abcdefgh…"
        assert wording.shorter_fingerprint("SHA256:abcdefghijkl") == "abcdefgh…"
        assert wording.round_trip_words(0.0421) == "42 ms"
        assert wording.round_trip_words(0.0042) == "4.2 ms"
        assert wording.day(NOON) == "21 Nov 2026"
        assert wording.clock_time(NOON) == "12:00"
        assert wording.long_time(NOON) == "2026-11-21 12:00:00 +0000"


class TestSentences:
    def test_a_stranger(self) -> None:
        assert "NEW" in sentence_for(peer())
        assert "F3" in sentence_for(peer())

    def test_a_namesake_is_pointed_out(self) -> None:
        assert "somebody else as bob" in sentence_for(peer(known_elsewhere="SHA256:x"))

    def test_attempts_to_come_back_do_not_fill_the_log(self) -> None:
        dialing = Dialing(time=NOON, address="10.0.0.1", port=8000, attempt=1)
        assert sentence_for(dialing) == "Connecting to 10.0.0.1:8000 …"
        assert sentence_for(replace(dialing, attempt=3, returning=True)) == ""

    def test_what_only_the_sidebar_shows(self) -> None:
        assert sentence_for(RoundTrip(time=NOON, conversation=CONVERSATION, seconds=0.1)) == ""

    def test_the_alarm(self) -> None:
        assert alarm_sentence(key_changed()).startswith(
            "bob's key is DIFFERENT from the one you pinned on 12 Nov 2026."
        )
        assert "you verified on" in alarm_sentence(key_changed(trust=Trust.VERIFIED))
        assert "alice answered, not bob." in alarm_sentence(key_changed(offered_contact="alice"))


class TestState:
    def test_a_guests_way(self) -> None:
        state = ChatState()
        ways = []
        for event in (Dialing(time=NOON, address="h", port=1, attempt=1), peer(), secure(), closed()):
            state.apply(event)
            ways.append(state.link)
        assert ways == [Link.DIALING, Link.SECURING, Link.CONNECTED, Link.CLOSED]

    def test_a_host_waits_again_when_the_guest_has_gone(self) -> None:
        state = ChatState()
        state.apply(Listening(time=NOON, address="192.168.1.10", port=8000))
        state.apply(Hosting(time=NOON, active=True, reachable=("192.168.1.10:8000",)))
        assert state.is_waiting
        state.apply(peer())
        state.apply(secure())
        assert not state.is_waiting
        state.apply(closed())
        assert state.is_waiting
        state.apply(Hosting(time=NOON, active=False))
        assert state.link is Link.IDLE
        assert not state.listening

    def test_a_cut_is_told_apart_from_a_goodbye(self) -> None:
        state = ChatState()
        state.apply(peer())
        state.apply(closed("lost", will_retry=True))
        assert state.link is Link.LOST

    def test_keys_round_trip_and_last_message(self) -> None:
        state = ChatState()
        state.apply(peer())
        state.apply(secure())
        state.apply(Rekeyed(time=NOON + 60, conversation=CONVERSATION, epoch=3))
        state.apply(RoundTrip(time=NOON, conversation=CONVERSATION, seconds=0.042))
        state.apply(message(1, "a"))
        assert (state.epoch, state.renewed, state.round_trip) == (3, NOON + 60, 0.042)
        assert state.last is not None
        state.apply(peer("carol"))
        assert state.last is None

    def test_busy_leaves_the_running_conversation_alone(self) -> None:
        state = ChatState()
        state.apply(peer())
        state.apply(secure())
        state.apply(Refused(time=NOON, reason="busy", message="busy"))
        assert state.link is Link.CONNECTED

    @pytest.mark.parametrize(
        ("reason", "code"),
        [("key-changed", 4), ("blocked", 4), ("invite", 4), ("busy", 3), ("self", 3), ("version", 3)],
    )
    def test_exit_codes_of_refusals(self, reason: str, code: int) -> None:
        state = ChatState()
        state.apply(Refused(time=NOON, reason=reason, message="."))
        assert state.exit_code == code

    def test_exit_code_of_nobody_home(self) -> None:
        state = ChatState()
        state.apply(Error(time=NOON, code="cannot-connect", message="."))
        assert state.exit_code == 3

    def test_other_errors_say_nothing_about_the_connection(self) -> None:
        state = ChatState()
        state.apply(Error(time=NOON, code="too-long", message="."))
        assert state.exit_code == 0

    def test_a_conversation_makes_up_for_a_refusal(self) -> None:
        state = ChatState()
        state.apply(key_changed())
        state.apply(peer())
        state.apply(secure())
        assert state.exit_code == 0
        state.apply(key_changed())
        assert state.exit_code == 0
