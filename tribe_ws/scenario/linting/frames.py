"""Checks the frames of a scenario: events and keys that no server of its profile ever sends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from tribe_ws.protocol.profiles import FRAMES_OF, Profile
from tribe_ws.scenario.linting.finding import Finding
from tribe_ws.scenario.matchers import Keys, Literal, Matcher
from tribe_ws.scenario.model import (
    ActorStep,
    Connect,
    Expect,
    Never,
    Reconnect,
    Scenario,
    Subscribe,
    every_step,
)
from tribe_ws.scenario.place import did_you_mean, listed
from tribe_ws.scenario.special_matchers import Absent, AllOf

_ALL_EVENTS = {frame.model_fields["event"].default for frames in FRAMES_OF.values() for frame in frames}


def check(scenario: Scenario) -> Iterator[Finding]:
    """Yield what is wrong with the frames that a scenario expects, and with the options of its profile."""
    v2_connections = {
        step.connection
        for step in every_step(scenario.steps)
        if isinstance(step, Connect) and step.profile == "v2"
    }
    for step in every_step(scenario.steps):
        if isinstance(step, Expect | Never):
            # A connection may ask for v2 on its own.
            profile = Profile.V2 if step.connection in v2_connections else Profile(scenario.profile)
            for pattern in step.patterns:
                yield from _frame(step, pattern, profile)
        elif (
            isinstance(step, ActorStep) and scenario.profile != "v2" and step.connection not in v2_connections
        ):
            yield from _v2_only(step)


def wanted_event(pattern: Matcher) -> str:
    """Tell which event a pattern asks for; empty where it does not say, or not by its plain name."""
    match pattern:
        case Keys(entries=entries) if isinstance(event := entries.get("event"), Literal):
            return event.value if isinstance(event.value, str) else ""
        case AllOf(matchers=matchers):
            return next(filter(None, map(wanted_event, matchers)), "")
    return ""


def at_path(pattern: Matcher, *path: str) -> Matcher | None:
    """Give what a pattern wants at a path of keys, if it says."""
    match pattern:
        case AllOf(matchers=matchers):
            return next(filter(None, (at_path(one, *path) for one in matchers)), None)
        case Keys(entries=entries) if path and path[0] in entries:
            return at_path(entries[path[0]], *path[1:])
    return None if path else pattern


def _v2_only(step: ActorStep) -> Iterator[Finding]:
    options = list(step.extra) if isinstance(step, Subscribe) else []
    options += ["resume"] if isinstance(step, Reconnect) and step.resumes else []
    for option in options:
        yield Finding(step.place, "v2-only", f'"{option}" means something to tribe.v2 only', "profile: v2")


def _frame(step: Expect | Never, pattern: Matcher, profile: Profile) -> Iterator[Finding]:
    event = wanted_event(pattern)
    if not event:
        return
    if event not in _ALL_EVENTS:
        hint = did_you_mean(event, _ALL_EVENTS, otherwise=f"there are: {listed(sorted(_ALL_EVENTS))}")
        yield Finding(step.place, "unknown-event", f'no server sends "{event}"', hint)
        return
    model = next((one for one in FRAMES_OF[profile] if one.model_fields["event"].default == event), None)
    if model is not None:
        yield from (
            Finding(step.place, "unknown-key", f'"{event}" has no {path} in the profile {profile}', hint)
            for path, hint in _unknown_keys(pattern, model, "")
        )
    elif isinstance(step, Expect):
        having = [
            str(one)
            for one in Profile
            if any(f.model_fields["event"].default == event for f in FRAMES_OF[one])
        ]
        hint = f"profile: {having[0]}"
        yield Finding(step.place, "event-not-in-profile", f'the profile {profile} has no "{event}"', hint)


def _unknown_keys(pattern: Matcher, model: type[BaseModel], path: str) -> Iterator[tuple[str, str]]:
    """Yield the keys that a pattern wants and the model does not have, with what was probably meant."""
    if isinstance(pattern, AllOf):
        for part in pattern.matchers:
            yield from _unknown_keys(part, model, path)
    if not isinstance(pattern, Keys):
        return
    for key, matcher in pattern.entries.items():
        if isinstance(matcher, Absent):
            continue
        known = model.model_fields
        if key not in known:
            yield f"{path}{key}", did_you_mean(key, known, otherwise=f"there are: {listed(known)}")
        elif (inner := _model_in(known[key].annotation)) is not None:
            yield from _unknown_keys(matcher, inner, f"{path}{key}.")


def _model_in(annotation: Any) -> type[BaseModel] | None:
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None
