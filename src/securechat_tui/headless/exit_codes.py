"""What the program's exit code says; the numbers are those of ``docs/json.md``."""

from enum import IntEnum

__all__ = ["ExitCode"]


class ExitCode(IntEnum):
    """The exit codes that scripts may rely on."""

    DONE = 0
    FAILED = 1
    """Something went wrong and standard error says what."""
    USAGE = 2
    UNREACHABLE = 3
    """Cannot listen, cannot connect, the host is busy, or the session never became secure."""
    DISTRUSTED = 4
    """A changed key, a failed comparison, a bad invite, a blocked key."""
    PROFILE = 5
    """The profile cannot be used: permissions, damage, or another process has it."""
    UNDELIVERED = 6
    INTERRUPTED = 130
