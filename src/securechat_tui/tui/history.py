"""One's own earlier messages, walked with Up and Down."""

from securechat_tui.chat.limits import holds_secret

__all__ = ["InputHistory"]


class InputHistory:
    """A list of texts with a place in it. The place after the last is the draft, which is never lost."""

    def __init__(self, limit: int = 500) -> None:
        self._limit = limit
        self._texts: list[str] = []
        self._place = 0
        self._draft = ""

    def add(self, text: str) -> None:
        """Remember ``text`` as the newest one, unless it holds a secret; go back to the draft's place."""
        if text and not holds_secret(text) and (not self._texts or self._texts[-1] != text):
            self._texts.append(text)
            del self._texts[: -self._limit]
        self.reset()

    def slip_in(self, text: str) -> None:
        """Remember ``text``, which holds no secret, as the newest one, and stay where one is."""
        self._texts.append(text)
        self._place += self._place == len(self._texts) - 1

    def reset(self) -> None:
        """Go back to the draft's place, with an empty draft."""
        self._place = len(self._texts)
        self._draft = ""

    def older(self, current: str) -> str | None:
        """Step back from ``current``; None at the oldest."""
        if self._place == 0:
            return None
        self._keep(current)
        self._place -= 1
        return self._texts[self._place]

    def newer(self, current: str) -> str | None:
        """Step forward from ``current``, at last to the draft; None when already there."""
        if self._place >= len(self._texts):
            return None
        self._keep(current)
        self._place += 1
        return self._draft if self._place == len(self._texts) else self._texts[self._place]

    def _keep(self, current: str) -> None:
        if self._place == len(self._texts):
            self._draft = current
