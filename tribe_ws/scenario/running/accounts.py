"""As whom the people of a scenario act: who logs them in is the caller's to say.

A foreign server wants kept logins or passwords; a server of ours has demo users, whose password is public.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from tribe_ws.client.control import ControlClient
from tribe_ws.client.rest import RestClient
from tribe_ws.client.results import User
from tribe_ws.demo_accounts import DEMO_PASSWORD
from tribe_ws.errors import AuthenticationError
from tribe_ws.protocol.urls import ServerAddress

_DOMAIN = "tribe.test"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who is logged in."""

    rest: RestClient
    user: User


LogIn: TypeAlias = Callable[[str, str | None], Awaitable[Account]]
"""Logs in the user of that name or e-mail address, with the password that the scenario gives, if any."""


@dataclass(frozen=True, slots=True)
class Target:
    """The server that scenarios run against, and how one gets in.

    ``control`` is there only where the server is ours. ``patience`` (seconds) bounds each call that prepares
    a scenario. On a server that is thrown away anyway (``is_throw_away``) nothing is tidied up.
    """

    address: ServerAddress
    log_in: LogIn
    control: ControlClient | None = None
    patience: float = 10.0
    is_throw_away: bool = False


def by_password(address: ServerAddress, *, timeout: float = 10.0, default: str | None = None) -> LogIn:
    """Log everybody in by password: the scenario's own, or the default one of a world of ours."""

    async def log_in(username: str, password: str | None) -> Account:
        known = default if password is None else password
        if known is None:
            raise AuthenticationError(
                f"no password is known for {username}",
                hint=f"log in once:  tribe-ws login {username} --url {address.base_url}",
            )
        rest = RestClient(address, timeout=timeout)
        try:
            found = await rest.login(username, known)
        except BaseException:
            await rest.close()
            raise
        return Account(rest, found.user)

    return log_in


def as_demo_users(address: ServerAddress, *, timeout: float = 10.0) -> LogIn:
    """Log in the users of a world of ours, whose password everybody knows."""
    return by_password(address, timeout=timeout, default=DEMO_PASSWORD)


async def register(address: ServerAddress, beginning: str, *, patience: float) -> Account:
    """Make a fresh account, with a name that begins so and is like no other."""
    username = f"{beginning[:40]}_{secrets.token_hex(4)}"
    rest = RestClient(address, timeout=patience)
    try:
        found = await rest.register(
            email=f"{username}@{_DOMAIN}",
            username=username,
            full_name=beginning.replace("_", " ").title(),
            # Nobody is to log in as this account again.
            password=f"Aa1-{secrets.token_urlsafe(24)}",
        )
    except BaseException:
        await rest.close()
        raise
    return Account(rest, found.user)
