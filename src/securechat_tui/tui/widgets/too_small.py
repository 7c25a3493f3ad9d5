"""The one thing that a very small window can say."""

from textual.widgets import Static

__all__ = ["TooSmall"]


class TooSmall(Static):
    """Covers a screen while there is no room to draw it; what was typed stays."""

    DEFAULT_CSS = """
    TooSmall {
        layer: notice;
        width: 100%;
        height: 100%;
        display: none;
        background: $background;
        color: $text-warning;
    }
    """

    def __init__(self) -> None:
        super().__init__("Window too small: make it 34x10 or more.", markup=False)
