"""``scenario``: scripted conversations of several people, run against any server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tribe_ws_cli.application import Command, command, environment_of, group
from tribe_ws_cli.diagnostics import UsageProblem
from tribe_ws_cli.environment import Environment
from tribe_ws_cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from tribe_ws.scenario.linting.finding import Finding

scenario = group("Scripted conversations of several people: run, check and write them.")

_SERVERLESS = ("as_user", "url", "profile", "timeout")
Words = Annotated[
    list[str] | None,
    typer.Argument(metavar="FILE|FOLDER|NAME...", help="Scenario files, or built-in ones."),
]
Variables = Annotated[
    list[str] | None,
    typer.Option("--var", metavar="NAME=VALUE", help="Set a variable of the scenarios (repeatable)."),
]


@scenario.command("run", cls=Command)
@command(
    examples=(
        "tribe-ws scenario run smoke --serve",
        "tribe-ws scenario run tests/scenarios --serve --junit scenarios.xml",
        "tribe-ws scenario run smoke --url https://chat.example.com --account alice=ana --account bob=ben",
        "tribe-ws scenario run reconnect --serve --repeat 50 --parallel 4",
    ),
    without=("as_user",),
)
def run_scenarios(
    context: typer.Context,
    words: Words = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Start throw-away servers for them, and stop them.")
    ] = False,
    fixtures: Annotated[
        str, typer.Option("--fixtures", metavar="WORLD", help="With --serve: demo, or a YAML file.")
    ] = "demo",
    var: Variables = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="PATTERN", help="Only those so named or tagged: 'typ*' (repeatable)."),
    ] = None,
    account: Annotated[
        list[str] | None,
        typer.Option("--account", metavar="ACTOR=USER", help="Who plays an actor (repeatable)."),
    ] = None,
    repeat: Annotated[
        int, typer.Option("--repeat", min=1, max=10_000, metavar="N", help="Run everything N times.")
    ] = 1,
    parallel: Annotated[
        int, typer.Option("--parallel", min=1, max=64, metavar="N", help="Run N at the same time.")
    ] = 1,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write a JUnit report as well.")
    ] = None,
    github: Annotated[
        bool,
        typer.Option("--github", help="Annotate failing lines, as is done by itself in GitHub's actions."),
    ] = False,
) -> Any:
    """Run a scripted multi-user test.

    A scenario never hangs: a wrong expectation fails in the time it states. What failed is told with file and
    line, what came instead, and the last frames of everybody. At a server that tribe-ws runs, demo users log
    in by themselves; elsewhere those of tribe-ws login, or of the variable TRIBE_WS_ACCOUNTS (user:password,
    one a line). A scenario that steers its server (clock, faults, broken tokens) is left out at a foreign
    one. Exit 9 if an expectation failed.
    """
    from tribe_ws_cli.lifetime import run_to_end
    from tribe_ws_cli.scenarios import Wishes, run_wishes

    environment = environment_of(context)
    wishes = Wishes(
        words=_words(words),
        serves=serve,
        fixtures=fixtures,
        variables=_assignments(var),
        only=tuple(only or ()),
        casting=_pairs("--account", account),
        repeat=repeat,
        parallel=parallel,
        junit=junit,
        annotates=github or environment.environ.get("GITHUB_ACTIONS") == "true",
    )
    return run_to_end(run_wishes(environment, wishes))


@scenario.command("list", cls=Command)
@command(examples=("tribe-ws scenario list", "tribe-ws scenario list tests/scenarios"), without=_SERVERLESS)
def list_scenarios(context: typer.Context, words: Words = None) -> None:
    """List the built-in scenarios, or those of files and folders."""
    from tribe_ws.scenario.language.loading import load_scenario
    from tribe_ws.scenario.library import builtin_scenarios, find_scenarios
    from tribe_ws.scenario.model import every_step

    environment = environment_of(context)
    builtin = {path: name for name, path in builtin_scenarios().items()}
    rows: list[dict[str, Any]] = []
    for path in find_scenarios(words) if words else list(builtin):
        found = load_scenario(path)
        rows.append(
            {
                "name": builtin.get(path) or str(path),
                "title": found.name,
                "description": found.description,
                "tags": list(found.tags),
                "profile": found.profile,
                "actors": list(found.actors),
                "variables": sorted(found.variables),
                "steps": sum(1 for _ in every_step(found.steps)),
                "needs_control": found.needs_control,
            }
        )
    if environment.json:
        environment.output.json(rows)
        return
    environment.output.table(
        ("scenario", "profile", "server", "what happens"),
        [
            (
                str(row["name"]),
                str(row["profile"]),
                "ours" if row["needs_control"] else "any",
                str(row["title"]),
            )
            for row in rows
        ],
    )


@scenario.command("lint", cls=Command)
@command(
    examples=("tribe-ws scenario lint tests/scenarios", "tribe-ws scenario lint chat.yaml --json"),
    without=_SERVERLESS,
)
def lint_scenarios(context: typer.Context, words: Words = None, var: Variables = None) -> ExitCode:
    """Find what is wrong in scenarios without running them, by line and column.

    Exit 3 if there is an error; a warning alone is none.
    """
    from tribe_ws.scenario.library import find_scenarios
    from tribe_ws.scenario.linting.linter import lint_file

    environment = environment_of(context)
    variables = _assignments(var)
    files = find_scenarios(_words(words))
    found = [finding for path in files for finding in lint_file(path, variables=variables)]
    errors = sum(finding.severity == "error" for finding in found)
    if environment.json:
        environment.output.json([finding.as_json() for finding in found])
    else:
        _print_findings(environment, found)
        environment.talk.note(_counted(len(files), errors, len(found) - errors))
    return ExitCode.CONFIGURATION if errors else ExitCode.DONE


@scenario.command("new", cls=Command)
@command(
    examples=(
        "tribe-ws scenario new evening.ndjson -o tests/evening.yaml",
        "tribe-ws scenario new evening.ndjson | less",
    ),
    without=_SERVERLESS,
)
def new_scenario(
    context: typer.Context,
    capture: Annotated[str, typer.Argument(metavar="CAPTURE", help="A file written by --record.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", metavar="FILE", help="Where to, in place of stdout.")
    ] = None,
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="What the scenario is called.")] = "",
) -> None:
    """Write a scenario from a capture: names and captured values in place of ids.

    Who was there, what they sent, and what came because of it. It is a beginning: take out what does not
    matter, and run it.
    """
    from tribe_ws_cli.scenarios import write_new

    write_new(environment_of(context), Path(capture), out, name)


@scenario.command("schema", cls=Command)
@command(examples=("tribe-ws scenario schema > scenario.schema.json",), without=(*_SERVERLESS, "json"))
def print_schema(context: typer.Context) -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from tribe_ws.scenario.language.schema import scenario_schema

    environment_of(context).output.line(json.dumps(scenario_schema(), indent=2, ensure_ascii=False))


def _words(words: list[str] | None) -> tuple[str, ...]:
    if not words:
        raise UsageProblem(
            "no scenario was named",
            hint="tribe-ws scenario run smoke --serve        all: tribe-ws scenario list",
        )
    return tuple(words)


def _assignments(texts: list[str] | None) -> dict[str, str]:
    from tribe_ws.scenario.language.loading import parse_assignment

    try:
        return dict(map(parse_assignment, texts or []))
    except ValueError as error:
        raise UsageProblem(f"--var: {error}") from None


def _pairs(option: str, texts: list[str] | None) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts or []]
    for name, equals, value in pairs:
        if not (name and equals and value):
            raise UsageProblem(f"{option}: cannot read {name + equals + value!r}", hint=f"{option} alice=ana")
    return {name: value for name, _, value in pairs}


def _print_findings(environment: Environment, findings: list[Finding]) -> None:
    for finding in findings:
        style = "bad" if finding.severity == "error" else "note"
        environment.output.segments(
            (
                (f"{finding.place}: ", ""),
                (f"{finding.severity}: ", style),
                (finding.message, ""),
                (f"  [{finding.rule}]", "dim"),
            )
        )
        if finding.hint:
            environment.output.line(f"  {finding.hint}")


def _counted(files: int, errors: int, warnings: int) -> str:
    told = [
        f"{count} {word}{'s' * (count != 1)}" for count, word in ((errors, "error"), (warnings, "warning"))
    ]
    return f"{files} scenario{'s' * (files != 1)}: {', '.join(told)}"
