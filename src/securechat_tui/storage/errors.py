"""Why a profile cannot be used. A class's docstring is what its reader sees: what is wrong, what to do."""

from pathlib import Path

from securechat_tui.protocol.text import SafeText

__all__ = [
    "BadBackup",
    "BadConfig",
    "BadDescriptor",
    "BadHome",
    "BadIdentity",
    "BadProfileName",
    "BadRotation",
    "BegunAnew",
    "CannotRead",
    "CannotWrite",
    "DamagedContacts",
    "DamagedConversation",
    "DamagedStore",
    "DiskFull",
    "EmptyPassphrase",
    "FileExists",
    "IdentityExists",
    "LongPassphrase",
    "NewerBackup",
    "NewerContacts",
    "NewerIdentity",
    "NewerStore",
    "NoBackup",
    "NotAFile",
    "NotAFolder",
    "NotEnoughMemory",
    "OddPassphrase",
    "OtherContacts",
    "OthersCanEnter",
    "OthersCanRead",
    "PassphraseNeeded",
    "ProfileError",
    "ProfileInUse",
    "ProfileNotEmpty",
    "SomebodyElses",
    "StoreBusy",
    "StoreError",
    "StoreFailed",
    "StoreReadOnly",
    "SymbolicLink",
    "TooLarge",
    "UnknownSetting",
    "WrongBackupPassphrase",
    "WrongPassphrase",
    "WrongSetting",
    "WrongStoreKey",
]

_MAX_SENTENCE = 1000
"""Characters; a path may be long, and its end is what matters."""


class ProfileError(Exception):
    """The profile cannot be used."""

    def __init__(self, **facts: str | int | Path) -> None:
        sentence = " ".join((self.__doc__ or type(self).__name__).split())
        super().__init__(SafeText.line(sentence.format(**facts), _MAX_SENTENCE))


class BadProfileName(ProfileError):
    """'{name}' cannot be a profile's name.

    Use up to 40 letters, digits, '-', '_' or '.', beginning with a letter or digit.
    """


class BadHome(ProfileError):
    """SECURECHAT_TUI_HOME is set to '{home}', which is no usable path.

    Set it to a folder, or unset it.
    """


class ProfileInUse(ProfileError):
    """The profile '{name}' is in use by another securechat-tui.

    Close that one, or be somebody else here with --profile NAME.
    """


class NotAFolder(ProfileError):
    """{path} should be a folder but is something else.

    Move it away.
    """


class NotAFile(ProfileError):
    """{path} should be a plain file but is something else.

    Move it away.
    """


class SymbolicLink(ProfileError):
    """{path} is a symbolic link, which a profile may not have there.

    Put the real thing in its place.
    """


class SomebodyElses(ProfileError):
    """{path} belongs to another user of this machine and is not trusted.

    Use your own account's profile, or choose another place with SECURECHAT_TUI_HOME.
    """


class OthersCanEnter(ProfileError):
    """Other users of this machine can look into the folder {path}.

    Close it with 'chmod 700', look whether its files are as you left them, and start again.
    """


class OthersCanRead(ProfileError):
    """Other users of this machine can read or change {path}, which holds secrets.

    Close it with 'chmod 600', and replace what is in it if somebody may have read it.
    """


class TooLarge(ProfileError):
    """{path} is larger than {limit} bytes, which it never becomes by itself.

    Put your copy back, or move it away.
    """


class CannotRead(ProfileError):
    """{path} cannot be read ({reason}).

    Check its permissions and those of its folder.
    """


class CannotWrite(ProfileError):
    """{path} cannot be written ({reason}).

    Check the free space and the permissions of its folder; nothing half-written was left there.
    """


class BadIdentity(ProfileError):
    """{path} holds no identity key that can be used ({reason}).

    Put your copy back; or move the file away and start again for a new identity, of which your contacts
    will be warned as a changed key.
    """


class NewerIdentity(ProfileError):
    """{path} was written by a newer securechat-tui and is left as it is.

    Use that version, or another profile with --profile NAME.
    """


class PassphraseNeeded(ProfileError):
    """A passphrase is needed, and there is no terminal to ask for it.

    Set SECURECHAT_TUI_PASSPHRASE_FD to the number of an open file descriptor that gives it.
    """


class BadDescriptor(ProfileError):
    """SECURECHAT_TUI_PASSPHRASE_FD is set to '{name}', from which no passphrase can be read.

    Set it to the number of an open descriptor that gives one line for each passphrase, or unset it.
    """


class WrongPassphrase(ProfileError):
    """That is not the passphrase.

    Mind capitals and the keyboard's language; nothing opens {path} without it.
    """


