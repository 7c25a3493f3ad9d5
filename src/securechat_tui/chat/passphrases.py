"""What every face needs to ask for a passphrase."""

from typing import Final

from securechat_tui.storage.errors import (
    BadDescriptor,
    EmptyPassphrase,
    LongPassphrase,
    OddPassphrase,
    PassphraseNeeded,
    WrongBackupPassphrase,
    WrongPassphrase,
)
from securechat_tui.storage.passphrase import Passphrase

__all__ = [
    "UNUSABLE",
    "WRONG",
    "BadDescriptor",
    "LongPassphrase",
    "OddPassphrase",
    "Passphrase",
    "PassphraseNeeded",
    "pause_after",
]

UNUSABLE: Final = (EmptyPassphrase, LongPassphrase, OddPassphrase)
"""What a typed text can be that makes it no passphrase."""
WRONG: Final = (*UNUSABLE, WrongPassphrase, WrongBackupPassphrase)
"""What another try may mend."""

_LONGEST_PAUSE: Final = 30.0


def pause_after(failures: int) -> float:
    """Seconds before the next try, after this many wrong ones: 1, 2, 4 and so on, at most 30.

    It keeps a passer-by from trying words at an open terminal; who has the file is slowed by Argon2id.
    """
    return min(2.0 ** min(failures - 1, 10), _LONGEST_PAUSE)
