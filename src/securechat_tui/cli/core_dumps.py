"""No image of the program's memory, with its keys and texts, on the disk after a crash."""

import sys

__all__ = ["forbid_core_dumps"]


def forbid_core_dumps() -> None:
    """Set the limit for core files to zero, for good; Windows has none.

    Where the system pipes images to a program of its own, that program decides. systemd-coredump keeps to
    the limit.
    """
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - it is not there on Windows

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
