"""Appendix E of docs/protocol.md: a verifier of exported conversations, written from that document alone."""

import base64
import binascii
import json
from typing import Any

from reference_crypto import PublicIdentity, Violation, hash_of, sha256, u
from reference_messages import HEADER_LABEL, NOTHING_SEEN, climb, conversation_of, leaf_of, steps

MOST_LINE = 262144
Line = dict[str, Any]


class Refused(Exception):
    """The line, from 1, at which a file is refused, and why."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}")
        self.line = line


class Bad(Exception):
    """A line that fails a check: the word for it."""


def must(condition: object, word: str) -> None:
    """Fail a check unless ``condition`` holds."""
    if not condition:
        raise Bad(word)


def octets(value: object, least: int, most: int | None = None) -> bytes:
    """Base64 with padding, of a length."""
    must(isinstance(value, str), "format")
    try:
        found = base64.b64decode(str(value), validate=True)
    except binascii.Error:
        raise Bad("format") from None
    must(least <= len(found) <= (least if most is None else most), "format")
    return found


def whole(value: object, least: int, most: int = 1 << 62) -> int:
    """A whole number, which a boolean is not."""
    must(isinstance(value, int) and not isinstance(value, bool) and least <= value <= most, "format")
    assert isinstance(value, int)
    return value


def is_number(value: object) -> bool:
    """A number, which a boolean is not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def real(value: object) -> None:
    """Any number."""
    must(is_number(value), "format")


def string(value: object, most: int) -> None:
    """A string of at most so many characters."""
    must(isinstance(value, str) and len(value) <= most, "format")


def fields(value: object, names: str) -> Line:
    """An object with exactly these fields."""
    must(isinstance(value, dict) and set(value) == set(names.split()), "format")
    assert isinstance(value, dict)
    return value


class Author:
    """One of the two, and where each generation stands."""

    def __init__(self, key: PublicIdentity, other: PublicIdentity) -> None:
        self.key, self.other = key, other
        self.last: dict[bytes, int] = {}
        self.first: dict[bytes, int] = {}
        self.previous: dict[bytes, bytes | None] = {}
        self.items: dict[tuple[bytes, int], bytes] = {}
        self.named: dict[bytes, int] = {}
        self.proved: list[int] = []

    def place(self, generation: bytes, number: int) -> None:
        """The next number of a generation."""
        must(any(generation), "number")
        if generation not in self.last:
            must(len(self.last) < 1024, "number")
            self.first[generation], self.previous[generation] = number, bytes(32) if number == 1 else None
        else:
            must(number == self.last[generation] + 1, "number")
        must(number > self.named.get(generation, 0), "seen")
        self.last[generation] = number

    def chain(self, generation: bytes, number: int, item: bytes) -> None:
        """A header hash has its place."""
        self.previous[generation] = self.items[generation, number] = item


