"""The settings: defaults, what people write, and what they are told when it does not fit."""

import pytest

from securechat_tui.storage.config import Config, load_config, save_config
from securechat_tui.storage.errors import BadConfig, TooLarge, UnknownSetting, WrongSetting
from securechat_tui.storage.profile import Profile

FULL = Config(notify="title", theme="light", keys={"log.newest": "ctrl+end,f8"})


def test_without_a_file_everything_is_the_default(profile: Profile) -> None:
    assert load_config(profile) == Config(name="", bind="0.0.0.0:8000")


def test_people_may_write_it_themselves(profile: Profile) -> None:
    profile.config_path.write_text('# mine\nname = "Zoë"\n')
    profile.config_path.chmod(0o644)
    assert load_config(profile) == Config(name="Zoë")


@pytest.mark.parametrize(
    "config", [Config(), Config(name='a "b" \\ é'), Config(name="x", bind="[::1]:9000"), FULL]
)
def test_what_is_saved_is_loaded(profile: Profile, config: Config) -> None:
    save_config(profile, config)
    assert load_config(profile) == config


def test_only_what_differs_from_the_default_is_written(profile: Profile) -> None:
    save_config(profile, Config(name="bob"))
    assert profile.config_path.read_text() == 'name = "bob"\n'


@pytest.mark.parametrize("line", ["nmae = 1", "[name2]", '"a\\u001Bb" = 1'])
def test_an_unknown_setting_is_named_with_the_file_and_what_there_is(profile: Profile, line: str) -> None:
    profile.config_path.write_text(line)
    with pytest.raises(
        UnknownSetting,
        match=r"the settings are: name, bind, notify, theme, sign_messages, require_signatures, keys\.",
    ) as refused:
        load_config(profile)
    assert str(profile.config_path) in str(refused.value)
    assert "\x1b" not in str(refused.value)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("name = 7", """'name' that does not fit. It must be text in quotes, for example: name = "alice\""""),
        ("bind = 8000", """It must be text in quotes, for example: bind = "0.0.0.0:8000\""""),
        ("bind = ['a']", "'bind'"),
        ("[name]", "'name'"),
        ('notify = "loud"', 'It must be one of "off", "bell", "title", "all", for example: notify = "bell"'),
        ('theme = "blue"', "'theme'"),
        ("sign_messages = 1", "It must be true or false, for example: sign_messages = false"),
        ('require_signatures = "yes"', "It must be true or false, for example: require_signatures = true"),
        ("[keys]\nhelp = 1", 'It must be a table of texts in quotes, for example: keys = { help = "f1,'),
    ],
)
def test_a_wrong_type_is_named_with_what_it_must_be(profile: Profile, line: str, sentence: str) -> None:
    profile.config_path.write_text(line)
    with pytest.raises(WrongSetting) as refused:
        load_config(profile)
    assert sentence in str(refused.value)
    assert str(profile.config_path) in str(refused.value)


@pytest.mark.parametrize(
    "data",
    [
        b"name = ",
        b"name = bob",
        b"\xff",
        b"name = 'a'\nname = 'b'",
        b"a = " + b"[" * 9999,
        b"a = " + b"9" * 9999,
    ],
    ids=["nothing", "bare", "no UTF-8", "twice", "nested", "a number of many digits"],
)
def test_what_is_no_toml_is_told_with_its_place(profile: Profile, data: bytes) -> None:
    profile.config_path.write_bytes(data)
    with pytest.raises(BadConfig, match="not valid TOML"):
        load_config(profile)
    assert profile.config_path.read_bytes() == data


def test_a_huge_file_is_not_read(profile: Profile) -> None:
    profile.config_path.write_bytes(b"#" * 100_000)
    with pytest.raises(TooLarge):
        load_config(profile)


def test_every_setting_can_be_explained(profile: Profile) -> None:
    for name in Config.__struct_fields__:
        profile.config_path.write_text(f"{name} = 1979-05-27")
        with pytest.raises(WrongSetting, match=f"for example: {name} = "):
            load_config(profile)
