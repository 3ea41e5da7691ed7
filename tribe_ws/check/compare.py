"""Two servers side by side: on which clauses the verdicts differ, and where their answers look different.

Both were asked the same by the same probes; what is alike is not mentioned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tribe_ws.check.report import Report
from tribe_ws.check.shapes import ShapeDifference, differences
from tribe_ws.check.verdict import Result

Segments = tuple[tuple[str, str], ...]
_WIDEST = 48


@dataclass(frozen=True, slots=True)
class VerdictDifference:
    """One clause, and the two results on it."""

    one: Result
    other: Result


@dataclass(frozen=True, slots=True)
class AnswerDifference:
    """One call or event, and a place in which its shapes differ."""

    name: str
    difference: ShapeDifference


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two reports and their differences."""

    one: Report
    other: Report
    verdicts: Sequence[VerdictDifference]
    answers: Sequence[AnswerDifference]

    def as_json(self) -> dict[str, Any]:
        """Give both reports and the differences as one JSON object."""
        return {
            "v": 1,
            "one": self.one.as_json(),
            "other": self.other.as_json(),
            "verdicts": [
                {
                    "id": found.one.clause.id,
                    "one": found.one.verdict.value,
                    "other": found.other.verdict.value,
                    "reasons": [found.one.reason, found.other.reason],
                }
                for found in self.verdicts
            ],
            "answers": [
                {
                    "name": found.name,
                    "place": found.difference.place,
                    "one": found.difference.one,
                    "other": found.difference.other,
                }
                for found in self.answers
            ],
        }


def compare(one: Report, other: Report) -> Comparison:
    """Find the differences of two reports of the same level."""
    others = {result.clause.id: result for result in other.results}
    verdicts = [
        VerdictDifference(result, others[result.clause.id])
        for result in one.results
        if result.clause.id in others and others[result.clause.id].verdict is not result.verdict
    ]
    both = sorted(set(one.shapes) & set(other.shapes))
    answers = [
        AnswerDifference(name, found)
        for name in both
        for found in differences(one.shapes[name], other.shapes[name])
    ]
    return Comparison(one, other, verdicts, answers)


def comparison_lines(comparison: Comparison) -> Iterator[Segments]:
    """Write the differences as two tables: clauses first, then answers and frames."""
    one, other = comparison.one, comparison.other
    yield (("one    ", "event"), (one.url, ""))
    yield (("other  ", "event"), (other.url, ""))
    if comparison.verdicts:
        yield ()
        rows = [
            (found.one.clause.id, found.one.verdict.words, found.other.verdict.words)
            for found in comparison.verdicts
        ]
        yield from _table(("clause", "one", "other"), rows)
        yield ()
        for found in comparison.verdicts:
            for name, result in (("one", found.one), ("other", found.other)):
                if result.reason:
                    yield ((f"{found.one.clause.id}, {name}: ", "note"), (result.reason, ""))
    if comparison.answers:
        yield ()
        yield from _table(
            ("answer or frame", "place", "one", "other"),
            [
                (found.name, found.difference.place or ".", found.difference.one, found.difference.other)
                for found in comparison.answers
            ],
        )
    yield ()
    places = f"{len(comparison.answers)} places in answers and frames"
    yield ((f"{len(comparison.verdicts)} of {len(one.results)} clauses differ, and {places}", ""),)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[Segments]:
    columns = [[_cut(cell) for cell in column] for column in zip(head, *rows, strict=True)]
    widths = [max(map(len, column)) + 2 for column in columns]
    for number, row in enumerate(zip(*columns, strict=True)):
        style = "" if number else "event"
        yield tuple((f"{cell:<{width}}", style) for cell, width in zip(row, widths, strict=True))


def _cut(cell: str) -> str:
    return cell if len(cell) <= _WIDEST else f"{cell[: _WIDEST - 1]}…"
