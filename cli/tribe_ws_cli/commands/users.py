"""``users``: who there is."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tribe_ws_cli.application import Command, command, environment_of, group
from tribe_ws_cli.environment import Environment

users = group("List, show and add users.")


@users.command("list", cls=Command)
@command(examples=("tribe-ws users list", "tribe-ws users list al --json"))
def list_users(
    context: typer.Context,
    text: Annotated[str, typer.Argument(metavar="[TEXT]", help="Only users whose name holds this.")] = "",
    number: Annotated[int, typer.Option("-n", "--number", min=1, metavar="N", help="At most so many.")] = 100,
) -> Any:
    """List users."""
    from tribe_ws_cli.lifetime import run_to_end

    return run_to_end(_list(environment_of(context), text, number))


async def _list(environment: Environment, text: str, number: int) -> None:
    from tribe_ws_cli.identity import acting

    async with acting(environment) as identity:
        found = await identity.rest.search_users(text, limit=min(number, 100))
    if environment.json:
        environment.output.json([user.raw for user in found[:number]])
        return
    rows = [(user.username, user.full_name, _presence(user.is_online), user.id) for user in found[:number]]
    environment.output.table(("username", "name", "presence", "id"), rows)


@users.command("show", cls=Command)
@command(examples=("tribe-ws users show bob",))
def show_user(
    context: typer.Context,
    user: Annotated[str, typer.Argument(metavar="USER", help="Username or id.")],
) -> Any:
    """Show one user."""
    from tribe_ws_cli.lifetime import run_to_end

    return run_to_end(_show(environment_of(context), user))


async def _show(environment: Environment, text: str) -> None:
    from tribe_ws_cli.identity import acting

    async with acting(environment) as identity:
        user = await identity.rest.user(await user_id(identity.rest, text))
    if environment.json:
        environment.output.json(user.raw)
        return
    for key, value in user.raw.items():
        environment.output.line(f"{key:<18}{'' if value is None else value}")


@users.command("add", cls=Command)
@command(
    examples=(
        "tribe-ws users add erin --name 'Erin Gray'",
        "echo Secret-123 | tribe-ws users add erin --password-stdin",
    ),
    without=("as_user",),
)
def add_user(
    context: typer.Context,
    username: Annotated[str, typer.Argument(metavar="USERNAME", help="3 to 50 letters, digits and _.")],
    email: Annotated[
        str, typer.Option("--email", metavar="EMAIL", help="USERNAME@tribe.test if left out.")
    ] = "",
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="Full name; the username if left out.")
    ] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from the first line of stdin.")
    ] = False,
) -> Any:
    """Add a user, without logging in as it.

    On a local demo server a user added without a password gets that of the demo users.
    """
    from tribe_ws_cli.lifetime import run_to_end

    return run_to_end(_add(environment_of(context), username, email, name, password_stdin))


async def _add(environment: Environment, username: str, email: str, name: str, password_stdin: bool) -> None:
    from tribe_ws.client.rest import RestClient
    from tribe_ws.demo_accounts import DEMO_PASSWORD, demo_email
    from tribe_ws_cli.commands.account import ask_password
    from tribe_ws_cli.identity import demo_server

    if not password_stdin and demo_server(environment.address):
        password = DEMO_PASSWORD
    else:
        password = ask_password(environment, f"Password for {username}: ", password_stdin, again=True)
    async with RestClient(environment.address, timeout=environment.timeout) as rest:
        result = await rest.register(
            email=email or demo_email(username),
            username=username,
            full_name=name or username,
            password=password,
        )
    if environment.json:
        environment.output.json(result.user.raw)
    else:
        environment.output.line(f"added {result.user.username} {result.user.id}")


async def user_id(rest: Any, text: str) -> str:
    """Tell the id of a user given by name or id; raises ``NotFound`` with the likeliest one meant."""
    from difflib import get_close_matches

    from tribe_ws.errors import NotFound
    from tribe_ws.protocol.ids import canonical_id

    wanted = text.removeprefix("@")
    if (exact := canonical_id(wanted)) is not None:
        return exact
    for user in await rest.search_users(wanted, limit=100):
        if user.username.casefold() == wanted.casefold():
            return str(user.id)
    everybody = [user.username for user in await rest.search_users("", limit=100)]
    close = get_close_matches(wanted.casefold(), everybody, n=1, cutoff=0.5)
    meant = f"did you mean {close[0]}?              " if close else ""
    raise NotFound(f'no user "{text}"', hint=f"{meant}all: tribe-ws users list")


def _presence(is_online: bool | None) -> str:
    return {True: "online", False: "offline"}.get(is_online, "?") if is_online is not None else "?"
