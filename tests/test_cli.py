import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from securechat_tui import __version__, cli
from securechat_tui.chat.engine import Engine
from securechat_tui.chat.glimpse import Glimpse
from securechat_tui.cli import faces as cli_faces
from securechat_tui.cli import talking
from securechat_tui.headless import faces
from securechat_tui.headless.exit_codes import ExitCode
from securechat_tui.headless.openings import HostAt, JoinTarget, Opening, Stay

if TYPE_CHECKING:
    from securechat_tui.tui.opening import Opening as ScreenOpening

COMMANDS: tuple[list[str], ...] = (
    [], ["host"], ["join"], ["guest"], ["demo"], ["identity"], ["identity", "show"], ["identity", "new"],
    ["identity", "passphrase"], ["identity", "export"], ["identity", "import"], ["doctor"],
    ["contacts"], ["contacts", "list"], ["contacts", "show"], ["contacts", "forget"],
    ["contacts", "verify"], ["contacts", "block"], ["contacts", "unblock"],
    ["export"], ["transcript"], ["transcript", "verify"], ["wipe"], ["backup"], ["restore"],
    ["lab"], ["lab", "list"], ["lab", "host"], ["lab", "join"], ["lab", "follow"], ["lab", "attack"],
    ["lab", "matrix"], ["lab", "lesson"],
)  # fmt: skip


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SECURECHAT_TUI_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    return tmp_path / "home"


def run(*arguments: str, encoding: str = "utf-8") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "securechat_tui", *arguments]
    return subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | {"PYTHONIOENCODING": encoding},
    )


