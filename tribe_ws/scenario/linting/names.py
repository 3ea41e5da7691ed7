"""Checks the names of a scenario: variables that are nowhere set, captures and people that nobody uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tribe_ws.scenario.language.beginning import ACTOR_FACTS
from tribe_ws.scenario.language.people import BUILT_IN_VARIABLES
from tribe_ws.scenario.linting.contents import captures_of, inner_steps, templates_of
from tribe_ws.scenario.linting.finding import Finding
from tribe_ws.scenario.matchers import Capture
from tribe_ws.scenario.model import (
    ActorStep,
    CloseFromServer,
    ConnectionName,
    Include,
    Parallel,
    Read,
    Repeat,
    Rest,
    Scenario,
    Send,
    Step,
    every_step,
)
from tribe_ws.scenario.place import Place, did_you_mean, listed
from tribe_ws.scenario.substitution import Expression, Template, templates_in, unknown_name_hint


def check(scenario: Scenario) -> Iterator[Finding]:
    """Yield what is wrong with the names of a scenario."""
    walk = _Walk(scenario)
    walk.beginning()
    walk.steps(scenario.steps, frozenset({*scenario.variables, *scenario.actors, *BUILT_IN_VARIABLES}))
    yield from walk.found
    for capture in walk.captures:
        if capture.name not in walk.used:
            yield Finding(capture.place, "unused-capture", f'nothing uses the captured "{capture.name}"')
    for name in scenario.variables:
        if name not in walk.used and name not in scenario.settled_names:
            place = scenario.variable_places.get(name, scenario.place)
            yield Finding(place, "unused-variable", f'nothing uses the variable "{name}"')
    yield from _idle(scenario)


@dataclass
class _Walk:
    """Goes through the steps in their order and keeps which names are set there."""

    scenario: Scenario
    found: list[Finding] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    captures: list[Capture] = field(default_factory=list)

    def beginning(self) -> None:
        known = {"run", "env"}
        for name, value in self.scenario.variables.items():
            self.check(templates_in(value), frozenset(known | {*self.scenario.actors, "conversations"}))
            known.add(name)
        for actor in self.scenario.actors.values():
            self.check(templates_in([actor.user, actor.password]), frozenset(known))
        for plan in self.scenario.conversations.values():
            self.check(templates_in(plan.existing), frozenset(known))

    def steps(self, steps: Iterable[Step], known: frozenset[str]) -> frozenset[str]:
        """Check a sequence of steps; gives the names that are set after it."""
        for step in steps:
            known = self.step(step, known)
        return known

    def step(self, step: Step, known: frozenset[str]) -> frozenset[str]:
        self.check(templates_of(step), known)
        captures = captures_of(step)
        self.captures += captures
        local = frozenset(
            [step.counter] if isinstance(step, Repeat) and step.counter else
            step.variables if isinstance(step, Include) else ()
        )  # fmt: skip
        after = known
        for inner in inner_steps(step):
            # The branches of a parallel step cannot rely on one another.
            before = known if isinstance(step, Parallel) else after
            after |= self.steps(inner, before | local) - (local - known)
        return after | {capture.name for capture in captures}

    def check(self, templates: Iterable[Template], known: frozenset[str]) -> None:
        for template in templates:
            for expression in template.expressions:
                self.used.add(expression.name)
                if expression.name not in known:
                    hint = self._hint(expression, known)
                    message = f'nothing is called "{expression.name}" here'
                    self.found.append(Finding(expression.place, "undefined-variable", message, hint))
                else:
                    self.found += self._below(expression)

    def _hint(self, expression: Expression, known: frozenset[str]) -> str:
        if any(capture.name == expression.name for capture in self.captures):
            return "it is captured by a step that may not have run yet"
        return unknown_name_hint(expression.name, tuple(sorted(known)))

    def _below(self, expression: Expression) -> Iterator[Finding]:
        """Check the first key behind a name whose keys are known."""
        key = expression.path.lstrip(".").partition(".")[0]
        known = self._keys_of(expression.name)
        if known is None or not expression.path.startswith(".") or not key.isidentifier() or key in known:
            return
        hint = did_you_mean(key, known, otherwise=f"there are: {listed(known) or 'none'}")
        message = f'"{expression.name}" has no "{key}"'
        yield Finding(expression.place, "undefined-variable", message, hint)

    def _keys_of(self, name: str) -> tuple[str, ...] | None:
        if name in self.scenario.actors:
            return ACTOR_FACTS
        return {"env": self.scenario.environment, "conversations": tuple(self.scenario.conversations)}.get(
            name
        )


def _idle(scenario: Scenario) -> Iterator[Finding]:
    """Find the people and the connections that never act."""
    acting: set[str] = {name for plan in scenario.conversations.values() for name in plan.members}
    connections: set[ConnectionName] = set()
    for step in every_step(scenario.steps):
        if isinstance(step, ActorStep):
            acting.add(step.connection.actor)
            if not isinstance(step, Send | Read | Rest):
                connections.add(step.connection)
        if isinstance(step, CloseFromServer):
            acting.add(step.actor)
        if (sender := getattr(step, "sender", None)) is not None:
            acting.add(sender)
        acting |= {expression.name for template in templates_of(step) for expression in template.expressions}
    for actor in scenario.actors.values():
        if actor.name not in acting:
            yield Finding(actor.place, "unused-actor", f'"{actor.name}" does nothing')
            continue
        for connection in actor.connections:
            if connection.label and connection not in connections:
                yield _idle_connection(connection, actor.place)


def _idle_connection(connection: ConnectionName, place: Place) -> Finding:
    return Finding(place, "unused-actor", f'the connection "{connection}" does nothing')
