"""Named servers, and the tokens kept for them: one file that only its owner can read (0600).

Tokens belong to a server and a user, not to a name, so that two names for one server share their logins.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tribe_ws.errors import ConfigurationError
from tribe_ws.running import write_private

FILE_VERSION = 1


@dataclass(frozen=True, slots=True)
class ServerProfile:
    """A server under a name."""

    url: str


@dataclass(frozen=True, slots=True)
class Login:
    """What a login left behind.

    ``server_pid`` is 0 for a login somebody asked for. One that tribe-ws made by itself, for ``--as`` on a
    local demo server, holds that server's process id: it is good for that one run and never makes its user
    the default.
    """

    server: str
    username: str
    user_id: str
    email: str = ""
    full_name: str = ""
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    server_pid: int = 0


@dataclass(frozen=True, slots=True)
class _Contents:
    current: str = ""
    profiles: dict[str, ServerProfile] = field(default_factory=dict)
    logins: tuple[Login, ...] = ()


class ProfileStore:
    """Reads and writes the file; every change is one replacement of the whole."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def current(self) -> str:
        """The name of the server in use; empty when none was chosen."""
        return self._read().current

    def profiles(self) -> dict[str, ServerProfile]:
        """Give all named servers."""
        return self._read().profiles

    def save_profile(self, name: str, profile: ServerProfile) -> None:
        """Add or replace a named server."""
        contents = self._read()
        self._write(replace(contents, profiles={**contents.profiles, name: profile}))

    def use(self, name: str) -> None:
        """Choose the server that is meant where none is named."""
        self._write(replace(self._read(), current=name))

    def remove_profile(self, name: str) -> None:
        """Forget a named server and the logins on it, unless another name keeps them."""
        contents = self._read()
        gone = contents.profiles[name]
        left = {key: value for key, value in contents.profiles.items() if key != name}
        is_shared = any(value.url == gone.url for value in left.values())
        logins = tuple(login for login in contents.logins if is_shared or login.server != gone.url)
        current = "" if contents.current == name else contents.current
        self._write(_Contents(current, left, logins))

    def login(self, server: str, username: str) -> Login | None:
        """Find what was kept of a user's login on a server; the name may also be an e-mail address."""
        wanted = username.casefold()
        for login in self.logins(server):
            if wanted in {login.username.casefold(), login.email.casefold()}:
                return login
        return None

    def logins(self, server: str) -> tuple[Login, ...]:
        """Give all logins kept for a server."""
        return tuple(login for login in self._read().logins if login.server == server)

    def default_login(self, server: str) -> Login | None:
        """Find who acts on a server when nobody is named: whoever logged in last."""
        asked_for = [login for login in self.logins(server) if not login.server_pid]
        return asked_for[-1] if asked_for else None

    def save_login(self, login: Login) -> None:
        """Keep a login in place of an earlier one of the same user."""
        self._keep(login.server, login.username, login)

    def forget_login(self, server: str, username: str) -> None:
        """Remove a login; one that is not there is fine."""
        self._keep(server, username, None)

    def _keep(self, server: str, username: str, login: Login | None) -> None:
        contents = self._read()
        others = tuple(kept for kept in contents.logins if (kept.server, kept.username) != (server, username))
        self._write(replace(contents, logins=(*others, login) if login else others))

    def _read(self) -> _Contents:
        try:
            data = json.loads(self.path.read_text("utf-8"))
            return _from_json(data)
        except FileNotFoundError:
            return _Contents()
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ConfigurationError(
                f"{self.path} is damaged: {error}",
                hint=f"move it away and log in again:  mv {self.path} {self.path}.damaged",
            ) from None

    def _write(self, contents: _Contents) -> None:
        data = {"version": FILE_VERSION, **asdict(contents)}
        write_private(self.path, json.dumps(data, indent=1) + "\n")


def _from_json(data: dict[str, Any]) -> _Contents:
    if data["version"] != FILE_VERSION:
        raise ValueError(f"version {data['version']} is not known")
    return _Contents(
        data["current"],
        {name: ServerProfile(**values) for name, values in data["profiles"].items()},
        tuple(Login(**values) for values in data["logins"]),
    )
