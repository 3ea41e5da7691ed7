"""``config``: which settings are in force, and who said so."""

from __future__ import annotations

from typing import Annotated

import typer

from tribe_ws_cli.application import Command, command, environment_of, group

config = group("Show the settings in force and where each comes from.")


@config.command("show", cls=Command)
@command(examples=("tribe-ws config show", "tribe-ws config show --origin"))
def show_config(
    context: typer.Context,
    origin: Annotated[bool, typer.Option("--origin", help="Show who set each value.")] = False,
) -> None:
    """Show the settings in force.

    Order: flag > environment > ./tribe-ws.toml > ./.env > your own files > default.
    """
    from tribe_ws_cli.environment import user_config_file

    environment = environment_of(context)
    values = {key: (one.value, one.origin) for key, one in environment.settings.items()}
    token = ("***", "TRIBE_WS_TOKEN or TRIBE_WS_TOKEN_FILE") if environment.token else ("", "default")
    files = (str(user_config_file(environment.environ)), str(environment.store.path))
    values |= {"token": token, "user file": (files[0], ""), "profiles file": (files[1], "")}
    if environment.json:
        environment.output.json(
            {key: {"value": value, "origin": who} for key, (value, who) in values.items()}
        )
        return
    for key, (value, who) in values.items():
        shown = f"{key:<15}{value or '-':<40}" if origin else f"{key:<15}{value or '-'}"
        environment.output.line((shown + (who if origin else "")).rstrip())


@config.command("path", cls=Command)
@command(examples=('$EDITOR "$(tribe-ws config path)"',), without=("as_user", "url", "profile", "timeout"))
def show_path(context: typer.Context) -> None:
    """Print where your own settings file is, whether it is there or not."""
    from tribe_ws_cli.environment import user_config_file

    environment = environment_of(context)
    environment.output.line(str(user_config_file(environment.environ)))
