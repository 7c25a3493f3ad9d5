"""The one registry of actions: keys, slash commands, palette, help and footer are all made from it."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from textual.binding import Binding

__all__ = ["COMMANDS", "Command", "Scope", "available", "bindings", "find", "parse"]


class Scope(Enum):
    """Where an action's keys are bound."""

    APP = "everywhere"
    CHAT = "in the chat"
    COMPOSER = "while typing"
    FIND = "while finding"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One action. ``id`` names it in a keymap; ``words`` are its slash words, the first one preferred."""

    id: str
    title: str
    summary: str
    scope: Scope = Scope.APP
    words: tuple[str, ...] = ()
    argument: str = ""
    keys: str = ""
    key_label: str = ""
    action: str = ""
    footer: bool = False
    palette: bool = False
    practice_only: bool = False
    names: bool = False
    """Whether its argument can be a contact's name."""

    @property
    def usage(self) -> str:
        """The slash word with its argument; empty for a key without a word."""
        return f"/{self.words[0]} {self.argument}".rstrip() if self.words else ""

    def binding(self) -> Binding:
        """The key binding, with the id by which a keymap can rebind it."""
        return Binding(
            self.keys,
            self.action or f"perform('{self.id}')",
            f"/{self.words[0]}" if self.words else self.title,
            show=self.footer,
            key_display=self.key_label or None,
            priority=self.scope is Scope.CHAT or self.id == "interrupt",
            id=self.id,
            tooltip=self.summary,
        )


