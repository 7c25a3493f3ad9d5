"""What goes wrong with a command: one sentence for the person, one word for a program."""

from collections.abc import Iterator
from contextlib import contextmanager

from securechat_tui.storage.errors import ProfileError

__all__ = ["CommandError", "profile_errors"]


class CommandError(Exception):
    """A command cannot be carried out now; ``str(error)`` is the sentence that says what to do.

    ``code`` is a short word for programs: no-identity, no-conversation, too-long, empty,
    bad-address, bad-invite, unknown-contact, cannot-listen, not-hosting, too-many-invites, busy, gated,
    exists, passphrase, profile.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@contextmanager
def profile_errors() -> Iterator[None]:
    """What cannot be kept, or read, fails as a command."""
    try:
        yield
    except ProfileError as error:
        raise CommandError("cannot-save", str(error)) from None
