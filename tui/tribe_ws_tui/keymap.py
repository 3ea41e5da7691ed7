"""Every key of the inspector as data: what it does, in one word and in one sentence, and where it works.

The bindings, the key bar, the help and the palette are all made of this table, so they cannot disagree. Each
key has an id, by which ``[tui.keys]`` in the settings gives it another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import NamedTuple

from textual.binding import Binding

from tribe_ws.errors import ConfigurationError


class Scope(StrEnum):
    """Where a key works."""

    STREAM = "The stream"
    EVERYWHERE = "Everywhere"
    REPLAY = "While a capture plays"
    DETAIL = "The opened event"
    FILTER = "The filter"
    COMPOSER = "The composer"
    RAW = "The frame editor"


class Key(NamedTuple):
    """One entry: ``word`` is what the key bar shows, ``sentence`` what help and palette say."""

    id: str
    keys: str
    action: str
    word: str
    sentence: str
    scope: Scope


_STREAM = (
    ("up", "up,k", "move(-1)", "Up", "Select the event above."),
    ("down", "down,j", "move(1)", "Down", "Select the event below."),
    ("page-up", "pageup", "page(-1)", "Page up", "Go up by a page."),
    ("page-down", "pagedown", "page(1)", "Page down", "Go down by a page."),
    ("top", "home,g", "top", "Top", "Go to the oldest event."),
    ("follow", "end,G", "follow", "Follow", "Go to the newest event and follow what comes."),
    ("freeze", "space", "freeze", "Freeze", "Freeze the view, or follow again; the capture goes on."),
    ("open", "enter", "open", "Open", "Take the selected event apart."),
    ("filter", "slash", "filter", "Filter", "Choose which events are shown."),
    ("presets", "f2", "preset", "Presets", "Go through the ready-made filters."),
    ("find", "ctrl+f", "find", "Search", "Search the shown events for a text."),
    ("next-match", "n", "match(1)", "Next match", "Go to the next match of the search."),
    ("previous-match", "N", "match(-1)", "Previous match", "Go to the previous match of the search."),
    ("next-violation", "v", "violation(1)", "Violation", "Go to the next violation of the contract."),
    (
        "previous-violation",
        "V",
        "violation(-1)",
        "Previous violation",
        "Go to the previous violation of the contract.",
    ),
    ("minute-back", "left_square_bracket", "minute(-1)", "Minute back", "Go back by a minute."),
    ("minute-on", "right_square_bracket", "minute(1)", "Minute on", "Go on by a minute."),
    ("mark", "m", "mark", "Mark", "Mark the selected event, or take its mark away."),
    ("next-mark", "apostrophe", "next_mark", "Next mark", "Go to the next marked event."),
    ("copy", "y", "copy", "Copy", "Copy the selected frame."),
    ("copy-command", "Y", "copy_command", "Copy command", "Copy the command that does the same."),
    (
        "only",
        "equals_sign",
        "only",
        "Only such",
        "Show only events of the selected kind; unlinks a linked filter.",
    ),
    ("hide", "minus", "hide", "Hide such", "Hide events of the selected kind."),
    ("clear", "x", "clear", "Clear", "Clear the view; what was captured is kept."),
    ("columns", "c", "columns", "Columns", "Show more columns, or fewer."),
    ("time", "T", "time", "Time", "Show times of day, since the start, or since the line above."),
    ("wrap", "w", "wrap", "Wrap", "Wrap long lines, or cut them."),
    ("raw", "p", "raw", "Raw", "Show frames as they came, or in words."),
    ("again", "r", "again", "Send again", "Open the selected frame in the editor, to send it again."),
)
_EVERYWHERE = (
    ("help", "question_mark,f1", "help", "Help", "List all keys; Enter runs the one that is selected."),
    ("palette", "ctrl+p", "palette", "Palette", "Find any action, filter, user or capture by name."),
    ("next-pane", "tab", "focus_pane(1)", "Next pane", "Go to the next pane."),
    ("previous-pane", "shift+tab", "focus_pane(-1)", "Previous pane", "Go to the previous pane."),
    ("conversations", "1", "go('conversations')", "Conversations", "Go to the conversations."),
    ("people", "2", "go('people')", "People", "Go to the people."),
    ("event", "3", "go('event')", "Event", "Go to the opened event."),
    ("fault-pane", "4", "go('faults')", "Fault pane", "Go to the faults of the local server."),
    ("stream", "5", "go('stream')", "Stream", "Go to the stream of events."),
    ("jump", "ctrl+o", "jump", "Jump", "Show a letter on each pane, and go where it is pressed."),
    ("write", "i", "write", "Write", "Write a message, a command or a frame."),
    ("subscribe", "s", "subscribe", "Subscribe", "Subscribe to the chosen conversation, or unsubscribe."),
    ("users", "u", "users", "User", "Act as another user."),
    ("two", "t", "two_users", "Two users", "Watch two users side by side, or one again."),
    ("other", "f6", "other_user", "Other user", "Go to the other user's stream."),
    ("faults", "f", "faults", "Faults", "Change the faults of the local server."),
    ("export", "e", "export", "Export", "Write events to a file."),
    ("record", "R", "record", "Record", "Write everything to a file from now on, or stop that."),
    ("capture", "o", "capture", "Open capture", "Open a capture and play it."),
    (
        "raw-frame",
        "exclamation_mark",
        "raw_frame",
        "Raw frame",
        "Write a frame by hand and send it, even a broken one.",
    ),
    ("reconnect", "ctrl+r", "reconnect", "Reconnect", "Connect anew, now."),
    ("disconnect", "d", "disconnect", "Disconnect", "Close the connection."),
    ("log-in", "L", "log_in", "Log in", "Log in again with a password."),
    ("start-server", "S", "start_server", "Start server", "Start the local server."),
    ("theme", "D", "theme", "Theme", "Change between the dark and the light theme."),
    ("typing", "", "typing", "Typing events", "Send real typing events while you write, or none."),
    ("quit", "q,ctrl+q", "leave", "Quit", "Leave the inspector."),
    ("interrupt", "ctrl+c", "interrupt", "Quit", "Leave the inspector, when pressed twice."),
)
_REPLAY = (
    ("step-back", "comma", "step(-1)", "Step back", "Go back by an event of the capture."),
    ("step", "full_stop", "step(1)", "Step", "Go on by an event of the capture."),
    ("slower", "less_than_sign", "speed(-1)", "Slower", "Play the capture at half the speed."),
    ("faster", "greater_than_sign", "speed(1)", "Faster", "Play the capture at twice the speed."),
)
_DETAIL = (("diff", "d", "diff", "Diff", "Compare with the event of the same kind before it."),)
_FILTER = (
    ("apply", "enter", "submit", "Apply", "Apply the filter and go back to the stream."),
    ("leave", "escape", "leave", "Back", "Leave the filter; Esc in the stream clears it."),
    ("help", "f1", "help", "Filter help", "Explain the filter language."),
    ("preset", "f2", "preset", "Presets", "Go through the ready-made filters."),
)
_COMPOSER = (
    ("send", "enter", "send", "Send", "Send what is written."),
    ("line", "ctrl+j,shift+enter", "new_line", "New line", "Begin a new line."),
    ("complete", "tab", "complete", "Complete", "Complete a /command, a #conversation or an @user."),
    ("editor", "ctrl+e", "editor", "Editor", "Write in the program that EDITOR names."),
    ("leave", "escape", "leave", "Back", "Go back to the stream; the draft is kept."),
)
_RAW = (
    ("send", "ctrl+s", "send", "Send", "Send the frame as it stands, right or wrong."),
    ("leave", "escape", "leave", "Back", "Go back without sending."),
)

_TABLE: tuple[tuple[Scope, str, tuple[tuple[str, str, str, str, str], ...]], ...] = (
    (Scope.STREAM, "stream", _STREAM),
    (Scope.EVERYWHERE, "app", _EVERYWHERE),
    (Scope.REPLAY, "replay", _REPLAY),
    (Scope.DETAIL, "detail", _DETAIL),
    (Scope.FILTER, "filter", _FILTER),
    (Scope.COMPOSER, "composer", _COMPOSER),
    (Scope.RAW, "frame", _RAW),
)

KEYS: tuple[Key, ...] = tuple(
    Key(f"{prefix}.{name}", keys, action, word, sentence, scope)
    for scope, prefix, entries in _TABLE
    for name, keys, action, word, sentence in entries
)

_OF_THE_APP = frozenset({"app.interrupt"})
_SHOWN = {
    "slash": "/",
    "question_mark": "?",
    "exclamation_mark": "!",
    "equals_sign": "=",
    "minus": "-",
    "apostrophe": "'",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "comma": ",",
    "full_stop": ".",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "space": "Space",
    "enter": "Enter",
    "escape": "Esc",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "tab": "Tab",
    "home": "Home",
    "end": "End",
    "up": "↑",
    "down": "↓",
}


def bindings(*scopes: Scope) -> list[Binding]:
    """Make the bindings of some scopes; the key bar shows them, not Textual's footer."""
    return [
        Binding(key.keys, key.action, key.word, show=False, id=key.id)
        for key in KEYS
        if key.scope in scopes and key.keys and key.id not in _OF_THE_APP
    ]


