"""Checks the time that a scenario takes, and that it expects anything at all."""

from __future__ import annotations

from collections.abc import Iterator

from tribe_ws.durations import format_duration
from tribe_ws.scenario.linting.contents import inner_steps
from tribe_ws.scenario.linting.finding import Finding
from tribe_ws.scenario.model import (
    Answered,
    Expect,
    ExpectClose,
    Never,
    NeverClose,
    Parallel,
    Reconnect,
    Repeat,
    Scenario,
    Step,
    Wait,
    every_step,
)


def check(scenario: Scenario) -> Iterator[Finding]:
    """Yield what is wrong with the time of a scenario, and with one that proves nothing."""
    least = sum(map(_least, scenario.steps))
    if least >= scenario.timeout:
        first = next(step for step in every_step(scenario.steps) if _least(step) > 0)
        message = (
            f"the waits come to {format_duration(least)}, but the scenario ends after "
            f"{format_duration(scenario.timeout)}"
        )
        yield Finding(first.place, "too-slow", message, f"timeout: {_generous(least)}s")
    else:
        yield from _impatient(scenario)
    if not any(map(_expects, every_step(scenario.steps))):
        yield Finding(
            scenario.place, "no-expectation", "this scenario expects nothing", "add an expect or a never"
        )


def _impatient(scenario: Scenario) -> Iterator[Finding]:
    for step in every_step(scenario.steps):
        within = step.within if isinstance(step, Answered | Expect | ExpectClose) else 0.0
        if within > scenario.timeout:
            message = (
                f"it may wait {format_duration(within)}, but the scenario ends after "
                f"{format_duration(scenario.timeout)}"
            )
            yield Finding(step.place, "too-slow", message, f"timeout: {_generous(within)}s")


def _least(step: Step) -> float:
    """Tell how many seconds a step takes even if everything comes at once."""
    match step:
        case Wait(seconds=seconds):
            return seconds
        case Never(lasting=lasting) | NeverClose(lasting=lasting):
            return lasting
        case Reconnect(after=after):
            return after
        case Parallel():
            return max(sum(map(_least, branch)) for branch in inner_steps(step))
        case Repeat(count=count, steps=steps):
            return count * sum(map(_least, steps))
    return sum(sum(map(_least, inner)) for inner in inner_steps(step))


def _expects(step: Step) -> bool:
    if isinstance(step, Expect | ExpectClose | Never | NeverClose):
        return True
    return isinstance(step, Answered) and (
        step.answer is not None or getattr(step, "status", None) is not None
    )


def _generous(seconds: float) -> int:
    return int(seconds * 2) + 10
