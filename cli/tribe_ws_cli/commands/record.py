"""``record``: everything a session sees, into a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tribe_ws_cli.application import command, environment_of, given_options
from tribe_ws_cli.environment import Environment
from tribe_ws_cli.options import StreamRequest, stream_options

if TYPE_CHECKING:
    from tribe_ws.capture.reader import Capture
    from tribe_ws_cli.live import Live


@command(
    examples=(
        "tribe-ws record evening.ndjson --as bob",
        "tribe-ws record evening.ndjson general design --as alice --for 10m",
        "tribe-ws record bug.ndjson --until is:violation --markdown bug.md",
        "tribe-ws record evening.ndjson --count 100 --har evening.har",
    ),
    options=stream_options("until", "count", "duration", "strict", "no_reconnect", "max_retries"),
)
def record(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The capture; one that is there goes on.")],
    conversations: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CONV]...", help="#name, @user, id or unique beginning of one; else all."),
    ] = None,
    har: Annotated[
        Path | None,
        typer.Option("--har", metavar="FILE", help="Write it as HAR too, for a browser's network panel."),
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", metavar="FILE", help="Write it as a report for an issue too.")
    ] = None,
) -> Any:
    """Save everything a session sees into a capture.

    A capture has one JSON object a line: each frame in and out, each REST call, each note; with time, user,
    conversation, latency and what breaks the contract. Tokens, passwords and e-mail addresses are left out,
    so that it can be attached to an issue. Without CONV it subscribes to all your conversations.
    """
    from tribe_ws_cli.lifetime import run_to_end

    environment = environment_of(context)
    request = StreamRequest(environment, given_options(context))
    return run_to_end(
        _record(environment, request, file.expanduser(), tuple(conversations or ()), har, markdown)
    )


async def _record(
    environment: Environment,
    request: StreamRequest,
    file: Path,
    wanted: tuple[str, ...],
    har: Path | None,
    markdown: Path | None,
) -> Any:
    from tribe_ws_cli.commands.watch import chosen
    from tribe_ws_cli.identity import acting
    from tribe_ws_cli.live import Live, run_together

    async with acting(environment) as identity:
        names = await identity.names()
        ids = chosen(names, wanted, everything=not wanted)
        live = Live(identity, names, request.silent_printer(), request.live_options(tuple(ids)))
        live.recording.start(file)
        try:
            async with live:
                await live.open_subscriptions()
                labels = " ".join(names.label(one) for one in ids)
                environment.talk.note(f"recording {labels} as {identity.username}, {request.ending()}")
                await run_together((live.read(), live.until_bounds()))
        finally:
            _tell(environment, live, file)
            _export(environment, file, har, markdown)
        return request.verdict(live)


def _tell(environment: Environment, live: Live, file: Path) -> None:
    written = live.recording.written
    violations = live.journal.counts["violation"]
    if environment.json:
        environment.output.json({"v": 1, "file": str(file), "records": written, "violations": violations})
    elif not environment.quiet:
        told = f", {violations} violation{'s' * (violations != 1)}" if violations else ""
        environment.output.line(f"{written} records in {file}{told}")


def _export(environment: Environment, file: Path, har: Path | None, markdown: Path | None) -> None:
    """Write what was asked for beside the capture, from the capture itself."""
    if har is None and markdown is None:
        return
    from tribe_ws.capture.har import to_har
    from tribe_ws.capture.markdown import to_markdown
    from tribe_ws.capture.reader import read_capture
    from tribe_ws.running import write_private
    from tribe_ws_cli.output import to_json

    capture: Capture = read_capture(file)
    if har is not None:
        write_private(har.expanduser(), to_json(to_har(capture.records, environment.address)) + "\n")
    if markdown is not None:
        write_private(markdown.expanduser(), to_markdown(capture.records))
