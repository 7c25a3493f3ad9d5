"""The power fails, the program is killed, the disk has a limit: what was said to be stored is stored."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cut_steps import found_after_each_step
from histories import BOB, SPKI, STORE_KEY, digest, receiving

from securechat_tui.storage.profile import Profile
from securechat_tui.storage.store import Store

POSIX = pytest.mark.skipif(os.name != "posix", reason="the test forks, kills or sets limits")
SUPPORT = str(Path(__file__).parent.parent / "support")

# Each step of an operation is the last one of a child, which then is gone as after kill -9.
STEPS = """
import os, pathlib, sys
from cut_steps import Cuts
from histories import BOB, SPKI, STORE_KEY, chatted, digest, receiving, sending
from securechat_tui.storage import database
from securechat_tui.storage.errors import DamagedConversation
from securechat_tui.storage.history import ConversationStore
from securechat_tui.storage.messages import Cancelled
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.store import Store

folder, operation = pathlib.Path(sys.argv[1]), sys.argv[2]
cuts = Cuts()

def arm():
    cuts.count(database.Database, "run", "run_many", "close")
    cuts.count(os, "open", "close")
    cuts.count(pathlib.Path, "unlink")

def act(place):
    with Profile("p", place) as profile, Store(profile, STORE_KEY) as store:
        history = store.conversation(BOB, SPKI) if operation != "begin" else None
        arm()
        match operation:
            case "begin": chatted(store.conversation(BOB, SPKI))
            case "wipe": store.wipe(BOB)
            case "wipe damaged":
                ConversationStore.copy_positions = unreadable
                store.wipe(BOB)
            case "write": history.write([Cancelled(b"m" * 16, 3)], sending(3, 1), receiving(3))

def unreadable(self, target):
    raise DamagedConversation(path=target.path, reason="a page is another one")

def look(place):
    with Profile("p", place) as profile, Store(profile, STORE_KEY) as store:
        there = [known.id for known in store.conversations()] == [BOB]
        files = len({path.name.partition(".")[0] for path in profile.conversations_folder.iterdir()})
        history = store.conversation(BOB, SPKI)
        own, peer, _ = history.position()
        whole = (own, peer) in [(None, None), (sending(3), None), (sending(3), receiving(3)),
                                (sending(3, 1), receiving(3))]
        hashes = [history.item(True, b"m" * 16, 1), history.item(False, b"t" * 16, 3)]
        assert hashes == [own and digest(b"m" * 16, 1), peer and digest(b"t" * 16, 3)]
        ticks = [one.tick for one in history.page(9)]
        waiting = [(one.number, one.gone) for one in history.waiting()]
        history.write([], sending(7, 1))
        assert history.position()[0] == sending(7, 1)
        return [there, files, whole, ticks, waiting]

def prepare(place):
    with Profile("p", place) as profile, Store(profile, STORE_KEY) as store:
        if operation != "begin":
            chatted(store.conversation(BOB, SPKI))

cuts.play(folder, prepare, act, look)
"""


def steps(tmp_path: Path, operation: str) -> list[list[object]]:
    """What was found after a crash at each step: whether all is well, and what is there."""
    found = found_after_each_step(STEPS, tmp_path, operation)
    assert all(whole for _, _, whole, _, _ in found)
    return found


MINE = ["queued"] * 3
CHAT = [*MINE, *[""] * 3]


@POSIX
def test_a_wipe_that_is_cut_has_happened_or_has_not(tmp_path: Path) -> None:
    found = steps(tmp_path, "wipe")
    assert len(found) > 20
    wiped = []
    for there, files, _, ticks, waiting in found:
        assert there
        assert files == 1
        numbers = [[number, not ticks] for number in (1, 2, 3)]
        assert ticks in ([], CHAT)
        assert waiting == numbers
        wiped.append(not ticks)
    assert wiped == sorted(wiped)
    assert not wiped[0]
    assert wiped[-1]


@POSIX
def test_a_wipe_of_a_damaged_file_that_is_cut_has_happened_or_has_not(tmp_path: Path) -> None:
    found = steps(tmp_path, "wipe damaged")
    assert len(found) > 20
    states = [ticks == [] for *_, ticks, _ in found]
    assert states == sorted(states)
    assert set(states) == {True, False}
    assert all(there and files == 1 and ticks in ([], CHAT) for there, files, _, ticks, _ in found)


@POSIX
def test_a_conversation_that_was_being_begun_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    found = steps(tmp_path, "begin")
    assert len(found) > 20
    amounts = [len(ticks) for *_, ticks, _ in found if isinstance(ticks, list)]
    assert amounts == sorted(amounts)
    assert set(amounts) == {0, 3, 6}
    assert all(files == there for there, files, *_ in found)


@POSIX
def test_a_transaction_that_is_cut_has_happened_or_has_not(tmp_path: Path) -> None:
    found = steps(tmp_path, "write")
    after = ["delivered", "queued", "cancelled", *[""] * 3]
    states = [ticks == after for *_, ticks, _ in found]
    assert states == sorted(states)
    assert states[-1]
    assert all(ticks in (CHAT, after) for *_, ticks, _ in found)


WRITER = """
import pathlib, sys
from histories import BOB, SPKI, STORE_KEY, batch, received, receiving
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.store import Store

