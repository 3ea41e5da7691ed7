"""What ``doctor`` looks at: port, server, clock, token, terminal, proxy variables, database.

Each finding comes with its mend. Nothing is changed by looking: no login, no file, no migration. A check that
cannot be made says why.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Literal

from tribe_ws.client.calls import Answer, RestCalls
from tribe_ws.client.failures import proxy_for
from tribe_ws.client.rest import RestClient
from tribe_ws.client.tokens import Tokens
from tribe_ws.durations import format_duration
from tribe_ws.errors import CannotConnect, ConfigurationError, DatabaseRefused, TribeError
from tribe_ws.running import running_server
from tribe_ws.settings import PROJECT_FILE, load_server_settings
from tribe_ws_cli.diagnostics import diagnose
from tribe_ws_cli.environment import Environment, user_config_file

State = Literal["ok", "warn", "fail"]

# What the server forgives (contract 4); the Date header has whole seconds.
_LEEWAY = 5.0
_SOON = 60.0
_NARROWEST = (60, 16)
_ADDRESSES = {"http_proxy", "https_proxy", "all_proxy"}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found, and what to do about it (empty where nothing is to be done)."""

    check: str
    state: State
    found: str
    mend: str = ""

    def as_json(self) -> dict[str, str]:
        """Give the form for ``--json``."""
        return asdict(self)


async def examine(environment: Environment) -> tuple[Finding, ...]:
    """Look at everything, in an order in which the first fault explains those after it."""
    answer = await _ask(environment)
    return (
        _port(environment, answer),
        _server(environment, answer),
        _clock(answer, datetime.now(UTC)),
        await _token(environment, answer),
        _terminal(environment),
        _proxy(environment),
        _database(environment),
    )


async def _ask(environment: Environment) -> Answer | TribeError:
    calls = RestCalls(environment.address, None, timeout=environment.timeout)
    try:
        return await calls.call("GET", "/health", prefix="", with_token=False)
    except TribeError as error:
        return error
    finally:
        await calls.close()


def _port(environment: Environment, answer: Answer | TribeError) -> Finding:
    address = environment.address
    place = f"{address.host}:{address.port}"
    if not address.is_loopback:
        return Finding("port", "ok", f"{place} is on another machine")
    ours = running_server(address.port)
    if ours is not None:
        return Finding("port", "ok", f"{place} is held by a tribe-ws {ours.version} server (pid {ours.pid})")
    if not _is_taken(address.host, address.port):
        return Finding("port", "ok", f"{place} is free for a server")
    if _is_tribe(answer):
        return Finding("port", "ok", f"{place} is held by a Tribe server that is not in our records")
    return Finding(
        "port", "fail", f"{place} is held by another program", "tribe-ws serve --port 0 picks a free one"
    )


def _is_taken(host: str, port: int) -> bool:
    try:
        with closing(socket.create_connection((host, port), timeout=2.0)):
            return True
    except OSError:
        return False


def _is_tribe(answer: Answer | TribeError) -> bool:
    return isinstance(answer, Answer) and isinstance(answer.body, dict) and "status" in answer.body


def _server(environment: Environment, answer: Answer | TribeError) -> Finding:
    url = environment.address.base_url
    if isinstance(answer, TribeError):
        diagnosis = diagnose(answer)
        is_down = isinstance(answer, CannotConnect) and answer.reason == "refused"
        mend = diagnosis.hint.split("        ")[0] if is_down else diagnosis.hint
        return Finding("server", "fail", diagnosis.what, mend)
    if not _is_tribe(answer):
        return Finding(
            "server", "fail", f"{url} answers, but not as a Tribe server does",
            "give its base address:  --url http://HOST:PORT",
        )  # fmt: skip
    told = answer.object
    return Finding(
        "server", "ok", f"{url} is well: version {told.get('version')}, database {told.get('database')}"
    )


def _clock(answer: Answer | TribeError, now: datetime) -> Finding:
    said = answer.headers.get("date") if isinstance(answer, Answer) else None
    if said is None:
        return Finding(
            "clock", "warn", "no server tells its time to compare with", "look at the server first"
        )
    try:
        ahead = (now - parsedate_to_datetime(said)).total_seconds()
    except (ValueError, TypeError):
        return Finding(
            "clock", "warn", f"the server's Date is unreadable: {said[:40]!r}", "ask its maintainers"
        )
    if -_LEEWAY <= ahead <= _LEEWAY + 1:
        return Finding("clock", "ok", "this machine and the server agree on the time")
    which = "ahead of" if ahead > 0 else "behind"
    return Finding(
        "clock", "fail", f"this machine's clock is {format_duration(abs(ahead))} {which} the server's",
        "tokens made here are refused there: set both by NTP",
    )  # fmt: skip


