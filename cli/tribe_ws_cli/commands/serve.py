"""``serve``: the complete backend, in the foreground."""

from __future__ import annotations

import socket
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tribe_ws_cli.application import command, environment_of, given_options
from tribe_ws_cli.commands.server_options import SERVER_OPTIONS
from tribe_ws_cli.diagnostics import UsageProblem
from tribe_ws_cli.environment import DEFAULT_URL, Environment, user_config_file

if TYPE_CHECKING:
    from tribe_ws.server.serve import Ready

# Where a wildcard address is reached from: the documentation range, so that nothing is ever sent there.
_ELSEWHERE = ("192.0.2.1", 9)


@command(
    examples=(
        "tribe-ws serve",
        "tribe-ws serve --port 0 --db :memory: --ready-file ready.json",
        "tribe-ws serve --lan                     phones and emulators can reach it",
        "tribe-ws serve --access-ttl 1m           see how an app renews its token",
        "tribe-ws serve --record evening.ndjson   every frame of any socket, every REST call",
        'tribe-ws serve --faults "delay 1s out; drop 5% @bob typing"',
    ),
    without=("url", "profile", "as_user", "timeout"),
    options=SERVER_OPTIONS,
)
def serve(
    context: typer.Context,
    lan: Annotated[
        bool, typer.Option("--lan", help="Listen for the whole network; print lines for the app's .env.")
    ] = False,
    ready_file: Annotated[
        Path | None, typer.Option("--ready-file", metavar="FILE", help="Written, as JSON, when it accepts.")
    ] = None,
    record: Annotated[
        Path | None,
        typer.Option("--record", metavar="FILE", help="Write down every frame and call, and who got what."),
    ] = None,
) -> int:
    """Run the complete local backend.

    REST under /api/v1 and the documented WebSocket endpoint, with a database of its own that is filled with
    the demo users alice, bob, cara and dan. Every option can also be set as TRIBE_WS_NAME or in the
    [server] table of ./tribe-ws.toml; the secret that signs tokens only so. Ctrl+C stops it gracefully.
    """
    from tribe_ws.errors import ConfigurationError
    from tribe_ws.server.serve import run_server
    from tribe_ws.settings import PROJECT_FILE, load_server_settings
    from tribe_ws_cli.recording import ServerRecording

    environment = environment_of(context)
    flags = given_options(context)
    if lan and "host" not in flags:
        flags["host"] = "0.0.0.0"  # noqa: S104 - what was asked for
    files = (PROJECT_FILE, user_config_file(environment.environ))
    try:
        settings = load_server_settings(files=files, **flags)
    except ConfigurationError as error:
        if any(f"--{name.replace('_', '-')}" in str(error) for name in flags):
            raise UsageProblem(str(error), hint=error.hint) from None
        raise
    recording = ServerRecording(environment.talk.note)

    def begin(ready: Ready) -> None:
        recording.conversations = {one.id: one.label.lstrip("#") for one in ready.world.conversations}
        _announce(environment, ready, lan=lan)

    if record is None:
        return run_server(settings, begin, ready_file=ready_file)
    recording.start(record.expanduser())
    try:
        return run_server(settings, begin, ready_file=ready_file, on_record=recording.take)
    finally:
        recording.close()


def _announce(environment: Environment, ready: Ready, *, lan: bool) -> None:
    if environment.json:
        environment.output.json(_as_json(ready, lan=lan))
    elif not environment.quiet:
        for line in banner(ready):
            environment.output.line(line)
        if lan:
            for url, who in _app_lines(ready.server.port):
                environment.output.line(f"API_BASE_URL={url:<34}{who}")
        now = datetime.now().astimezone()
        clock = f"{now:%H:%M:%S}.{now.microsecond // 1000:03d}"
        environment.output.line(f"{clock} ready in {ready.seconds:.1f} s, Ctrl+C stops")


def banner(ready: Ready) -> list[str]:
    """Say where the server is, whom it knows, and what to type next."""
    from tribe_ws import __version__

    server, world = ready.server, ready.world
    database = _short_path(server.database)
    head = (f"tribe-ws {__version__}", server.url, f"{server.ws_url}?token=***", f"db: {database}")
    lines = ["   ".join((*head, f"profile: {ready.profile}"))]
    if not world.usernames:
        return [
            *lines,
            f"no users yet; in a second terminal:   tribe-ws register alice{_url_flag(server.url)}",
        ]
    everybody = set(world.usernames)
    conversations = "   ".join(
        one.label if "+" in one.label else f"{one.label} ({_people(one.participants, everybody)})"
        for one in world.conversations
    )
    password = " (password Tribe-demo-1)" if world.name == "demo" else ""
    lines.append(f"users   {' '.join(world.usernames)}{password}      conversations   {conversations}")
    if world.name == "demo":
        flag = _url_flag(server.url)
        third = f'                 in a third:  tribe-ws send general "Hello" --as alice{flag}'
        lines += [
            f"Next, in a second terminal:   tribe-ws watch general --as bob{flag}",
            f"{third}          everything in one window: tribe-ws demo --tui",
        ]
    return lines


def _people(participants: tuple[str, ...], everybody: set[str]) -> str:
    return "all" if set(participants) == everybody else ", ".join(participants)


def _as_json(ready: Ready, *, lan: bool) -> dict[str, Any]:
    server = ready.server
    form: dict[str, Any] = {
        "v": 1,
        "url": server.url,
        "ws_url": server.ws_url,
        "pid": server.pid,
        "version": server.version,
        "database": server.database,
        "profile": ready.profile,
        "users": list(ready.world.usernames),
        "conversations": [{"id": one.id, "label": one.label} for one in ready.world.conversations],
        "seconds": round(ready.seconds, 3),
    }
    if lan:
        form["api_base_urls"] = [url for url, _ in _app_lines(server.port)]
    return form


def _app_lines(port: int) -> list[tuple[str, str]]:
    """Give what a Flutter developer pastes into ``.env``, by where the app runs."""
    return [
        (f"http://127.0.0.1:{port}", "this machine, iOS simulator"),
        (f"http://10.0.2.2:{port}", "Android emulator"),
        (f"http://{_lan_address()}:{port}", "a phone in the same network"),
    ]


def _lan_address() -> str:
    """Find the address other machines know this one by; no packet is sent for it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"


def _short_path(description: str) -> str:
    path = Path(description)
    return f"…/{path.name}" if path.is_absolute() else description


def _url_flag(url: str) -> str:
    return "" if url == DEFAULT_URL else f" --url {url}"
