"""Running probes: what breaks in one is no verdict on the server, and nothing is left running."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from tribe_ws.check.accounts import Person
from tribe_ws.check.leaving import leave_rooms
from tribe_ws.check.probe import Probe, all_probes
from tribe_ws.check.running import Runner
from tribe_ws.check.stage import Stage
from tribe_ws.check.verdict import Failed, Verdict
from tribe_ws.check.visit import Visit
from tribe_ws.check.wire import Answer, Rest
from tribe_ws.errors import CannotConnect
from tribe_ws.protocol.urls import ServerAddress

NOWHERE = ServerAddress("http://127.0.0.1:1")
ANA = Person("u1", "ana", "Ana Ng", "ana@example.com", "t")
BEN = Person("u2", "ben", "Ben Ma", "ben@example.com", "t")


def visit_of(patience: float = 1.0) -> Visit:
    return Visit(NOWHERE, "documented", Rest(NOWHERE, 1.0), (ANA, BEN), patience=patience)


def probe_of(function: Callable[[Stage], Awaitable[None]], **changes: object) -> Probe:
    one = next(one for one in all_probes() if one.id == "close.normal")
    return replace(one, function=function, needs=frozenset(), **changes)  # type: ignore[arg-type]


async def results_of(*probes: Probe, budget: float = 30.0, patience: float = 1.0):
    runner = Runner(visit_of(patience), time.monotonic() + budget)
    await runner.run(probes)
    return runner.results


async def crashing(stage: Stage) -> None:
    raise KeyError("data")


async def unreachable(stage: Stage) -> None:
    raise CannotConnect("nobody there")


async def hanging(stage: Stage) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("function", "reason"),
    [(crashing, "could not read what came (KeyError: 'data')"), (unreachable, "nobody there")],
)
async def test_what_breaks_in_a_probe_is_no_verdict_on_the_server(
    function: Callable[[Stage], Awaitable[None]], reason: str
) -> None:
    (result,) = await results_of(probe_of(function))
    assert result.verdict is Verdict.CANNOT_TELL
    assert reason in result.reason


async def test_a_probe_that_hangs_is_ended() -> None:
    (result,) = await asyncio.wait_for(results_of(probe_of(hanging), patience=0.001), 10)
    assert (result.verdict, result.attempts) == (Verdict.CANNOT_TELL, 2)
    assert "did not come to an end in time" in result.reason


async def test_the_budget_ends_what_runs_and_what_has_not_begun() -> None:
    results = await asyncio.wait_for(results_of(*[probe_of(hanging)] * 20, budget=0.2), 10)
    assert {one.verdict for one in results} == {Verdict.CANNOT_TELL}
    assert any("used up before" in one.reason for one in results)


async def test_a_failure_is_tried_again_with_more_time_and_said_only_then() -> None:
    paces: list[tuple[int, float]] = []

    async def failing(stage: Stage) -> None:
        paces.append((stage.pace.attempt, stage.pace.deadline))
        raise Failed("the contrary")

    (result,) = await results_of(probe_of(failing))
    assert (result.verdict, result.attempts) == (Verdict.FAIL, 2)
    assert [attempt for attempt, _ in paces] == [1, 2]
    assert paces[1][1] > paces[0][1]


async def test_a_probe_that_wants_to_be_alone_is() -> None:
    running, together = set[int](), list[int]()

    async def working(stage: Stage) -> None:
        running.add(id(stage))
        together.append(len(running))
        await asyncio.sleep(0.01)
        running.discard(id(stage))

    await results_of(*[probe_of(working, alone=True)] * 3)
    assert together == [1, 1, 1]
    await results_of(*[probe_of(working)] * 20)
    assert 1 < max(together) <= 6


@pytest.mark.parametrize(
    ("statuses", "left_behind"), [((204, 204), 0), ((204, 404), 0), ((404, 404), 1), ((204, 500), 1)]
)
async def test_only_who_is_known_to_be_out_has_left(
    monkeypatch: pytest.MonkeyPatch, statuses: tuple[int, int], left_behind: int
) -> None:
    answers = iter(statuses)

    async def call(*_: object, **__: object) -> Answer:
        return Answer(next(answers), {}, "", None, 0.0)

    visit = visit_of()
    visit.rooms["r1"] = (BEN, ANA)
    monkeypatch.setattr(visit.rest, "call", call)
    assert await leave_rooms(visit) == left_behind


async def test_a_server_that_went_away_is_left_as_it_is() -> None:
    visit = visit_of()
    visit.rooms["r1"] = (BEN, ANA)
    assert await leave_rooms(visit) == 1
