"""Tells the inspector where it is, who one can be there, and how to log in: the setup it is opened with."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tribe_ws.client.control import ControlClient
from tribe_ws.client.rest import RestClient
from tribe_ws.demo_accounts import DEMO_USERNAMES
from tribe_ws.errors import ConfigurationError, TribeError
from tribe_ws.running import APPLICATION, running_server
from tribe_ws_cli.diagnostics import UsageProblem
from tribe_ws_cli.environment import Environment
from tribe_ws_cli.identity import client_of, demo_server, login_from, login_of
from tribe_ws_tui.keymap import checked_keymap
from tribe_ws_tui.opening import make_app
from tribe_ws_tui.setup import DEFAULT_KEEP, InspectorSetup

SERVER_PATIENCE = 20.0
"""Seconds that a server which the inspector started may take until it is ready."""
_LOOK_EVERY = 0.1
_WITHOUT_TERMINAL = (
    "In scripts use:  tribe-ws watch --json              log file for the TUI:  --log-file x.log"
)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the command line asks of the inspector."""

    also: tuple[str, ...] = ()
    subscribe: tuple[str, ...] = ()
    is_tapping: bool = False
    replay: Path | None = None
    record: Path | None = None
    keep: int = DEFAULT_KEEP
    log_file: Path | None = None


def must_have_terminal(environment: Environment) -> None:
    """Raise ``UsageProblem`` where there is no terminal to draw on, and no browser either."""
    if environment.environ.get("TEXTUAL_DRIVER"):
        return
    streams = (("stdin", sys.__stdin__), ("stdout", sys.__stdout__), ("stderr", sys.__stderr__))
    for name, stream in streams:
        if stream is None or not stream.isatty():
            raise UsageProblem(
                f"the inspector needs a terminal ({name} goes to a file or pipe)",
                hint=_WITHOUT_TERMINAL,
            )


async def inspect(environment: Environment, wishes: Wishes) -> None:
    """Open the inspector and come back when it is left."""
    async with _server_starter(environment) as start_server:
        await run(await _setup(environment, wishes, start_server))


async def run(setup: InspectorSetup) -> None:
    """Run the inspector of a setup to its end."""
    app = make_app(setup)
    await app.run_async()
    if app.return_code:
        raise TribeError("the inspector ended with an error", hint=f"the whole story is in {setup.log_file}")


def log_file(wishes: Wishes) -> Path:
    """Tell where the story of a bug is written."""
    from platformdirs import user_log_path

    return wishes.log_file or user_log_path(APPLICATION) / "tui.log"


def looks(environment: Environment) -> dict[str, Any]:
    """Read what the settings and the surroundings say of keys, theme and editor."""
    environ, table = environment.environ, environment.tui
    return {
        "keymap": checked_keymap(table.get("keys", {})),
        "theme": str(table.get("theme", "textual-dark")),
        "editor": environ.get("VISUAL") or environ.get("EDITOR") or "",
    }


def find_control(environment: Environment) -> ControlClient | None:
    """Take hold of the control API of a local server of ours, where there is one."""
    with suppress(ConfigurationError):
        return ControlClient.of_running(environment.address, timeout=environment.timeout)
    return None


async def _setup(
    environment: Environment, wishes: Wishes, start_server: Callable[[], Any] | None
) -> InspectorSetup:
    address = environment.address
    is_demo = demo_server(address) is not None
    kept = tuple(login.username for login in environment.store.logins(address.base_url))
    demo = DEMO_USERNAMES if is_demo or address.is_loopback else ()
    control = find_control(environment)
    if wishes.is_tapping and control is None:
        raise ConfigurationError(
            f"no server of yours to tap runs at {address.base_url}", hint="start one:  tribe-ws serve"
        )
    return InspectorSetup(
        address,
        _log_in(environment),
        known_users=tuple(dict.fromkeys((*kept, *demo))),
        users=await _users(environment, wishes, is_demo=is_demo),
        subscribe=wishes.subscribe,
        control=control,
        profile=environment.profile,
        is_tapping=wishes.is_tapping,
        record=wishes.record,
        replay=wishes.replay,
        keep=wishes.keep,
        log_file=log_file(wishes),
        start_server=start_server if address.is_loopback else None,
        why_nobody=await _why_nobody(environment),
        **looks(environment),
    )


