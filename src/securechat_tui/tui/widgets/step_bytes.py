"""The bytes of one step as rows: hex, with each part under its name."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from textual.content import Content

from securechat_tui.chat.steps import Field, Step
from securechat_tui.tui.themes import NICKS

__all__ = ["HIDDEN", "Row", "head_rows", "rows_of"]

HIDDEN: Final = "hidden"
_BETWEEN: Final = "in between"
_FEW_ROWS: Final = 2
_OFFSET_CELLS: Final = 6
_CELLS_PER_BYTE: Final = 4
"""Two digits, a space, and the character at the right."""
_SIZES: Final = (32, 16, 12, 8, 4)
_PRINTABLE: Final = range(0x20, 0x7F)


@dataclass(frozen=True, slots=True)
class Row:
    """One row: words, or bytes of a part from an offset on, which are drawn when they are seen."""

    words: Content = field(default_factory=Content)
    data: bytes = b""
    start: int = 0
    per_row: int = 0
    colour: str = ""

    def drawn(self) -> Content:
        """The row as text."""
        if not self.data:
            return self.words
        piece = self.data[self.start : self.start + self.per_row]
        hexadecimal = piece.hex(" ").ljust(self.per_row * 3 - 1)
        characters = "".join(chr(byte) if byte in _PRINTABLE else "·" for byte in piece)
        return Content.assemble(
            (f"{self.start:0{_OFFSET_CELLS - 2}x}  ", "$muted"),
            (hexadecimal, self.colour),
            (f"  {characters}", "$muted"),
        )


def bytes_in_row(width: int) -> int:
    """How many bytes fit beside each other."""
    room = (width - _OFFSET_CELLS - 1) // _CELLS_PER_BYTE
    return next((size for size in _SIZES if size <= room), _SIZES[-1])


def _dump(data: bytes, start: int, end: int, per_row: int, colour: str) -> Iterator[Row]:
    """Rows of a part; offsets count from the beginning of the whole."""
    part = data[:end]
    for offset in range(start, end, per_row):
        yield Row(data=part, start=offset, per_row=per_row, colour=colour)


def _counted(number: int) -> str:
    return "1 byte" if number == 1 else f"{number:,} bytes"


def _named(name: str, value: str, width: int) -> Iterable[Row]:
    label = f"{name}: "
    lines = Content.assemble((label, "$muted"), value).wrap(max(width, 1))
    return [Row(line) for line in lines]


def head_rows(step: Step, width: int, *, reveals: bool) -> Iterator[Row]:
    """What is to be said about a step before its bytes."""
    for line in Content.styled(step.name, "bold").wrap(max(width, 1)):
        yield Row(line)
    if step.protects:
        yield from _named("protects", step.protects, width)
    yield from _named("key", step.key or "none", width)
    if step.secret:
        value = step.secret.hex(" ") if reveals else f"{HIDDEN}, {_counted(len(step.secret))}; S shows it"
        yield from _named("its bytes", value, width)


def _hidden(name: str, data: bytes) -> Row:
    return Row(
        Content.assemble((f"{name} ", "bold"), (f"{_counted(len(data))}, {HIDDEN}; S shows them", "$muted"))
    )


def rows_of(step: Step, width: int, *, reveals: bool, whole_input: bool) -> list[Row]:
    """Everything about a step, in rows of this width."""
    rows = [*head_rows(step, width, reveals=reveals), Row()]
    rows += _input_rows(step, width, reveals=reveals, whole=whole_input)
    rows.append(Row())
    if "output" in step.reads and not reveals:
        return [*rows, _hidden("output", step.output)]
    rows.append(_heading("output", len(step.output)))
    return [*rows, *_output_rows(step, bytes_in_row(width))]


def _input_rows(step: Step, width: int, *, reveals: bool, whole: bool) -> list[Row]:
    if step.input == step.output and step.input:
        return [Row(Content.styled("input and output are the same bytes", "$muted"))]
    if "input" in step.reads and not reveals:
        return [_hidden("input", step.input)]
    rows = list(_dump(step.input, 0, len(step.input), bytes_in_row(width), "$foreground"))
    more = len(rows) - _FEW_ROWS
    if more > 1 and not whole:
        rows = rows[:_FEW_ROWS]
        left = len(step.input) - _FEW_ROWS * bytes_in_row(width)
        rows.append(Row(Content.styled(f"…     {_counted(left)} more; I shows them", "$muted")))
    return [_heading("input", len(step.input)), *rows]


def _heading(name: str, length: int) -> Row:
    return Row(Content.assemble((name, "bold"), (f"  {_counted(length)}", "$muted")))


def _parts(step: Step) -> Iterator[tuple[Field, str]]:
    """The named parts of the output with their colours, and what lies between them: no byte is left out."""
    reached = 0
    for number, part in enumerate(step.fields):
        if part.start > reached:
            yield Field(_BETWEEN, reached, part.start), "$foreground"
        yield part, f"$nick-{number % NICKS}"
        reached = max(reached, part.end)
    if reached < len(step.output):
        yield Field(_BETWEEN if step.fields else "", reached, len(step.output)), "$foreground"


def _output_rows(step: Step, per_row: int) -> Iterator[Row]:
    for part, colour in _parts(step):
        if part.name:
            length = f"  {_counted(part.end - part.start)}"
            yield Row(Content.assemble((f"▪ {part.name}", f"{colour} bold"), (length, "$muted")))
        yield from _dump(step.output, part.start, part.end, per_row, colour)