def shown_key(keys: str) -> str:
    """Write the first of some keys as people write it: ``Ctrl+F``, ``Space``, ``/``."""
    first = keys.split(",")[0]
    *modifiers, last = first.split("+")
    name = _SHOWN.get(last, last.upper() if modifiers or last[1:].isdigit() else last)
    return "+".join([*(modifier.capitalize() for modifier in modifiers), name])


def shown_keys(keys: str) -> str:
    """Write all of some keys as people write them: ``↓ j``."""
    return " ".join(shown_key(key) for key in keys.split(",")) if keys else ""


def checked_keymap(wanted: Mapping[str, object]) -> dict[str, str]:
    """Check what ``[tui.keys]`` says; raises ``ConfigurationError`` for an id that no key has."""
    known = [key.id for key in KEYS]
    for name, keys in wanted.items():
        if name not in known:
            close = get_close_matches(name, known, n=1)
            raise ConfigurationError(
                f'[tui.keys]: no key is called "{name}"',
                hint=f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}",
            )
        if not isinstance(keys, str) or not keys:
            raise ConfigurationError(f'[tui.keys]: {name} needs a key as text, such as "ctrl+f"')
    return {name: str(keys) for name, keys in wanted.items()}


def keys_of(scopes: Iterable[Scope], keymap: Mapping[str, str]) -> list[Key]:
    """Give the entries of some scopes, with the keys which the settings give them."""
    chosen = set(scopes)
    return [key._replace(keys=keymap.get(key.id, key.keys)) for key in KEYS if key.scope in chosen]
