"""``trigger``: makes a local server push an event, for clients that must be seen to bear it."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from tribe_ws_cli.application import command, environment_of
from tribe_ws_cli.diagnostics import UsageProblem
from tribe_ws_cli.environment import Environment

_UNPROCESSABLE = 422


@command(
    examples=(
        "tribe-ws trigger message.new --to bob --set data.content=hi",
        "tribe-ws trigger typing --to '#general' --from alice",
        "tribe-ws trigger presence --to bob --set data.status=away --set data.is_online=false",
        "tribe-ws trigger message.new --to bob --set data.created_at=yesterday --raw",
    ),
    without=("as_user",),
)
def trigger(
    context: typer.Context,
    event: Annotated[str, typer.Argument(metavar="EVENT", help="Its name on the wire, as message.new.")],
    to: Annotated[str, typer.Option("--to", metavar="USER|CONV|ID", help="Who gets it.")],
    edits: Annotated[
        list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Change a field; repeatable.")
    ] = None,
    sender: Annotated[str, typer.Option("--from", metavar="USER", help="Who it seems to come from.")] = "",
    raw: Annotated[
        bool, typer.Option("--raw", help="Send it as it stands, whatever the contract says.")
    ] = False,
) -> Any:
    """Make a local server push any documented event, with edits.

    A user gets it on each of their connections, a conversation on those subscribed to it. A VALUE is JSON
    where it can be read as JSON, and a text otherwise. Nothing is stored.
    """
    from tribe_ws_cli.lifetime import run_to_end

    return run_to_end(_trigger(environment_of(context), event, to, _read_edits(edits or []), sender, raw))


async def _trigger(
    environment: Environment, event: str, to: str, edits: dict[str, Any], sender: str, raw: bool
) -> None:
    from tribe_ws.client.control import ControlClient
    from tribe_ws.errors import ApiError

    async with ControlClient.of_running(environment.address, timeout=environment.timeout) as control:
        try:
            pushed = await control.trigger(event, to, edits=edits, sender=sender, raw=raw)
        except ApiError as error:
            if error.status == _UNPROCESSABLE:
                raise UsageProblem(_complaint(event, error.detail), hint="tribe-ws spec events") from None
            raise
    if environment.json:
        environment.output.json(pushed)
        return
    environment.output.line(_said(event, to, int(pushed["connections"])))


def _read_edits(texts: list[str]) -> dict[str, Any]:
    """Read ``path=value`` pairs; the last one of a path counts."""
    edits: dict[str, Any] = {}
    for text in texts:
        path, is_there, value = text.partition("=")
        if not is_there or not path.strip():
            raise UsageProblem(f"cannot read --set {text!r}", hint="write it as  --set data.content=hi")
        edits[path.strip()] = _value(value)
    return edits


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _complaint(event: str, detail: Any) -> str:
    """Say what the server found wrong, field by field; the first item only says that something is."""
    faults = detail[1:] if isinstance(detail, list) else [detail]
    return f"cannot push {event}: {'; '.join(map(str, faults))}"


def _said(event: str, to: str, count: int) -> str:
    if not count:
        return f"{event} reached nobody: {to} has no connection that carries it"
    return f"{event} went to {count} connection{'s' if count > 1 else ''} of {to}"