class Runs:
    """Stands in for the faces: remembers what each was started with."""

    def __init__(self) -> None:
        self.started: list[tuple[Any, ...]] = []

    def json(self, engine: Engine, opening: Opening, name: str | None) -> ExitCode:
        self.started.append(("json", engine.profile, opening, name))
        return ExitCode.DONE

    def plain(self, engine: Engine, opening: Opening, name: str | None) -> ExitCode:
        self.started.append(("plain", engine.profile, opening, name))
        return ExitCode.UNDELIVERED

    def screen(
        self,
        load: Callable[[], Engine],
        opening: "ScreenOpening",
        _curtain: object,
        *,
        glimpse: Glimpse | None,
        no_color: bool,
    ) -> int:
        del glimpse
        self.started.append(("screen", load().profile, opening, no_color))
        return 0


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    runs = Runs()
    for name in [name for name in os.environ if name.startswith("TEXTUAL")]:
        monkeypatch.setenv(name, os.environ[name])  # put back what importing the screen removes
    monkeypatch.setattr(faces, "run_json", runs.json)
    monkeypatch.setattr(faces, "run_plain", runs.plain)
    screen = ModuleType("securechat_tui.tui.app")
    screen.__dict__["run"] = runs.screen
    monkeypatch.setitem(sys.modules, "securechat_tui.tui.app", screen)
    return runs


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (cli_faces, talking):
        monkeypatch.setattr(module, "has_terminal", lambda: True)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_fits_a_terminal_and_has_an_example(
    command: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert cli.main([*command, "--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 80
    assert any(line.lstrip().startswith("Example") for line in lines)


@pytest.mark.parametrize("command", [["--version"], ["host", "--version"], ["contacts", "list", "--version"]])
def test_the_version(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(command) == 0
    assert capsys.readouterr().out == f"securechat-tui {__version__}\n"


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_the_quick_answers_load_no_room(option: str) -> None:
    program = (
        "import sys; from securechat_tui.cli import main; "
        f"assert main([{option!r}]) == 0; "
        "print(*sorted(m for m in sys.modules if m.split('.')[0] in "
        "('textual', 'cryptography', 'asyncio', 'msgspec') or m.startswith('securechat_tui.')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1].split()
    commands = ["", ".core_dumps", ".elsewhere", ".faces", ".options"]
    if option == "--help":
        commands = sorted([*commands, ".contacts", ".doctor", ".identity", ".keeping", ".lab", ".talking"])
    assert loaded == [
        *(f"securechat_tui.cli{module}" for module in commands),
        "securechat_tui.headless",
        "securechat_tui.headless.exit_codes",
    ]


@pytest.mark.parametrize(
    ("arguments", "opening"),
    [
        (["host"], HostAt(None)),
        (["host", "--bind", "127.0.0.1:9000"], HostAt("127.0.0.1:9000")),
        (["host", "--host", "127.0.0.1", "--port", "9000"], HostAt("127.0.0.1:9000")),
        (["host", "--port", "0"], HostAt("0.0.0.0:0")),
        (["host", "--host", "::1"], HostAt("[::1]:8000")),
        (["host", "--invite-only"], HostAt(None, invited_only=True)),
        (["join", "192.0.2.7"], JoinTarget("192.0.2.7")),
        (["guest", "bob", "--new"], JoinTarget("bob", new=True)),
        (["join", "bob", "--verify-key", "SHA256:x"], JoinTarget("bob", verify_key="SHA256:x")),
        (["join", "--host", "192.0.2.7"], JoinTarget("192.0.2.7:8000")),
        (["join", "--port", "9000"], JoinTarget("127.0.0.1:9000")),
        (["guest", "--host", "[::1]", "--port", "9000"], JoinTarget("[::1]:9000")),
    ],
)
def test_what_a_run_begins_with(runs: Runs, arguments: list[str], opening: Opening) -> None:
    assert cli.main([*arguments, "--json"]) == 0
    assert runs.started == [("json", "default", opening, None)]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--profile", "bob", "--name", "Bob", "--plain", "host"],
        ["host", "--profile", "bob", "--name", "Bob", "--plain"],
        ["--plain", "--profile", "alice", "host", "--name", "Bob", "--profile", "bob"],
    ],
)
def test_options_work_before_and_after_the_command(runs: Runs, arguments: list[str]) -> None:
    assert cli.main(arguments) == 6
    assert runs.started == [("plain", "bob", HostAt(None), "Bob")]


def test_plain_without_a_command_waits_for_commands(runs: Runs) -> None:
    assert cli.main(["--plain"]) == 6
    assert runs.started == [("plain", "default", Stay(), None)]


@pytest.mark.usefixtures("terminal")
def test_the_screen_and_its_openings(runs: Runs) -> None:
    assert cli.main([]) == 0
    assert cli.main(["host", "--no-color"]) == 0
    assert cli.main(["--no-color", "join", "bob", "--new"]) == 0
    opening = sys.modules["securechat_tui.tui.opening"]
    kinds = [started[2] for started in runs.started]
    assert isinstance(kinds[0], opening.StartScreen)
    assert kinds[0].alone is not None
    assert kinds[1:] == [opening.HostAt(None), opening.JoinTarget("bob", new=True)]
    assert [started[3] for started in runs.started] == [False, True, True]


@pytest.mark.usefixtures("terminal")
def test_the_demo_on_a_screen_has_a_real_peer_and_leaves_nothing(runs: Runs, home: Path) -> None:
    assert cli.main(["demo", "--name", "Carol"]) == 0
    face, profile, opening, _no_color = runs.started[0]
    assert (face, profile) == ("screen", "demo")
    assert opening.target == opening.control.address
    assert not home.exists()


@pytest.mark.usefixtures("terminal")
def test_trying_it_alone_does_not_depend_on_ones_own_profile(
    runs: Runs, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = home / "profiles" / "default"
    assert cli.main(["identity", "new", "--name", "Carol"]) == 0
    (folder / "config.toml").write_text('theme = "pink"\n', encoding="utf-8")
    assert cli.main([]) == ExitCode.PROFILE
    assert "theme" in capsys.readouterr().err
    assert cli.main(["demo"]) == 0
    assert [kind for kind, *_ in runs.started] == ["screen"]


@pytest.mark.usefixtures("terminal", "runs")
@pytest.mark.parametrize("orderly", [True, False])
def test_a_signal_unwinds_a_screen(monkeypatch: pytest.MonkeyPatch, orderly: bool) -> None:
    unwound: list[str] = []

    async def stay() -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            unwound.append("goodbye")
            if not orderly:
                raise

    def screen(*_: object, **__: object) -> int:
        asyncio.run(stay())
        return 1

    monkeypatch.setattr(sys.modules["securechat_tui.tui.app"], "run", screen)
    assert cli.main(["host"]) == ExitCode.INTERRUPTED
    assert unwound == ["goodbye"]


@pytest.mark.usefixtures("terminal")
def test_a_name_makes_the_first_identity_of_a_screen(
    runs: Runs, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--name", "Carol"]) == 0
    made = (home / "profiles" / "default" / "identity.pem").read_bytes()
    assert cli.main(["--name", "Other"]) == 0
    assert (home / "profiles" / "default" / "identity.pem").read_bytes() == made
    assert cli.main(["identity", "--json"]) == 0
    assert msgspec.json.decode(capsys.readouterr().out)["name"] == "Carol"
    assert len(runs.started) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--plain"),
        (["host"], "--plain"),
        (["join", "bob"], "--json"),
        (["join"], "--plain"),
        (["join", "-"], "--plain"),
        (["join", "--plain"], "Say whom"),
        (["--json"], "host --json"),
        (["host", "--plain", "--json"], "choose one"),
        (["host", "--bind", "127.0.0.1:1", "--port", "2", "--json"], "leave out --host and --port"),
        (["join", "bob", "--port", "2", "--json"], "leave out --host and --port"),
        (["join", "--json"], "Say whom"),
        (["host", "--port", "70000", "--json"], "70000"),
        (["host", "--port", "x", "--json"], "valid integer"),
        (["identity", "new", "--bits", "1024"], "1024"),
        (["--nonsense"], "--nonsense"),
        (["nonsense"], "nonsense"),
        (["contacts", "show"], "NAME"),
        (["join", "a", "b", "--json"], "unexpected extra argument"),
    ],
)
def test_bad_usage_is_one_line_and_two(
    arguments: Sequence[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == ExitCode.USAGE
    told = capsys.readouterr()
    assert told.out == ""
    assert words in told.err
    assert told.err.startswith("securechat-tui: ")
    assert told.err.count("\n") == 1


def test_identity_from_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["identity"]) == ExitCode.FAILED
    assert "identity new" in capsys.readouterr().err
    assert cli.main(["identity", "new", "--name", "Carol"]) == 0
    made = capsys.readouterr().out
    assert "Carol" in made
    assert "RSA 3072" in made
    assert cli.main(["identity", "show"]) == 0
    assert capsys.readouterr().out == made
    assert cli.main(["identity", "--json"]) == 0
    value = msgspec.json.decode(capsys.readouterr().out)
    assert value["name"] == "Carol"
    assert value["fingerprint"] in made
    assert cli.main(["identity", "show", "--pem"]) == 0
    assert capsys.readouterr().out.startswith("-----BEGIN PUBLIC KEY-----\n")


def test_contacts_of_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["identity", "new"]) == 0
    capsys.readouterr()
    assert cli.main(["contacts"]) == 0
    assert capsys.readouterr().out == "Nobody is pinned here yet.\n"
    assert cli.main(["contacts", "list", "--json"]) == 0
    assert capsys.readouterr().out == ""
    for word in ("show", "forget", "verify", "block", "unblock"):
        assert cli.main(["contacts", word, "bob"]) == ExitCode.FAILED
        assert "bob" in capsys.readouterr().err


def test_a_bad_profile_name_is_five(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--profile", "../x", "host", "--json"]) == ExitCode.PROFILE
    assert capsys.readouterr().err.count("\n") == 1


def test_a_damaged_identity_is_five_and_one_line(home: Path) -> None:
    folder = home / "profiles" / "default"
    folder.mkdir(parents=True, mode=0o700)
    for parent in (home, home / "profiles", folder):
        parent.chmod(0o700)
    (folder / "identity.pem").write_text("not a key")
    (folder / "identity.pem").chmod(0o600)
    done = run("host", "--json", "--bind", "127.0.0.1:0")
    assert done.returncode == ExitCode.PROFILE
    assert done.stderr.count("\n") == 1
    assert "identity.pem" in done.stderr


@pytest.mark.parametrize(
    "called", ["fail", "lambda *a, **k: asyncio.run(grouped())"], ids=["alone", "of a task in a group"]
)
def test_a_fault_of_the_program_is_one_sentence_without_values(tmp_path: Path, called: str) -> None:
    program = (
        "from securechat_tui import cli; import asyncio\n"
        "from securechat_tui.headless import people\n"
        "def fail(*a, **k):\n    secret = 'hunter2'\n    raise KeyError(secret)\n"
        "async def failing():\n    fail()\n"
        "async def grouped():\n"
        "    async with asyncio.TaskGroup() as group:\n        group.create_task(failing())\n"
        f"people.contacts = {called}\n"
        "import sys; sys.exit(cli.main(['contacts']))\n"
    )
    file = tmp_path / "faulty.py"
    file.write_text(program)
    done = subprocess.run([sys.executable, file], capture_output=True, text=True, check=False)
    assert done.returncode == ExitCode.FAILED
    assert done.stderr == (
        "securechat-tui: a fault in the program ended it (KeyError at faulty.py:5); please report it.\n"
    )


def test_a_reader_that_has_gone_is_no_fault() -> None:
    command = f"{sys.executable} -m securechat_tui identity new | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_a_narrow_encoding_ends_nothing() -> None:
    done = run("identity", "new", "--name", "\u0141ukasz", encoding="latin-1")
    assert done.returncode == 0
    assert "?ukasz" in done.stdout
