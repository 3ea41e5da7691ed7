"""What is found in a scenario without running it; the fixtures say themselves what, and where."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tribe_ws.scenario.language.loading import parse_scenario
from tribe_ws.scenario.library import builtin_scenarios
from tribe_ws.scenario.linting.finding import RULES, Finding
from tribe_ws.scenario.linting.linter import lint, lint_file
from tribe_ws.scenario.place import Place

FOLDER = Path(__file__).parents[2] / "fixtures" / "scenarios"
LINTED = sorted((FOLDER / "linted").glob("*.yaml"))
CLEAN = [path for path in sorted(FOLDER.glob("*.yaml")) if not path.name.startswith("_")]


def announced(path):
    """Tell which rules the comments of a file announce, line by line."""
    return sorted(
        (number, rule)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if (comment := re.search(r"  # ([a-z2 -]+)$", line))
        for rule in comment[1].split()
    )


@pytest.mark.parametrize("path", LINTED, ids=lambda path: path.stem)
def test_finds_what_the_file_announces_and_nothing_else(path):
    found = lint_file(path)
    assert sorted({(one.place.line, one.rule) for one in found}) == announced(path), "\n".join(
        map(str, found)
    )
    assert {one.place.path for one in found} == {str(path)}


def test_every_rule_is_announced_somewhere():
    assert {rule for path in LINTED for _line, rule in announced(path)} == set(RULES)


@pytest.mark.parametrize("path", CLEAN, ids=lambda path: path.stem)
def test_good_example_is_clean(path):
    assert lint_file(path) == ()


@pytest.mark.parametrize(("name", "path"), builtin_scenarios().items())
def test_built_in_scenario_is_clean(name, path):
    assert lint_file(path) == ()


def test_own_message_may_come_where_a_v2_connection_asked_for_it():
    text = "name: It\nprofile: v2\nactors: [alice]\nsteps:\n  - alice: {subscribe: general, echo: true}\n"
    assert (
        lint(
            parse_scenario(f"{text}  - alice: {{send: a, to: general}}\n  - alice: {{expect: message.new}}\n")
        )
        == ()
    )


def test_finding_says_what_to_do():
    (found,) = lint(parse_scenario("name: It\nactors: [alice]\nsteps:\n  - alice: {expect: mesage.new}\n"))
    assert str(found) == (
        'scenario:4:5: error: no server sends "mesage.new" [unknown-event]\n  did you mean "message.new"?'
    )
    assert found.as_json() == {
        "file": "scenario",
        "line": 4,
        "column": 5,
        "severity": "error",
        "rule": "unknown-event",
        "message": 'no server sends "mesage.new"',
        "hint": 'did you mean "message.new"?',
    }


def test_findings_come_in_the_order_of_the_lines():
    found = lint_file(FOLDER / "linted" / "connections.yaml")
    assert [one.place for one in found] == sorted(one.place for one in found)


def test_finding_without_a_hint_is_one_line():
    assert str(Finding(Place("it", 1, 2), "too-slow", "slow")) == "it:1:2: error: slow [too-slow]"


def test_variable_of_an_included_file_is_known_there_only(tmp_path):
    (tmp_path / "part.yaml").write_text(
        "variables: {word: a}\nsteps: [{alice: {send: '${{ word }}', to: general}}]\n"
    )
    main = tmp_path / "main.yaml"
    main.write_text(
        "name: It\nactors: [alice]\nsteps:\n"
        "  - include: part.yaml\n  - alice: {ping: , answer: '${{ word }}'}\n"
    )
    assert [(one.place.line, one.rule) for one in lint_file(main)] == [(5, "undefined-variable")]
