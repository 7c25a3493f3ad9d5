"""What lies over the chat and has to be told what happens."""

__all__ = ["Told"]


class Told:
    """A screen on which a person reads and sees what they otherwise would in the chat."""

    def tell(self, sentence: str) -> None:
        """Show a sentence that the log beneath has too. Not every screen has a place for it."""

    def refresh_state(self) -> None:
        """Draw the present state, as far as the screen shows it."""
