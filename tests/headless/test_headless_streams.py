import asyncio
import os
import pty
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat_tui.headless.standard_streams import (
    MAX_LINE_BYTES,
    InputLines,
    Line,
    LineSplitter,
    OutputLines,
    TooLong,
)

LIMIT = 8
CHUNKS = st.lists(st.binary(max_size=30).map(lambda raw: raw.replace(b"a", b"\n")), max_size=12)


def shown(line: Line) -> bytes | None:
    return None if isinstance(line, TooLong) else line


def expected(whole: bytes, limit: int) -> list[bytes | None]:
    lines = whole.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [None if len(line) > limit else line.removesuffix(b"\r") for line in lines]


@given(CHUNKS)
def test_chunking_makes_no_difference(chunks: list[bytes]) -> None:
    splitter = LineSplitter(LIMIT)
    lines = [line for chunk in chunks for line in splitter.feed(chunk)] + splitter.end()
    assert [shown(line) for line in lines] == expected(b"".join(chunks), LIMIT)


def test_the_limit_is_inclusive_and_a_long_line_costs_only_itself() -> None:
    splitter = LineSplitter(LIMIT)
    lines = splitter.feed(b"12345678\n123456789\nnext\n")
    assert [shown(line) for line in lines] == [b"12345678", None, b"next"]


def test_a_line_without_end_is_never_held() -> None:
    splitter = LineSplitter()
    for _ in range(80):
        assert splitter.feed(b"x" * MAX_LINE_BYTES) == []
        assert len(splitter._held) <= MAX_LINE_BYTES
    assert [shown(line) for line in splitter.feed(b"\nhi\n")] == [None, b"hi"]


async def read_all(descriptor: int | None) -> list[bytes | None]:
    async with asyncio.timeout(20):
        return [shown(line) async for batch in InputLines(descriptor) for line in batch]


async def test_a_missing_input_has_ended() -> None:
    assert await read_all(None) == []


async def test_dev_null_has_ended() -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    assert await read_all(nothing) == []
    os.close(nothing)


async def test_a_closed_descriptor_has_ended() -> None:
    read_end, write_end = os.pipe()
    os.close(write_end)
    os.close(read_end)
    assert await read_all(read_end) == []


async def test_a_file_is_read_whole(tmp_path: Path) -> None:
    lines = [f"line {number}".encode() for number in range(50_000)]
    file = tmp_path / "input"
    file.write_bytes(b"\n".join(lines))
    with file.open("rb") as opened:
        assert await read_all(opened.fileno()) == lines


async def test_a_pipe_is_read_whole_though_its_reader_is_slower() -> None:
    read_end, write_end = os.pipe()
    lines = [b"%d " % number * 100 for number in range(5_000)]

    def write() -> None:
        with os.fdopen(write_end, "wb") as pipe:
            pipe.write(b"\n".join(lines) + b"\n")

    writer = threading.Thread(target=write)
    writer.start()
    got: list[bytes | None] = []
    async for batch in InputLines(read_end):
        await asyncio.sleep(0)
        got += [shown(line) for line in batch]
    writer.join()
    os.close(read_end)
    assert got == lines


async def test_a_non_blocking_pipe_is_waited_for() -> None:
    read_end, write_end = os.pipe()
    os.set_blocking(read_end, False)
    loop = asyncio.get_running_loop()
    loop.call_later(0.05, os.write, write_end, b"late\n")
    loop.call_later(0.06, os.close, write_end)
    assert await read_all(read_end) == [b"late"]
    os.close(read_end)


async def test_a_terminal_is_read_by_lines_and_ends_with_control_d() -> None:
    main_end, terminal = pty.openpty()
    os.write(main_end, b"typed\n\x04")
    assert await read_all(terminal) == [b"typed"]
    os.close(main_end)
    os.close(terminal)


async def test_lines_come_out_whole_and_in_order_through_a_slow_pipe() -> None:
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    lines = [b"%d " % number * 200 + b"\n" for number in range(3_000)]
    collected = asyncio.create_task(asyncio.to_thread(read_until_closed, read_end))
    output = OutputLines(write_end, lambda: pytest.fail("not broken"))
    for line in lines:
        output.write(line)
        await output.room()
    await output.close()
    os.close(write_end)
    assert await collected == b"".join(lines)


def read_until_closed(descriptor: int) -> bytes:
    with os.fdopen(descriptor, "rb") as pipe:
        return pipe.read()


async def test_the_source_waits_while_nobody_reads() -> None:
    read_end, write_end = os.pipe()
    output = OutputLines(write_end, lambda: None)
    for _ in range(4_000):
        output.write(b"x" * 200 + b"\n")
    waiting = asyncio.create_task(output.room())
    await asyncio.wait({waiting}, timeout=0.1)
    assert not waiting.done()
    collected = asyncio.create_task(asyncio.to_thread(read_until_closed, read_end))
    await waiting
    await output.close()
    os.close(write_end)
    assert len(await collected) == 4_000 * 201


async def test_a_broken_pipe_is_told_once_and_what_follows_is_dropped() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    broken = asyncio.Event()
    output = OutputLines(write_end, broken.set)
    output.write(b"nobody reads this\n")
    await broken.wait()
    for _ in range(5_000):
        output.write(b"nor this\n")
        await output.room()
    await output.close()
    os.close(write_end)


async def test_an_output_that_is_stuck_does_not_hold_up_the_end() -> None:
    read_end, write_end = os.pipe()
    output = OutputLines(write_end, lambda: None)
    output.write(b"x" * 1_000_000)
    await output.close(0.05)
    assert len(read_some(read_end)) > 0
    os.close(read_end)
    os.close(write_end)


def read_some(descriptor: int) -> bytes:
    return os.read(descriptor, 1 << 20)


async def test_a_missing_output_swallows() -> None:
    output = OutputLines(None, lambda: pytest.fail("not broken"))
    output.write(b"into nothing\n")
    await output.close()
