"""The settings: ``config.toml``, which people may edit.

It holds no secret, so who can read it is not checked. A setting that does not exist or does not fit
is an error rather than a silent default: what it was meant to do would not happen.
"""

import tomllib
from pathlib import Path
from typing import Final, Literal

import msgspec
import tomli_w

from securechat_tui.storage.errors import BadConfig, UnknownSetting, WrongSetting
from securechat_tui.storage.files import read_file, write_private
from securechat_tui.storage.profile import Profile

__all__ = ["Config", "Notify", "ThemeName", "decode_config", "encode_config", "load_config", "save_config"]

_MAX_BYTES: Final = 16 * 1024
"""More than all settings need; the time to read a key grows with the square of its dots."""


Notify = Literal["off", "bell", "title", "all"]
ThemeName = Literal["dark", "light", "terminal"]


class Config(msgspec.Struct, frozen=True, omit_defaults=True):
    """Every setting with its default."""

    name: str = ""
    """What peers are told one's name is; empty until somebody has chosen it."""
    bind: str = "0.0.0.0:8000"
    """Where ``host`` listens: ADDRESS:PORT."""
    notify: Notify = "all"
    """How a message is announced while the terminal has no focus."""
    theme: ThemeName = "dark"
    """The colours of the screen; ``terminal`` takes the terminal's own."""
    sign_messages: bool = True
    """Whether what is typed is signed, and so on the record, where nothing else is said."""
    require_signatures: bool = False
    """Whether peers are told that they must sign; an unsigned message then ends the session."""
    keys: dict[str, str] = {}
    """Keys of one's own: an action's id to its keys, with commas between them."""


_EXPECTED: Final = {
    "name": "text in quotes",
    "bind": "text in quotes",
    "notify": 'one of "off", "bell", "title", "all"',
    "theme": 'one of "dark", "light", "terminal"',
    "sign_messages": "true or false",
    "require_signatures": "true or false",
    "keys": "a table of texts in quotes",
}
_EXAMPLES: Final = {
    "name": '"alice"',
    "bind": f'"{Config().bind}"',
    "notify": '"bell"',
    "theme": '"light"',
    "sign_messages": "false",
    "require_signatures": "true",
    "keys": '{ help = "f1,ctrl+g" }',
}


def load_config(profile: Profile) -> Config:
    """Read the settings; the defaults where there is no file. Raises :class:`ProfileError`."""
    data = read_file(profile.config_path, _MAX_BYTES, private=False)
    return Config() if data is None else decode_config(profile.config_path, data)


def decode_config(path: Path, data: bytes) -> Config:
    """Read what a file holds; raises :class:`ProfileError` about ``path``."""
    try:
        table = tomllib.loads(data.decode())
    except (
        ValueError,
        RecursionError,
    ) as error:  # not only TOMLDecodeError: a number may have too many digits
        raise BadConfig(path=path, reason=str(error)) from None
    _check(path, table)
    return msgspec.convert(table, Config)


def _check(path: Path, table: dict[str, object]) -> None:
    """Find the first setting that is unknown or of the wrong type, and say what is allowed."""
    fields = {field.name: field for field in msgspec.structs.fields(Config)}
    for key, value in table.items():
        if key not in fields:
            raise UnknownSetting(path=path, key=key, allowed=", ".join(fields))
        try:
            msgspec.convert(value, fields[key].type)
        except msgspec.ValidationError:
            raise WrongSetting(path=path, key=key, expected=_EXPECTED[key], example=_EXAMPLES[key]) from None


def encode_config(config: Config) -> bytes:
    """Return what :func:`decode_config` reads: the settings that are not the default."""
    return tomli_w.dumps(msgspec.to_builtins(config)).encode()


def save_config(profile: Profile, config: Config) -> None:
    """Write the settings that are not the default; the profile is open. Comments are not kept.

    Raises :class:`CannotWrite`.
    """
    write_private(profile.config_path, encode_config(config))
