"""The three ways to play a capture, on a command line: what is said of it, and the exit code."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tribe_ws.capture.names import Names, slug
from tribe_ws.capture.reader import Capture
from tribe_ws.capture.record import Record
from tribe_ws.capture.replay.timeline import Timeline
from tribe_ws.capture.replay.world import World
from tribe_ws.durations import format_duration
from tribe_ws_cli.diagnostics import UsageProblem
from tribe_ws_cli.environment import Environment
from tribe_ws_cli.exit_codes import ExitCode
from tribe_ws_cli.options import StreamRequest
from tribe_ws_cli.printer import Printer

if TYPE_CHECKING:
    from tribe_ws.capture.replay.result import ServerReplay


class RecordedNames(Names):
    """The labels of a capture's conversations; where several users were recorded, with whose view it is."""

    def __init__(self, capture: Capture) -> None:
        super().__init__((), "")
        self.record: Record | None = None
        self._talks = World(capture.records).talks
        self._has_many = len(capture.users) > 1

    def label(self, conversation_id: str | None) -> str:
        """Tell a conversation's label as the user of the present record knows it."""
        viewer = self.record.as_user if self.record is not None else ""
        label = self._label(conversation_id, viewer)
        return f"{viewer} {label}".strip() if self._has_many else label

    def _label(self, conversation_id: str | None, viewer: str) -> str:
        talk = self._talks.get(conversation_id or "")
        if talk is None:
            return super().label(conversation_id)
        name = (self.record.conversation if self.record else "") or talk.labels.get(viewer) or talk.name
        return f"{'#' if talk.is_group else '@'}{slug(name)}" if name else super().label(conversation_id)


async def replay_to_screen(
    request: StreamRequest, capture: Capture, *, speed: float, max_pause: float | None, steps: bool
) -> ExitCode:
    """Print the records in their time, or one with each press of Enter."""
    if steps and not request.environment.can_ask:
        raise UsageProblem(
            "--step waits for Enter, which needs a terminal", hint="without --step:  --speed 0"
        )
    printer, names = request.printer(), RecordedNames(capture)
    timeline = Timeline(capture.records, speed=speed, max_pause=max_pause)
    if steps:
        await _step_through(timeline, printer, names)
    else:
        while (wait := timeline.until_next()) is not None:
            await asyncio.sleep(wait)
            for record in timeline.due(wait):
                _show(record, printer, names)
    if printer.is_for_people:
        hidden = f", {printer.hidden} hidden by the filter" if printer.hidden else ""
        printer.say(f"End of {capture.path.name}. {_size(capture)}{hidden}.")
    return ExitCode.DONE


async def replay_as_client(
    environment: Environment,
    capture: Capture,
    *,
    to: str,
    speed: float,
    max_pause: float | None,
    patience: float | None,
    users: Mapping[str, str],
) -> ExitCode:
    """Do again what was done, and say what came of it that was not recorded."""
    from tribe_ws.capture.replay.result import ServerReplayOptions
    from tribe_ws.capture.replay.to_server import replay_to_server
    from tribe_ws.client.rest import RestClient
    from tribe_ws_cli.identity import acting

    if to:
        environment = _at(environment, to)
    default = ServerReplayOptions()
    options = ServerReplayOptions(
        speed=speed,
        max_pause=default.max_pause if max_pause is None else max_pause,
        patience=default.patience if patience is None else patience,
        users=users,
    )
    output, talk = environment.output, environment.talk
    if not environment.json:
        talk.note(
            f"{capture.path.name}: {_size(capture)}, to {environment.address.base_url} as"
            f" {', '.join(users.get(user, user) for user in capture.users)}"
        )

    async with AsyncExitStack() as stack:

        async def log_in(user: str) -> RestClient:
            identity = await stack.enter_async_context(acting(environment, user))
            return identity.rest

        result = await replay_to_server(capture.records, log_in, options)
    if environment.json:
        for difference in result.differences:
            output.json(difference.as_json())
        output.json(result.as_json())
    else:
        for line in (*_told(result), *_verdict(result)):
            output.line(line)
    return ExitCode.DONE if result.is_same else ExitCode.EXPECTATION_FAILED


async def replay_as_server(
    environment: Environment,
    capture: Capture,
    *,
    host: str,
    port: int,
    speed: float,
    max_pause: float | None,
    keeps_times: bool,
) -> ExitCode:
    """Be the server of the recorded evening until Ctrl+C."""
    from tribe_ws.capture.replay.as_server import ClientReplayOptions, ReplayServer

    options = ClientReplayOptions(
        host=host, port=port, speed=speed, max_pause=max_pause, keeps_times=keeps_times
    )
    output = environment.output

    def tell(words: str) -> None:
        if not environment.json:
            output.line(words)

    async with ReplayServer(capture.records, options, on_news=tell) as server:
        if environment.json:
            output.json({"v": 1, "url": server.url, "ws_url": server.ws_url, "users": list(server.usernames)})
        else:
            for line in _banner(capture, server):
                output.line(line)
        await server.wait_closed()
    return ExitCode.DONE


async def _step_through(timeline: Timeline, printer: Printer, names: RecordedNames) -> None:
    while (record := timeline.step()) is not None:
        if _show(record, printer, names) and not timeline.is_at_end:
            answer = await asyncio.to_thread(_read_key)
            if answer is None or answer.strip().lower() in {"q", "quit"}:
                return


def _read_key() -> str | None:
    try:
        return input()
    except EOFError:
        return None


def _show(record: Record, printer: Printer, names: RecordedNames) -> bool:
    names.record = record
    return printer.record(record, names)


def _at(environment: Environment, url: str) -> Environment:
    from tribe_ws.protocol.urls import parse_address
    from tribe_ws_cli.environment import Setting

    settings = {**environment.settings, "url": Setting(url, "--url")}
    return replace(environment, address=parse_address(url), settings=settings)


def _told(result: ServerReplay) -> Iterator[str]:
    for difference in result.differences:
        yield str(difference)
        yield from (f"    {change}" for change in difference.changes)


def _verdict(result: ServerReplay) -> list[str]:
    lines = [f"left out: {count} record{'s' * (count != 1)}, {why}" for why, count in result.left_out.items()]
    played = f"{result.sent} frames and {result.calls} calls sent, {result.frames} frames compared"
    seconds = format_duration(round(result.seconds, 1))
    count = len(result.differences)
    if result.is_same:
        return [*lines, f"no difference but ids and times: {played} in {seconds}"]
    more = ", and then it gave up" if result.gave_up else ""
    return [*lines, f"{count} difference{'s' * (count != 1)}{more}: {played} in {seconds}"]


def _banner(capture: Capture, server: Any) -> list[str]:
    people = " ".join(server.usernames)
    return [
        f"playing {capture.path.name} ({_size(capture)}) at {server.url}",
        f"users   {people}   (any password)      conversations   {'   '.join(server.labels)}",
        f"Next, in a second terminal:   tribe-ws login {server.usernames[0]} --url {server.url}",
        "the evening begins with the first subscription; Ctrl+C stops",
    ]


def _size(capture: Capture) -> str:
    count = len(capture.records)
    return f"{count} record{'s' * (count != 1)} in {format_duration(round(capture.seconds, 1))}"
