"""Against which server a scenario runs, and who plays its people there."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from io import StringIO
from typing import TYPE_CHECKING, Any, Self

from tribe_ws.client.control import ControlClient
from tribe_ws.client.rest import RestClient
from tribe_ws.client.tokens import Tokens
from tribe_ws.errors import AuthenticationError
from tribe_ws.running import running_server
from tribe_ws.scenario.running.accounts import Account, LogIn, Target, as_demo_users, by_password
from tribe_ws_cli.checking import control_of, given_accounts
from tribe_ws_cli.environment import Environment
from tribe_ws_cli.identity import keep
from tribe_ws_cli.profiles import Login

if TYPE_CHECKING:
    from tribe_ws.scenario.model import Scenario
    from tribe_ws.settings import ServerSettings

_CONNECTIONS = 20
"""As many as a user may hold at a server which nobody has set otherwise."""


class Stages:
    """Opens a server for each scenario: the one that was named, or throw-away ones; a context manager.

    ``casting`` says of an actor which user plays it. Throw-away servers are shared by the scenarios of a wire
    profile, but one that steers its server gets one of its own.
    """

    def __init__(
        self,
        environment: Environment,
        casting: Mapping[str, str],
        *,
        serves: bool,
        fixtures: str = "demo",
        at_once: int = 1,
    ) -> None:
        self._environment = environment
        self._casting = casting
        self._serves = serves
        self._fixtures = fixtures
        self._at_once = at_once
        self._kept = AsyncExitStack()
        self._shared: dict[str, Target] = {}

    async def __aenter__(self) -> Self:
        if not self._serves:
            self._shared[""] = await self._named()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._kept.aclose()

    async def prepare(self, scenarios: list[Scenario]) -> None:
        """Start the servers that are shared, before anything runs."""
        profiles = {_profile(one) for one in scenarios if not one.needs_control}
        for profile in sorted(profiles) if self._serves else ():
            self._shared[profile] = await self._kept.enter_async_context(self._throw_away(profile))

    @asynccontextmanager
    async def open(self, scenario: Scenario) -> AsyncIterator[Target]:
        """Give the server for one run of a scenario."""
        if not self._serves:
            yield self._shared[""]
        elif scenario.needs_control:
            async with self._throw_away(_profile(scenario)) as target:
                yield target
        else:
            yield self._shared[_profile(scenario)]

    async def _named(self) -> Target:
        environment = self._environment
        control = control_of(environment)
        if control is not None:
            await self._kept.enter_async_context(control)
        return Target(environment.address, self._cast(self._log_in()), control, patience=environment.timeout)

    @asynccontextmanager
    async def _throw_away(self, profile: str) -> AsyncIterator[Target]:
        from tribe_ws.server.local import LocalServer, local_settings

        settings: ServerSettings = local_settings(
            profile=profile,
            fixtures=self._fixtures,
            stop_timeout=2.0,
            # Runs at the same time act as the same users, and none is to take another's place.
            limit_connections=_CONNECTIONS * self._at_once,
        )
        log: Any = sys.stderr if self._environment.verbose else StringIO()
        async with (
            LocalServer(settings, log_stream=log) as server,
            ControlClient(server.address, server.control_key) as control,
        ):
            log_in = as_demo_users(server.address, timeout=self._environment.timeout)
            yield Target(
                server.address,
                self._cast(log_in),
                control,
                patience=self._environment.timeout,
                is_throw_away=True,
            )

    def _cast(self, log_in: LogIn) -> LogIn:
        async def log_in_as_cast(username: str, password: str | None) -> Account:
            return await log_in(self._casting.get(username, username), password)

        return log_in_as_cast

    def _log_in(self) -> LogIn:
        """Log in at the server that was named: by a password, a kept login, or as a demo user of ours."""
        environment = self._environment
        address, patience = environment.address, environment.timeout
        passwords = {one.name: one.password for one in given_accounts(environment, from_stdin=False)}
        is_ours = address.is_loopback and running_server(address.port) is not None
        by_own_password = by_password(address, timeout=patience)
        as_demo = as_demo_users(address, timeout=patience)

        async def log_in(username: str, password: str | None) -> Account:
            if (given := password or passwords.get(username)) is not None:
                return await by_own_password(username, given)
            login = environment.store.login(address.base_url, username)
            if login is not None and not login.server_pid:
                return await _resume(environment, login)
            return await (as_demo if is_ours else by_own_password)(username, None)

        return log_in


def _profile(scenario: Scenario) -> str:
    """Tell the wire profile of the server that a scenario wants; ``tribe.v2`` is asked for by connections."""
    return "app" if scenario.profile == "app" else "documented"


async def _resume(environment: Environment, login: Login) -> Account:
    rest = RestClient(
        environment.address,
        Tokens(login.access_token, login.refresh_token or None),
        on_tokens=lambda tokens: keep(environment, login, tokens),
        timeout=environment.timeout,
    )
    try:
        return Account(rest, await rest.me())
    except AuthenticationError as error:
        await rest.close()
        error.hint = f"tribe-ws login {login.username}{environment.url_flag()}"
        raise
    except BaseException:
        await rest.close()
        raise