with Profile("p", pathlib.Path(sys.argv[1])) as profile, Store(profile, STORE_KEY) as store:
    history = store.conversation(BOB, SPKI)
    _, peer, row = history.position()
    high = peer.high if peer else 0
    while True:
        count = high % 5 + 1
        signed = batch(count, high)
        made = [
            received(row + at, high + 1 + at, "word " * (at * 100), batch=signed, index=at)
            for at in range(count)
        ]
        high, row = high + count, row + count
        history.write(made, None, receiving(high))
        print(high, flush=True)
"""


@POSIX
def test_what_was_stored_before_a_kill_is_there_after_it(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": SUPPORT}
    said = 0
    for round_ in range(6):
        command = [sys.executable, "-c", WRITER, str(tmp_path / "p")]
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _ in range(3 + 7 * round_):
                said = int(writer.stdout.readline())
            writer.send_signal(signal.SIGKILL)
            said = max([said, *map(int, writer.stdout.read().split())])
        with Profile("p", tmp_path / "p") as profile, Store(profile, STORE_KEY) as store:
            history = store.conversation(BOB, SPKI)
            _, peer, row = history.position()
            assert peer is not None
            assert peer.high >= said
            assert peer == receiving(peer.high)
            assert row == peer.high + 1
            assert [one.message.number for one in history.messages_for_export()] == [*range(1, row)]
            assert history.item(False, b"t" * 16, peer.high) == digest(b"t" * 16, peer.high)
            assert history._database.value("PRAGMA integrity_check") == "ok"


LIMITED = """
import json, pathlib, resource, sys
from histories import BOB, SPKI, STORE_KEY, chatted, received, receiving
from securechat_tui.storage.errors import DiskFull, StoreError, StoreFailed
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.store import Store
from securechat_tui.trust.pins import Pins

def write(text):
    _, peer, row = history.position()
    history.write([received(row, peer.high + 1, text * 20_000)], None, receiving(peer.high + 1))

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

with Profile("p", pathlib.Path(sys.argv[1])) as profile, Store(profile, STORE_KEY) as store:
    history = store.conversation(BOB, SPKI)
    chatted(history)
    failures = []
    for size in range(4096, 400_000, 9973):
        before, page = history.position(), history.page(99)
        try:
            limit(size)
            write("x")
        except (DiskFull, StoreFailed) as error:
            failures.append(str(error))
            limit(resource.RLIM_INFINITY)
            assert (history.position(), history.page(99)) == (before, page)
            write("y")
        limit(resource.RLIM_INFINITY)
    refused = 0
    for size in (0, 100, 4096, 5000, 9000, 20000, 40000):
        carol = (b"c" * 32, b"carol")
        for act, of in ((store.wipe, [BOB]), (store.conversation, carol), (store.keep_pins, [Pins()])):
            limit(size)
            try:
                act(*of)
            except StoreError as error:
                refused += 1
            limit(resource.RLIM_INFINITY)
            history = store.conversation(BOB, SPKI)
            chatted(history) if history.position()[0] is None else history.page(9)
    names = {path.name for path in profile.conversations_folder.glob("*.db")}
    print(json.dumps([len(failures), refused, failures, len(names), len(store.conversations())]))
"""


@POSIX
def test_whatever_the_disk_refuses_nothing_is_half_stored(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "p")]
    environment = os.environ | {"PYTHONPATH": SUPPORT}
    done = subprocess.run(command, env=environment, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    failures, refused, sentences, files, conversations = json.loads(done.stdout)
    assert failures > 10
    assert refused > 3
    assert all("nothing was stored" in sentence for sentence in sentences)
    assert files == conversations
    with Profile("p", tmp_path / "p") as profile, Store(profile, STORE_KEY) as store:
        assert store.conversation(BOB, SPKI).position()[0] is not None
