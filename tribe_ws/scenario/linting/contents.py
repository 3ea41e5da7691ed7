"""Looks into steps: which substitutions, matchers and captures each holds, whatever its kind."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from tribe_ws.scenario.matchers import Capture, Matcher
from tribe_ws.scenario.model import Include, Parallel, Repeat, Step, TokenPlan
from tribe_ws.scenario.substitution import Template, templates_in

_OF_INNER_STEPS = frozenset({"branches", "steps"})


def templates_of(step: Step) -> Iterator[Template]:
    """Yield the substitutions of a step itself, not those of steps inside it."""
    for value in _values(step):
        if isinstance(value, TokenPlan):
            value = value.text
        for matcher in _matchers(value):
            yield from matcher.templates()
        yield from templates_in(value)


def captures_of(step: Step) -> tuple[Capture, ...]:
    """Give what a step remembers."""
    return tuple(getattr(step, "captures", ()))


def inner_steps(step: Step) -> tuple[tuple[Step, ...], ...]:
    """Give the sequences of steps inside a step."""
    match step:
        case Parallel(branches=branches):
            return branches
        case Repeat(steps=steps) | Include(steps=steps):
            return (steps,)
    return ()


def _values(step: Step) -> Iterator[Any]:
    for field in fields(step):
        if field.name not in _OF_INNER_STEPS:
            yield getattr(step, field.name)


def _matchers(value: Any) -> Iterator[Matcher]:
    if isinstance(value, Matcher):
        yield value
    elif isinstance(value, tuple):
        for inner in value:
            yield from _matchers(inner)
