"""``demo``: the documented testing flow, from the start of a server to its end, as its users see it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from tribe_ws_cli.application import command, environment_of


@command(
    examples=(
        "tribe-ws demo",
        "tribe-ws demo --tui                    the inspector, with two users talking",
        "tribe-ws demo --json | jq -r .step",
    ),
    without=("url", "profile", "as_user"),
)
def demo(
    context: typer.Context,
    tui: Annotated[
        bool, typer.Option("--tui", help="Open the inspector as alice instead; bob and cara talk by script.")
    ] = False,
) -> Any:
    """Run the documented flow against a throw-away local server, step by step, and stop.

    A server starts on a free port with a database in memory. Alice and bob log in; bob connects and
    subscribes; alice's message goes in by REST and arrives at bob; typing shows; ping gets its pong.
    Nothing is left behind. Exit 0 says that every step did what the document promises.
    """
    from tribe_ws_cli.lifetime import run_to_end

    environment = environment_of(context)
    if tui:
        from tribe_ws_cli.demonstrating import demonstrate
        from tribe_ws_cli.inspecting import must_have_terminal

        must_have_terminal(environment)
        return run_to_end(demonstrate(environment))
    from tribe_ws_cli.walkthrough import Walkthrough

    return run_to_end(Walkthrough(environment).run())
