"""Finds, without running anything, what will go wrong in a scenario and what was probably not meant."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tribe_ws.scenario.language.loading import load_scenario
from tribe_ws.scenario.linting import connections, frames, names, timing
from tribe_ws.scenario.linting.finding import Finding
from tribe_ws.scenario.model import Scenario
from tribe_ws.scenario.place import ScenarioError

_CHECKS = (names.check, frames.check, connections.check, timing.check)


def lint(scenario: Scenario) -> tuple[Finding, ...]:
    """Tell what is wrong or doubtful in a scenario, in the order of its lines."""
    found = {finding: None for check in _CHECKS for finding in check(scenario)}
    return tuple(sorted(found, key=lambda finding: (finding.place, finding.rule, finding.message)))


def lint_file(path: Path, *, variables: Mapping[str, str] | None = None) -> tuple[Finding, ...]:
    """Do the same for a file; one that cannot be loaded has that as its only finding."""
    try:
        return lint(load_scenario(path, variables=variables))
    except ScenarioError as error:
        return (Finding(error.place, "invalid", error.problem, error.hint),)
