"""Attacks on the program itself: a pickle that calls a function, and a length that nobody can hold."""

import asyncio
import base64
import json
import pickle
import socket
import tracemalloc
from collections.abc import Callable
from typing import Final

from securechat_tui.lab.attacks.outcome import Bench, Outcome, check_at
from securechat_tui.lab.relay_store import MAX_BODY
from securechat_tui.lab.scene import RelayScene, Scene
from securechat_tui.lab.units import framed
from securechat_tui.protocol.constants import RECORD_OVERHEAD, RECORD_SIZES

__all__ = ["hostile_pickle", "huge_frame"]

_CLAIM: Final = 0xFFFF_FFFF
_END: Final = b"\n\n"
_SMALLEST_RECORD: Final = RECORD_SIZES[0] + RECORD_OVERHEAD
_HELD_AT_MOST: Final = 8 * 1024 * 1024
"""Bytes of memory that a receiver may use more while somebody claims 4 GB: some buffers, no 4 GB."""
_REFUSED: Final = (b"413", b"400")

_sprung: list[str] = []


def trap(word: str) -> str:
    """Note that a pickle has called this function: it could have been any other, ``os.system`` too."""
    _sprung.append(word)
    return word


class _Bomb:
    """Pickles as a call of :func:`trap`."""

    def __reduce__(self) -> tuple[Callable[[str], str], tuple[str]]:
        return trap, ("sprung",)


async def hostile_pickle(bench: Bench) -> Outcome:
    """Send the pickle as a message, in the format of the protocol, with no key at all."""
    bomb = pickle.dumps({"hmac": _Bomb()})
    _sprung.clear()
    async with bench.scene() as scene:
        await scene.inject("guest", _in_format(bench, bomb))
        ours, by, shown = bool(_sprung), check_at(scene.host), scene.host.texts
    pickle.loads(bomb)  # noqa: S301 - what the ancestor does with it, with a bomb that harms nobody
    theirs = bool(_sprung)
    reads = bench.protocol.name == "five-layer"
    return bench.outcome(
        "hostile-pickle",
        by="" if ours or shown else by or "nothing comes of it",
        got="the function was called" if ours else "the function was not called",
        why=(
            "The pickle comes first, before any check of this protocol: whoever can connect can send "
            "one. Here "
            "every global is refused. Python's own pickle.loads "
            f"{'called' if theirs else 'did not call'} the "
            "function in the same run: a program that uses it has run a stranger's code by then."
        )
        if reads
        else "Not applicable as it stands: nothing in this protocol is a pickle. It was sent as a "
        "message all the "
        f"same, and was refused as any other bytes ({by or 'nothing comes of it'}).",
        mend=(
            "Never unpickle what a stranger sent: use JSON or a format of fixed fields, and check "
            "before reading."
        ),
    )


def _in_format(bench: Bench, payload: bytes) -> bytes:
    match bench.protocol.name:
        case "five-layer":
            return len(payload).to_bytes(4, "big") + payload
        case "json-cbc-hmac":
            return payload.replace(b"\n\n", b"\n") + _END
        case "relay":
            value = base64.b64encode(payload).decode()
            names = ("ciphertext", "nonce", "tag", "associated_data")
            return json.dumps({"sender": "alice", "recipient": "bob", **dict.fromkeys(names, value)}).encode()
        case "current":
            return framed("M", payload.ljust(_SMALLEST_RECORD, b"\0"))
        case _:
            return framed("M", payload)


async def huge_frame(bench: Bench) -> Outcome:
    """Claim 4 GB, send the beginning of it, and measure what the receiver takes."""
    async with bench.scene() as scene:
        await scene.say("before")
        tracemalloc.start()
        try:
            by = await _claim(bench, scene)
            held = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    bounded = held < _HELD_AT_MOST and bool(by)
    return bench.outcome(
        "huge-frame",
        by=by if bounded else "",
        got="the connection, which is closed; the receiver used less than "
        f"{_HELD_AT_MOST // 2**20} MB of memory for it"
        if bounded
        else f"{held // 2**20} MB of the receiver's memory",
        why="The lengths of this lab's receivers are held against a limit before anything is allocated. The "
        "ancestors name no limit: a program that reads what a length says would wait for 4 GB, or hold them."
        if bench.protocol.name != "current"
        else "Each state admits frames of certain types and lengths alone, and a header that does not fit is "
        "refused before a byte of its payload is stored.",
        mend="Hold every length against a limit before allocating.",
    )


async def _claim(bench: Bench, scene: Scene) -> str:
    """Send the claim; return the check that refused it."""
    if isinstance(scene, RelayScene):
        return await asyncio.to_thread(_claim_at_relay, scene.address)
    if bench.protocol.name == "json-cbc-hmac":
        piece = b'{"cipher": "' + b"A" * 65536
        for _ in range(64):
            if not scene.host.peer.closed:
                await scene.inject("guest", piece)
    else:
        head = b"" if bench.protocol.name == "five-layer" else b"M"
        await scene.inject("guest", head + _CLAIM.to_bytes(4, "big") + bytes(65536))
    return check_at(scene.host)


def _claim_at_relay(address: tuple[str, int]) -> str:
    request = f"POST /send_message HTTP/1.1\r\nHost: relay\r\nContent-Length: {_CLAIM}\r\n\r\n".encode()
    with socket.create_connection(address, timeout=10) as sock:
        sock.sendall(request + b"{" * 1024)
        status = sock.recv(64).split(b" ")[1:2]
    return f"body length (HTTP {status[0].decode()}, above {MAX_BODY} bytes)" if status[0] in _REFUSED else ""
