"""What came of running scenarios: plain values, from which every report is made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from tribe_ws.capture.record import Record
from tribe_ws.errors import TribeError
from tribe_ws.scenario.place import Place

Status = Literal["passed", "failed", "error", "skipped"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a scenario failed, and all that is needed to mend it.

    ``step`` says what was being done, ``trail`` within what (a repeat, an include), ``problem`` what was
    waited for and what came instead, ``nearest`` the frame that almost matched, ``details`` how it differs.
    """

    place: Place
    step: str
    problem: str
    trail: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    nearest: Record | None = None
    hint: str = ""
    waited: float | None = None


class StepFailed(Exception):
    """A step did not do what the scenario demands."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.problem)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step of the file, taken or begun; ``title`` says what it is."""

    place: Place
    title: str
    seconds: float
    ok: bool


@dataclass(frozen=True, slots=True)
class Log:
    """The last things that one actor sent and got; ``count`` is how many there were in all."""

    actor: str
    records: tuple[Record, ...]
    count: int


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """What came of one run of one scenario.

    ``error`` is what kept it from being run (status ``error``); ``reason`` why it was left out (``skipped``).
    ``steps`` are those of the file's own level; ``steps_taken`` counts those within others too.
    """

    name: str
    path: Path | None
    status: Status
    started_at: datetime
    seconds: float = 0.0
    run: int = 1
    steps: tuple[StepResult, ...] = ()
    steps_taken: int = 0
    failure: Failure | None = None
    logs: tuple[Log, ...] = ()
    error: TribeError | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """What came of everything that was run, in the order in which it was asked for."""

    results: tuple[ScenarioResult, ...]
    seconds: float
    target: str = ""

    def count(self, *statuses: Status) -> int:
        """Tell how many runs ended so."""
        return sum(result.status in statuses for result in self.results)

    @property
    def is_ok(self) -> bool:
        """Whether nothing failed."""
        return not self.count("failed", "error")

    @property
    def unhappy(self) -> Iterable[ScenarioResult]:
        """The runs that failed, in their order."""
        return (result for result in self.results if result.status in {"failed", "error"})
