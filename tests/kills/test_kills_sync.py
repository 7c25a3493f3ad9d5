"""The system calls of the program: what is said of a message is said after the log of its history is synced.

``strace`` looks at the installed program while one message is said at a time. From the command or the record
that begins it up to the write that tells the peer, or the person, of it, the conversation's log has been
written and then synced, with nothing written to it since.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from terminal_programs import Piped, address_of, environment, settle

MESSAGES = 4
CALLS = "read,write,sendto,recvfrom,pwrite64,fsync,fdatasync"
STRACE = ("strace", "--follow-forks", "--decode-fds=all", f"--trace={CALLS}", "--string-limit=64")
LINE = re.compile(r"(?P<pid>\d+) +(?P<call>\w+)\((?P<fd>\d+)<(?P<what>.*?)>(?=[,) ])(?P<rest>.*)")
RESUMED = re.compile(r"(?P<pid>\d+) +<\.\.\. (?P<call>\w+) resumed>(?P<rest>.*)")
LOG = re.compile(r"/conversations/[0-9a-f]+\.db-wal$")
SAYING = ("sendto", "write")
"""What is said may be heard before the call is over; everything else has happened when it is."""


def can_trace() -> bool:
    """Whether strace is installed and allowed to do its work here."""
    command = ["strace", "--output=/dev/null", "true"]
    return shutil.which("strace") is not None and subprocess.run(command, check=False).returncode == 0


pytestmark = pytest.mark.skipif(not can_trace(), reason="strace is not installed, or not allowed here")


def step(call: str, fd: str, what: str, rest: str) -> str:
    """Name a system call that is over, where it matters here."""
    if LOG.search(what):
        return "synced" if call in ("fsync", "fdatasync") and rest.endswith("= 0") else "logged"
    if what.startswith("TCP"):
        return {"recvfrom": "heard", "sendto": "said"}[call]
    if call == "read" and fd == "0" and '\\"cmd\\"' in rest:
        return "asked"
    told = re.search(r'\\"event\\":\\"(queued|message)\\"', rest)
    return f"told {told[1]}" if call == "write" and fd == "1" and told else ""


def steps(trace: str) -> list[str]:
    """Name what happened, in order; strace shows a call in two parts where another one comes between."""
    found, begun = list[str](), dict[str, tuple[str, str, str]]()
    for line in trace.splitlines():
        if whole := LINE.match(line):
            pid, *call, rest = whole.groups()
            if rest.endswith("<unfinished ...>"):
                begun[pid] = (call[0], call[1], call[2])
            if call[0] in SAYING or not rest.endswith("<unfinished ...>"):
                found.append(step(call[0], call[1], call[2], rest))
        elif (end := RESUMED.match(line)) and end["call"] not in SAYING and end["pid"] in begun:
            found.append(step(*begun.pop(end["pid"]), end["rest"]))
    return [one for one in found if one]


def unsynced(happened: list[str]) -> list[str]:
    """What was said or told although the log was not written and synced since it was asked for or heard.

    What is told may come late, while the next transaction is written or when an answer has been heard
    already: the first must have been synced. When something is said, nothing may wait for the disk.
    """
    found, last, since = [], "", {"asked": list[str](), "heard": list[str]()}
    for one in happened:
        if one in since:
            last, since[one] = one, []
        elif one in ("logged", "synced"):
            for begun in since.values():
                begun.append(one)
        else:
            cause = {"told queued": "asked", "told message": "heard"}.get(one, last)
            log = since[cause]
            is_synced = "logged" in log and "synced" in log[log.index("logged") :]
            if not is_synced or (one == "said" and log[-1] != "synced"):
                found.append(one)
    return found


async def test_the_log_is_synced_before_anything_is_said_of_a_message(tmp_path: Path) -> None:
    for name in ("alice", "bob"):
        settle(tmp_path, name)
    trace = tmp_path / "trace"
    places = environment(tmp_path)
    words = ["--profile", "alice", "host", "--bind", "127.0.0.1:0", "--json"]
    host = Piped(words, places, [*STRACE, f"--output={trace}"])
    guest = Piped(["--profile", "bob", "join", address_of(await host.see("listening")), "--json"], places)
    try:
        await guest.see("secure")
        await host.see("secure")
        for number in range(MESSAGES):
            host.do(cmd="send", text=f"from the host {number}")
            await host.see("delivered")
            guest.do(cmd="send", text=f"from the guest {number}")
            await host.see("message")
            await guest.see("delivered")
        host.do(cmd="quit")
        assert await host.wait_exit() == 0
    finally:
        guest.close()
        host.close()
    happened = steps(trace.read_text())
    talk = happened[happened.index("asked") :]
    end = len(talk) - talk[::-1].index("asked") - 1  # the goodbye needs no log
    talk = talk[:end]
    assert talk.count("said") == 2 * MESSAGES
    assert talk.count("told queued") == talk.count("told message") == MESSAGES
    assert unsynced(talk) == [], talk


def test_what_is_said_too_early_is_noticed() -> None:
    said = ["asked", "logged", "synced", "told queued", "logged", "synced", "said"]
    assert unsynced(said) == []
    assert unsynced([one for one in said if one != "synced"]) == ["told queued", "said"]
    assert unsynced(["heard", "logged", "said", "synced", "told message"]) == ["said"]
    assert unsynced(["asked", "logged", "synced", "heard", "said"]) == ["said"]
