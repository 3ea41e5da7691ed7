"""A report as people read it: by section, one line for each clause, and for the broken ones all there is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from tribe_ws.check.report import Report
from tribe_ws.check.verdict import Result, Verdict

Segments = tuple[tuple[str, str], ...]
"""Pieces of one line, each with the name of its style."""

_STYLES = {
    Verdict.PASS: "good",
    Verdict.FAIL: "bad",
    Verdict.CANNOT_TELL: "note",
    Verdict.SKIPPED: "dim",
}
_VERDICT_WIDTH = max(len(verdict.words) for verdict in Verdict) + 2
_WIDEST = 150
"""More of a frame is in the JSON form."""
_INDENT = " " * (_VERDICT_WIDTH + 2)


def report_lines(report: Report) -> Iterator[Segments]:
    """Write a report, line by line."""
    width = max(len(one.clause.id) for one in report.results) + 2
    for section, results in groupby(report.results, key=lambda one: one.clause.section):
        yield ((section, "event"),)
        for result in results:
            yield from _result_lines(result, width)
        yield ()
    yield from summary_lines(report)


def summary_lines(report: Report) -> Iterator[Segments]:
    """Write what it came to: the counts, and the names of the broken clauses."""
    counts = ", ".join(f"{report.count(one)} {one.words}" for one in Verdict if report.count(one))
    who = f"as {', '.join(report.people)}" if report.people else ""
    yield ((f"{len(report.results)} clauses of {report.url} {who}, level {report.level}: ", ""), (counts, ""))
    if report.failed:
        yield (("broken: ", "bad"), (" ".join(one.clause.id for one in report.failed), ""))
    if report.left_behind:
        yield ((f"{report.left_behind} conversations of the check could not be left", "note"),)


def _result_lines(result: Result, width: int) -> Iterator[Segments]:
    is_broken = result.verdict is Verdict.FAIL
    is_plain = result.verdict is Verdict.PASS or is_broken
    said = result.clause.sentence if is_plain else result.reason
    yield (
        (f"  {result.verdict.words:<{_VERDICT_WIDTH}}", _STYLES[result.verdict]),
        (f"{result.clause.id:<{width}}", "" if is_plain else "dim"),
        (said, "" if is_plain else "dim"),
    )
    if is_broken:
        yield ((f"{_INDENT}seen  ", "bad"), (result.reason, ""))
        for entry in result.evidence:
            yield ((f"{_INDENT}  {_cut(str(entry))}", "dim"),)
        yield ((f"{_INDENT}mend  ", "good"), (result.advice, ""))
    elif result.verdict is Verdict.PASS and result.reason:
        yield ((f"{_INDENT}{result.reason}", "note"),)


def _cut(text: str) -> str:
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
