"""The few events that change which screen is open."""

from typing import TYPE_CHECKING, Final

from securechat_tui.chat.events import (
    Code,
    ConversationEvent,
    Event,
    Gate,
    IdentityNeeded,
    Ready,
    Refused,
    Trust,
    TrustChanged,
)
from securechat_tui.tui.perform import Outcome
from securechat_tui.tui.screens.welcome import WelcomeScreen

if TYPE_CHECKING:
    from securechat_tui.tui.chat_app import ChatApp

__all__ = ["Reactions"]

_DEFAULT_PROFILE: Final = "default"


class Reactions:
    """Opens what an event asks a person about. What belongs to a conversation out of view waits there."""

    def __init__(self, app: "ChatApp") -> None:
        self._app = app

    def react(self, event: Event) -> None:
        """Open or close what the event is about."""
        app = self._app
        match event:
            case IdentityNeeded(suggested_name=name) if isinstance(app.screen, WelcomeScreen):
                is_usual = app.engine.profile == _DEFAULT_PROFILE
                app.screen.suggest(name if is_usual else app.engine.profile)
            case Ready() if not app.is_begun:
                app.show_chat()
                app.begin()
            case Refused(reason="key-changed"):
                app.key_change.take(event)
            case ConversationEvent(conversation=conversation) if conversation == app.state.conversation:
                self._react_here(event)
            case _:
                pass

    def conclude(self, outcome: Outcome) -> None:
        """A call of the engine has ended: show what it has sent, or say why it was refused."""
        app, job = self._app, outcome.job
        pane = app.switchboard.panes.of(job.conversation)
        if outcome.sentence:
            app.state.note_failure(outcome.code)
            if job.draft:
                app.switchboard.restore(pane, job.draft)
            app.say(outcome.sentence)
            app.refresh_state()
            return
        if job.ref:
            pane.narrator.held(job)
        if app.engine.identity:
            app.state.name = app.engine.identity.name
        if job.done:
            app.say(job.done)

    def _react_here(self, event: ConversationEvent) -> None:
        match event:
            case Gate():
                self._app.key_change.stand_at(event)
            case Code():
                self._app.desk.perform("verify")
            case TrustChanged(trust=Trust.CHANGED):
                self._app.show_chat()
            case _:
                pass
