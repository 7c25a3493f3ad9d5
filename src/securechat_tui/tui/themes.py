"""The program's own colours: dark, light, and those of the terminal itself.

Every colour stands for a word that is beside it, so that nothing is lost without colours.
"""

from typing import Final

from textual.theme import Theme

from securechat_tui.chat.preferences import ThemeName

__all__ = ["DARK", "LIGHT", "NICKS", "TERMINAL", "THEMES", "VARIABLES"]

NICKS: Final = 6
"""Colours for nicks, by the key behind them; one's own is not among them."""


def _variables(muted: str, own: str, *nicks: str) -> dict[str, str]:
    """The variables that are not Textual's. Plain colours: texts cannot take its automatic ones."""
    numbered = {f"nick-{number}": colour for number, colour in enumerate(nicks)}
    return {"muted": muted, "nick-own": own, **numbered}


VARIABLES: Final = _variables(
    "#93A1AF", "#B9A2E8", "#6CB6EB", "#7FCF8F", "#E9B872", "#F29E8E", "#5FD0C5", "#F0A5D0"
)
"""Variables of the screens' own, for themes that do not set them."""

DARK: Final = Theme(
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
        **VARIABLES,
        "footer-key-foreground": "#6CB6EB",
        "footer-background": "#171C23",
        "footer-description-foreground": VARIABLES["muted"],
        "input-cursor-background": "#D7DEE6",
    },
)

_LIGHT_MUTED: Final = "#56616D"

LIGHT: Final = Theme(
    name="securechat-light",
    primary="#17609A",
    secondary="#6A4BA3",
    accent="#7F5200",
    foreground="#1F2933",
    background="#FBFAF7",
    surface="#F3F1EC",
    panel="#E9E6DF",
    success="#1F6B36",
    warning="#7F5200",
    error="#B3261E",
    dark=False,
    variables={
        **_variables(
            _LIGHT_MUTED, "#6A4BA3", "#17609A", "#1F6B36", "#7F5200", "#A83A2C", "#006B63", "#9C2C72"
        ),
        "footer-key-foreground": "#17609A",
        "footer-background": "#E9E6DF",
        "footer-description-foreground": _LIGHT_MUTED,
        "input-cursor-background": "#1F2933",
    },
)

TERMINAL: Final = Theme(
    name="securechat-terminal",
    ansi=True,
    primary="ansi_blue",
    secondary="ansi_magenta",
    accent="ansi_magenta",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    success="ansi_green",
    warning="ansi_yellow",
    error="ansi_red",
    variables={
        **_variables(
            "ansi_default",
            "ansi_default",
            "ansi_blue",
            "ansi_green",
            "ansi_yellow",
            "ansi_red",
            "ansi_cyan",
            "ansi_magenta",
        ),
        "footer-key-foreground": "ansi_blue",
        # Textual's own style sheets ask for these in a theme of this kind.
        "input-cursor-text-style": "reverse",
        "ansi-background": "ansi_default",
        "ansi-foreground": "ansi_default",
        "block-cursor-foreground": "ansi_bright_white",
        "block-cursor-background": "ansi_blue",
        "screen-selection-foreground": "ansi_bright_white",
        "screen-selection-background": "ansi_blue",
        "input-selection-foreground": "ansi_bright_white",
        "input-selection-background": "ansi_blue",
    },
)

THEMES: Final[dict[ThemeName, Theme]] = {"dark": DARK, "light": LIGHT, "terminal": TERMINAL}
"""By the name under which one is chosen."""
