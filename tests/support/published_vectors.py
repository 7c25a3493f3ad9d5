"""Reads the published test vectors that the package ``cryptography_vectors`` carries."""

from collections.abc import Iterator

from cryptography_vectors import open_vector_file


def _lines(filename: str) -> list[str]:
    with open_vector_file(filename, "r") as file:
        return [line.strip() for line in file]


def records(filename: str, first: str, *kept: str) -> Iterator[dict[str, str]]:
    """Yield the records of a file of ``key = value`` lines; the key ``first`` begins each.

    Keys in square brackets, and those in ``kept``, hold for all records after them. A word alone on its
    line is a key without a value.
    """
    context: dict[str, str] = {}
    record: dict[str, str] | None = None
    for line in _lines(filename):
        if not line or line.startswith("#"):
            continue
        key, _, value = (part.strip() for part in line.strip("[]").partition("="))
        if key in kept or line.startswith("["):
            context[key] = value
            continue
        if key == first:
            if record is not None:
                yield record
            record = dict(context)
        if record is not None:
            record[key] = value
    if record is not None:
        yield record


def titled(filename: str, last: str) -> Iterator[dict[str, str]]:
    """Yield what a file of values under ``# Title:`` lines has said up to each value titled ``last``."""
    said: dict[str, str] = {}
    title = ""
    for line in _lines(filename):
        if line.startswith("#"):
            title = line.lstrip("# ").rstrip(":")
        elif line:
            said[title] = line
            if title == last:
                yield dict(said)
