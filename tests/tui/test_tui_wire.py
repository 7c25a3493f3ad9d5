"""F5: the way of a message over the wire, off until it is asked for, secrets hidden until they are."""

from fake_engine import message
from stage import Stage, in_conversation

from securechat_tui.chat.events import Queued, SafeText, Sent
from securechat_tui.chat.steps import Noted, Step, laid_out
from securechat_tui.tui.screens.steps import StepsScreen

KEY = bytes(range(0xA0, 0xC0))
FRAME = b"M\0\0\x04\x14" + bytes(4) + bytes(range(64)) + b"\xee" * 16
SEALED = Step(
    "seal the record (AES-256-GCM)",
    b"padded words",
    FRAME,
    "record key 4 of epoch 0, used once",
    "everything",
    laid_out(("type", 1), ("length", 4), ("epoch", 4), ("ciphertext", 64), ("tag", 16)),
    KEY,
    frozenset({"input"}),
)
COMPOSED = Step("write", b"words", b"the words", "", "nothing", reads=frozenset({"input", "output"}))
WAY = (Noted("sending", COMPOSED), Noted("sending", SEALED))


async def open_wire(stage: Stage) -> None:
    """Switch it on, receive message 1, and look at it."""
    await stage.press("f5")
    stage.engine.emit(message(1, "hello"))
    await stage.settle()
    stage.engine.ways[1, False] = WAY
    await stage.press("f5")


async def test_the_first_f5_only_begins_to_record() -> None:
    async with in_conversation() as stage:
        stage.engine.emit(message(1, "hello"))
        await stage.settle()
        assert stage.calls("inspect") == []
        await stage.press("f5")
        assert stage.calls("inspect") == [("inspect", True)]
        assert stage.shows("in memory alone")
        await stage.press("f5")
        assert stage.shows("Nothing was kept of the wire for this")
        assert stage.app.is_in_chat


async def test_a_message_is_shown_step_by_step() -> None:
    async with in_conversation() as stage:
        await open_wire(stage)
        assert isinstance(stage.app.screen, StepsScreen)
        assert stage.shows("On the wire: #1, theirs")
        await stage.press("down")
        assert stage.shows("Step 2 of 2: sending")
        assert stage.shows("▪ ciphertext")
        assert stage.shows("00 01 02 03")
        await stage.press("escape")
        assert stage.app.is_in_chat


async def test_keys_and_words_are_hidden_until_s_is_pressed() -> None:
    async with in_conversation() as stage:
        await open_wire(stage)
        assert not stage.shows(b"words"[:4].hex(" "))
        assert stage.shows("hidden; S shows them")
        await stage.press("down")
        assert stage.shows("its bytes: hidden, 32 bytes; S shows it")
        assert not stage.shows(KEY[:4].hex(" "))
        assert stage.shows("4d")
        await stage.press("s")
        assert stage.shows(KEY[:4].hex(" "))
        assert stage.shows(b"padd".hex(" "))
        await stage.press("s")
        assert not stage.shows(KEY[:4].hex(" "))
        await stage.press("s", "escape", "f5")
        assert not stage.shows(b"words"[:4].hex(" "))


async def test_the_word_does_the_same_and_off_forgets() -> None:
    async with in_conversation() as stage:
        await stage.enter("/wire")
        await stage.enter("/wire off")
        assert stage.calls("inspect") == [("inspect", True), ("inspect", False)]
        assert stage.shows("is forgotten")


async def test_ones_own_message_is_found_by_its_number() -> None:
    async with in_conversation() as stage:
        await stage.press("f5")
        where = message(1, "").conversation
        text = SafeText.multi("mine")
        stage.engine.emit(Queued(time=1.0, conversation=where, number=7, ref="r", text=text, claimed=1.0))
        stage.engine.emit(Sent(time=1.0, conversation=where, number=7, ref="r"))
        await stage.settle()
        stage.engine.ways[7, True] = WAY
        await stage.press("f5")
        assert stage.shows("On the wire: #7, yours")
        await stage.press("escape", "shift+tab", "up", "f5")
        assert stage.shows("On the wire: #7, yours")
