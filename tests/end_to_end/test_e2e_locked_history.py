"""A history that another program has locked, at the start."""

from pathlib import Path

import pytest
from terminal_desk import ALICE, Desk
from terminal_programs import profile_folder

from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.storage.database import Database
from securechat_tui.storage.keystore import open_keys
from securechat_tui.storage.profile import Profile
from securechat_tui.storage.schemas import CONVERSATION, INDEX
from securechat_tui.storage.store import Store


def opened(profile: Profile, which: str) -> Database:
    """Open a file of the history, as a database browser with the key would; then it can be locked."""
    with profile:
        keys = open_keys(profile)
        assert keys is not None
        if which == "index":
            return Database.open(profile.index_path, keys.store, INDEX)
        with Store(profile, keys.store) as store:
            (known,) = store.conversations()
            file = store._find(store._index, known.id)  # type: ignore[arg-type]
        assert file is not None
        return Database.open(file.path, file.key, CONVERSATION)


@pytest.mark.parametrize("face", ["--json", "--plain"])
@pytest.mark.parametrize("which", ["index", "conversation"])
async def test_a_locked_history_is_said_and_ends_the_start(desk: Desk, which: str, face: str) -> None:
    profile = Profile(ALICE, profile_folder(Path(desk.home), ALICE))
    database = opened(profile, which)
    database.run("BEGIN IMMEDIATE")  # a lock is taken with the first transaction, and kept
    database.run("COMMIT")
    try:
        program = desk.piped("host", "--bind", "127.0.0.1:0", face)
        assert await program.wait_exit() == ExitCode.PROFILE
        assert "locked by another program, so nothing was stored" in program.err
        assert program.err.count("\n") == 1
    finally:
        database.close()
    again = desk.piped("host", "--bind", "127.0.0.1:0", "--json")
    await again.see("listening")
