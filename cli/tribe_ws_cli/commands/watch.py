"""``watch``: what happens in conversations, line by line."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tribe_ws_cli.application import command, environment_of, given_options
from tribe_ws_cli.environment import Environment
from tribe_ws_cli.options import RECORD, STREAM_OPTIONS, StreamRequest


@command(
    examples=(
        "tribe-ws watch general --as bob",
        "tribe-ws watch --all --filter 'event:message.* !from:bob'",
        "tribe-ws watch general --json --count 10 | jq .frame.data.content",
        "tribe-ws watch general --until 'data.content~deployed' --for 5m && echo done",
        "tribe-ws watch --all --record evening.ndjson",
    ),
    options=(*STREAM_OPTIONS, RECORD),
)
def watch(
    context: typer.Context,
    conversations: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CONV]...", help="#name, @user, id or unique beginning of one."),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="All your conversations.")] = False,
    past: Annotated[
        int, typer.Option("-n", "--number", min=0, metavar="N", help="Print so many past messages first.")
    ] = 0,
) -> Any:
    """Subscribe and print events until stopped.

    Without CONV or --all it watches your newest conversation. When the connection breaks it is made again,
    and what was missed is fetched; with --for, --count or --until it is not, because a script wants to
    know.
    """
    from tribe_ws_cli.lifetime import run_to_end

    environment = environment_of(context)
    request = StreamRequest(environment, given_options(context))
    return run_to_end(_watch(environment, request, tuple(conversations or ()), past, everything=everything))


async def _watch(
    environment: Environment, request: StreamRequest, wanted: tuple[str, ...], past: int, *, everything: bool
) -> Any:
    from tribe_ws.capture.words import latency_text
    from tribe_ws.protocol.urls import SOCKET_PATH
    from tribe_ws_cli.identity import acting
    from tribe_ws_cli.live import Live, run_together

    async with acting(environment) as identity:
        names = await identity.names()
        ids = chosen(names, wanted, everything=everything)
        printer = request.printer()
        live = Live(identity, names, printer, request.live_options(tuple(ids)))
        if request.record is not None:
            live.recording.start(request.record)
        await _print_past(environment, identity, ids, past)
        try:
            async with live:
                took = await live.open_subscriptions()
                labels = " ".join(names.label(one) for one in ids)
                opened, confirmed = latency_text(live.opened_in), latency_text(max(took))
                printer.say(
                    f"{identity.username} on {environment.address.socket_url.removesuffix(SOCKET_PATH)} … "
                    f"open in {opened}, subscribed {labels} in {confirmed}. "
                    f"Waiting for events, {request.ending()}."
                )
                await run_together(
                    (live.read(), live.until_bounds()), live.explain_silence(can_subscribe=False)
                )
        except BaseException:
            request.say_goodbye(live)
            raise
        request.say_goodbye(live)
        return request.verdict(live)


def chosen(names: Any, wanted: tuple[str, ...], *, everything: bool) -> list[str]:
    """Tell the ids of the conversations that were asked for: by name, all, or the newest one."""
    from tribe_ws.errors import NotFound

    if wanted and not everything:
        return list(dict.fromkeys(names.find(one) for one in wanted))
    ids = [conversation.id for conversation in names.conversations]
    if not ids:
        raise NotFound(
            f"{names.me} is in no conversation", hint="make one:  tribe-ws conversations create NAME USER..."
        )
    return ids if everything else ids[:1]


async def _print_past(environment: Environment, identity: Any, ids: list[str], number: int) -> None:
    from tribe_ws_cli.commands.history import message_line, past_messages

    if not number:
        return
    for conversation_id in ids:
        for message in await past_messages(identity.rest, conversation_id, number):
            if environment.json:
                environment.output.json({"v": 1, "past": True, "message": message.raw})
            else:
                environment.output.segments(message_line(message))
