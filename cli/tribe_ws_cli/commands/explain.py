"""``explain``: what a close code, an error, a status or an exit code means, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tribe_ws_cli.application import command, environment_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tribe_ws_cli.environment import Environment
    from tribe_ws_cli.explanations import Explanation

TOPICS = {
    "close-codes": "close code",
    "errors": "error",
    "exit-codes": "exit code",
    "http": "HTTP status",
    "socket-errors": "socket error",
}


@command(
    examples=(
        "tribe-ws explain 4401",
        "tribe-ws explain slow_consumer",
        "tribe-ws explain exit-codes",
        "tribe-ws explain filter",
    ),
    without=("as_user", "url", "profile", "timeout"),
)
def explain(
    context: typer.Context,
    code: Annotated[
        str, typer.Argument(metavar="[CODE]", help="A number, a reason, an error's code, or a topic.")
    ] = "",
) -> None:
    """Explain a close code, an error, an exit code, or the filter language.

    A number may mean several things; all of them are told. The topics close-codes, errors, exit-codes, http
    and socket-errors list all codes of their kind; filter explains the filter language. Without a code it
    lists everything.
    """
    from tribe_ws_cli import explanations

    environment = environment_of(context)
    match code.strip().lower():
        case "filter" | "filters":
            _print_filter(environment, explanations.filter_text())
        case "":
            _print(environment, tuple(explanations.all_explanations()))
        case topic if topic in TOPICS:
            _print(environment, explanations.of_kind(TOPICS[topic]))
        case asked:
            _print_found(environment, asked)


def _print_found(environment: Environment, asked: str) -> None:
    from tribe_ws_cli import explanations
    from tribe_ws_cli.diagnostics import UsageProblem

    found = explanations.explain(asked)
    if not found:
        near = explanations.similar(asked)
        meant = f"did you mean  tribe-ws explain {near}?        " if near else ""
        raise UsageProblem(f'no code "{asked}" is known', hint=f"{meant}all:  tribe-ws explain")
    if environment.json:
        _print(environment, found)
        return
    for number, one in enumerate(found):
        if number:
            environment.output.line()
        environment.output.line(f"{one.kind} {one.code}: {one.meaning}")
        if one.advice:
            environment.output.line(f"  {one.advice}")


def _print(environment: Environment, found: Sequence[Explanation]) -> None:
    if environment.json:
        environment.output.json({"v": 1, "explanations": [one.as_json() for one in found]})
    else:
        environment.output.table(
            ("kind", "code", "meaning", "what to do"),
            [(one.kind, one.code, one.meaning, one.advice) for one in found],
        )


def _print_filter(environment: Environment, text: str) -> None:
    if environment.json:
        environment.output.json({"v": 1, "topic": "filter", "text": text})
    else:
        environment.output.line(text)
