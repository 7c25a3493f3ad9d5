"""What a person decides in one session: about codes, a new key, messages in doubt."""

from dataclasses import dataclass

from securechat_tui.chat import gates
from securechat_tui.chat.comparing import Comparing
from securechat_tui.chat.encounter import Encounter
from securechat_tui.chat.errors import CommandError

__all__ = ["Decisions"]


@dataclass(frozen=True, slots=True)
class Decisions:
    """The decisions about one encounter. All raise CommandError where that is not the question.

    Those that are to be kept raise the ProfileError family too; nothing is decided then.
    """

    encounter: Encounter

    @property
    def comparing(self) -> Comparing:
        """The comparison of codes with the peer."""
        if self.encounter.comparing is None:
            raise CommandError("no-conversation", "Nobody is here now: this needs a conversation.")
        return self.encounter.comparing

    async def same(self, digits: str | None) -> None:
        """The codes are the same; ``digits`` are those that were read out, for the program to compare."""
        await self.comparing.match(digits)
        await self.encounter.pass_gate()

    async def same_safety_number(self) -> None:
        """The safety numbers are the same."""
        await self.comparing.match_safety_number()
        await self.encounter.pass_gate()

    async def different(self) -> None:
        """The codes differ: the session ends at once, then that is kept."""
        comparing = self.comparing
        comparing.differ()
        self.encounter.stop()
        await comparing.keep_difference()

    async def accept_key(self) -> None:
        """Take the new key that the contact's key has named."""
        conversation = self.encounter.conversation
        if conversation is None or conversation.gate != gates.ROTATION:
            raise CommandError("no-new-key", "There is no new key here to accept.")
        await self.comparing.accept()
        await self.encounter.pass_gate()

    async def resolve(self, choice: gates.Resolution) -> None:
        """Answer the question at a gate about messages."""
        here = self.encounter.conversation
        if here is None or choice not in gates.CHOICES.get(here.gate, ()):
            raise CommandError("nothing-to-resolve", "Nothing waits for such a decision.")
        await here.resolve(choice)
        await self.encounter.pass_gate()
