"""What came of a run in words: the same lines on a terminal, in a JUnit file and in an annotation.

Every text from the wire is made visible here, and no secret is left in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Any

from tribe_ws.capture.record import Record, compact_json
from tribe_ws.capture.visible import visible_line
from tribe_ws.capture.words import body_of
from tribe_ws.durations import format_duration
from tribe_ws.protocol.redaction import redact_json, redact_text
from tribe_ws.scenario.result import Failure, Log, ScenarioResult, Status, SuiteResult

REPORT_VERSION = 1
_GLYPHS = {"in": "←", "out": "→", "rest": "⇡", "note": "•"}
_LONGEST_LINE = 160
_LONGEST_FRAME = 2_000


def headline(result: ScenarioResult) -> str:
    """Say in one line what came of a run."""
    again = f" (run {result.run})" if result.run > 1 else ""
    told = f"left out: {result.reason}"
    match result.status:
        case "passed":
            steps = f"{result.steps_taken:,} step{'s' * (result.steps_taken != 1)}"
            told = f"{steps} in {format_duration(result.seconds)}"
        case "failed":
            told = f"failed after {format_duration(result.seconds)}"
        case "error":
            told = "could not be run"
    return visible_line(f"{result.name}{again}: {told}")


def explanation(result: ScenarioResult) -> list[str]:
    """Say line by line why a run failed; empty for one that did not."""
    if result.error is not None:
        hint = [f"  {line}" for line in result.error.hint.splitlines()]
        return [visible_line(redact_text(line)) for line in (str(result.error), *hint)]
    if result.failure is None:
        return []
    lines = [*_failure_lines(result.failure)]
    for log in result.logs:
        lines += _log_lines(log)
    return lines


def summary(suite: SuiteResult) -> str:
    """Say in one line what came of everything."""
    words: tuple[tuple[Status, str], ...] = (
        ("passed", "passed"), ("failed", "failed"), ("error", "could not be run"), ("skipped", "left out"),
    )  # fmt: skip
    counts = [f"{count} {word}" for status, word in words if (count := suite.count(status))]
    return f"{', '.join(counts) or 'nothing was run'} in {format_duration(suite.seconds)}"


def as_json(suite: SuiteResult) -> dict[str, Any]:
    """Give everything as one JSON object."""
    return {
        "v": REPORT_VERSION,
        "ok": suite.is_ok,
        "seconds": round(suite.seconds, 3),
        "passed": suite.count("passed"),
        "failed": suite.count("failed"),
        "errors": suite.count("error"),
        "skipped": suite.count("skipped"),
        "results": [_result_as_json(result) for result in suite.results],
    }


def record_line(record: Record) -> str:
    """Write one record on one line: when, which way, the event, the conversation, what it says."""
    at = record.at.astimezone(UTC).strftime("%H:%M:%S.%f")[:-3]
    status = f" {record.status}" if record.status is not None else ""
    conversation = f"#{record.conversation}" if record.conversation else ""
    via = f"{record.as_user:<10}" if "." in record.as_user else ""
    what = f"{via}{record.event + status:<12} {conversation:<9} {body_of(record)}"
    line = f"{at} {_GLYPHS[record.direction]} {what}"
    shown = visible_line(line.rstrip())
    return shown if len(shown) <= _LONGEST_LINE else f"{shown[: _LONGEST_LINE - 1]}…"


def _failure_lines(failure: Failure) -> Iterator[str]:
    yield str(failure.place)
    yield f"  {visible_line(redact_text(failure.step))}"
    for where in reversed(failure.trail):
        yield f"  in {visible_line(where)}"
    yield visible_line(redact_text(failure.problem))
    if failure.nearest is not None:
        yield "the nearest frame that came:"
        yield f"  {_frame(failure.nearest)}"
    for line in failure.details:
        yield f"  {visible_line(redact_text(line))}"
    if failure.hint:
        yield f"hint: {visible_line(redact_text(failure.hint))}"


def _log_lines(log: Log) -> Iterator[str]:
    of = f" (of {log.count})" if log.count > len(log.records) else ""
    yield f"{visible_line(log.actor)}, the last {len(log.records)}{of}:"
    for record in log.records:
        yield f"  {record_line(record)}"


def _frame(record: Record) -> str:
    text = visible_line(record.text if record.frame is None else compact_json(record.frame))
    return text if len(text) <= _LONGEST_FRAME else f"{text[: _LONGEST_FRAME - 1]}…"


def _result_as_json(result: ScenarioResult) -> dict[str, Any]:
    return {
        "name": result.name,
        "file": None if result.path is None else str(result.path),
        "run": result.run,
        "status": result.status,
        "started_at": result.started_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "seconds": round(result.seconds, 3),
        "steps_taken": result.steps_taken,
        "steps": [
            {
                "line": step.place.line,
                "file": step.place.path,
                "step": redact_text(step.title),
                "ok": step.ok,
                "seconds": round(step.seconds, 3),
            }
            for step in result.steps
        ],
        "failure": None if result.failure is None else _failure_as_json(result.failure),
        "error": None if result.error is None else redact_text(str(result.error)),
        "reason": result.reason or None,
        "logs": {log.actor: [record.as_json() for record in log.records] for log in result.logs},
    }


def _failure_as_json(failure: Failure) -> dict[str, Any]:
    nearest = failure.nearest
    form: dict[str, Any] = redact_json(
        {
            "file": failure.place.path,
            "line": failure.place.line,
            "column": failure.place.column,
            "step": failure.step,
            "within": list(failure.trail),
            "problem": failure.problem,
            "differences": list(failure.details),
            "nearest": None if nearest is None else nearest.frame or nearest.text,
            "hint": failure.hint or None,
            "waited": None if failure.waited is None else round(failure.waited, 3),
        }
    )
    return form
