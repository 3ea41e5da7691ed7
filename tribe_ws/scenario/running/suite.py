"""Runs many scenarios, or one many times, so many at once; each on a server that the caller opens for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import TypeAlias

from tribe_ws.errors import TribeError
from tribe_ws.scenario.model import Scenario
from tribe_ws.scenario.result import ScenarioResult, SuiteResult
from tribe_ws.scenario.running.accounts import Target
from tribe_ws.scenario.running.runner import run_scenario

OpenTarget: TypeAlias = Callable[[Scenario], AbstractAsyncContextManager[Target]]
"""Gives the server to run a scenario against, for as long as it runs."""


async def run_suite(
    scenarios: Sequence[Scenario],
    open_target: OpenTarget,
    *,
    repeat: int = 1,
    parallel: int = 1,
    environ: Mapping[str, str] | None = None,
    on_result: Callable[[ScenarioResult], None] = lambda _: None,
) -> SuiteResult:
    """Run every scenario ``repeat`` times, ``parallel`` of them at once; ``on_result`` hears of each end.

    A scenario that fails keeps no other from being run.
    """
    began = asyncio.get_running_loop().time()
    jobs = [(scenario, run) for run in range(1, repeat + 1) for scenario in scenarios]
    waiting = iter(enumerate(jobs))
    found: dict[int, ScenarioResult] = {}

    async def work() -> None:
        for number, (scenario, run) in waiting:
            found[number] = await _run_one(scenario, run, open_target, environ)
            on_result(found[number])

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(parallel, len(jobs))):
                group.create_task(work())
    except BaseExceptionGroup as bugs:
        raise bugs.exceptions[0] from None
    seconds = asyncio.get_running_loop().time() - began
    return SuiteResult(tuple(found[number] for number in sorted(found)), seconds)


async def _run_one(
    scenario: Scenario, run: int, open_target: OpenTarget, environ: Mapping[str, str] | None
) -> ScenarioResult:
    try:
        async with open_target(scenario) as target:
            return await run_scenario(scenario, target, run=run, environ=environ)
    except TribeError as error:
        now = datetime.now(UTC)
        return ScenarioResult(scenario.name, scenario.path, "error", now, run=run, error=error)
