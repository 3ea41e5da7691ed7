"""``exec``: a command with a server of its own, for test suites in any language."""

from __future__ import annotations

import re
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tribe_ws_cli.application import command, environment_of, given_options
from tribe_ws_cli.commands.server_options import SERVER_OPTIONS
from tribe_ws_cli.diagnostics import UsageProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tribe_ws.server.local import LocalServer
    from tribe_ws.server.services import Services
    from tribe_ws.settings import ServerSettings
    from tribe_ws_cli.environment import Environment

# What a throw-away server decides itself: it is on a free loopback port, in memory, and says nothing.
_DECIDED = {"host", "port", "db", "durability", "log_level", "log_format"}
EXEC_OPTIONS = tuple(option for option in SERVER_OPTIONS if option.name not in _DECIDED)
# What would lead the command's own tribe-ws to another server or user.
_WITHHELD = ("TRIBE_WS_TOKEN", "TRIBE_WS_TOKEN_FILE", "TRIBE_WS_PROFILE", "TRIBE_WS_AS")


@command(
    examples=(
        "tribe-ws exec -- flutter test integration_test",
        "tribe-ws exec --fixtures team.yaml -- npm test",
        "tribe-ws exec -- sh -c 'curl -s $API_BASE_URL/health'",
        "tribe-ws exec -- sh -c 'tribe-ws send general Hello --as alice --wait-delivery bob'",
    ),
    without=("as_user", "url", "profile", "timeout", "json"),
    options=EXEC_OPTIONS,
)
def execute(
    context: typer.Context,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="-- CMD [ARGS]...", help="The command and its arguments.")
    ] = None,
) -> Any:
    """Run CMD with a throw-away server and tokens for it; the exit code is CMD's.

    The server is on a free port, with its database in memory, and takes the options of serve; no settings
    file and no TRIBE_WS_* changes it. CMD finds TRIBE_WS_URL and API_BASE_URL, a token for each user of the
    world as TRIBE_WS_TOKEN_ALICE, TRIBE_WS_TOKEN_BOB, …, and the ids as TRIBE_WS_USER_ALICE and
    TRIBE_WS_CONVERSATION_GENERAL. Signals go on to CMD. When it has ended, the server and whatever CMD left
    running in the background are gone, and no file is left, nor what a tribe-ws in CMD logged in to.
    """
    import asyncio

    if not words:
        raise UsageProblem("no command was given", hint="tribe-ws exec -- CMD ARGS…")
    environment = environment_of(context)
    settings = _settings(given_options(context))
    raise typer.Exit(asyncio.run(_execute(environment, settings, words)))


async def _execute(environment: Environment, settings: ServerSettings, words: list[str]) -> int:
    from io import StringIO
    from tempfile import TemporaryDirectory

    from tribe_ws.server.local import LocalServer
    from tribe_ws_cli.child import Signals, run_child

    log = sys.stderr if environment.verbose else StringIO()
    with Signals() as signals, TemporaryDirectory(prefix="tribe-ws-") as folder:
        async with LocalServer(settings, log_stream=log) as server:
            with _known(server):
                surroundings = _surroundings(environment, server)
                # A tribe-ws in there keeps its logins where they go with the server they are for.
                surroundings["TRIBE_WS_CONFIG"] = str(Path(folder) / "config.toml")
                return await run_child(words, surroundings, signals)


@contextmanager
def _known(server: LocalServer) -> Iterator[None]:
    """Let ``--as alice`` log in by itself, as on every server that tribe-ws started."""
    from tribe_ws import __version__, running

    record = running.RunningServer(
        url=server.url,
        ws_url=server.ws_url,
        pid=server.pid,
        port=server.port,
        version=__version__,
        database=server.services.storage.description,
        world=server.services.world.name,
        control_key=server.control_key,
    )
    running.announce(record)
    try:
        yield
    finally:
        running.withdraw(record)


def _settings(flags: dict[str, Any]) -> ServerSettings:
    from tribe_ws.errors import ConfigurationError
    from tribe_ws.server.secrets import random_secret
    from tribe_ws.settings import load_server_settings

    decided = {"db": ":memory:", "port": 0, "host": "127.0.0.1", "secret": random_secret()}
    try:
        return load_server_settings(environ={}, files=(), **({"stop_timeout": 2.0} | decided | flags))
    except ConfigurationError as error:
        raise UsageProblem(str(error), hint="tribe-ws exec --help lists the settings") from None


def _surroundings(environment: Environment, server: LocalServer) -> dict[str, str]:
    """Tell the environment of the command: ours, and where the server is and how to get in."""
    variables = {name: value for name, value in environment.environ.items() if name not in _WITHHELD}
    variables |= {"TRIBE_WS_URL": server.url, "API_BASE_URL": server.url}
    return variables | server.run(_people(server.services)) | _conversations(server)


async def _people(services: Services) -> dict[str, str]:
    found = {}
    for name in services.world.usernames:
        if (user := await services.storage.users.by_login(name)) is not None:
            found[f"TRIBE_WS_USER_{_variable(name)}"] = user.id
            found[f"TRIBE_WS_TOKEN_{_variable(name)}"] = services.tokens.access(user)
    return found


def _conversations(server: LocalServer) -> dict[str, str]:
    listed = server.services.world.conversations
    return {f"TRIBE_WS_CONVERSATION_{_variable(one.alias)}": one.id for one in listed}


def _variable(name: str) -> str:
    return re.sub(r"\W+", "_", name).upper()
