"""The program's own palette."""

from textual.theme import Theme

__all__ = ["DARK", "MUTED"]

MUTED = "#93A1AF"
"""For what matters less; a plain colour, since texts cannot take Textual's automatic ones."""

DARK = Theme(
    name="securechat-dark",
    primary="#6CB6EB",
    secondary="#A78BDB",
    accent="#E9B872",
    foreground="#D7DEE6",
    background="#11151A",
    surface="#171C23",
    panel="#202731",
    success="#7FCF8F",
    warning="#E9B872",
    error="#F0716F",
    dark=True,
    variables={
        "footer-key-foreground": "#6CB6EB",
        "footer-background": "#171C23",
        "muted": MUTED,
        "footer-description-foreground": MUTED,
        "input-cursor-background": "#D7DEE6",
    },
)
