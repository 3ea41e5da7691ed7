"""Who acts, with which token: a kept login, one from the environment, or a demo user on our own server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

from tribe_ws.capture.names import Names
from tribe_ws.client.exchanges import ExchangeLog
from tribe_ws.client.rest import RestClient
from tribe_ws.client.results import LoggedIn
from tribe_ws.client.tokens import Tokens, claims_of
from tribe_ws.demo_accounts import DEMO_PASSWORD, DEMO_USERNAMES, demo_email
from tribe_ws.errors import ApiError, AuthenticationError, ProtocolViolation
from tribe_ws.protocol.urls import ServerAddress
from tribe_ws.running import RunningServer, running_server
from tribe_ws_cli.environment import Environment
from tribe_ws_cli.profiles import Login

_DEMO_HINT = "demo users on a local server: alice, bob, cara, dan"


@dataclass(frozen=True)
class Identity:
    """Somebody who can act on a server now; ``exchanges`` are the REST calls of theirs, from the login on."""

    environment: Environment
    rest: RestClient
    username: str
    exchanges: ExchangeLog = field(default_factory=ExchangeLog)

    async def names(self) -> Names:
        """Fetch the conversations this user can name."""
        return Names(await self.rest.all_conversations(), self.username)


@asynccontextmanager
async def acting(environment: Environment, user: str | None = None) -> AsyncIterator[Identity]:
    """Act as the user meant (or as ``user``) for the length of a ``with`` block.

    Raises ``AuthenticationError`` that names the user and the command which helps, or ``CannotConnect``.
    """
    exchanges = ExchangeLog()
    login = await login_of(environment, user or environment.as_user, exchanges)
    rest = client_of(environment, login, exchanges)
    try:
        async with rest:
            username = login.username or (await rest.me()).username
            yield Identity(environment, rest, username, exchanges)
    except (AuthenticationError, ApiError) as error:
        _personalise(error, environment, login.username)
        raise


async def login_of(environment: Environment, user: str, exchanges: ExchangeLog | None = None) -> Login:
    """Find what was kept of a user's login, or log in where that needs no password; raises as ``acting``."""
    try:
        return await _login_for(environment, user, exchanges or ExchangeLog())
    except AuthenticationError:
        await _must_answer(environment)
        raise


def client_of(environment: Environment, login: Login, exchanges: ExchangeLog | None = None) -> RestClient:
    """Make the REST client of a login; tokens that it renews are kept."""
    return RestClient(
        environment.address,
        Tokens(login.access_token, login.refresh_token or None),
        on_tokens=lambda tokens: keep(environment, login, tokens) if login.username else None,
        timeout=environment.timeout,
        on_exchange=exchanges.take if exchanges is not None else None,
    )


def keep(environment: Environment, login: Login, tokens: Tokens) -> None:
    """Write renewed tokens down, in place of the old ones."""
    renewed = replace(login, access_token=tokens.access_token, refresh_token=tokens.refresh_token or "")
    environment.store.save_login(renewed)


def login_from(address: ServerAddress, result: LoggedIn, *, server_pid: int = 0) -> Login:
    """Make of a server's answer what is kept of a login."""
    return Login(
        server=address.base_url,
        username=result.user.username,
        user_id=result.user.id,
        email=result.user.email,
        full_name=result.user.full_name,
        access_token=result.tokens.access_token,
        refresh_token=result.tokens.refresh_token or "",
        server_pid=server_pid,
    )


def demo_server(address: ServerAddress) -> RunningServer | None:
    """Tell which demo server of ours runs at that address, if any.

    Only there may tools log in by themselves.
    """
    if not address.is_loopback:
        return None
    server = running_server(address.port)
    return server if server is not None and server.world == "demo" else None


async def _login_for(environment: Environment, user: str, exchanges: ExchangeLog) -> Login:
    address, store = environment.address, environment.store
    if not user:
        if environment.token:
            return _from_token(environment)
        if (login := store.default_login(address.base_url)) is not None:
            return login
        raise _not_logged_in(environment, "")
    login = store.login(address.base_url, user)
    if login is not None and not login.server_pid:
        return login
    server = demo_server(address)
    if server is None or user not in DEMO_USERNAMES:
        raise _not_logged_in(environment, user)
    if login is not None and login.server_pid == server.pid:
        return login
    return await _log_in_by_itself(environment, user, server, exchanges)


def _from_token(environment: Environment) -> Login:
    claims = claims_of(environment.token)
    return Login(
        server=environment.address.base_url,
        username="",
        user_id=str(claims.get("sub", "")),
        access_token=environment.token,
    )


async def _log_in_by_itself(
    environment: Environment, user: str, server: RunningServer, exchanges: ExchangeLog
) -> Login:
    async with RestClient(
        environment.address, timeout=environment.timeout, on_exchange=exchanges.take
    ) as rest:
        result = await rest.login(demo_email(user), DEMO_PASSWORD)
    login = login_from(environment.address, result, server_pid=server.pid)
    environment.store.save_login(login)
    return login


async def _must_answer(environment: Environment) -> None:
    """Raise ``CannotConnect`` where nothing listens: a login would not help there, so that comes first."""
    async with RestClient(environment.address, timeout=environment.timeout) as rest:
        with suppress(ApiError, ProtocolViolation):
            await rest.health()


def _not_logged_in(environment: Environment, user: str) -> AuthenticationError:
    flag = environment.url_flag()
    is_local = environment.address.is_loopback
    as_whom = f" as {user}" if user else ""
    command = f"tribe-ws login {user or ('alice' if is_local else 'USER')}{flag}"
    hint = f"{command:<30}    {_DEMO_HINT}" if is_local else command
    return AuthenticationError(f'not logged in to "{environment.profile}"{as_whom}', hint=hint)


def _personalise(error: AuthenticationError | ApiError, environment: Environment, user: str) -> None:
    """Put the user's own name into the command that helps."""
    if isinstance(error, ApiError) and error.status != 401:
        return
    command = f"tribe-ws login {user or 'USER'}{environment.url_flag()}"
    if not error.hint:
        error.hint = command
    elif error.hint.endswith("tribe-ws login"):
        error.hint = error.hint.removesuffix("tribe-ws login") + command
