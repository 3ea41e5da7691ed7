"""``fault``: make things go wrong on the sockets of a local server, and stop that again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tribe_ws_cli.application import Command, command, environment_of, group
from tribe_ws_cli.environment import Environment

if TYPE_CHECKING:
    from tribe_ws.client.control import ControlClient

fault = group("Change the faults of a running local server.")

_WITHOUT = ("as_user",)
Seed = Annotated[
    int | None, typer.Option("--seed", metavar="N", help="Set chance anew: the same seed, the same faults.")
]
Whom = Annotated[list[str] | None, typer.Argument(metavar="[FILTER]...", help="As for add: @bob, #general.")]


@fault.command("add", cls=Command)
@command(
    examples=(
        'tribe-ws fault add "delay 250ms±50ms @bob"',
        'tribe-ws fault add "drop #general message.new out 50%; reset @ana 1%" --seed 7',
    ),
    without=_WITHOUT,
)
def add(
    context: typer.Context,
    rules: Annotated[list[str], typer.Argument(metavar="RULE...", help="Rules, separated by semicolons.")],
    seed: Seed = None,
) -> Any:
    """Put faults in force, also for the sockets that are open.

    A rule is an action, then filters in any order. Actions: delay 250ms±50ms, drop, duplicate, reorder,
    corrupt, stall, close CODE, reset, refuse N. Filters: @user, #conversation, an event's name, in or out,
    and a share as 50%.
    """
    return _run(_add(environment_of(context), " ".join(rules), seed))


@fault.command("list", cls=Command)
@command(examples=("tribe-ws fault list", "tribe-ws fault list --json"), without=_WITHOUT)
def list_faults(context: typer.Context) -> Any:
    """List the faults in force, and how many frames or connections each has met."""
    return _run(_list(environment_of(context)))


@fault.command("clear", cls=Command)
@command(examples=("tribe-ws fault clear", "tribe-ws fault clear 2"), without=_WITHOUT)
def clear(
    context: typer.Context,
    fault_id: Annotated[
        int | None, typer.Argument(metavar="[ID]", help="Only the fault with this number.")
    ] = None,
) -> Any:
    """Take faults away, all of them or one; what they held up goes out."""
    return _run(_clear(environment_of(context), fault_id))


@fault.command("close", cls=Command)
@command(examples=("tribe-ws fault close @ana 4401", "tribe-ws fault close ana"), without=_WITHOUT)
def close(
    context: typer.Context,
    user: Annotated[str, typer.Argument(metavar="USER", help="Whose sockets: a username or id.")],
    code: Annotated[int, typer.Argument(metavar="[CODE]", help="The close code (1012).")] = 1012,
) -> Any:
    """Close all sockets of a user now, once."""
    return _run(_close(environment_of(context), user, code))


@fault.command("refuse", cls=Command)
@command(examples=("tribe-ws fault refuse 3", "tribe-ws fault refuse 1 @bob"), without=_WITHOUT)
def refuse(
    context: typer.Context,
    count: Annotated[int, typer.Argument(metavar="[N]", min=1, help="How many connections (1).")] = 1,
    whom: Whom = None,
) -> Any:
    """Refuse the next connections."""
    return _run(_add(environment_of(context), " ".join(("refuse", str(count), *(whom or ()))), None))


@fault.command("stall", cls=Command)
@command(examples=("tribe-ws fault stall", "tribe-ws fault stall @bob out"), without=_WITHOUT)
def stall(context: typer.Context, whom: Whom = None) -> Any:
    """Hold up everything, until the faults are cleared."""
    return _run(_add(environment_of(context), " ".join(("stall", *(whom or ()))), None))


def _run(work: Any) -> Any:
    from tribe_ws_cli.lifetime import run_to_end

    return run_to_end(work)


def _control(environment: Environment) -> ControlClient:
    from tribe_ws.client.control import ControlClient

    return ControlClient.of_running(environment.address, timeout=environment.timeout)


async def _add(environment: Environment, text: str, seed: int | None) -> None:
    _check(text)
    async with _control(environment) as control:
        added = await control.add_faults(text, seed=seed)
    if environment.json:
        environment.output.json(added)
    elif not environment.quiet:
        for one in added:
            environment.output.line(f"fault {one['id']} is on: {one['fault']}")


def _check(text: str) -> None:
    """Find slips here, where the whole hint can be given."""
    from tribe_ws.hub.fault_rules import FaultRefused, parse_faults
    from tribe_ws_cli.diagnostics import UsageProblem

    try:
        rules = parse_faults(text)
    except FaultRefused as error:
        raise UsageProblem(str(error), hint=error.hint) from None
    if not rules:
        raise UsageProblem("no rule was given", hint='tribe-ws fault add "drop 5% @bob"')


async def _list(environment: Environment) -> None:
    async with _control(environment) as control:
        found = await control.faults()
    if environment.json:
        environment.output.json(found)
    elif found:
        rows = [(str(one["id"]), one["fault"], str(one["hits"])) for one in found]
        environment.output.table(("id", "fault", "hits"), rows)
    else:
        environment.talk.note("no faults")


async def _clear(environment: Environment, fault_id: int | None) -> None:
    async with _control(environment) as control:
        count = await control.clear_faults(fault_id)
    if environment.json:
        environment.output.json({"cleared": count})
    elif not environment.quiet:
        environment.output.line(f"cleared {count} fault{'' if count == 1 else 's'}")


async def _close(environment: Environment, user: str, code: int) -> None:
    async with _control(environment) as control:
        closed = await control.disconnect(user, code=code)
    if environment.json:
        environment.output.json({"closed": closed})
    elif not environment.quiet:
        environment.output.line(f"closed {len(closed)} socket{'' if len(closed) == 1 else 's'} with {code}")
