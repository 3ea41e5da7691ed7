"""``conversations``: where people talk."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tribe_ws_cli.application import Command, command, environment_of, group
from tribe_ws_cli.environment import Environment

conversations = group("List, show, create and change conversations.")

Conv = Annotated[str, typer.Argument(metavar="CONV", help="#name, @user, id or unique beginning of one.")]
Users = Annotated[list[str], typer.Argument(metavar="USER...", help="Usernames or ids.")]


@conversations.command("list", cls=Command)
@command(examples=("tribe-ws conversations list", "tribe-ws conversations list --as alice --json"))
def list_conversations(context: typer.Context) -> Any:
    """List your conversations, newest activity first."""
    from tribe_ws_cli.lifetime import run_to_end

    return run_to_end(_list(environment_of(context)))


async def _list(environment: Environment) -> None:
    from tribe_ws_cli.identity import acting

    async with acting(environment) as identity:
        names = await identity.names()
    if environment.json:
        environment.output.json([conversation.raw for conversation in names.conversations])
        return
    rows = [
        (
            names.label(one.id),
            " ".join(participant.username for participant in one.participants),
            str(one.unread_count),
            one.id,
        )
        for one in names.conversations
    ]
    environment.output.table(("name", "people", "unread", "id"), rows)


@conversations.command("show", cls=Command)
@command(examples=("tribe-ws conversations show general",))
def show_conversation(context: typer.Context, conversation: Conv) -> Any:
    """Show one conversation."""
    from tribe_ws_cli.lifetime import run_to_end

    return run_to_end(_show(environment_of(context), conversation))


async def _show(environment: Environment, text: str) -> None:
    from tribe_ws_cli.identity import acting

    async with acting(environment) as identity:
        names = await identity.names()
        found = await identity.rest.conversation(names.find(text))
    names.learn(found)
    if environment.json:
        environment.output.json(found.raw)
        return
    output = environment.output
    output.line(f"{names.label(found.id)}   {found.conversation_type}   {found.id}")
    for one in found.participants:
        output.line(f"  {one.username:<16}{one.role:<8}{one.full_name}")


@conversations.command("create", cls=Command)
@command(
    examples=(
        "tribe-ws conversations create release bob cara --as alice",
        "tribe-ws conversations create --direct bob",
    )
)
def create_conversation(
    context: typer.Context,
    words: Annotated[
        list[str], typer.Argument(metavar="NAME USER...", help="Its name, then who takes part.")
    ],
    direct: Annotated[
        bool, typer.Option("--direct", help="Between you and one user; it has no name.")
    ] = False,
) -> Any:
    """Create a conversation.

    A direct one that is there already is given instead.
    """
    from tribe_ws_cli.diagnostics import UsageProblem
    from tribe_ws_cli.lifetime import run_to_end

    name, people = ("", words) if direct else (words[0], words[1:])
    if direct and len(people) != 1:
        raise UsageProblem(
            "a direct conversation is with one user", hint="tribe-ws conversations create --direct bob"
        )
    return run_to_end(_create(environment_of(context), name.lstrip("#"), people))


async def _create(environment: Environment, name: str, people: list[str]) -> None:
    from tribe_ws_cli.commands.users import user_id
    from tribe_ws_cli.identity import acting

    async with acting(environment) as identity:
        ids = [await user_id(identity.rest, one) for one in people]
        kind: Any = "group" if name else "direct"
        made = await identity.rest.create_conversation(ids, conversation_type=kind, name=name or None)
        names = await identity.names()
    names.learn(made)
    if environment.json:
        environment.output.json(made.raw)
    else:
        environment.output.line(f"{names.label(made.id)} {made.id}")


@conversations.command("add", cls=Command)
@command(examples=("tribe-ws conversations add design bob --as alice",))
def add_participants(context: typer.Context, conversation: Conv, people: Users) -> Any:
    """Take users into a group, as its admin."""
    from tribe_ws_cli.lifetime import run_to_end

    return run_to_end(_add(environment_of(context), conversation, people))


async def _add(environment: Environment, text: str, people: list[str]) -> None:
    from tribe_ws_cli.commands.users import user_id
    from tribe_ws_cli.identity import acting

    async with acting(environment) as identity:
        names = await identity.names()
        ids = [await user_id(identity.rest, one) for one in people]
        changed = await identity.rest.add_participants(names.find(text), ids)
    names.learn(changed)
    if environment.json:
        environment.output.json(changed.raw)
    else:
        everybody = " ".join(names.user_names(changed.id))
        environment.output.line(f"{names.label(changed.id)}: {everybody}")


@conversations.command("remove", cls=Command)
@command(examples=("tribe-ws conversations remove design cara --as alice",))
def remove_participants(context: typer.Context, conversation: Conv, people: Users) -> Any:
    """Take users out of a group, as its admin; or leave it.

    Their subscriptions end at once.
    """
    from tribe_ws_cli.lifetime import run_to_end

    return run_to_end(_remove(environment_of(context), conversation, people))


async def _remove(environment: Environment, text: str, people: list[str]) -> None:
    from tribe_ws_cli.commands.users import user_id
    from tribe_ws_cli.identity import acting

    async with acting(environment) as identity:
        names = await identity.names()
        conversation_id = names.find(text)
        for one in people:
            await identity.rest.remove_participant(conversation_id, await user_id(identity.rest, one))
            if environment.json:
                environment.output.json({"conversation_id": conversation_id, "removed": one})
            else:
                environment.output.line(f"removed {one} from {names.label(conversation_id)}")
