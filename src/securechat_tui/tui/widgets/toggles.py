"""A check box and a radio button that can be read without colour."""

from textual.content import Content
from textual.widgets import Checkbox, RadioButton

__all__ = ["PlainCheckbox", "PlainRadioButton"]


class PlainCheckbox(Checkbox):
    """``[X]`` or ``[ ]``; Textual's own differ in colour alone."""

    def render(self) -> Content:
        """Draw the mark of the present value before the label."""
        return Content.assemble("[X] " if self.value else "[ ] ", self.label)


class PlainRadioButton(RadioButton):
    """``(●)`` or ``( )``; Textual's own differ in colour alone."""

    def render(self) -> Content:
        """Draw the mark of the present value before the label."""
        return Content.assemble("(●) " if self.value else "( ) ", self.label)
