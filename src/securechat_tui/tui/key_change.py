"""The alarm about another key, the questions at the gate, and what follows from a person's answer."""

from functools import partial
from typing import TYPE_CHECKING

from securechat_tui.chat.events import Gate, Refused
from securechat_tui.chat.gates import Resolution
from securechat_tui.tui.perform import Job, end_practice_alarm
from securechat_tui.tui.screens.alarm import AlarmChoice, AlarmScreen
from securechat_tui.tui.screens.new_key import NewKeyChoice, NewKeyScreen
from securechat_tui.tui.screens.unsigned import UnsignedChoice, UnsignedScreen

if TYPE_CHECKING:
    from securechat_tui.tui.chat_app import ChatApp

__all__ = ["KeyChange"]

_AWAITED = "When this key calls again within ten minutes it is let in, to compare codes and nothing else."


class KeyChange:
    """Raises the alarm over whatever is open. Until it is answered nothing can be typed."""

    def __init__(self, app: "ChatApp") -> None:
        self._app = app

    def raise_alarm(self, refused: Refused) -> None:
        """Keep the draft, lock the composer, and ask."""
        app = self._app
        app.show_chat()
        app.chat.lock_composer(locked=True)
        alarm = AlarmScreen(
            refused,
            caller=app.state.refused_caller,
            clock=app.clock,
            can_verify=app.practice is None and not refused.offered_contact,
        )
        app.push_screen(alarm, lambda choice: self._answered(choice, refused))

    def _answered(self, choice: AlarmChoice | None, refused: Refused) -> None:
        if choice is AlarmChoice.READ_ONLY:
            return
        app = self._app
        if choice is AlarmChoice.VERIFY:
            self._verify(refused)
            return
        app.chat.lock_composer(locked=False)
        if self._is_about_present_peer():
            app.jobs.add(Job(app.engine.leave))
        if app.practice is not None:
            practice, target = app.practice, app.practice_target
            done = "That was the alarm. Nothing was sent to the other key, and the first one is back."
            app.jobs.add(Job(lambda: end_practice_alarm(app.engine, practice, target), done=done))

    def _verify(self, refused: Refused) -> None:
        """Call the changed key, or wait for its next call; the gate locks the composer when it is here."""
        app = self._app
        if self._is_about_present_peer():
            app.jobs.add(Job(app.engine.leave))
        app.chat.lock_composer(locked=False)
        done = "" if refused.target else _AWAITED
        app.jobs.add(Job(lambda: app.engine.verify_key(refused.offered, refused.target), done=done))

    def stand_at(self, gate: Gate) -> None:
        """Lock the composer; some questions need an answer at once."""
        app = self._app
        app.chat.lock_composer(locked=True, gated=True)
        match gate.reason:
            case "rotation":
                app.show_chat()
                app.push_screen(NewKeyScreen(gate.message, clock=app.clock), partial(self._decided, gate))
            case "unsigned":
                app.show_chat()
                app.push_screen(UnsignedScreen(gate.message, clock=app.clock), partial(self._resolved, gate))
            case _:
                pass

    def _resolved(self, gate: Gate, choice: UnsignedChoice | None) -> None:
        engine, here = self._app.engine, gate.conversation
        match choice:
            case UnsignedChoice.CANCEL:
                self._app.jobs.add(Job(lambda: engine.resolve(Resolution.CANCEL, here)))
            case UnsignedChoice.SIGN:
                self._app.jobs.add(Job(lambda: engine.resolve(Resolution.SIGN, here)))
            case _:
                self._app.jobs.add(Job(lambda: engine.leave(here)))

    def _decided(self, gate: Gate, choice: NewKeyChoice | None) -> None:
        engine = self._app.engine
        match choice:
            case NewKeyChoice.ACCEPT:
                self._app.jobs.add(Job(lambda: engine.accept_key(gate.conversation)))
            case NewKeyChoice.COMPARE:
                self._app.desk.perform("verify")
            case _:
                self._app.jobs.add(Job(lambda: engine.leave(gate.conversation)))

    def _is_about_present_peer(self) -> bool:
        """Whether the key that was found changed is that of the person one is talking with."""
        refused, peer = self._app.state.refused, self._app.state.peer
        known = refused is not None and peer is not None and refused.expected == peer.fingerprint
        return known and bool(self._app.engine.conversations)
