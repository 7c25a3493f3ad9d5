"""A field for a passphrase."""

from textual.widgets import Input

__all__ = ["SecretInput"]


class SecretInput(Input):
    """Shows a dot for each character; nothing copies what is in it."""

    def __init__(self, *, placeholder: str = "", id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(placeholder=placeholder, password=True, id=id)

    @property
    def selected_text(self) -> str:
        """Nothing: a selection here is for replacing, not for the clipboard."""
        return ""

    def action_cut(self) -> None:
        """Delete the selection; it goes nowhere."""
        self.delete_selection()