async def _token(environment: Environment, answer: Answer | TribeError) -> Finding:
    address, user = environment.address, environment.as_user
    login = environment.store.login(address.base_url, user) if user else None
    if login is None and not user and not environment.token:
        login = environment.store.default_login(address.base_url)
    text = login.access_token if login is not None else "" if user else environment.token
    command = f"tribe-ws login {user or (login.username if login else '') or 'USER'}{environment.url_flag()}"
    if not text:
        return Finding("token", "warn", f'not logged in to "{environment.profile}"', command)
    tokens = Tokens(text, (login.refresh_token or None) if login is not None else None)
    left = (tokens.ends_at - datetime.now(UTC)).total_seconds() if tokens.ends_at else None
    if left is not None and left <= 0 and tokens.refresh_token is None:
        return Finding("token", "fail", f"the token expired {format_duration(-left)} ago", command)
    if not _is_tribe(answer):
        return Finding("token", "warn", "no server to show the token to", "look at the server first")
    if left is not None and left <= 0:
        return Finding("token", "ok", "the token is over; the next command renews it by itself")
    return await _shown_to_server(environment, text, left, command)


async def _shown_to_server(environment: Environment, text: str, left: float | None, command: str) -> Finding:
    try:
        async with RestClient(environment.address, text, timeout=environment.timeout) as rest:
            me = await rest.me()
    except TribeError as error:
        return Finding("token", "fail", diagnose(error).what, command)
    if left is not None and left < _SOON:
        return Finding("token", "warn", f"{me.username}'s token ends in {format_duration(left)}", command)
    until = "without end" if left is None else f"for {format_duration(left)}"
    return Finding("token", "ok", f"the server takes it: {me.username}, {until}")


def _terminal(environment: Environment) -> Finding:
    if not sys.stdout.isatty():
        return Finding("terminal", "ok", "the output goes to a file or a pipe")
    if environment.ascii:
        return Finding(
            "terminal", "warn", "it does not speak UTF-8: glyphs are shown as ASCII", "export LANG=C.UTF-8"
        )
    if environment.environ.get("TERM", "dumb") == "dumb":
        return Finding("terminal", "warn", "TERM says that it can do nothing", "export TERM=xterm-256color")
    columns, lines = os.get_terminal_size(sys.stdout.fileno())
    if columns < _NARROWEST[0] or lines < _NARROWEST[1]:
        return Finding(
            "terminal", "warn", f"{columns}x{lines} is small: lines are cut",
            f"make it {_NARROWEST[0]}x{_NARROWEST[1]} at least",
        )  # fmt: skip
    colors = "in colours" if environment.color else "without colours"
    return Finding("terminal", "ok", f"{columns}x{lines}, UTF-8, {colors}")


def _proxy(environment: Environment) -> Finding:
    address = environment.address
    variables = sorted(
        name for name in environment.environ if name.lower() in _ADDRESSES and environment.environ[name]
    )
    if not variables:
        return Finding("proxy", "ok", "no proxy variable is set")
    named = ", ".join(variables)
    if address.is_loopback:
        excluded = _no_proxy(environment.environ)
        if excluded & {"*", "localhost", "127.0.0.1"}:
            return Finding("proxy", "ok", f"{named} set; loopback is excluded by no_proxy")
        return Finding(
            "proxy", "warn", f"{named} set: tribe-ws goes past it to loopback, your app may not",
            "export no_proxy=localhost,127.0.0.1,::1",
        )  # fmt: skip
    proxy = proxy_for(address)
    if not proxy:
        return Finding("proxy", "ok", f"{named} set; {address.host} is reached without it")
    return Finding(
        "proxy", "warn", f"{address.host} is reached through {proxy} ({named})",
        f"if it lets no WebSocket through:  export no_proxy={address.host}",
    )  # fmt: skip


def _no_proxy(environ: Mapping[str, str]) -> set[str]:
    value = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    return {name.strip().lower() for name in value.split(",")}


def _database(environment: Environment) -> Finding:
    from tribe_ws.storage import guard
    from tribe_ws.storage.engine import read_target

    try:
        settings = load_server_settings(files=(PROJECT_FILE, user_config_file(environment.environ)))
        target = read_target(settings.database)
        if target.path is None:
            return Finding("database", "ok", f"{target.description}; serve says whether it can be opened")
        if not target.path.exists():
            return Finding("database", "ok", f"{target.path} is not there yet; serve makes it")
        guard.examine(target.path)
    except DatabaseRefused as refusal:
        state: State = "warn" if refusal.reason == "in_use" else "fail"
        return Finding("database", state, str(refusal), refusal.hint)
    except ConfigurationError as error:
        return Finding("database", "fail", str(error), error.hint)
    except OSError as error:
        return Finding("database", "fail", f"{error.filename}: {error.strerror}", "change its permissions")
    return Finding("database", "ok", f"{target.path} is sound")
