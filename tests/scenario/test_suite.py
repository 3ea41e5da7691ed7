"""Many scenarios, many times, so many at once: each is run, in the order in which it was asked for."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest

from tests.scenario.staging import target_of
from tribe_ws.errors import CannotConnect, ConfigurationError
from tribe_ws.scenario.language.loading import load_scenario, parse_scenario
from tribe_ws.scenario.library import BUILTIN, builtin_scenarios, find_scenarios
from tribe_ws.scenario.linting.linter import lint_file
from tribe_ws.scenario.result import ScenarioResult
from tribe_ws.scenario.running.suite import run_suite

FINE = parse_scenario("name: Fine\nactors: [alice]\nsteps: [{alice: ping}]")
WRONG = parse_scenario("name: Wrong\nactors: [alice]\nsteps: [{alice: {expect: pong, within: 10ms}}]")


def opener(server, at_once=None):
    @asynccontextmanager
    async def open_target(scenario):
        if at_once is not None:
            at_once.append(at_once[-1] + 1)
        yield target_of(server)
        if at_once is not None:
            at_once.append(at_once[-1] - 1)

    return open_target


async def test_a_failure_keeps_no_other_from_being_run(server):
    heard: list[ScenarioResult] = []
    suite = await run_suite([WRONG, FINE], opener(server), repeat=2, on_result=heard.append)
    assert [(one.name, one.run, one.status) for one in suite.results] == [
        ("Wrong", 1, "failed"),
        ("Fine", 1, "passed"),
        ("Wrong", 2, "failed"),
        ("Fine", 2, "passed"),
    ]
    assert heard == list(suite.results)
    assert not suite.is_ok


async def test_so_many_run_at_once_and_no_more(server):
    at_once = [0]
    suite = await run_suite([FINE], opener(server, at_once), repeat=6, parallel=3)
    assert suite.is_ok
    assert [one.run for one in suite.results] == [1, 2, 3, 4, 5, 6]
    assert max(at_once) == 3


async def test_a_server_that_cannot_be_opened_is_an_error_of_that_scenario():
    @asynccontextmanager
    async def refuse(scenario):
        raise CannotConnect("nobody there")
        yield

    (result,) = (await run_suite([FINE], refuse)).results
    assert (result.status, str(result.error)) == ("error", "nobody there")


async def test_a_bug_is_not_hidden():
    @asynccontextmanager
    async def stumble(scenario):
        raise ZeroDivisionError
        yield

    with pytest.raises(ZeroDivisionError):
        await run_suite([FINE], stumble, parallel=2)


async def test_no_scenario_is_no_failure(server):
    assert (await run_suite([], opener(server))).results == ()


@pytest.mark.parametrize("name", builtin_scenarios())
def test_built_in_scenario_has_no_error(name):
    path = builtin_scenarios()[name]
    assert [str(one) for one in lint_file(path) if one.severity == "error"] == []
    assert load_scenario(path).description


def test_the_promised_scenarios_are_built_in():
    promised = {"smoke", "typing", "presence", "multi-device", "reconnect", "expiry"}
    assert promised <= set(builtin_scenarios())


def test_scenarios_are_found_by_name_by_file_and_by_folder(tmp_path, monkeypatch):
    (tmp_path / "deep" / "_parts").mkdir(parents=True)
    for name in ("b.yaml", "a.yml", "_part.yaml", "deep/c.yaml", "deep/_parts/d.yaml", "notes.txt"):
        (tmp_path / name).write_text("x")
    monkeypatch.chdir(tmp_path)
    found = find_scenarios([".", "b.yaml", "smoke", "_part.yaml"])
    assert [path.name for path in found] == ["a.yml", "b.yaml", "c.yaml", "smoke.yaml", "_part.yaml"]
    assert found[3] == BUILTIN / "smoke.yaml"


@pytest.mark.parametrize(
    ("word", "hint"), [("smok", 'did you mean "smoke"?'), ("empty", "a scenario is a file named *.yaml")]
)
def test_a_word_that_means_nothing_is_refused(tmp_path, monkeypatch, word, hint):
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError) as refused:
        find_scenarios([word])
    assert refused.value.hint == hint


async def test_scenarios_share_a_loop_without_waiting_for_one_another(server):
    slow = parse_scenario("name: Slow\nactors: [bob]\nsteps: [{wait: 200ms}]")
    async with asyncio.timeout(60):
        suite = await run_suite([slow], opener(server), repeat=8, parallel=8)
    assert suite.seconds < sum(one.seconds for one in suite.results)