COMMANDS: tuple[Command, ...] = (
    Command(
        id="help",
        title="Help",
        words=("help",),
        keys="f1",
        key_label="F1",
        footer=True,
        palette=True,
        summary="keys and commands",
    ),
    Command(
        id="sidebar",
        title="Security sidebar",
        words=("sidebar",),
        keys="f2",
        key_label="F2",
        footer=True,
        palette=True,
        summary="who is there, how the last message was checked",
    ),
    Command(
        id="verify",
        title="Verify",
        words=("verify",),
        argument="[DIGITS]",
        keys="f3",
        key_label="F3",
        footer=True,
        palette=True,
        summary="is it them? compare codes; both keys in full",
    ),
    Command(
        id="details",
        title="Message details",
        words=("details",),
        keys="f4",
        key_label="F4",
        footer=True,
        palette=True,
        summary="how the selected or last message was checked",
    ),
    Command(
        id="find",
        scope=Scope.CHAT,
        title="Find",
        words=("find",),
        argument="WORD",
        keys="ctrl+f",
        key_label="^F",
        action="app.perform('find')",
        footer=True,
        palette=True,
        summary="find a word in the log, the newest hit first",
    ),
    Command(
        id="palette",
        title="Palette",
        keys="ctrl+p",
        key_label="^P",
        action="command_palette",
        footer=True,
        summary="every command, found by a part of its name",
    ),
    Command(
        id="host",
        title="Host",
        words=("host",),
        argument="[ADDRESS|stop]",
        palette=True,
        summary="wait for a guest, or stop; --invite-only",
    ),
    Command(
        id="join",
        title="Join",
        words=("join", "guest"),
        argument="ADDRESS or NAME",
        palette=True,
        names=True,
        summary="or with an INVITE; --new: a stranger there",
    ),
    Command(
        id="invite",
        title="Invite somebody",
        words=("invite",),
        palette=True,
        summary="a string and QR code that let one guest in",
    ),
    Command(
        id="accept",
        title="Accept a new key",
        words=("accept",),
        palette=True,
        summary="a contact's, if the old one has signed it",
    ),
    Command(
        id="unsigned",
        title="Send unsigned",
        words=("unsigned",),
        argument="TEXT",
        summary="off the record: the session alone vouches",
    ),
    Command(
        id="signed",
        title="Send signed",
        words=("signed",),
        argument="TEXT",
        summary="on the record, whatever config.toml says",
    ),
    Command(
        id="leave",
        title="Leave the conversation",
        words=("leave",),
        palette=True,
        summary="say goodbye and stay in the program",
    ),
    Command(
        id="talk",
        title="Talk",
        words=("talk",),
        argument="NAME",
        names=True,
        summary="listen for a contact and call, till one works",
    ),
    Command(
        id="go",
        title="Conversations",
        words=("go", "conversations"),
        argument="NAME",
        palette=True,
        names=True,
        summary="to another conversation; alone, lists them all",
    ),
    Command(
        id="previous",
        title="Previous conversation",
        words=("previous",),
        keys="alt+up",
        key_label="Alt+Up",
        palette=True,
        summary="up the list of conversations",
    ),
    Command(
        id="next",
        title="Next conversation",
        words=("next",),
        keys="alt+down",
        key_label="Alt+Down",
        palette=True,
        summary="down the list of conversations",
    ),
    Command(
        id="unread",
        title="Next unread",
        words=("unread",),
        keys="alt+a",
        key_label="Alt+A",
        palette=True,
        summary="to the next conversation where something waits",
    ),
    Command(
        id="search",
        title="Search",
        words=("search",),
        argument="WORDS",
        summary="in all that is kept of all conversations",
    ),
    Command(
        id="connections",
        title="Connections",
        words=("connections",),
        palette=True,
        summary="what came and went since the program began",
    ),
    Command(
        id="wipe",
        title="Wipe the conversation",
        words=("wipe",),
        palette=True,
        summary="destroy what is kept of it; asks for the name",
    ),
    Command(
        id="reconnect",
        title="Reconnect now",
        words=("reconnect",),
        palette=True,
        summary="after a cut: try again now",
    ),
    Command(
        id="contacts",
        title="Contacts",
        words=("contacts",),
        palette=True,
        summary="everybody whose key is pinned here",
    ),
    Command(
        id="nick",
        title="Your name",
        words=("nick",),
        argument="NAME",
        summary="what peers are told from the next session on",
    ),
    Command(
        id="notify",
        title="Notification",
        words=("notify",),
        argument="MANNER",
        palette=True,
        summary="without focus: off, bell, title, or all",
    ),
    Command(
        id="theme",
        title="Theme",
        words=("theme",),
        argument="NAME",
        palette=True,
        summary="dark, light, or terminal: your terminal's own",
    ),
    Command(
        id="copy",
        title="Copy a message",
        words=("copy",),
        palette=True,
        summary="the selected or last message to the clipboard",
    ),
    Command(
        id="clear",
        title="Clear the log",
        words=("clear",),
        palette=True,
        summary="empty the log on this screen, nothing else",
    ),
    Command(
        id="alarm",
        title="Practise a key change",
        words=("alarm",),
        palette=True,
        practice_only=True,
        summary="the practice peer shows a changed key, safely",
    ),
    Command(
        id="quit",
        title="Quit",
        words=("quit", "exit"),
        palette=True,
        summary="say goodbye, deliver what is queued, and go",
    ),
    Command(
        id="interrupt",
        title="Copy, clear, leave",
        keys="ctrl+c",
        key_label="Ctrl+C",
        action="interrupt",
        summary="copy a selection or clear; twice in 3 s leaves",
    ),
    Command(
        id="composer.focus",
        scope=Scope.APP,
        title="Back to the composer",
        keys="escape",
        key_label="Esc",
        action="to_composer",
        summary="back to the composer, from anywhere",
    ),
    Command(
        id="log.page-up",
        scope=Scope.CHAT,
        title="Scroll up",
        keys="pageup",
        key_label="PgUp",
        action="scroll_log('page_up')",
        summary="older messages",
    ),
    Command(
        id="log.page-down",
        scope=Scope.CHAT,
        title="Scroll down",
        keys="pagedown",
        key_label="PgDn",
        action="scroll_log('page_down')",
        summary="newer messages",
    ),
    Command(
        id="log.oldest",
        scope=Scope.CHAT,
        title="Oldest message",
        keys="ctrl+home",
        key_label="Ctrl+Home",
        action="scroll_log('home')",
        summary="the oldest message",
    ),
    Command(
        id="log.newest",
        scope=Scope.CHAT,
        title="Newest message",
        keys="ctrl+end",
        key_label="Ctrl+End",
        action="scroll_log('end')",
        summary="the newest message",
    ),
    Command(
        id="log.focus",
        scope=Scope.COMPOSER,
        title="To the log",
        keys="shift+tab",
        key_label="Shift+Tab",
        action="screen.focus_log",
        summary="to the log: Up and Down select, Esc comes back",
    ),
    Command(
        id="composer.send",
        scope=Scope.COMPOSER,
        title="Send",
        keys="enter",
        key_label="Enter",
        action="submit",
        summary="send the message",
    ),
    Command(
        id="composer.newline",
        scope=Scope.COMPOSER,
        title="New line",
        keys="ctrl+j,shift+enter",
        key_label="Ctrl+J",
        action="newline",
        summary="a new line; in many terminals Shift+Enter too",
    ),
    Command(
        id="composer.older",
        scope=Scope.COMPOSER,
        title="Earlier message",
        keys="up",
        key_label="Up",
        action="older",
        summary="on the first line: your own earlier messages",
    ),
    Command(
        id="composer.newer",
        scope=Scope.COMPOSER,
        title="Later message",
        keys="down",
        key_label="Down",
        action="newer",
        summary="on the last line: back towards the draft",
    ),
    Command(
        id="composer.complete",
        scope=Scope.COMPOSER,
        title="Complete",
        keys="tab",
        key_label="Tab",
        action="complete",
        summary="completes a command or a contact's name",
    ),
    Command(
        id="find.older",
        scope=Scope.FIND,
        title="Next hit",
        keys="enter,up",
        key_label="Enter, Up",
        action="find_step('older')",
        summary="to the next hit, an older one; Esc ends",
    ),
    Command(
        id="find.newer",
        scope=Scope.FIND,
        title="Previous hit",
        keys="shift+enter,down",
        key_label="Down",
        action="find_step('newer')",
        summary="back to a newer hit; Shift+Enter too",
    ),
)
"""Every action there is. What does not exist yet is not listed."""


def available(*, practice: bool) -> tuple[Command, ...]:
    """The actions of this run: those of the practice peer only where there is one."""
    return tuple(command for command in COMMANDS if practice or not command.practice_only)


def bindings(scope: Scope) -> list[Binding]:
    """The key bindings of one scope."""
    return [command.binding() for command in COMMANDS if command.scope is scope and command.keys]


def find(word: str, commands: Iterable[Command]) -> Command | None:
    """The command that answers to a slash word or an id."""
    for command in commands:
        if word == command.id or word in command.words:
            return command
    return None


def parse(text: str) -> tuple[str, str] | None:
    """Split ``/word argument``; None where ``text`` is a message (no slash, or two of them)."""
    if not text.startswith("/") or text.startswith("//"):
        return None
    word, _, argument = text[1:].partition(" ")
    return word.strip(), argument.strip()
