"""How a peer notes the steps of the message that is on its way through it."""

from collections.abc import Iterable

from securechat_tui.chat.steps import Field, Step, laid_out

__all__ = ["Field", "Step", "Trail", "laid_out"]


class Trail:
    """The steps of the message that is on its way through one peer."""

    __slots__ = ("_steps",)

    def __init__(self) -> None:
        self._steps: list[Step] = []

    def note(
        self,
        name: str,
        taken: bytes,
        made: bytes,
        *,
        key: str = "",
        protects: str = "",
        fields: Iterable[Field] = (),
    ) -> bytes:
        """Note a step and return what it made."""
        self._steps.append(Step(name, taken, made, key, protects, tuple(fields)))
        return made

    def add(self, steps: Iterable[Step]) -> None:
        """Note steps that were recorded elsewhere."""
        self._steps += steps

    def end(self) -> tuple[Step, ...]:
        """Return what was noted since the last end."""
        steps, self._steps = tuple(self._steps), []
        return steps