async def _users(environment: Environment, wishes: Wishes, *, is_demo: bool) -> tuple[str, ...]:
    """Choose whom one comes as: who was named, else who logged in last, else on a demo server alice."""
    first = environment.as_user
    if not first and environment.token:
        async with client_of(environment, await login_of(environment, "")) as rest:
            first = (await rest.me()).username
    kept = environment.store.default_login(environment.address.base_url)
    if not first and not wishes.replay and not wishes.is_tapping:
        first = kept.username if kept is not None else DEMO_USERNAMES[0] if is_demo else ""
    return tuple(filter(None, (first, *wishes.also)))


async def _why_nobody(environment: Environment) -> str:
    """Say, for somebody who is nobody yet, what there is at the address."""
    place = f"{environment.address.host}:{environment.address.port}"
    try:
        async with RestClient(environment.address, timeout=min(2.0, environment.timeout)) as rest:
            await rest.health()
    except TribeError as error:
        return str(error)
    return f"A server answers at {place}, and nobody is logged in to it."


def _log_in(environment: Environment) -> Callable[[str, str | None], Any]:
    async def log_in(username: str, password: str | None) -> RestClient:
        if password is None:
            # A token from the environment is whoever it was made for.
            whom = "" if environment.token and not environment.as_user else username
            return client_of(environment, await login_of(environment, whom))
        async with RestClient(environment.address, timeout=environment.timeout) as rest:
            kept = login_from(environment.address, await rest.login(username, password))
        environment.store.save_login(kept)
        return client_of(environment, kept)

    return log_in


@asynccontextmanager
async def _server_starter(environment: Environment) -> AsyncIterator[Callable[[], Any]]:
    """Give what starts a local server; one that was started ends with the inspector."""
    started: list[asyncio.subprocess.Process] = []
    reading: list[asyncio.Task[None]] = []

    async def start_server() -> ControlClient | None:
        port = environment.address.port
        if running_server(port) is None:
            started.append(await _spawn_server(environment, port))
            await _until_ready(started[-1], port)
            reading.append(asyncio.create_task(_read_log(started[-1]), name="the started server's log"))
        return find_control(environment)

    try:
        yield start_server
    finally:
        for process in started:
            if process.returncode is None:
                process.terminate()
                await process.wait()
        await asyncio.gather(*reading)


async def _spawn_server(environment: Environment, port: int) -> asyncio.subprocess.Process:
    command = ("-m", "tribe_ws_cli", "serve", "--host", environment.address.host, "--port", str(port))
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=dict(environment.environ),
        start_new_session=True,
    )


async def _until_ready(process: asyncio.subprocess.Process, port: int) -> None:
    try:
        async with asyncio.timeout(SERVER_PATIENCE):
            while running_server(port) is None:
                if process.returncode is not None:
                    said = (await process.stderr.read()).decode("utf-8", "replace") if process.stderr else ""
                    first = said.removeprefix("error: ").splitlines()[:1]
                    raise ConfigurationError(first[0] if first else "the server ended at once")
                await asyncio.sleep(_LOOK_EVERY)
    except TimeoutError:
        raise ConfigurationError("the server did not become ready", hint="tribe-ws serve") from None


async def _read_log(process: asyncio.subprocess.Process) -> None:
    """Read what nobody asks for: a server whose log fills its pipe would stand still."""
    assert process.stderr is not None
    while await process.stderr.read(65_536):
        pass


def web_command(arguments: Sequence[str]) -> str:
    """Write the command that the browser's terminal runs: this one, but for what makes it the browser's."""
    import shlex

    return shlex.join((sys.executable, "-m", "tribe_ws_cli", *arguments))
