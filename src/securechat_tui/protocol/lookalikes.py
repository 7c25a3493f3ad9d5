"""Names that look alike: what a person may take for somebody else's on the screen.

What is read as the same (case, width, white space: :func:`~securechat_tui.protocol.text.skeleton`) is
the same name wherever names are looked up. What merely looks the same is only ever a reason to warn.
"""

import unicodedata
from typing import Final

from securechat_tui.protocol.text import SafeText, skeleton

__all__ = ["likenesses"]

_TWINS: Final = {
    "2": "ƧϨᒿꙄꛯꝚ",
    "3": "ƷȜЗӠⳌꝪꞫ",
    "4": "Ꮞ",
    "5": "Ƽ",
    "6": "бᏮⳒ",
    "8": "Ȣȣ৪੪",
    "9": "৭੧୨൭ⳊꝮ",
    "a": "ɑαаΑАᎪᗅꓮ",
    "b": "ƄЬᏏᑲᖯΒВᏴᗷꓐꞴ",
    "c": "сᴄⲥꮯСᏟⲤꓚ",
    "d": "ԁᏧᑯꓒᎠᗞᗪꓓ",
    "e": "еҽꬲΕЕᎬⴹꓰ",
    "f": "քẝꞙꬵϜᖴꓝꞘ",
    "g": "ƍɡցᶃԌᏀᏳꓖ",
    "h": "һհᏂΗНᎻᕼⲎꓧ",
    "j": "ϳјͿЈᎫᒍꓙꞲ",
    "k": "ΚКᏦᛕⲔꓗкκĸ",
    "l": "1Ii|ıɩɪιіӏᎥꙇꭵƖǀΙІӀ۱ᛁⲒⵏꓲᏞᒪⳐꓡ",
    "m": "ΜϺМᎷᗰᛖⲘꓟм",
    "n": "ոռΝⲚꓠпη",
    "o": "0ΟοσОоՕօ۵०০੦૦ଠ୦௦౦೦ഠ൦๐໐ဝ၀ჿዐᴏᴑⲞⲟⵔ〇ꓳꬽ",
    "p": "ρрⲣΡРᏢᑭⲢꓑ",
    "q": "ԛգզⵕ",
    "r": "гᴦⲅꭇꭈꮁƦᎡᏒᖇꓣ",
    "s": "ƽѕꜱꮪЅՏᏕᏚꓢ",
    "t": "ΤТᎢⲦꓔтτ",
    "u": "ʋυսᴜꞟꭎꭒՍሀᑌꓴ",
    "v": "νѵᴠꮩѴ۷Ꮩᐯⴸꓦꛟ",
    "w": "ɯѡԝաᴡꮃԜᎳᏔꓪ",
    "x": "хᕁᕽΧХᚷⲬⵝꓫꞳ",
    "y": "ɣʏγуүყᶌỿꭚΥУҮᎩᎽⲨꓬ",
    "z": "ᴢꮓΖᏃꓜ",
}
"""Letters and digits of living scripts by what they look like in ASCII.

A selection from confusables.txt of Unicode's UTS #39 (Copyright © Unicode, Inc., Unicode License v3,
https://www.unicode.org/license.txt): what compatibility forms do not merge already, and below U+10000.
Added to it are the small Cyrillic and Greek letters that a terminal's font draws like small capitals.
"""
_TABLE: Final = {ord(twin): letter for letter, twins in _TWINS.items() for twin in twins}
_PAIRS: Final = (("rn", "m"), ("vv", "w"))


def likenesses(name: str) -> frozenset[str]:
    """What a name is read as, and what it looks like: keys to compare, never to show.

    Two names that share one are the same, or could be taken for each other at a glance. Accents, and
    letters that no ASCII letter or digit resembles, make a difference.
    """
    return frozenset({skeleton(name), _look(name)})


def _look(name: str) -> str:
    """What a name looks like, in small ASCII letters as far as that goes."""
    seen = unicodedata.normalize("NFKC", SafeText.line(name)).translate(_TABLE).casefold().translate(_TABLE)
    for pair, letter in _PAIRS:
        seen = seen.replace(pair, letter)
    return "".join(seen.split())
