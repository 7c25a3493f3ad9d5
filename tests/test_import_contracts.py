"""Imports run one way: held against the written contracts, and against what is loaded at run time."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import securechat_tui.protocol

ROOT = Path(__file__).resolve().parents[1]
PROTOCOL = Path(next(iter(securechat_tui.protocol.__path__)))
MODULES = sorted(
    f"securechat_tui.protocol.{path.stem}" for path in PROTOCOL.glob("*.py") if path.stem != "__init__"
)

FORBIDDEN = {
    *("asyncio", "socket", "selectors", "ssl", "select", "threading", "concurrent", "subprocess"),
    *("logging", "tempfile", "shutil", "pathlib", "sqlite3", "urllib", "http", "secrets", "datetime"),
    *("textual", "rich", "click", "msgspec", "platformdirs", "filelock", "tomli_w", "json", "pickle"),
}
"""Nothing of input and output, of concurrency, or of a screen. ``random`` and ``time`` are not in the
list, for the standard library's own modules (``hmac`` apart, ``dataclasses`` and ``random``) bring them."""

ALLOWED_EXTERNAL = {"cryptography", "_cffi_backend", "typing_extensions"}

PROBE = """
import sys
{imports}
print(*sorted(name.partition(".")[0] for name in sys.modules))
"""


def loaded(*modules: str) -> set[str]:
    """Return the top-level names that a fresh interpreter has loaded after these imports."""
    imports = "\n".join(f"import {module}" for module in modules)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    found = subprocess.run(
        [sys.executable, "-I", "-c", PROBE.format(imports=imports)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    return set(found.stdout.split())


def imported_by(path: Path) -> set[str]:
    """Return the modules that a source file names in its imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def test_the_written_contracts_hold() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    found = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    assert " 0 broken" in found.stdout


def test_the_protocol_is_found() -> None:
    assert "securechat_tui.protocol.session" in MODULES
    assert "securechat_tui.protocol.primitives" in MODULES


def test_importing_the_protocol_loads_nothing_of_the_world() -> None:
    before, after = loaded(), loaded(*MODULES)
    assert not (after - before) & FORBIDDEN


def test_importing_the_protocol_loads_one_library() -> None:
    standard = sys.stdlib_module_names
    names = {name for name in loaded(*MODULES) - loaded() if name not in standard}
    assert names - ALLOWED_EXTERNAL - {name for name in names if name.startswith("_")} == {"securechat_tui"}


def test_importing_the_protocol_loads_no_other_room() -> None:
    probe = "import sys\n" + "\n".join(f"import {module}" for module in MODULES)
    probe += "\nprint(*sorted(name for name in sys.modules if name.startswith('securechat_tui.')))"
    found = subprocess.run([sys.executable, "-I", "-c", probe], capture_output=True, text=True, check=True)
    assert {".".join(name.split(".")[:2]) for name in found.stdout.split()} == {"securechat_tui.protocol"}


@pytest.mark.parametrize("module", MODULES)
def test_a_protocol_module_names_only_what_it_may(module: str) -> None:
    path = PROTOCOL / f"{module.rpartition('.')[2]}.py"
    allowed = {
        *("ast", "base64", "binascii", "bisect", "collections", "dataclasses", "enum", "functools", "math"),
        *("re", "struct", "typing", "unicodedata", "securechat_tui"),
    }
    if module.endswith(".primitives"):
        allowed |= {"cryptography", "os"}
    tops = {name.partition(".")[0] for name in imported_by(path)}
    assert tops <= allowed
    inside = {name for name in imported_by(path) if name.startswith("securechat_tui")}
    assert all(name.startswith("securechat_tui.protocol") for name in inside)


def test_only_two_rooms_of_primitives_name_the_library() -> None:
    sources = PROTOCOL.parent.rglob("*.py")
    importers = {
        path.relative_to(PROTOCOL.parent).as_posix()
        for path in sources
        if any(name.partition(".")[0] == "cryptography" for name in imported_by(path))
    }
    assert importers == {"protocol/primitives.py", "lab/primitives.py"}


def test_nothing_but_the_command_line_names_the_lab() -> None:
    package = PROTOCOL.parent
    importers = {
        path.relative_to(package).parts[0]
        for path in package.rglob("*.py")
        if any(name.startswith("securechat_tui.lab") for name in imported_by(path))
    }
    assert importers == {"cli", "lab"}


def test_the_chat_does_not_load_the_lab() -> None:
    probe = (
        "import sys, securechat_tui.cli, securechat_tui.tui.app, securechat_tui.headless.faces\n"
        "print(*(name for name in sys.modules if name.startswith('securechat_tui.lab')))"
    )
    found = subprocess.run([sys.executable, "-I", "-c", probe], capture_output=True, text=True, check=True)
    assert found.stdout.split() == []
