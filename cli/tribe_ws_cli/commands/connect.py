"""``connect``: a live session, typed into by a person or by a script."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tribe_ws_cli.application import command, environment_of, given_options
from tribe_ws_cli.diagnostics import UsageProblem
from tribe_ws_cli.environment import Environment
from tribe_ws_cli.exit_codes import ExitCode
from tribe_ws_cli.options import RECORD, STREAM_OPTIONS, StreamRequest, seconds_of

if TYPE_CHECKING:
    from tribe_ws_cli.live import Live
    from tribe_ws_cli.slash import Conversationalist

_RULE = (
    "Text goes to the conversation by REST, {…} goes out as a raw frame, /help lists commands. Ctrl+D leaves."
)


@dataclass(frozen=True)
class _Plan:
    """What this call of the command is to do beside its stream."""

    request: StreamRequest
    subscribe: tuple[str, ...]
    lines: tuple[str, ...]
    linger: float
    is_interactive: bool


@command(
    examples=(
        "tribe-ws connect --as alice                        in a terminal: type /help",
        "tribe-ws connect --as bob -s general --until 'event:message.new' --for 10s --json",
        """printf '{"event":"ping"}\\n' | tribe-ws connect --as bob --output raw""",
        """echo '{"cmd":"send","conv":"general","text":"hi"}' | tribe-ws connect --as alice --json""",
    ),
    options=(*STREAM_OPTIONS, RECORD),
)
def connect(
    context: typer.Context,
    subscribe: Annotated[
        list[str] | None,
        typer.Option("-s", "--subscribe", metavar="NAME", help="Subscribe at once; repeatable."),
    ] = None,
    send: Annotated[
        list[str] | None, typer.Option("--send", metavar="TEXT", help="A line to begin with; repeatable.")
    ] = None,
    token: Annotated[
        str,
        typer.Option(
            "--token", metavar="FILE", help="Take the token from a file; - is the first line of stdin."
        ),
    ] = "",
    plain: Annotated[
        bool, typer.Option("--plain", help="Only append lines: no colour, no prompt, no repaint.")
    ] = False,
    ping_every: Annotated[
        str, typer.Option("--ping-every", metavar="DURATION", help="Heartbeat; 0 is none.")
    ] = "",
    linger: Annotated[
        str,
        typer.Option(
            "--linger", metavar="DURATION", help="How long answers are waited for after stdin ends."
        ),
    ] = "1s",
) -> Any:
    """Open a live session in the terminal, or a pipe in a script.

    A line of text is a message, sent by REST to the current conversation. A line that begins with { is a
    frame, sent on the socket as it is. A line that begins with / is a command; // begins a text with a
    slash. Without a terminal it reads such lines from stdin and prints one JSON object per event.
    """
    from tribe_ws_cli.lifetime import run_to_end

    environment = environment_of(context)
    if token:
        environment = replace(environment, token=_read_token(token), as_user="")
    given = given_options(context)
    request = StreamRequest(environment, given, ping_every=ping_every, is_plain=plain, in_pipe="ndjson")
    plan = _Plan(
        request,
        tuple(subscribe or ()),
        tuple(send or ()),
        seconds_of(linger, "--linger"),
        is_interactive=request.mode == "pretty" and environment.can_ask and sys.stdout.isatty(),
    )
    return run_to_end(_connect(environment, plan))


async def _connect(environment: Environment, plan: _Plan) -> ExitCode:
    """Hold one session after the other: ``/as`` ends one and begins the next."""
    from tribe_ws_cli.slash import Leave

    user = environment.as_user
    while True:
        try:
            return await _session(environment, plan, user)
        except Leave as leave:
            user = leave.user
            plan = replace(plan, lines=())


async def _session(environment: Environment, plan: _Plan, user: str) -> ExitCode:
    from tribe_ws.capture.words import latency_text
    from tribe_ws_cli.identity import acting
    from tribe_ws_cli.live import Live, dialling
    from tribe_ws_cli.slash import Conversationalist, Leave

    async with acting(environment, user) as identity:
        names = await identity.names()
        request = plan.request
        printer = request.printer()
        live = Live(
            identity,
            names,
            printer,
            request.live_options(plan.subscribe, shows_opening=printer.is_for_people),
        )
        person = Conversationalist(live, names.find(plan.subscribe[-1]) if plan.subscribe else "")
        if request.record is not None:
            live.recording.start(request.record)
        try:
            async with live:
                printer.say(f"Connecting to {dialling(identity)} … open in {latency_text(live.opened_in)}")
                if printer.is_for_people:
                    printer.say(_RULE)
                await live.open_subscriptions()
                await _hold(plan, live, person)
        except Leave as leave:
            if leave.user:
                raise
        finally:
            await person.finish()
            request.say_goodbye(live)
        request.is_strict |= person.is_strict
        return request.verdict(live)


async def _hold(plan: _Plan, live: Live, person: Conversationalist) -> None:
    from tribe_ws_cli.live import run_together

    silence = live.explain_silence(can_subscribe=True)
    ends = [live.read(), live.until_bounds()] if plan.request.bounds.is_bounded else [live.read()]
    await run_together((*ends, _take_input(plan, live, person)), silence)


async def _take_input(plan: _Plan, live: Live, person: Conversationalist) -> None:
    """Carry out every line; return when the session is to end because of that."""
    from tribe_ws_cli.stdin import stdin_lines

    await _carry_out_lines(plan.lines, person, is_strict=not plan.is_interactive)
    if plan.is_interactive:
        from tribe_ws_cli.repl import read_terminal

        await read_terminal(live, person)
        return
    async for line in stdin_lines():
        await _carry_out_lines((line,), person, is_strict=True)
    if plan.request.bounds.is_bounded:
        await asyncio.Event().wait()
    await _linger(live, plan.linger)


async def _carry_out_lines(lines: Sequence[str], person: Conversationalist, *, is_strict: bool) -> None:
    """Carry lines out; a script ends at the first that cannot be, a person is told and goes on."""
    from tribe_ws_cli.inputs import read_input

    for line in lines:
        order = read_input(line)
        if order is None:
            continue
        if is_strict:
            await person.carry_out(order)
        else:
            await person.attempt(order)


async def _linger(live: Live, seconds: float) -> None:
    """Wait for the answers that are still due, and for what has arrived to be printed."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await live.until(lambda: not live.stream.unanswered)
    await live.until(lambda: not live.stream.unread)


def _read_token(source: str) -> str:
    if source == "-":
        return sys.stdin.readline().strip()
    if source.count(".") == 2 and source.startswith("eyJ"):
        raise UsageProblem(
            "a token on the command line can be seen by everybody on this machine",
            hint="put it into a file:  --token FILE        or into a pipe:  --token -",
        )
    return Path(source).expanduser().read_text("utf-8").strip()
