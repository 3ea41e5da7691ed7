"""A scenario of 200 people in 50 conversations, as the benchmark writes it, runs through."""

from __future__ import annotations

import pytest

from benchmarks.crowd import Crowd
from tests.scenario.staging import target_of
from tribe_ws.scenario.language.loading import load_scenario, parse_scenario
from tribe_ws.scenario.running.runner import run_scenario
from tribe_ws.server.local import LocalServer, local_settings


async def run_crowd(crowd, folder):
    world, file = folder / "world.yaml", folder / "crowd.yaml"
    world.write_text(crowd.world(), "utf-8")
    file.write_text(crowd.scenario(), "utf-8")
    with LocalServer(local_settings(fixtures=str(world))) as server:
        return await run_scenario(load_scenario(file), target_of(server, is_throw_away=True, patience=60.0))


def test_a_crowd_is_dealt_out_to_its_conversations():
    crowd = Crowd(12, 3)
    assert [len(group) for group in crowd.groups] == [4, 4, 4]
    assert crowd.deliveries == 36
    scenario = parse_scenario(crowd.scenario())
    assert len(scenario.actors) == 12
    assert len(scenario.conversations) == 3


async def test_a_small_crowd_runs_through(tmp_path):
    result = await run_crowd(Crowd(12, 3), tmp_path)
    assert result.status == "passed", result


@pytest.mark.slow
async def test_two_hundred_actors_in_fifty_conversations_run_through(tmp_path):
    result = await run_crowd(Crowd(), tmp_path)
    assert result.status == "passed", result
    # Seconds on a free machine; the bound only tells a crawl from a run.
    assert result.seconds < 60
