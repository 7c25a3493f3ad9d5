"""What goes wrong with a command: one sentence for the person, one word for a program."""


class CommandError(Exception):
    """A command cannot be carried out now; ``str(error)`` is the sentence that says what to do.

    ``code`` is a short word for programs: no-identity, no-conversation, too-long, empty,
    bad-address, bad-invite, unknown-contact, cannot-listen, not-hosting, too-many-invites, busy, gated,
    exists, passphrase, profile.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
