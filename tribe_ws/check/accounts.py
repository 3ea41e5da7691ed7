"""The people of a check: the accounts that were given, logged in, or the demo users of a server of ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tribe_ws.check.wire import Answer, Rest
from tribe_ws.demo_accounts import DEMO_PASSWORD, DEMO_USERNAMES, demo_email
from tribe_ws.errors import AuthenticationError, ProtocolViolation
from tribe_ws.protocol.urls import ServerAddress, redact
from tribe_ws.running import running_server

_UNAUTHORISED = 401


@dataclass(frozen=True, slots=True)
class Account:
    """Who to log in as: an e-mail address or a username, with a password or an access token."""

    name: str
    password: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is logged in; ``password`` is empty where the check was given a token."""

    id: str
    username: str
    full_name: str
    email: str
    token: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


def demo_accounts(address: ServerAddress) -> tuple[Account, ...]:
    """Give the demo users, if a server of ours with the demo world runs at that address, else nobody."""
    server = running_server(address.port) if address.is_loopback else None
    if server is None or server.world != "demo":
        return ()
    return tuple(Account(demo_email(name), DEMO_PASSWORD) for name in DEMO_USERNAMES)


async def log_in_all(rest: Rest, accounts: Sequence[Account]) -> tuple[Person, ...]:
    """Log everybody in; raises ``AuthenticationError`` that names whom the server refused.

    The same user twice is refused too: a check needs people who are not each other.
    """
    people: list[Person] = []
    for account in accounts:
        person = await log_in(rest, account)
        if any(person.id == known.id for known in people):
            raise AuthenticationError(
                f"{account.name} is the same user as another account", hint="give two different accounts"
            )
        people.append(person)
    return tuple(people)


async def log_in(rest: Rest, account: Account) -> Person:
    """Log one person in, or ask the server whose token it is."""
    if account.access_token:
        return await _by_token(rest, account)
    body = {"email": account.name, "password": account.password}
    answer = await rest.call("POST", "/auth/login", body=body)
    token = answer.object.get("access_token")
    if answer.status != 200 or not isinstance(token, str):
        raise _refused(answer, account)
    user = answer.object.get("user")
    if not isinstance(user, dict) or not isinstance(user.get("id"), str):
        me = await rest.call("GET", "/auth/me", token=token)
        user = _user_in(me, account, me.object)
    refresh = answer.object.get("refresh_token")
    return _person(user, account, token, refresh if isinstance(refresh, str) else "")


async def _by_token(rest: Rest, account: Account) -> Person:
    token = account.access_token
    answer = await rest.call("GET", "/auth/me", token=token)
    if answer.status == _UNAUTHORISED and account.refresh_token:
        body = {"refresh_token": account.refresh_token}
        token = str((await rest.call("POST", "/auth/refresh", body=body)).object.get("access_token") or token)
        answer = await rest.call("GET", "/auth/me", token=token)
    return _person(_user_in(answer, account, answer.object), account, token, account.refresh_token)


def _user_in(answer: Answer, account: Account, user: dict[str, object]) -> dict[str, object]:
    if answer.status != 200:
        raise _refused(answer, account)
    if not isinstance(user.get("id"), str):
        raise ProtocolViolation("invalid_payload", f"the server does not tell the id of {account.name}")
    return user


def _person(user: dict[str, object], account: Account, token: str, refresh_token: str) -> Person:
    username = str(user.get("username") or account.name)
    return Person(
        id=str(user["id"]),
        username=username,
        full_name=str(user.get("full_name") or username),
        email=str(user.get("email") or account.name),
        token=token,
        refresh_token=refresh_token,
        password=account.password,
    )


def _refused(answer: Answer, account: Account) -> AuthenticationError:
    detail = answer.object.get("detail")
    said = redact(detail) if isinstance(detail, str) else f"HTTP {answer.status}"
    return AuthenticationError(
        f"the server refused the login of {account.name}: {said}",
        reason=said,
        hint="is the password right, and does the account exist on this server?",
    )
