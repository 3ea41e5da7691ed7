"""``typing``, ``presence``, ``ping``: the small frames of the protocol, one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tribe_ws_cli.application import command, environment_of
from tribe_ws_cli.environment import Environment
from tribe_ws_cli.options import seconds_of

if TYPE_CHECKING:
    from tribe_ws.client.stream import EventStream
    from tribe_ws_cli.identity import Identity

# A fast typist: 80 words a minute are 400 characters a minute.
_SECONDS_A_CHARACTER = 0.15
# A typing state lapses after 6 s (contract 3.2), so it is renewed well before.
_RENEWAL = 3.0


@command(
    examples=(
        "tribe-ws typing general --as bob",
        "tribe-ws typing general --for 10s",
        'tribe-ws typing @alice --text "On my way" --as bob     types, then sends',
    )
)
def typing(
    context: typer.Context,
    conversation: Annotated[
        str, typer.Argument(metavar="CONV", help="#name, @user, id or unique beginning of one.")
    ],
    duration: Annotated[str, typer.Option("--for", metavar="DURATION", help="How long to type.")] = "3s",
    text: Annotated[
        str, typer.Option("--text", metavar="TEXT", help="Type this at human speed, then send it.")
    ] = "",
) -> Any:
    """Simulate typing: on, then off.

    The state is renewed while it lasts, as an app does it. It is switched off at the end, also after Ctrl+C.
    """
    from tribe_ws_cli.lifetime import run_to_end

    seconds = len(text) * _SECONDS_A_CHARACTER if text else seconds_of(duration, "--for")
    return run_to_end(_typing(environment_of(context), conversation, seconds, text))


async def _typing(environment: Environment, wanted: str, seconds: float, text: str) -> None:
    async with _open(environment) as (identity, stream):
        names = await identity.names()
        conversation_id = names.find(wanted)
        label = names.label(conversation_id)
        environment.talk.note(f"{identity.username} is typing in {label} for {seconds:.1f} s")
        try:
            await _keep_typing(stream, conversation_id, seconds)
        finally:
            await stream.typing(conversation_id, False)
            # The frame must be on its way before the socket closes: the pong comes after it.
            await stream.ping(timeout=environment.timeout)
        sent = await identity.rest.send_message(conversation_id, text) if text else None
    if environment.json:
        message = sent.message.raw if sent else None
        environment.output.json(
            {"v": 1, "conversation_id": conversation_id, "seconds": seconds, "message": message}
        )
    elif sent is not None:
        from tribe_ws.capture.names import short_id

        environment.output.line(f"sent {short_id(sent.message.id)} to {label}")
    else:
        environment.output.line(f"typing in {label}: on for {seconds:.1f} s, then off")


async def _keep_typing(stream: EventStream, conversation_id: str, seconds: float) -> None:
    async with asyncio.TaskGroup() as tasks:
        renewal = tasks.create_task(_renew_typing(stream, conversation_id))
        await asyncio.sleep(seconds)
        renewal.cancel()


async def _renew_typing(stream: EventStream, conversation_id: str) -> None:
    while True:
        await stream.typing(conversation_id, True)
        await asyncio.sleep(_RENEWAL)


@command(examples=("tribe-ws presence away --as bob", "tribe-ws presence online --hold 1m"))
def presence(
    context: typer.Context,
    status: Annotated[
        Literal["online", "away", "offline"],
        typer.Argument(metavar="STATUS", help="online, away or offline."),
    ],
    hold: Annotated[
        str, typer.Option("--hold", metavar="DURATION", help="Stay connected so long afterwards.")
    ] = "",
) -> Any:
    """Send a presence update.

    A server works out "offline" from the sockets: without --hold the connection ends at once.
    """
    from tribe_ws_cli.lifetime import run_to_end

    return run_to_end(_presence(environment_of(context), status, seconds_of(hold, "--hold") if hold else 0.0))


async def _presence(
    environment: Environment, status: Literal["online", "away", "offline"], hold: float
) -> None:
    async with _open(environment) as (identity, stream):
        await stream.presence(status)
        await stream.ping(timeout=environment.timeout)
        if environment.json:
            environment.output.json({"v": 1, "user": identity.username, "status": status})
        else:
            environment.output.line(f"{identity.username} is {status}")
        await asyncio.sleep(hold)


@command(examples=("tribe-ws ping", "tribe-ws ping -c 20 --max-ms 200 --as bob && echo fast enough"))
def ping(
    context: typer.Context,
    number: Annotated[int, typer.Option("-c", "--count", min=1, metavar="N", help="How many.")] = 5,
    max_ms: Annotated[
        float | None, typer.Option("--max-ms", metavar="MS", help="Exit 9 if one takes longer.")
    ] = None,
    interval: Annotated[
        str, typer.Option("--interval", metavar="DURATION", help="Between two pings.")
    ] = "200ms",
) -> Any:
    """Measure round trips.

    Each is the documented {"event":"ping"} and its {"event":"pong"}, on one connection.
    """
    from tribe_ws_cli.lifetime import run_to_end

    return run_to_end(_ping(environment_of(context), number, max_ms, seconds_of(interval, "--interval")))


async def _ping(environment: Environment, number: int, max_ms: float | None, interval: float) -> Any:
    from tribe_ws_cli.exit_codes import ExitCode

    times: list[float] = []
    async with _open(environment) as (_, stream):
        for turn in range(number):
            if turn:
                await asyncio.sleep(interval)
            times.append(await stream.ping(timeout=environment.timeout) * 1000)
            if not environment.json:
                environment.output.line(f"pong {turn + 1}  {times[-1]:.1f} ms")
    slowest = max(times)
    if environment.json:
        figures = {"min_ms": min(times), "avg_ms": sum(times) / len(times), "max_ms": slowest}
        rounded = {key: round(value, 2) for key, value in figures.items()}
        environment.output.json(
            {"v": 1, "pings": number, **rounded, "times_ms": [round(one, 2) for one in times]}
        )
    else:
        environment.output.line(ping_summary(times))
    if max_ms is not None and slowest > max_ms:
        environment.talk.note(f"the slowest took {slowest:.1f} ms; {max_ms:g} ms were allowed")
        return ExitCode.EXPECTATION_FAILED
    return ExitCode.DONE


def ping_summary(milliseconds: list[float]) -> str:
    """Sum up round trips, as in ``3 pings, 3 pongs, min 0.8 / avg 1.0 / max 1.3 ms``."""
    count, average = len(milliseconds), sum(milliseconds) / len(milliseconds)
    figures = f"min {min(milliseconds):.1f} / avg {average:.1f} / max {max(milliseconds):.1f} ms"
    plural = "s" if count != 1 else ""
    return f"{count} ping{plural}, {count} pong{plural}, {figures}"


@asynccontextmanager
async def _open(environment: Environment) -> AsyncIterator[tuple[Identity, EventStream]]:
    from tribe_ws.client.options import StreamOptions
    from tribe_ws.client.stream import EventStream
    from tribe_ws_cli.identity import acting

    async with acting(environment) as identity:
        assert identity.rest.source is not None
        options = StreamOptions(reconnect=False, answer_timeout=environment.timeout)
        async with EventStream(environment.address, identity.rest.source, options=options) as stream:
            yield identity, stream
