"""What a step sees of the run it belongs to, and how it says that it failed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from tribe_ws.capture.redaction import redact_record
from tribe_ws.client.events import Event
from tribe_ws.protocol.redaction import redact_text
from tribe_ws.protocol.urls import HIDDEN
from tribe_ws.scenario.matchers import Capture, take
from tribe_ws.scenario.model import ActorStep, ConnectionName, Profile, Step, Value
from tribe_ws.scenario.result import Failure, StepFailed
from tribe_ws.scenario.running.actor import Player
from tribe_ws.scenario.running.diary import record_of
from tribe_ws.scenario.running.differing import difference_lines
from tribe_ws.scenario.running.link import Link
from tribe_ws.scenario.running.stage import Stage
from tribe_ws.scenario.substitution import Variables

_LONGEST_SHOWN = 300
# As YAML writes it, without quotes.
_PASSWORD = re.compile(r"(?i)\b(\w{0,20}(?:password|passwd|secret): )[^,}\]]+")


@dataclass(frozen=True)
class Moment:
    """The stage, the variables as the step sees them, and within what it is taken (``trail``)."""

    stage: Stage
    variables: Variables
    trail: tuple[str, ...] = ()

    def within(self, where: str, variables: Variables | None = None) -> Moment:
        """Give the moment of a step inside this one."""
        return replace(self, variables=variables or self.variables, trail=(*self.trail, where))

    def player(self, step: ActorStep) -> Player:
        """Give the person who takes a step."""
        return self.stage.player(step.connection)

    def link(self, connection: ConnectionName) -> Link:
        """Give a connection."""
        return self.stage.player(connection).link(connection)

    async def conversation_id(self, given: Value, step: ActorStep) -> str:
        """Tell the id of the conversation that a step names."""
        return await self.stage.conversation_id(self.variables.text(given), self.player(step), step.place)

    def offers_v2(self, profile: Profile | None) -> bool:
        """Tell whether a connection is to ask for ``tribe.v2``."""
        return (profile or self.stage.scenario.profile) == "v2"

    def remember(self, step: Step, captures: tuple[Capture, ...], value: Any) -> None:
        """Capture what a step wants to; raises ``StepFailed`` where there is nothing to be found."""
        outcome = take(captures, value)
        if not outcome.ok:
            raise self.failure(
                step, "what was to be captured is not there", details=difference_lines(outcome.differences)
            )
        for name, found in outcome.captured.items():
            self.variables.capture(name, found)

    def failure(
        self,
        step: Step,
        problem: str,
        *,
        details: Iterable[str] = (),
        nearest: Event | None = None,
        hint: str = "",
        waited: float | None = None,
    ) -> StepFailed:
        """Make the error that says why a step failed; no token gets into it."""
        record = None if nearest is None else redact_record(record_of(nearest, self.stage.labels))
        return StepFailed(
            Failure(
                place=step.place,
                step=title_of(step),
                problem=redact_text(problem),
                trail=self.trail,
                details=tuple(map(redact_text, details)),
                nearest=record,
                hint=redact_text(hint),
                waited=waited,
            )
        )


def title_of(step: Step) -> str:
    """Say in one line which step it is: the author's name for it, or how it was written; no secret stays."""
    return _PASSWORD.sub(rf"\1{HIDDEN}", redact_text(step.name or step.written or step.verb))


def value_of(event: Event) -> Any:
    """Give what a frame is compared as: the object, or the text of a frame that holds none."""
    return event.raw or event.text


def compact(frame: Any) -> str:
    """Write a frame as the wire does."""
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))


def shown_briefly(value: Any) -> str:
    """Write a value on one line, not too long."""
    text = compact(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"
