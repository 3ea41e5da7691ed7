"""Who to act as: the known users, or another one by name; and the password where one is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from textual.app import ComposeResult
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from tribe_ws_tui.screens.dialog import Choices, Dialog
from tribe_ws_tui.wording import toned


class UsersScreen(Dialog[str]):
    """Answers with a username; a known one from the list, or whatever was written."""

    FOOT = "Enter acts as the user   Tab to any other   Esc leaves"

    def __init__(self, users: Sequence[str], letters: Mapping[str, str], title: str) -> None:
        super().__init__()
        self._users = tuple(users)
        self._letters = letters
        self._title = title

    def questions(self) -> ComposeResult:
        """Offer the known users and a field for any other."""
        yield Choices(id="known-users")
        yield Input(placeholder="another user: username or e-mail", compact=True, id="other-user")

    def on_mount(self) -> None:
        """Fill the list."""
        self.query_one(".dialog").border_title = self._title
        choices = self.query_one(Choices)
        choices.add_options([Option(toned(self._row(user))) for user in self._users])
        if self._users:
            choices.highlighted = 0
            choices.focus()
        else:
            choices.display = False
            self.query_one(Input).focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take a known user."""
        self.dismiss(self._users[event.option_index])

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the written name."""
        name = event.value.strip().removeprefix("@")
        if name:
            self.dismiss(name)

    def _row(self, user: str) -> str:
        letter = self._letters.get(user)
        return f"{user:<16}{f'open as {letter}' if letter else ''}"


class Credentials(NamedTuple):
    """Who logs in, with which password."""

    username: str
    password: str


class PasswordScreen(Dialog[Credentials]):
    """Answers with a password for a user; it is kept nowhere."""

    TITLE_TEXT = "Log in"
    FOOT = "Enter logs in   Esc leaves   The password is kept nowhere."

    def __init__(self, username: str, server: str, reason: str = "") -> None:
        super().__init__()
        self._username = username
        self._server = server
        self._reason = reason

    def questions(self) -> ComposeResult:
        """Ask for the password, and say why."""
        if self._reason:
            yield Static(toned(self._reason, "warn"), markup=False, classes="dialog-words")
        yield Static(toned(f"{self._username} on {self._server}"), markup=False, classes="dialog-words")
        yield Input(placeholder="password", password=True, compact=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the password."""
        if event.value:
            self.dismiss(Credentials(self._username, event.value))
