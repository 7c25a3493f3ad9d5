"""What every end-to-end test starts from."""

import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from terminal_desk import ALICE, BOB, Desk, World
from terminal_programs import PROGRAM, SAFETY_SECONDS, environment, settle


@pytest.fixture(scope="session")
def met(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Alice and bob after their first contact, made by the program itself."""
    home = tmp_path_factory.mktemp("met") / "home"
    alice, bob = settle(home, ALICE, key="alice", called="alice"), settle(home, BOB)
    places = environment(home)
    command = [str(PROGRAM), "host", "--bind", "127.0.0.1:0", "--json"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=places) as host:
        assert host.stdin is not None
        assert host.stdout is not None
        port = next(
            event["port"] for line in host.stdout if (event := json.loads(line))["event"] == "listening"
        )
        guest = [str(PROGRAM), "--profile", BOB, "join", f"127.0.0.1:{port}", "--json"]
        subprocess.run(
            guest,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=places,
            check=True,
            timeout=SAFETY_SECONDS,
        )
        host.communicate(timeout=SAFETY_SECONDS)
    return World(home, f"127.0.0.1:{port}", alice, bob)


@pytest.fixture
def world(met: World, tmp_path: Path) -> World:
    """The same two people, in a folder of the test's own."""
    shutil.copytree(met.home, tmp_path / "home")
    return World(tmp_path / "home", met.address, met.alice, met.bob)


@pytest.fixture
async def desk(world: World) -> AsyncIterator[Desk]:
    """A desk in the world of two people who have met."""
    desk = Desk(world.home)
    yield desk
    desk.close()


@pytest.fixture
async def empty_desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk on a machine where the program has never run."""
    desk = Desk(tmp_path / "fresh")
    yield desk
    desk.close()
