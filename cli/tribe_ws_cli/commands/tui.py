"""``tui``: the chat inspector, in the terminal or in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from tribe_ws_cli.application import command, environment_of
from tribe_ws_cli.environment import Environment


@command(
    examples=(
        "tribe-ws tui",
        "tribe-ws tui --as alice --also bob -s general   two users on one time axis",
        "tribe-ws tui --tap                             every connection of a local server",
        "tribe-ws tui --replay capture.ndjson",
        "tribe-ws tui --web                             the same in a browser",
    ),
    without=("json", "quiet", "no_input"),
)
def tui(
    context: typer.Context,
    also: Annotated[
        list[str] | None, typer.Option("--also", metavar="USER", help="A second user, beside the first.")
    ] = None,
    subscribe: Annotated[
        list[str] | None,
        typer.Option("-s", "--subscribe", metavar="NAME", help="Subscribe at once; repeatable."),
    ] = None,
    tap: Annotated[
        bool, typer.Option("--tap", help="Watch every connection of a local server of yours.")
    ] = False,
    replay: Annotated[
        Path | None, typer.Option("--replay", metavar="FILE", help="Play a capture instead of connecting.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option("--record", metavar="FILE", help="Write everything to a file too.")
    ] = None,
    keep: Annotated[
        int, typer.Option("--keep", min=100, metavar="N", help="Hold the newest N events (100000).")
    ] = 100_000,
    log_file: Annotated[
        Path | None, typer.Option("--log-file", metavar="FILE", help="Where a bug's story is written.")
    ] = None,
    web: Annotated[
        bool, typer.Option("--web", help="Serve it to a browser on this machine instead.")
    ] = False,
    web_port: Annotated[
        int, typer.Option("--web-port", min=1, max=65535, metavar="PORT", help="Port for --web (8080).")
    ] = 8080,
) -> Any:
    """Open the chat inspector.

    The conversations and people on one side, the stream of events in the middle, the selected event taken
    apart on the other, a composer below; ? lists all keys. Without --as it is whoever logged in last; on a
    demo server of yours, alice. With a screen reader, use tribe-ws connect --plain.
    """
    environment = environment_of(context)
    if replay is not None and not replay.is_file():
        from tribe_ws.errors import ConfigurationError

        raise ConfigurationError(f"there is no capture {replay}", hint="make one:  tribe-ws record FILE")
    if web:
        _serve_to_browser(environment, web_port)
        return None
    from tribe_ws_cli.inspecting import Wishes, inspect, must_have_terminal
    from tribe_ws_cli.lifetime import run_to_end

    must_have_terminal(environment)
    wishes = Wishes(tuple(also or ())[:1], tuple(subscribe or ()), tap, replay, record, keep, log_file)
    return run_to_end(inspect(environment, wishes))


def _serve_to_browser(environment: Environment, port: int) -> None:
    """Serve the same command line, but for what makes it the browser's, on loopback until stopped."""
    try:
        from textual_serve.server import Server
    except ImportError:
        from tribe_ws.errors import ConfigurationError

        raise ConfigurationError(
            'the inspector in a browser needs the extra "web"', hint='pip install "tribe-ws[web]"'
        ) from None
    import sys

    from tribe_ws_cli.inspecting import web_command

    arguments = _without_web(sys.argv[1:])
    environment.talk.note(f"the inspector is at http://127.0.0.1:{port} for this machine; Ctrl+C stops")
    Server(web_command(arguments), host="127.0.0.1", port=port, title="tribe-ws").serve()


def _without_web(arguments: list[str]) -> list[str]:
    kept: list[str] = []
    skips = False
    for argument in arguments:
        if skips:
            skips = False
        elif argument == "--web-port":
            skips = True
        elif argument != "--web" and not argument.startswith("--web-port="):
            kept.append(argument)
    return kept