class Verifier:
    """Takes the lines of a file in their order."""

    def __init__(self) -> None:
        self.row = 0
        self.authors: dict[str, Author] = {}

    def open(self, line: Line) -> None:
        """The first line."""
        fields(line, "line format program made conversation me peer")
        must(line["line"] == "transcript" and whole(line["format"], 1, 1), "format")
        string(line["program"], 100)
        real(line["made"])
        must(0 <= line["made"] <= 1e11, "format")
        keys = []
        for side in ("me", "peer"):
            party = fields(line[side], "name fingerprint spki")
            string(party["name"], 1000)
            try:
                keys.append(PublicIdentity(octets(party["spki"], 1, 550)))
            except Violation:
                raise Bad("identity") from None
            shown = "SHA256:" + base64.b64encode(sha256(keys[-1].spki)).decode().rstrip("=")
            must(party["fingerprint"] == shown, "identity")
        me, peer = keys
        must(me.fp != peer.fp and line["conversation"] == conversation_of(me, peer).hex(), "identity")
        self.authors = {"me": Author(me, peer), "peer": Author(peer, me)}

    def take(self, value: object) -> None:
        """Any other line."""
        must(isinstance(value, dict), "format")
        assert isinstance(value, dict)
        line: Line = value
        must(isinstance(line.get("by"), str) and line["by"] in self.authors, "format")
        generation, number = octets(line.get("generation"), 16), whole(line.get("number"), 1)
        author = self.authors[line["by"]]
        other = self.authors["peer" if line["by"] == "me" else "me"]
        if line.get("line") == "withheld":
            fields(line, "line by generation number item signed header")
            item = octets(line["item"], 32)
            must(isinstance(line["signed"], bool), "format")
            header = None if line["header"] is None else octets(line["header"], 279)
            author.place(generation, number)
            if line["signed"] and header:
                must(hash_of(b"header hash", header) == item, "content")
                self.header(author, other, header, generation, number)
            if line["signed"]:
                author.chain(generation, number, item)
            return
        must(line.get("line") == "message", "format")
        fields(line, "line by generation number claimed_ms text proof kept")
        self.kept(line["kept"])
        must(isinstance(line["text"], str), "format")
        content = b"\1" + line["text"].encode()
        must(2 <= len(content) <= 32769, "format")
        claimed = whole(line["claimed_ms"], 0, (1 << 63) - 1)
        author.place(generation, number)
        if line["proof"] is not None:
            self.proof(author, other, fields(line["proof"], "header salt batch index path"), line)
            header = octets(line["proof"]["header"], 279)
            must(header[239:247] == u(claimed, 8), "claimed")
            must(hash_of(b"content", octets(line["proof"]["salt"], 32), content) == header[247:], "content")
            author.chain(generation, number, hash_of(b"header hash", header))

    def kept(self, kept: object) -> None:
        """What the exporting side says: its form is checked, and the row."""
        found = fields(kept, "row time name trust age fresh state")
        row = whole(found["row"], 1)
        real(found["time"])
        string(found["name"], 1000)
        string(found["trust"], 20)
        must(found["fresh"] in (None, True, False) and not is_number(found["fresh"]), "format")
        must(found["state"] in ("", "queued", "delivered", "cancelled"), "format")
        if found["age"] is not None:
            real(found["age"])
        must(row > self.row, "row")
        self.row = row

    def proof(self, author: Author, other: Author, proof: Line, line: Line) -> None:
        """Header, path and signature."""
        header = octets(proof["header"], 279)
        index = whole(proof["index"], 0, 127)
        must(isinstance(proof["path"], list), "format")
        path = [octets(one, 32) for one in proof["path"]]
        self.header(author, other, header, octets(line["generation"], 16), line["number"])
        if proof["batch"] is None:
            return
        batch = fields(proof["batch"], "count root signature")
        count, root = whole(batch["count"], 1, 128), octets(batch["root"], 32)
        must(index < count and len(path) == steps(index, count), "path")
        must(climb(leaf_of(header), index, count, path) == root, "path")
        conversation = conversation_of(author.key, author.other)
        try:
            signature = octets(batch["signature"], 1, 512)
            author.key.verify("x", signature, b"message signature", conversation, u(count, 1), root)
        except Violation:
            raise Bad("signature") from None
        author.proved.append(line["number"])

    def header(self, author: Author, other: Author, header: bytes, generation: bytes, number: int) -> None:
        """Section 13.3, and what stands before it."""
        must(header.startswith(HEADER_LABEL), "format")
        parties = conversation_of(author.key, author.other) + author.key.fp + author.other.fp
        must(header[31:127] == parties, "parties")
        must(header[127:151] == generation + u(number, 8), "number")
        must(author.previous[generation] in (None, header[151:183]), "previous")
        seen = header[183:239]
        if seen == NOTHING_SEEN:
            return
        place = seen[:16], int.from_bytes(seen[16:24], "big")
        if place[0] not in other.last or place[1] > other.last[place[0]]:
            other.named[place[0]] = max(place[1], other.named.get(place[0], 0))
        elif place[1] >= other.first[place[0]]:
            must(other.items.get(place) == seen[24:], "seen")


def verify(data: bytes) -> dict[str, list[int]]:
    """The numbers of each side's signed messages; raises :class:`Refused`."""
    verifier, rest, line = Verifier(), data, 0
    while rest or not line:
        line += 1
        raw, end, rest = rest.partition(b"\n")
        try:
            must(end and len(raw) < MOST_LINE, "format")
            try:
                value = json.loads(raw)
            except (ValueError, RecursionError):
                raise Bad("format") from None
            (verifier.open if line == 1 else verifier.take)(value)
        except Bad as why:
            raise Refused(line, str(why)) from None
    return {side: author.proved for side, author in verifier.authors.items()}
