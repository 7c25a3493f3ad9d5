"""What every full-screen face of the program has in common: themes, visible text alone, silent faults."""

import asyncio
import signal
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import PurePath

from rich.segment import Segments
from rich.text import Text
from textual import on
from textual.app import App
from textual.binding import Binding
from textual.filter import LineFilter
from textual.worker import Worker, WorkerState

from securechat_tui.chat.preferences import ThemeName
from securechat_tui.chat.terms import SafeText
from securechat_tui.tui.colours import ColourlessFilter, fitting_theme
from securechat_tui.tui.keymap import key_label
from securechat_tui.tui.safety import SafetyFilter
from securechat_tui.tui.themes import THEMES, VARIABLES

__all__ = ["EXIT_INTERRUPTED", "GuardedApp", "leave_on_signals"]

EXIT_INTERRUPTED = 130


class GuardedApp(App[int], inherit_bindings=False):
    """An app whose widgets can let nothing but visible text out, and whose tracebacks name no values."""

    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (34, "-narrow"), (100, "-wide")]  # noqa: RUF012 - Textual's type
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (10, "-short"), (22, "-medium"), (28, "-tall")]  # noqa: RUF012

    def __init__(self, css_path: list[str | PurePath] | None = None) -> None:
        super().__init__(css_path=css_path)
        for theme in THEMES.values():
            self.register_theme(theme)
        self._text_filter = SafetyFilter()
        self._colourless = ColourlessFilter()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Variables of the screens' own, for themes that do not set them."""
        return dict(VARIABLES)

    def get_key_display(self, binding: Binding) -> str:
        """A key as it is shown, also where it is not the usual one."""
        return binding.key_display or key_label(binding.key)

    def begin_in(self, name: ThemeName) -> None:
        """Have a theme on from the first paint. Later, all style sheets would be parsed once more."""
        self.wear(name)
        self.stylesheet.set_variables(self.get_css_variables())

    def wear(self, name: ThemeName) -> bool:
        """Put on a theme; False where the terminal has too few colours and keeps to its own."""
        fitting = fitting_theme(name, self.console.color_system)
        self.theme = fitting.name
        return fitting is THEMES[name]

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Textual's filters, or the one that leaves no colour; last the one for visible text alone."""
        filters = [self._colourless] if self.no_color else super().get_line_filters()
        return [*filters, self._text_filter]

    @on(Worker.StateChanged)
    def _worker_changed(self, event: Worker.StateChanged) -> None:
        """A worker that fails is a fault of the program: end with a traceback rather than go on deaf."""
        if event.state is WorkerState.ERROR and isinstance(event.worker.error, Exception):
            self._handle_exception(event.worker.error)

    def _fatal_error(self) -> None:
        """End after a fault of the program. Locals stay out of the traceback: they hold messages and keys."""
        self.bell()
        error = self._exception
        trace = "".join(traceback.format_exception(error)) if error else "no traceback"
        text = Text(f"{SafeText.multi(trace)}\nsecurechat-tui has stopped because of a fault of its own.")
        self._exit_renderables.append(Segments(self.console.render(text, self.console.options)))
        self._close_messages_no_wait()


def leave_on_signals(app: GuardedApp) -> None:
    """Leave in order when the terminal closes or somebody asks from outside, with the goodbye."""
    loop = asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        # Windows has no SIGHUP, and loops there cannot handle signals.
        with suppress(AttributeError, NotImplementedError):
            loop.add_signal_handler(getattr(signal, name), app.exit, EXIT_INTERRUPTED)