class EmptyPassphrase(ProfileError):
    """A passphrase cannot be empty.

    Several words that do not belong together are easy to remember and hard to guess.
    """


class LongPassphrase(ProfileError):
    """A passphrase can have at most {limit} bytes of UTF-8.

    Choose a shorter one.
    """


class OddPassphrase(ProfileError):
    """A passphrase must be Unicode text, which this is not.

    Check what your terminal, or the descriptor, sends: it should be UTF-8.
    """


class NotEnoughMemory(ProfileError):
    """Making a key of the passphrase takes {size} MiB of memory, which could not be had.

    Close other programs and try again.
    """


class NoBackup(ProfileError):
    """There is no file {path}.

    Check the name; 'identity export FILE' makes a backup.
    """


class BadBackup(ProfileError):
    """{path} is no backup that can be used ({reason}), and nothing was changed.

    Copy it again from where it was made, or use another one.
    """


class NewerBackup(ProfileError):
    """{path} was made by a newer securechat-tui, and nothing was changed.

    Use that version to import it.
    """


class WrongBackupPassphrase(ProfileError):
    """That is not the passphrase of this backup, and nothing was changed.

    Mind capitals and the keyboard's language; nothing opens {path} without it.
    """


class FileExists(ProfileError):
    """{path} is there already and is never overwritten.

    Choose another name, or move it away.
    """


class ProfileNotEmpty(ProfileError):
    """The profile '{name}' has an identity, contacts or a history already, which a backup never overwrites.

    Import into a new one with --profile NAME, or move the folder {path} away first.
    """


class IdentityExists(ProfileError):
    """{path} is there already and is never overwritten.

    Move it away first if you really want a new identity, or choose another profile with --profile NAME.
    """


class BadRotation(ProfileError):
    """{path} is damaged ({reason}) and is left as it is.

    Put your copy back; or move the file away and start again: contacts who know your former key will then
    be warned of a changed key instead of a signed one.
    """


class DamagedContacts(ProfileError):
    """The book of contacts in {path} is damaged ({reason}) and is left as it is.

    Put your copy back; or move the file away, and 'conversations' if it lies beside it, and start again:
    every contact will be new.
    """


class NewerContacts(ProfileError):
    """The book of contacts in {path} was written by a newer securechat-tui and is left as it is.

    Use that version, or another profile with --profile NAME.
    """


class OtherContacts(ProfileError):
    """{path} holds other contacts than those that index.db has, encrypted; both are left as they are.

    Move the file away to go on with those in index.db: nothing but an earlier version reads it.
    """


class StoreError(ProfileError):
    """Why the history cannot be used, or something was not stored: one of the kinds below."""


class DiskFull(StoreError):
    """There is no space left for {path}, so nothing was stored.

    Free some and try again.
    """


class HistoryChanged(StoreError):
    """What is kept in {path} was wiped or begun anew meanwhile, so nothing was written.

    Try again.
    """


class StoreBusy(StoreError):
    """{path} is locked by another program, so nothing was stored.

    Close what has it open, such as a backup or a database browser, and try again.
    """


class StoreReadOnly(StoreError):
    """{path} cannot be opened or written ({reason}), so nothing was stored.

    Check its permissions and those of its folder, and try again.
    """


class StoreFailed(StoreError):
    """The disk has failed under {path} ({reason}), so nothing was stored.

    Check the disk and its free space, and try again.
    """


class DamagedStore(StoreError):
    """{path} is damaged ({reason}) and is left as it is.

    Put your copies of it and of the folder 'conversations' beside it back; or move both away and start
    again without contacts and history.
    """


class DamagedConversation(DamagedStore):
    """{path}, the history of one conversation, is damaged ({reason}) and is left as it is.

    Put your copy back, or wipe that conversation to begin it anew.
    """


class BegunAnew(StoreError):
    """The damaged history of this conversation has been wiped meanwhile, so nothing was stored.

    Try again: the conversation begins anew.
    """


class WrongStoreKey(StoreError):
    """{path} was made under another key than the one in identity.pem, or its beginning is damaged.

    Put back the identity.pem that it belongs to, or your copy of it; or move it and the folder
    'conversations' beside it away and start again without contacts and history.
    """


class NewerStore(StoreError):
    """{path} was written by a newer securechat-tui and is left as it is.

    Use that version, or another profile with --profile NAME.
    """


class BadConfig(ProfileError):
    """{path} is not valid TOML ({reason}).

    Correct that line, or move the file away for the default settings.
    """


class UnknownSetting(ProfileError):
    """{path} has the setting '{key}', which does not exist.

    Remove it; the settings are: {allowed}.
    """


class WrongSetting(ProfileError):
    """{path} has a value for '{key}' that does not fit.

    It must be {expected}, for example: {key} = {example}
    """
