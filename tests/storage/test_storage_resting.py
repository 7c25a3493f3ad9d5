"""More conversations than files that are open at once: what is wanted is there, whatever rested meanwhile."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from histories import BOB, MINE, SPKI, STORE_KEY, chatted, queued, sending

from securechat_tui.storage import resting
from securechat_tui.storage.errors import DamagedConversation
from securechat_tui.storage.history import ConversationStore
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.resting import MOST_OPEN
from securechat_tui.storage.store import Store


def open_files() -> int:
    """How many files of conversations this program has open: each is locked while it is."""
    opened = (str(one.resolve()) for one in Path("/proc/self/fd").iterdir())
    return sum(one.endswith(".db") for one in opened if "/conversations/" in one)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="a look at what is open")
def test_however_many_conversations_there_are_few_files_are_open(profile: Profile) -> None:
    """Every stranger who calls a host leaves one; they must not keep the program from opening its own."""
    with Store(profile, STORE_KEY) as store:
        histories = [store.conversation(number.to_bytes(32), SPKI) for number in range(MOST_OPEN + 8)]
        assert open_files() == MOST_OPEN
        for number, history in enumerate(histories):
            history.keep_draft(f"draft {number}")
        assert [one.draft() for one in histories] == [f"draft {number}" for number in range(MOST_OPEN + 8)]
        assert open_files() == MOST_OPEN
    assert open_files() == 0


def test_a_file_that_is_in_use_stays_open(profile: Profile, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resting, "MOST_OPEN", 1)
    with Store(profile, STORE_KEY) as store:
        first, second = (store.conversation(number.to_bytes(32), SPKI) for number in (1, 2))
        chatted(first)
        chatted(second)
        rows = first._database.each("SELECT row FROM message ORDER BY row")
        assert next(rows) == (1,)
        assert second.draft() == ""
        assert len(list(rows)) == 5
        with first._database.transaction():
            assert second.draft() == ""
            first._database.run("UPDATE conversation SET draft = 'mine'")
        assert second.draft() == ""
        assert first.draft() == "mine"


def test_a_file_that_has_gone_meanwhile_is_damage_and_no_new_one_is_begun(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resting, "MOST_OPEN", 1)
    with Store(profile, STORE_KEY) as store:
        first = store.conversation(BOB, SPKI)
        (path,) = profile.conversations_folder.glob("*.db")
        store.conversation(bytes(32), SPKI)
        path.write_bytes(b"")
        with pytest.raises(DamagedConversation, match="missing or empty"):
            first.draft()
        store.close()
        with pytest.raises(RuntimeError, match="closed"):
            first.draft()


def test_many_threads_use_more_conversations_than_can_be_open(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resting, "MOST_OPEN", 2)
    with Store(profile, STORE_KEY) as store:
        histories = [store.conversation(number.to_bytes(32), SPKI) for number in range(6)]

        def write(history: ConversationStore) -> int:
            for row in range(1, 21):
                history.write([queued(row, row)], sending(row))
                assert history.header_hash(MINE, row) is not None
            return len(history.page(99))

        with ThreadPoolExecutor(6) as threads:
            assert list(threads.map(write, histories)) == [20] * 6
