"""``replay``: a capture, to a screen, to a server as its clients, or to a client as its server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tribe_ws_cli.application import command, environment_of, given_options
from tribe_ws_cli.diagnostics import UsageProblem
from tribe_ws_cli.environment import Environment
from tribe_ws_cli.lifetime import run_to_end
from tribe_ws_cli.options import StreamRequest, seconds_of, stream_options

if TYPE_CHECKING:
    from tribe_ws.capture.reader import Capture


@command(
    examples=(
        "tribe-ws replay evening.ndjson --speed 4 --max-pause 2s",
        "tribe-ws replay evening.ndjson --step --filter 'event:message.*'",
        "tribe-ws replay evening.ndjson --as client --to http://127.0.0.1:8000",
        "tribe-ws replay evening.ndjson --as client --map alice=ana --url https://api.example.com",
        "tribe-ws replay evening.ndjson --as server --port 8001",
    ),
    options=stream_options("filter", "output", "ascii"),
)
def replay(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A capture, as --record writes it.")],
    to: Annotated[
        str, typer.Option("--to", metavar="URL", help="Play to this server, as the recorded clients.")
    ] = "",
    speed: Annotated[
        float | None, typer.Option("--speed", metavar="N", help="So many times as fast; 0: at once.")
    ] = None,
    max_pause: Annotated[
        str, typer.Option("--max-pause", metavar="DURATION", help="Cut longer pauses to this.")
    ] = "",
    step: Annotated[
        bool, typer.Option("--step", help="To a screen: wait for Enter after each line.")
    ] = False,
    names: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="OLD=NEW", help="As client: log in as NEW where OLD was recorded."),
    ] = None,
    patience: Annotated[
        str,
        typer.Option("--patience", metavar="DURATION", help="As client: wait so long for an answer (5s)."),
    ] = "",
    host: Annotated[
        str, typer.Option("--host", metavar="HOST", help="As server: the address to listen on.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, metavar="PORT", help="As server: 0 takes a free one.")
    ] = 8000,
    keep_times: Annotated[
        bool, typer.Option("--keep-times", help="As server: leave every time as it was recorded.")
    ] = False,
) -> Any:
    """Play a capture to a screen, to a server, or to a client.

    To a screen by itself. With --as client (or --to URL) what the recorded users did is done again at a
    server, and what it answers is compared: exit 9 if anything but ids and times differs. With --as server an
    app can connect and lives the recorded evening.
    """
    environment = environment_of(context)
    role = _role(environment, to)
    _check(role, locals() | given_options(context))
    capture = _read(file, environment)
    pause = seconds_of(max_pause, "--max-pause") if max_pause else None
    if role == "client":
        from tribe_ws_cli.replaying import replay_as_client

        return run_to_end(
            replay_as_client(
                environment, capture, to=to, speed=1.0 if speed is None else speed, max_pause=pause,
                patience=seconds_of(patience, "--patience") if patience else None, users=_users(names or ()),
            )
        )  # fmt: skip
    if role == "server":
        from tribe_ws_cli.replaying import replay_as_server

        return run_to_end(
            replay_as_server(
                environment, capture, host=host, port=port, speed=1.0 if speed is None else speed,
                max_pause=pause, keeps_times=keep_times,
            )
        )  # fmt: skip
    from tribe_ws_cli.replaying import replay_to_screen

    request = StreamRequest(environment, given_options(context), in_pipe="plain")
    return run_to_end(
        replay_to_screen(request, capture, speed=1.0 if speed is None else speed, max_pause=pause, steps=step)
    )


_ONLY: dict[str, tuple[str, ...]] = {
    "screen": ("step", "filter", "output"),
    "client": ("names", "patience", "to"),
    "server": ("keep_times",),
}


def _role(environment: Environment, to: str) -> str:
    said = environment.settings["as"]
    named = environment.as_user if said.origin == "--as" else ""
    if named not in {"", "client", "server"}:
        raise UsageProblem(
            f'a capture is played as client or as server, not as "{named}"',
            hint="whom a recorded user acts as:  --as client --map OLD=NEW",
        )
    if to and named == "server":
        raise UsageProblem("--to is where a client plays to", hint="choose:  --as server, or --to URL")
    return "client" if to else named or "screen"


def _check(role: str, given: dict[str, Any]) -> None:
    """Refuse an option that would do nothing here."""
    if given["speed"] is not None and not 0 <= given["speed"] < float("inf"):
        raise UsageProblem("--speed is 0 (at once) or more")
    for owner, options in _ONLY.items():
        for name in options:
            if given.get(name) and owner != role:
                flag = {"names": "--map"}.get(name, f"--{name.replace('_', '-')}")
                how = {"screen": "to a screen", "client": "--as client", "server": "--as server"}
                raise UsageProblem(f"{flag} goes with a replay {how[owner]}, this is one {how[role]}")


def _read(file: Path, environment: Environment) -> Capture:
    from tribe_ws.capture.reader import CaptureError, read_capture

    capture = read_capture(file.expanduser())
    if capture.is_cut:
        environment.talk.note(f"{file}: the last line is cut off; played up to there")
    if not capture.records:
        raise CaptureError(
            f"{file} holds no record", hint="tribe-ws watch --all --record FILE  writes what it sees"
        )
    return capture


def _users(pairs: list[str] | tuple[()]) -> dict[str, str]:
    users = {}
    for pair in pairs:
        old, equals, new = pair.partition("=")
        if not (old and equals and new):
            raise UsageProblem(f'--map takes OLD=NEW, got "{pair}"', hint="--map alice=ana --map bob=ben")
        users[old.removeprefix("@")] = new.removeprefix("@")
    return users
