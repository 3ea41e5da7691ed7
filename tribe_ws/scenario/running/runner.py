"""Runs one scenario against one server, from its people's logins to the last connection's end.

It never hangs: every step has its time, the whole has the scenario's, and taking down has its own. It returns
what came of it as a value and prints nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from tribe_ws.clock import Clock, SystemClock
from tribe_ws.durations import format_duration
from tribe_ws.errors import TribeError
from tribe_ws.scenario import model
from tribe_ws.scenario.model import ConnectionName, Scenario, Step
from tribe_ws.scenario.place import ScenarioError
from tribe_ws.scenario.result import Failure, ScenarioResult, StepFailed, StepResult
from tribe_ws.scenario.running import calling, opening, speaking, steering, watching
from tribe_ws.scenario.running.accounts import Target
from tribe_ws.scenario.running.moment import Moment, title_of
from tribe_ws.scenario.running.stage import Stage, in_batches

_TAKEN: Mapping[type[Step], Callable[[Any, Moment], Awaitable[None]]] = {
    model.Connect: opening.connect,
    model.Reconnect: opening.reconnect,
    model.Disconnect: opening.disconnect,
    model.Subscribe: speaking.subscribe,
    model.Unsubscribe: speaking.unsubscribe,
    model.Ping: speaking.ping,
    model.Typing: speaking.typing,
    model.Presence: speaking.presence,
    model.Raw: speaking.raw,
    model.Forget: speaking.forget,
    model.Send: calling.send,
    model.Read: calling.read,
    model.Rest: calling.rest,
    model.Expect: watching.expect,
    model.ExpectClose: watching.expect_close,
    model.Never: watching.never,
    model.NeverClose: watching.never_close,
    model.Wait: steering.wait,
    model.AdvanceClock: steering.advance_clock,
    model.CloseFromServer: steering.close_from_server,
    model.AddFault: steering.add_fault,
    model.ClearFaults: steering.clear_faults,
}


async def run_scenario(
    scenario: Scenario,
    target: Target,
    *,
    run: int = 1,
    clock: Clock | None = None,
    environ: Mapping[str, str] | None = None,
) -> ScenarioResult:
    """Run a scenario once and tell what came of it; ``run`` counts the repetitions.

    ``environ`` is what of the environment the scenario may ask for.
    """
    if scenario.needs_control and target.control is None:
        reason = "it steers the server by the control API, which only a server of ours has"
        return ScenarioResult(
            scenario.name, scenario.path, "skipped", datetime.now(UTC), run=run, reason=reason
        )
    stage = Stage(scenario, target, clock or SystemClock(), environ)
    return await _Run(scenario, stage).play(run)


class _Run:
    """One run: counts and times its steps, and finds out which one was being taken when the time was over."""

    def __init__(self, scenario: Scenario, stage: Stage) -> None:
        self._scenario = scenario
        self._stage = stage
        self._results: list[StepResult] = []
        self._taken = 0
        self._interrupted: list[tuple[Step, Moment]] = []

    async def play(self, run: int) -> ScenarioResult:
        """Play it through; whatever happens, everything is taken down again."""
        began, started_at = asyncio.get_running_loop().time(), datetime.now(UTC)
        failure, error = None, None
        try:
            failure = await self._in_time()
        except TribeError as problem:
            error = problem
        finally:
            seconds = asyncio.get_running_loop().time() - began
            # What is sent and got while it is taken down is no part of the story.
            logs = self._stage.logs() if failure else ()
            await self._stage.take_down()
        return ScenarioResult(
            name=self._scenario.name,
            path=self._scenario.path,
            status="error" if error else "failed" if failure else "passed",
            started_at=started_at,
            seconds=seconds,
            run=run,
            steps=tuple(self._results),
            steps_taken=self._taken,
            failure=failure,
            logs=logs,
            error=error,
        )

    async def _in_time(self) -> Failure | None:
        """Play the scenario within its time; gives why it failed, if it did."""
        limit = asyncio.timeout(self._scenario.timeout)
        try:
            async with limit:
                await self._stage.make_ready()
                moment = Moment(self._stage, self._stage.variables)
                await in_batches(
                    self._scenario.opened_at_start, lambda name: self._open_at_start(name, moment)
                )
                await self._take_all(self._scenario.steps, moment, is_top=True)
        except StepFailed as failed:
            return failed.failure
        except TimeoutError:
            if not limit.expired():
                raise
            return self._too_long()
        return None

    def _too_long(self) -> Failure:
        allowed = format_duration(self._scenario.timeout)
        problem = f"the scenario may take {allowed}, which were over"
        hint = "timeout: 2m  at the top of the file gives it longer"
        if not self._interrupted:
            where = "before the first step"
            return Failure(self._scenario.place, where, problem, hint=hint, waited=self._scenario.timeout)
        step, moment = self._interrupted[0]
        failed = moment.failure(step, f"{problem} during this step", hint=hint, waited=self._scenario.timeout)
        return failed.failure

    async def _open_at_start(self, name: ConnectionName, moment: Moment) -> None:
        place = self._scenario.actors[name.actor].place
        step = model.Connect(
            place=place,
            verb="connect",
            written=f"{name}: connect (before the first step)",
            connection=name,
            within=self._stage.target.patience,
        )
        await self._take_leaf(step, moment)

    async def _take_all(self, steps: tuple[Step, ...], moment: Moment, *, is_top: bool = False) -> None:
        for step in steps:
            if is_top:
                await self._take_top(step, moment)
            else:
                await self._take(step, moment)

    async def _take_top(self, step: Step, moment: Moment) -> None:
        began = asyncio.get_running_loop().time()
        is_ok = False
        try:
            await self._take(step, moment)
            is_ok = True
        finally:
            seconds = asyncio.get_running_loop().time() - began
            self._results.append(StepResult(step.place, title_of(step), seconds, is_ok))

    async def _take(self, step: Step, moment: Moment) -> None:
        self._taken += 1
        match step:
            case model.Parallel():
                await self._take_side_by_side(step, moment)
            case model.Repeat():
                for number in range(1, step.count + 1):
                    counted = moment.variables.scoped({step.counter: number}) if step.counter else None
                    inside = moment.within(f"time {number} of {step.count} ({step.place})", counted)
                    await self._take_all(step.steps, inside)
            case model.Include():
                inside = moment.within(
                    f"{step.source}, included at {step.place}", moment.variables.scoped(step.variables)
                )
                await self._take_all(step.steps, inside)
            case _:
                await self._take_leaf(step, moment)

    async def _take_leaf(self, step: Step, moment: Moment) -> None:
        try:
            await _TAKEN[type(step)](step, moment)
        except asyncio.CancelledError:
            self._interrupted.append((step, moment))
            raise
        except ScenarioError as error:
            raise moment.failure(step, f"{error.place}: {error.problem}", hint=error.hint) from None
        except TribeError as error:
            raise moment.failure(step, str(error), hint=error.hint) from None

    async def _take_side_by_side(self, step: model.Parallel, moment: Moment) -> None:
        """Take branches at the same time; the first failure ends them all."""
        try:
            async with asyncio.TaskGroup() as group:
                for number, branch in enumerate(step.branches, 1):
                    inside = moment.within(f"branch {number} of {len(step.branches)} ({step.place})")
                    group.create_task(self._take_all(branch, inside))
        except BaseExceptionGroup as failures:
            # Those that were stopped for the sake of the first are no failures of their own.
            self._interrupted.clear()
            raise failures.exceptions[0] from None
