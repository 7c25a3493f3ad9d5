import pytest
from headless_fake_engine import TIME, closed, error, peer, refused, secure

from securechat_tui.chat.events import Delivered, Dialing, Event, Hosting
from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.headless.lifecycle import Lifecycle, code_of_error
from securechat_tui.headless.openings import HostAt, JoinTarget, Opening, Stay

JOIN = JoinTarget("192.0.2.7")
HOST = HostAt("0.0.0.0:8000")
HOSTING = Hosting(time=TIME, active=True)
DIALING = Dialing(time=TIME, address="192.0.2.7", port=8000, attempt=1)


def lived(opening: Opening, *events: Event) -> Lifecycle:
    lifecycle = Lifecycle(opening)
    for event in events:
        lifecycle.observe(event)
    return lifecycle


def code(lifecycle: Lifecycle, *, undelivered: int = 0) -> ExitCode:
    return lifecycle.exit_code(undelivered=undelivered, interrupted=False)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("key-changed", ExitCode.DISTRUSTED),
        ("invite", ExitCode.DISTRUSTED),
        ("blocked", ExitCode.DISTRUSTED),
        ("busy", ExitCode.UNREACHABLE),
        ("self", ExitCode.UNREACHABLE),
        ("version", ExitCode.UNREACHABLE),
        ("handshake", ExitCode.UNREACHABLE),
        ("unsigned", ExitCode.UNREACHABLE),
    ],
)
def test_a_refused_join_is_over_at_once(reason: str, expected: ExitCode) -> None:
    lifecycle = lived(JOIN, DIALING, refused(reason))
    assert lifecycle.is_over
    assert code(lifecycle) is expected


def test_nobody_home_is_unreachable() -> None:
    lifecycle = lived(JOIN, DIALING, error("cannot-connect"))
    assert lifecycle.is_over
    assert code(lifecycle) is ExitCode.UNREACHABLE


@pytest.mark.parametrize(("word", "expected"), [("profile", ExitCode.PROFILE), ("internal", ExitCode.FAILED)])
def test_a_fault_of_our_own_ends_a_join(word: str, expected: ExitCode) -> None:
    lifecycle = lived(JOIN, DIALING, peer(), secure(), error(word))
    assert lifecycle.is_over
    assert code(lifecycle) is expected
    assert code(lived(HOST, HOSTING, error(word))) is ExitCode.DONE


def test_another_error_ends_nothing() -> None:
    lifecycle = lived(JOIN, DIALING, error("too-long"))
    assert not lifecycle.is_over
    assert code(lifecycle) is ExitCode.DONE


@pytest.mark.parametrize(
    ("closing", "expected"),
    [
        (closed("goodbye", "peer"), ExitCode.DONE),
        (closed("goodbye", "me"), ExitCode.DONE),
        (closed("quit", "me"), ExitCode.DONE),
        (closed("lost", "peer"), ExitCode.FAILED),
        (closed("rejected", "me"), ExitCode.FAILED),
    ],
)
def test_a_join_is_over_with_its_conversation(closing: Event, expected: ExitCode) -> None:
    before = lived(JOIN, DIALING, peer(), secure())
    assert not before.is_over
    before.observe(closing)
    assert before.is_over
    assert code(before) is expected


def test_a_conversation_that_will_be_retried_goes_on() -> None:
    lifecycle = lived(JOIN, DIALING, peer(), secure(), closed("lost", will_retry=True))
    assert not lifecycle.is_over
    assert not lifecycle.is_secure
    assert code(lifecycle) is ExitCode.DONE


@pytest.mark.parametrize("reason", ["goodbye", "lost"])
def test_a_session_that_ended_before_it_was_secure_never_was(reason: str) -> None:
    lifecycle = lived(JOIN, DIALING, peer(), closed(reason))
    assert lifecycle.is_over
    assert code(lifecycle) is ExitCode.UNREACHABLE


def test_the_end_of_the_input_of_a_join_that_never_became_secure() -> None:
    lifecycle = lived(JOIN, DIALING, peer())
    lifecycle.end_input()
    assert code(lifecycle) is ExitCode.UNREACHABLE
    lifecycle = lived(JOIN, DIALING, peer(), secure())
    lifecycle.end_input()
    assert code(lifecycle) is ExitCode.DONE


def test_the_weightier_code_wins() -> None:
    both = lived(JOIN, DIALING, refused("key-changed"), error("cannot-connect"))
    assert code(both, undelivered=1) is ExitCode.DISTRUSTED
    assert code(lived(JOIN, error("cannot-connect")), undelivered=1) is ExitCode.UNREACHABLE
    lost = lived(JOIN, peer(), secure(), closed("lost"))
    assert code(lost, undelivered=1) is ExitCode.UNDELIVERED
    assert lost.exit_code(undelivered=1, interrupted=True) is ExitCode.INTERRUPTED


def test_a_host_goes_on_when_its_guest_has_left() -> None:
    lifecycle = lived(HOST, HOSTING)
    assert not lifecycle.is_deserted
    lifecycle.observe(peer(role="guest"))
    lifecycle.observe(secure())
    assert not lifecycle.is_deserted
    lifecycle.observe(closed("lost"))
    assert lifecycle.is_deserted
    assert not lifecycle.is_over
    assert code(lifecycle) is ExitCode.DONE


def test_a_guest_who_was_refused_is_not_a_guest() -> None:
    assert not lived(HOST, HOSTING, refused("handshake")).is_deserted


def test_a_strangers_failure_is_not_the_hosts() -> None:
    assert code(lived(HOST, HOSTING, refused("handshake"), refused("busy"))) is ExitCode.DONE


def test_a_host_that_met_only_a_changed_key_says_so() -> None:
    assert code(lived(HOST, HOSTING, refused("key-changed"))) is ExitCode.DISTRUSTED
    met = lived(HOST, HOSTING, refused("key-changed"), peer(), secure(), refused("key-changed"))
    assert code(met) is ExitCode.DONE


def test_settled_is_secure_or_hopeless() -> None:
    lifecycle = lived(JOIN, DIALING)
    assert not lifecycle.is_settled
    lifecycle.observe(peer())
    assert not lifecycle.is_settled
    lifecycle.observe(secure())
    assert lifecycle.is_settled
    assert lived(Stay()).is_settled
    assert not lived(Stay(), DIALING).is_settled
    assert lived(Stay(), DIALING, refused("busy")).is_settled


def test_a_run_that_waits_for_commands_is_never_over_by_itself() -> None:
    lifecycle = lived(Stay(), DIALING, error("cannot-connect"))
    assert not lifecycle.is_over
    assert code(lifecycle) is ExitCode.UNREACHABLE
    for event in (DIALING, peer(), secure()):
        lifecycle.observe(event)
    assert code(lifecycle) is ExitCode.DONE


def test_a_joining_run_that_hosts_by_now_goes_on() -> None:
    assert not lived(JOIN, HOSTING, DIALING, refused("busy")).is_over


def test_what_is_pending_is_counted() -> None:
    lifecycle = lived(JOIN, DIALING)
    lifecycle.take_message()
    lifecycle.take_message()
    lifecycle.observe(Delivered(time=TIME, conversation="c", number=1, ref=None, durable=True))
    assert lifecycle.pending == 1


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("bad-address", ExitCode.USAGE),
        ("cannot-listen", ExitCode.UNREACHABLE),
        ("unknown-contact", ExitCode.UNREACHABLE),
        ("busy", ExitCode.FAILED),
    ],
)
def test_the_code_of_an_opening_that_failed(word: str, expected: ExitCode) -> None:
    assert code_of_error(word) is expected
