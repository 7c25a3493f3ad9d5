"""The alarm about another key, the questions at the gate, and what follows from a person's answer."""

from functools import partial
from typing import TYPE_CHECKING

from securechat_tui.chat.events import Gate, Refused
from securechat_tui.chat.gates import Resolution
from securechat_tui.tui.perform import Job, end_practice_alarm
from securechat_tui.tui.screens.alarm import AlarmChoice, AlarmScreen
from securechat_tui.tui.screens.new_key import NewKeyChoice, NewKeyScreen
from securechat_tui.tui.screens.resume import ResumeChoice, ResumeScreen
from securechat_tui.tui.screens.unsigned import UnsignedChoice, UnsignedScreen
from securechat_tui.tui.talk import Talk

if TYPE_CHECKING:
    from securechat_tui.tui.chat_app import ChatApp

__all__ = ["KeyChange"]

_AWAITED = "When this key calls again within ten minutes it is let in, to compare codes and nothing else."


class KeyChange:
    """Raises the alarm over whatever is open. Until it is answered nothing can be typed."""

    def __init__(self, app: "ChatApp") -> None:
        self._app = app
        self._asked: set[Gate] = set()

    def take(self, refused: Refused) -> None:
        """Raise the alarm at once where it is about whom the person is with, or tries to join; else there."""
        talks, here = self._app.state.talks.values(), self._app.state.shown
        about = next((talk for talk in talks if talk.peer.fingerprint == refused.expected), None)
        if about is None or about is here or refused.target or not self._app.state.is_several:
            self.raise_alarm(refused)
        else:
            self._app.switchboard.hold_alarm(about, refused)

    def ask_about(self, talk: Talk) -> None:
        """Ask what has waited for the person to come to a conversation."""
        if talk.alarm is not None:
            refused, talk.alarm = talk.alarm, None
            self.raise_alarm(refused)
        elif talk.gate is not None:
            self.stand_at(talk.gate)
        elif talk.code is not None:
            self._app.desk.perform("verify")

    def raise_alarm(self, refused: Refused) -> None:
        """Keep the draft, lock the composer, and ask."""
        app = self._app
        app.show_chat()
        app.state.stop(stopped=True)
        app.refresh_state()
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
        app.state.stop(stopped=False)
        app.refresh_state()
        self._leave_if_present(refused)
        if app.practice is not None:
            practice, target = app.practice, app.practice_target
            done = "That was the alarm. Nothing was sent to the other key, and the first one is back."
            app.jobs.add(Job(lambda: end_practice_alarm(app.engine, practice, target), done=done))

    def _verify(self, refused: Refused) -> None:
        """Call the changed key, or wait for its next call; the gate locks the composer when it is here."""
        app = self._app
        self._leave_if_present(refused)
        app.state.stop(stopped=False)
        app.refresh_state()
        done = "" if refused.target else _AWAITED
        app.jobs.add(Job(lambda: app.engine.verify_key(refused.offered, refused.target), done=done))

    def stand_at(self, gate: Gate) -> None:
        """Some questions need an answer at once; each is asked once."""
        app = self._app
        if gate in self._asked:
            return
        self._asked.add(gate)
        match gate.reason:
            case "rotation":
                app.show_chat()
                app.push_screen(NewKeyScreen(gate.message, clock=app.clock), partial(self._decided, gate))
            case "unsigned":
                app.show_chat()
                app.push_screen(UnsignedScreen(gate.message, clock=app.clock), partial(self._resolved, gate))
            case "resume":
                app.show_chat()
                app.push_screen(ResumeScreen(gate.message, clock=app.clock), partial(self._resumed, gate))
            case _:
                pass

    def _resumed(self, gate: Gate, choice: ResumeChoice | None) -> None:
        engine, here = self._app.engine, gate.conversation
        match choice:
            case ResumeChoice.RESEND:
                self._app.jobs.add(Job(lambda: engine.resolve(Resolution.RESEND, here)))
            case ResumeChoice.ANEW:
                self._app.jobs.add(Job(lambda: engine.resolve(Resolution.NEW_GENERATION, here)))
            case _:
                self._app.jobs.add(Job(lambda: engine.leave(here)))

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

    def _leave_if_present(self, refused: Refused) -> None:
        """Part from the person whose key was found changed, if they are here."""
        engine, live = self._app.engine, self._app.engine.conversations
        for talk in self._app.state.talks.values():
            if talk.peer.fingerprint == refused.expected and talk.id in live:
                self._app.jobs.add(Job(partial(engine.leave, talk.id)))
