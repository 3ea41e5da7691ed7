"""The examples of the repository run, those that are made of its captures too."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scenario.staging import target_of
from tribe_ws.capture.reader import read_capture
from tribe_ws.client.control import ControlClient
from tribe_ws.scenario.language.loading import load_scenario, parse_scenario
from tribe_ws.scenario.linting.linter import lint
from tribe_ws.scenario.retelling.from_capture import scenario_of
from tribe_ws.scenario.running.runner import run_scenario
from tribe_ws.server.local import LocalServer, local_settings

FIXTURES = Path(__file__).parents[2] / "fixtures"
EXAMPLES = [path for path in sorted(FIXTURES.glob("scenarios/*.yaml")) if not path.name.startswith("_")]
CAPTURES = sorted(FIXTURES.glob("captures/*.ndjson"))


async def came_of(scenario):
    """Run a scenario on a fresh server of its profile; tells why it failed, if it did."""
    with LocalServer(local_settings(profile=scenario.profile)) as server:
        async with ControlClient(server.address, server.control_key) as control:
            result = await run_scenario(scenario, target_of(server, control=control), environ={})
    return result.status, result.failure, result.error


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
async def test_example_runs(path):
    assert await came_of(load_scenario(path)) == ("passed", None, None)


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
async def test_scenario_made_of_a_capture_lints_clean_and_runs(path):
    scenario = parse_scenario(scenario_of(read_capture(path).records, name=path.stem, source=path.name))
    assert lint(scenario) == ()
    assert await came_of(scenario) == ("passed", None, None)
