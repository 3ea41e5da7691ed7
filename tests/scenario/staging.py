"""What the tests of running scenarios share: frames, a server, and one run of a text."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from textwrap import dedent
from typing import Any

from tribe_ws.client.control import ControlClient
from tribe_ws.client.events import Event, read_event
from tribe_ws.scenario.language.loading import parse_scenario
from tribe_ws.scenario.result import ScenarioResult
from tribe_ws.scenario.running.accounts import Target, as_demo_users
from tribe_ws.scenario.running.runner import run_scenario
from tribe_ws.server.local import LocalServer

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def event(frame: Any) -> Event:
    """Make an event of a frame, as if it had just come."""
    text = frame if isinstance(frame, str) else json.dumps(frame, separators=(",", ":"))
    return read_event(text, received_at=0.0, at=NOW)


def target_of(server: LocalServer, **changes: Any) -> Target:
    """Give the server as a scenario sees it, without its control API."""
    return Target(server.address, as_demo_users(server.address), **changes)


async def run(server: LocalServer, text: str, *, steered: bool = False, **options: Any) -> ScenarioResult:
    """Run a scenario that is written in a test; a text that names no actors gets alice, bob and a team."""
    text = dedent(text)
    if "actors:" not in text:
        text = "name: Test\nactors: [alice, bob]\nconversations: {team: [alice, bob]}\n" + text
    scenario = parse_scenario(text, "test.yaml")
    if not steered:
        return await run_scenario(scenario, target_of(server), **options)
    async with ControlClient(server.address, server.control_key) as control:
        return await run_scenario(scenario, target_of(server, control=control), **options)
