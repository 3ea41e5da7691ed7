"""What a check found, as a value: one result for each clause of its level, in the order of the contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tribe_ws.check.shapes import Shapes
from tribe_ws.check.verdict import Result, Verdict
from tribe_ws.protocol.clause import Level


@dataclass(frozen=True, slots=True)
class Report:
    """The results of one check of one server.

    ``people`` are the usernames it acted as; ``left_behind`` counts conversations that it could not leave,
    ``shapes`` tells how the server's answers and frames looked.
    """

    url: str
    level: Level
    results: Sequence[Result]
    people: Sequence[str]
    seconds: float
    left_behind: int = 0
    shapes: Shapes = field(default_factory=Shapes)

    @property
    def failed(self) -> tuple[Result, ...]:
        """The results of the clauses that the server breaks."""
        return tuple(one for one in self.results if one.verdict is Verdict.FAIL)

    def count(self, verdict: Verdict) -> int:
        """Tell how many clauses got that verdict."""
        return Counter(one.verdict for one in self.results)[verdict]

    def verdict_of(self, clause_id: str) -> Verdict | None:
        """Tell the verdict on one clause; ``None`` if this check was not about it."""
        return next((one.verdict for one in self.results if one.clause.id == clause_id), None)

    def as_json(self) -> dict[str, Any]:
        """Give everything as one JSON object."""
        return {
            "v": 1,
            "url": self.url,
            "level": self.level,
            "people": list(self.people),
            "seconds": round(self.seconds, 3),
            "left_behind": self.left_behind,
            "counts": {verdict.value: self.count(verdict) for verdict in Verdict},
            "clauses": [result_as_json(one) for one in self.results],
        }


def result_as_json(result: Result) -> dict[str, Any]:
    """Give one result as a JSON object."""
    return {
        "id": result.clause.id,
        "sentence": result.clause.sentence,
        "section": result.clause.section,
        "level": result.clause.level,
        "verdict": result.verdict.value,
        "reason": result.reason,
        "advice": result.advice,
        "attempts": result.attempts,
        "seconds": round(result.seconds, 3),
        "evidence": [entry.as_json() for entry in result.evidence],
    }
