"""Carries out ``scenario run`` and ``scenario new``: loads, runs, prints as it goes, writes reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from tribe_ws.errors import ConfigurationError
from tribe_ws.scenario.language.loading import load_scenario
from tribe_ws.scenario.library import find_scenarios
from tribe_ws.scenario.model import Scenario
from tribe_ws.scenario.place import did_you_mean
from tribe_ws.scenario.reports.report import as_json, explanation, headline, summary
from tribe_ws.scenario.result import ScenarioResult, SuiteResult
from tribe_ws.scenario.running.suite import run_suite
from tribe_ws_cli.casting import Stages
from tribe_ws_cli.diagnostics import Talk, UsageProblem, exit_code
from tribe_ws_cli.environment import Environment
from tribe_ws_cli.exit_codes import ExitCode

_MARKS = {"passed": ("✓", "good"), "failed": ("✗", "bad"), "error": ("✗", "bad"), "skipped": ("•", "note")}
_PLAIN_MARKS = {"passed": "ok", "failed": "FAILED", "error": "ERROR", "skipped": "left out"}


@dataclass(frozen=True, slots=True)
class Wishes:
    """What was asked for on the command line."""

    words: tuple[str, ...]
    serves: bool = False
    fixtures: str = "demo"
    variables: Mapping[str, str] = field(default_factory=dict)
    only: tuple[str, ...] = ()
    casting: Mapping[str, str] = field(default_factory=dict)
    repeat: int = 1
    parallel: int = 1
    junit: Path | None = None
    annotates: bool = False


async def run_wishes(environment: Environment, wishes: Wishes) -> ExitCode:
    """Run what was asked for, tell of each as it ends, and choose the exit code."""
    scenarios = _load(wishes)
    async with Stages(environment, wishes.casting, serves=wishes.serves, fixtures=wishes.fixtures) as stages:
        await stages.prepare(scenarios)
        suite = await run_suite(
            scenarios,
            stages.open,
            repeat=wishes.repeat,
            parallel=wishes.parallel,
            environ=environment.environ,
            on_result=lambda result: _tell(environment, result),
        )
    _report(environment, wishes, suite)
    return _exit_code(suite)


def _load(wishes: Wishes) -> list[Scenario]:
    """Load every scenario, each with those variables of the command line that it has."""
    found = [load_scenario(path) for path in find_scenarios(wishes.words)]
    known = {name for scenario in found for name in scenario.variables}
    for name in wishes.variables:
        if name not in known:
            hint = did_you_mean(name, known, otherwise=f"they have: {', '.join(sorted(known)) or 'none'}")
            raise UsageProblem(f'--var: no scenario has a variable "{name}"', hint=hint)
    chosen = [scenario for scenario in found if _is_meant(scenario, wishes.only)]
    if not chosen:
        raise UsageProblem(
            "--only leaves no scenario", hint="tribe-ws scenario list FILE|FOLDER tells what there is"
        )
    return [_with_variables(scenario, wishes.variables) for scenario in chosen]


def _with_variables(scenario: Scenario, given: Mapping[str, str]) -> Scenario:
    meant = {name: value for name, value in given.items() if name in scenario.variables}
    if not meant or scenario.path is None:
        return scenario
    return load_scenario(scenario.path, variables=meant)


def _is_meant(scenario: Scenario, only: tuple[str, ...]) -> bool:
    stem = [scenario.path.stem] if scenario.path is not None else []
    names = [name.casefold() for name in (scenario.name, *stem, *scenario.tags)]
    return not only or any(fnmatchcase(name, pattern.casefold()) for pattern in only for name in names)


def _tell(environment: Environment, result: ScenarioResult) -> None:
    is_fine = result.status in {"passed", "skipped"}
    if environment.json or (environment.quiet and is_fine):
        return
    mark, style = _MARKS[result.status]
    if environment.ascii:
        mark = _PLAIN_MARKS[result.status]
    environment.output.segments(((f"{mark} ", style), (headline(result), "" if is_fine else "event")))
    for line in explanation(result):
        environment.output.line(f"  {line}")


def _report(environment: Environment, wishes: Wishes, suite: SuiteResult) -> None:
    from tribe_ws.scenario.reports.junit import to_annotations, to_junit

    if wishes.junit is not None:
        wishes.junit.write_text(to_junit(suite), "utf-8")
    if environment.json:
        environment.output.json(as_json(suite))
    elif not environment.quiet and len(suite.results) > 1:
        environment.output.line(summary(suite))
    if wishes.annotates:
        # GitHub reads its commands from stderr as well, where they do not disturb the data.
        for line in to_annotations(suite, root=Path.cwd()):
            Talk().note(line)


def _exit_code(suite: SuiteResult) -> ExitCode:
    if suite.count("failed"):
        return ExitCode.EXPECTATION_FAILED
    for result in suite.results:
        if result.error is not None:
            return exit_code(result.error)
    if suite.count("skipped") == len(suite.results):
        raise UsageProblem(
            "nothing was run: these scenarios steer a server of ours", hint="tribe-ws scenario run … --serve"
        )
    return ExitCode.DONE


def write_new(environment: Environment, capture: Path, out: Path | None, name: str) -> None:
    """Write the scenario that a capture tells, to a file that is not there yet or to stdout."""
    from tribe_ws.capture.reader import read_capture
    from tribe_ws.scenario.retelling.from_capture import scenario_of

    text = scenario_of(read_capture(capture).records, name=name or capture.stem, source=capture.name)
    if out is None:
        environment.output.line(text.rstrip("\n"))
        return
    try:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigurationError(f"{out} is there already", hint="give another name with -o") from None
    environment.talk.note(f"wrote {out}        try it:  tribe-ws scenario run {out} --serve")
