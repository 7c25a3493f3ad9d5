"""What is carried elsewhere: exported conversations, and backups of a whole profile."""

import io
import json
from pathlib import Path

from fuzz.harness import Harness
from fuzz.people import GUEST, HOST
from securechat_tui.protocol import constants as c
from securechat_tui.protocol import signing
from securechat_tui.protocol.encoding import lp16, u64
from securechat_tui.protocol.identity import IdentityKey
from securechat_tui.protocol.signing import Header, Seen
from securechat_tui.protocol.transcript import Unproved
from securechat_tui.storage import transcripts as files
from securechat_tui.storage import whole_backup
from securechat_tui.storage.errors import BadBackup, NewerBackup
from securechat_tui.storage.passphrase import Cost, Stretch, checksum_line
from securechat_tui.storage.whole_backup import OpenBackup, SealedProfile

_BACKUP = Path("backup")
_STRETCH = Stretch(Cost(memory=64, passes=1, lanes=1), bytes(16))
_GENERATION = b"g" * c.GENERATION_LENGTH


def _check_told(error: Exception) -> None:
    """A refusal can be shown."""
    assert str(error).isprintable()


def check_transcript(data: bytes) -> bool:
    """An exported conversation: whatever is counted as signed was verified, and every number is told once."""
    try:
        *_, transcript = files.read_transcript(io.BytesIO(data))
    except Unproved as error:
        _check_told(error)
        return False
    for by in (0, 1):
        for stretch in transcript.stretches(by):
            told = stretch.signed + stretch.unsigned + stretch.waiting + stretch.withheld
            assert told == stretch.last - stretch.first + 1
            assert stretch.first_signed <= stretch.last_signed <= stretch.last
    return True


def _transcripts() -> list[bytes]:
    """Three messages, the second withheld and the third signed by the same key."""
    opening = files._encode(files._Opening(1, "x", 1.0, _conversation().hex(), _party(GUEST), _party(HOST)))
    first, item = _signed(1, signing.NO_HASH, "one")
    gap = files._Withheld("me", _GENERATION, 2, False, bytes(32), None)
    third, _ = _signed(3, item, "three")
    lines = [opening, first, files._encode(gap), third]
    unsigned = json.loads(first) | {"proof": None}
    return [
        b"".join(lines),
        opening + json.dumps(unsigned).encode() + b"\n",
        b"".join(lines[:2]) + third,
        b"".join(lines)[:-1],
        opening + b"[" * 999 + b"\n",
        opening,
        b"{}\n",
    ]


def _conversation() -> bytes:
    return signing.conversation_id(GUEST.public.fingerprint, HOST.public.fingerprint)


def _party(key: IdentityKey) -> files.Party:
    return files.Party.of(key.public, "somebody")


def _signed(number: int, previous: bytes, text: str) -> tuple[bytes, bytes]:
    """A line with a batch of one, and its header hash."""
    people = (_conversation(), bytes(GUEST.public.fingerprint), bytes(HOST.public.fingerprint))
    salt = bytes(32)
    named = signing.content_hash(salt, b"\1" + text.encode())
    header = Header(*people, _GENERATION, number, previous, Seen(), 7, named).encode()
    root = signing.leaf_hash(header)
    signature = GUEST.sign(signing.batch_message(_conversation(), 1, root))
    proof = files._Proof(header, salt, files._Batch(1, root, signature), 0, ())
    kept = files._Kept(number, 1.0, "somebody", "pinned", None, None, "delivered")
    line = files._Message("me", _GENERATION, number, 7, text, proof, kept)
    return files._encode(line), signing.header_hash(header)


def check_head(data: bytes) -> bool:
    """The first lines of a backup of a whole profile, its checksum made right."""
    first, mark, _ = data.partition(b"sha256 ")
    whole = first + checksum_line(first) if mark else data
    try:
        found = SealedProfile.parse(_BACKUP, whole)
    except (BadBackup, NewerBackup) as error:
        _check_told(error)
        return False
    assert whole.startswith(found.head)
    assert len(found.check) == 16
    return True


def _heads() -> list[bytes]:
    good = f"securechat-tui profile backup 1\n{_STRETCH}\ncheck {'A' * 22}==\nsha256 \n".encode()
    return [
        good,
        good[:-12],
        good.replace(b"backup 1", b"backup 02"),
        good.replace(b"t=1", b"t=17"),
        good.replace(b"profile ", b""),
    ]


def check_content(data: bytes) -> bool:
    """What is in such a backup, as whoever knows its passphrase could have made it."""
    backup = OpenBackup(SealedProfile(_BACKUP, b"", _STRETCH, b""), b"")
    stream = whole_backup._Stream(iter((data,)), BadBackup(path=_BACKUP, reason="cut short"))
    taken = 0
    try:
        for name, body in backup._entries(stream):
            assert not Path(name).is_absolute()
            assert ".." not in name
            taken += sum(map(len, body))
    except BadBackup:
        return False
    assert taken < len(data)
    return True


def _contents() -> list[bytes]:
    def file(name: str, body: bytes) -> bytes:
        return lp16(name.encode()) + u64(len(body)) + body

    good = file("backup.json", b"{}") + file("identity.pem", b"x")
    return [
        good + lp16(b""),
        file(f"conversations/{'0' * 32}.db", b"y") + good + lp16(b""),
        good,
        good + lp16(b"") + b"x",
        file("../identity.pem", b"x") + lp16(b""),
        file("conversations/..", b"x") + lp16(b""),
        lp16(b"identity.pem") + u64(2**63) + b"x",
    ]


HARNESSES = (
    Harness("transcript", check_transcript, _transcripts, 8000),
    Harness("profile backup file", check_head, _heads, 400),
    Harness("profile backup content", check_content, _contents, 400),
)
