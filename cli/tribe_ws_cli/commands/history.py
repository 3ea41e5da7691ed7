"""``history``: what was said before."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tribe_ws_cli.application import command, environment_of
from tribe_ws_cli.environment import Environment

_LARGEST_PAGE = 100


@command(
    examples=(
        "tribe-ws history general",
        "tribe-ws history @bob -n 5 --as alice",
        "tribe-ws history general --json | jq -r .content",
    )
)
def history(
    context: typer.Context,
    conversation: Annotated[
        str, typer.Argument(metavar="CONV", help="#name, @user, id or unique beginning of one.")
    ],
    number: Annotated[
        int, typer.Option("-n", "--number", min=1, metavar="N", help="How many messages.")
    ] = 20,
    before: Annotated[
        str, typer.Option("--before", metavar="ID", help="Only messages before this one.")
    ] = "",
    after: Annotated[str, typer.Option("--after", metavar="ID", help="Only messages after this one.")] = "",
) -> Any:
    """Print past messages.

    Oldest first. With --json one message per line, as the server keeps it.
    """
    from tribe_ws_cli.lifetime import run_to_end

    return run_to_end(_history(environment_of(context), conversation, number, before or None, after or None))


async def _history(
    environment: Environment, conversation: str, number: int, before: str | None, after: str | None
) -> None:
    from tribe_ws_cli.identity import acting

    async with acting(environment) as identity:
        names = await identity.names()
        conversation_id = names.find(conversation)
        messages = await past_messages(identity.rest, conversation_id, number, before, after)
    if environment.json:
        for message in messages:
            environment.output.json({"v": 1, **message.raw})
        return
    for message in messages:
        environment.output.segments(message_line(message))
    if not messages:
        environment.talk.note(f"no messages in {names.label(conversation_id)}")


async def past_messages(
    rest: Any, conversation_id: str, number: int, before: str | None = None, after: str | None = None
) -> list[Any]:
    """Fetch messages, oldest first, page by page until there are enough."""
    messages: list[Any] = []
    while len(messages) < number:
        limit = min(_LARGEST_PAGE, number - len(messages))
        page = await rest.messages(conversation_id, limit=limit, before=before, after=after)
        if not page.messages:
            break
        if after is not None:
            messages += page.messages
            after = page.messages[-1].id
        else:
            messages = [*page.messages, *messages]
            before = page.messages[0].id
        if not page.has_more:
            break
    return messages[:number] if after is not None else messages[-number:]


def message_line(message: Any) -> list[tuple[str, str]]:
    """Give a stored message as one line: when, who, what, and its id for --before and --after."""
    when = f"{message.created_at.astimezone():%Y-%m-%d %H:%M:%S}" if message.created_at else "?"
    who = message.sender.username
    return [(f"{when}  ", "time"), (f"{who}: ", "event"), (message.content, ""), (f"   {message.id}", "dim")]
