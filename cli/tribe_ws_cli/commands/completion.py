"""``completion``: prints a script; it never touches a file of yours."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from tribe_ws_cli.application import PROGRAM, command, environment_of


@command(
    examples=(
        'eval "$(tribe-ws completion bash)"',
        "tribe-ws completion zsh > ~/.zfunc/_tribe-ws",
        "tribe-ws completion fish > ~/.config/fish/completions/tribe-ws.fish",
    ),
    without=("as_user", "url", "profile", "timeout", "json"),
)
def completion(
    context: typer.Context,
    shell: Annotated[
        Literal["bash", "zsh", "fish", "powershell"],
        typer.Argument(metavar="SHELL", help="bash, zsh, fish or powershell."),
    ],
) -> None:
    """Print a completion script for your shell.

    Nothing is installed: put the output where your shell looks for it.
    """
    from typer._completion_shared import get_completion_script

    variable = f"_{PROGRAM.replace('-', '_').upper()}_COMPLETE"
    script = get_completion_script(prog_name=PROGRAM, complete_var=variable, shell=shell)
    environment_of(context).output.line(script)
