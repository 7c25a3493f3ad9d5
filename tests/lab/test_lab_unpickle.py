"""What a stranger's pickle may hold, and what it may not do."""

import io
import pickle
import pickletools
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from securechat_tui.lab.units import CheckFailed
from securechat_tui.lab.unpickle import MAX_PICKLE, _PlainUnpickler, loads_plain, pickle_length

called: list[str] = []


def spring(word: str) -> None:
    called.append(word)


class Call:
    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return spring, ("called",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@given(value=st.dictionaries(st.text(max_size=20), st.binary(max_size=200), max_size=8))
def test_plain_dictionaries_come_through(protocol: int, value: dict[str, bytes]) -> None:
    data = pickle.dumps(value, protocol)
    if protocol < 3:
        if not any(value.values()):
            return
        with pytest.raises(CheckFailed):  # bytes were written as a call, before there was a word for them
            loads_plain(data)
        return
    assert loads_plain(data) == value
    assert pickle_length(data + b"more") == len(data)
    assert all(pickle_length(data[:end]) is None for end in range(len(data)))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("place", ["alone", "as a value", "as a key's neighbour"])
def test_no_function_is_called(protocol: int, place: str) -> None:
    value: object = {"alone": Call(), "as a value": {"hmac": Call()}}.get(place, {"a": b"", "b": [Call()]})
    called.clear()
    with pytest.raises(CheckFailed, match="refused"):
        loads_plain(pickle.dumps(value, protocol))
    assert called == []


@pytest.mark.parametrize(
    "data",
    [
        b"cos\nsystem\n.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
        b"(ios\nsystem\n.",
        b"(cos\nsystem\no.",
        b"Pid\n.",
        b"Q.",
        b"\x82\x01.",
        b"\x81.",
        b"b.",
        b"R.",
        b"\x97.",
    ],
    ids=[
        *("global", "stack global", "inst", "obj", "persistent", "binary persistent", "extension", "newobj"),
        *("build", "reduce", "buffer"),
    ],
)
def test_every_instruction_that_reaches_out_is_refused(data: bytes) -> None:
    with pytest.raises(CheckFailed):
        loads_plain(data)


def test_the_admitted_instructions_cannot_name_a_global() -> None:
    reaching = {"GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "REDUCE", "BUILD", "NEWOBJ", "NEWOBJ_EX", "PERSID",
                "BINPERSID", "EXT1", "EXT2", "EXT4", "NEXT_BUFFER", "READONLY_BUFFER"}  # fmt: skip
    assert reaching <= {one.name for one in pickletools.opcodes}
    for one in pickletools.opcodes:
        if one.name in reaching:
            with pytest.raises(CheckFailed):
                loads_plain(one.code.encode("latin-1") + b"\0" * 8 + b"\n\n.")


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b"x.",
        b"\x80\x04B" + struct.pack("<I", 0xFFFF_FFF0) + b"x.",
        b"\x80\x04\x95" + struct.pack("<Q", 1 << 50) + b"}.",
        b"\x80\x04}r\xff\xff\xff\x7f.",
        b"\x80\x04}p99999999999\n.",
        b"\x80\x04" + b"]" * 5000 + b".",
        pickle.dumps({"a": b"x" * MAX_PICKLE}),
    ],
    ids=["8-byte length", "4-byte length", "frame", "memo", "memo in digits", "instructions", "size"],
)
def test_claims_are_held_against_what_is_there(data: bytes) -> None:
    with pytest.raises(CheckFailed):
        loads_plain(data)


@pytest.mark.parametrize(
    "value",
    [[], b"", "text", 5, {"a": "text"}, {b"a": b"b"}, {"a": {"b": b""}}, {"a": 1}],
    ids=["list", "bytes", "text", "number", "text value", "bytes key", "nested", "number value"],
)
def test_anything_but_a_dictionary_from_text_to_bytes_is_refused(value: object) -> None:
    with pytest.raises(CheckFailed):
        loads_plain(pickle.dumps(value))


@given(data=st.binary(max_size=200))
def test_any_bytes_are_refused_or_plain(data: bytes) -> None:
    for candidate in (data, b"\x80\x04" + data + b".", b"}" + data + b"."):
        try:
            found = loads_plain(candidate)
        except CheckFailed:
            continue
        assert all(type(key) is str and type(value) is bytes for key, value in found.items())


def test_the_reader_itself_knows_no_global() -> None:
    for data in (b"cos\nsystem\n.", b"Pid\n."):
        with pytest.raises(CheckFailed):
            _PlainUnpickler(io.BytesIO(data)).load()
