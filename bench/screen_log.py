"""The chat log against a widget for each message, RichLog, OptionList and an app with nothing in it.

Each contestant is an app of its own at 120x40 before a terminal that takes everything and shows nothing;
all stand side by side in one process and have their turns. What counts is the processor time of the
process until nothing more is painted, since the clock of a shared machine counts the others too.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from itertools import cycle
from typing import Final

from bench.glass import SIZE
from bench.measure import Figures, Result, Sample, Target, interleave, publish, targets_table
from bench.message_lists import Contestant, Nothing, Options, Ours, Rich, Stage, WidgetEach

_APPEND_ROUNDS: Final = 9
_MOVE_ROUNDS: Final = 3
"""An OptionList of this length takes seconds to wrap again."""
_WIDTHS: Final = (90, 120)
_APPENDED: Final = "append ms"
_RESIZED: Final = "resize ms"
_PAGED: Final = "page up ms"
_JUMPED: Final = "unseen part ms"
_WHY: Final = """
A third of a resize is wrapping what is near and the estimates of all other heights. What was changed: to wrap
before the first paint and not after it (a resize from 4.2 to 3.3 times an empty app), one page around instead
of two (3.2), styles looked up once; to leave the scrollbar alone where Textual lays out anew and nothing has
changed for the log (it was painted four times for each resize); a segment for each style of a row, not for
each column; to hand over finished rows past Textual's cache of styles, and a strip for each kind of row of
the scrollbar. Before, Textual made nine strips for each row of the two: a page up went from 0.78 to 0.5 of an
OptionList's, a resize from 2.3 to 1.9 times an empty app, and an unseen part takes a third less.
"""


class _Rounds:
    """What each contestant is asked to do in a round."""

    def __init__(self, stage: Stage, app: Contestant) -> None:
        self._stage = stage
        self._app = app
        self._widths = cycle(_WIDTHS)
        self._dice = random.Random(app.count)

    def append(self) -> Figures:
        """One more message, at the end, which is in view."""
        self._app.view.scroll_end(animate=False)
        return {_APPENDED: self._stage.measure(self._app, self._app.append)}

    def move(self) -> Figures:
        """Another width, a page up, and a jump to where nobody has been."""
        height = SIZE[1]
        resized = self._stage.measure(
            self._app, _doing(lambda: self._app.glass.resize(next(self._widths), height))
        )
        if isinstance(self._app, Nothing):
            return {_RESIZED: resized}
        paged = self._stage.measure(self._app, _doing(lambda: self._app.view.scroll_page_up(animate=False)))
        return {_RESIZED: resized, _PAGED: paged, _JUMPED: self._stage.measure(self._app, self._jump)}

    async def _jump(self) -> None:
        row = self._dice.randrange(1000, self._app.view.virtual_size.height - 1000)
        self._app.view.scroll_to(y=row, animate=False)


def _doing(act: Callable[[], object]) -> Callable[[], Awaitable[object]]:
    async def do() -> object:
        return act()

    return do


def _appending(stage: Stage, apps: Mapping[str, Contestant]) -> Result:
    samples: dict[str, Sample] = {name: _Rounds(stage, app).append for name, app in apps.items()}
    return interleave(samples, rounds=_APPEND_ROUNDS)


def _moving(stage: Stage, apps: Mapping[str, Contestant]) -> Result:
    samples: dict[str, Sample] = {name: _Rounds(stage, app).move for name, app in apps.items()}
    return interleave(samples, rounds=_MOVE_ROUNDS)


def main() -> None:
    """Measure, and publish."""
    with asyncio.Runner() as runner:
        stage = Stage(runner)
        empty = stage.enter(Nothing(), 0)
        ours = stage.enter(Ours(), 100_000)
        options = stage.enter(Options(), 100_000)
        moving = _moving(stage, {"empty app": empty, "ours": ours, "OptionList": options})
        appending = _appending(
            stage,
            {
                "empty app": empty,
                "a widget each, 1,000": stage.enter(WidgetEach(), 1_000),
                "RichLog, 10,000": stage.enter(Rich(), 10_000),
                "OptionList, 100,000": options,
                "ours, 1,000": stage.enter(Ours(), 1_000),
                "ours, 100,000": ours,
                "ours, 1,000,000": stage.enter(Ours(), 1_000_000),
            },
        )
        stage.close()
    body = f"{__doc__}\n{moving.table()}\n{_move_targets(moving)}"
    publish("Screen: moving among 100,000 messages", body)
    publish("Screen: one more message", f"{appending.table()}\n{_append_targets(appending)}")


def _append_targets(result: Result) -> str:
    own, most = "ours, 1,000", 1.1
    targets = [
        Target(_APPENDED, own, "a widget each, 1,000", 0.1, at_least=False),
        Target(_APPENDED, "ours, 100,000", own, most, at_least=False),
        Target(_APPENDED, "ours, 1,000,000", own, most, at_least=False),
    ]
    return targets_table(result, targets)


def _move_targets(result: Result) -> str:
    targets = [
        Target(_RESIZED, "ours", "empty app", 3.0, at_least=False),
        Target(_PAGED, "ours", "OptionList", 0.75, at_least=False),
    ]
    bounds = f"""
Besides, the last frame of a resize should come within 50 ms, and a part nobody has seen within 16 ms of
work: here they took {result.median("ours", _RESIZED):.3g} ms and {result.median("ours", _JUMPED):.3g} ms.
"""
    return targets_table(result, targets) + bounds + _WHY


if __name__ == "__main__":
    main()
