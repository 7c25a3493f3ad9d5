"""What Tab makes of a half-typed command or name."""

from collections.abc import Iterable, Sequence

from securechat_tui.tui.commands import Command, find

__all__ = ["complete"]


def complete(text: str, commands: Iterable[Command], names: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Complete ``text`` as far as it is certain.

    Returns the new text and the candidates to show where more than one is left.
    """
    if not text.startswith("/") or "\n" in text:
        return text, ()
    known = tuple(commands)
    word, blank, argument = text[1:].partition(" ")
    if not blank:
        return _extend("/", word, [word for command in known for word in command.words])
    command = find(word, known)
    if command is None or not command.names:
        return text, ()
    return _extend(f"/{word} ", argument, [name for name in names if not _holds_flag(name)])


def _holds_flag(name: str) -> bool:
    """Whether a part of a name would be read as a flag: what a peer is called must not say how to call."""
    return any(part.startswith("--") for part in name.split())


def _extend(prefix: str, part: str, words: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    matches = sorted({word for word in words if word.casefold().startswith(part.casefold())})
    if not matches:
        return prefix + part, ()
    if len(matches) == 1:
        return f"{prefix}{matches[0]} ", ()
    common = _common_start(matches)
    return prefix + (common if len(common) > len(part) else part), tuple(matches)


def _common_start(words: Sequence[str]) -> str:
    shortest = min(words, key=len)
    for index, character in enumerate(shortest):
        if any(word[index] != character for word in words):
            return shortest[:index]
    return shortest
