"""Writes what came of a run as JUnit XML and as GitHub's annotations, the forms which build servers read."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

from tribe_ws.capture.visible import visible
from tribe_ws.scenario.reports.report import explanation
from tribe_ws.scenario.result import ScenarioResult, SuiteResult

_MOST_ANNOTATIONS = 50


def to_junit(suite: SuiteResult, name: str = "tribe-ws scenario") -> str:
    """Write everything as one JUnit document: a test case for each run of each scenario."""
    root = ET.Element("testsuites", _counts(suite) | {"name": name})
    inner = ET.SubElement(root, "testsuite", _counts(suite) | {"name": name, "skipped": _skipped(suite)})
    if suite.results:
        inner.set("timestamp", suite.results[0].started_at.isoformat(timespec="seconds"))
    for result in suite.results:
        _add_case(inner, result)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def to_annotations(suite: SuiteResult, *, root: Path | None = None) -> Iterator[str]:
    """Write each failure as a line which GitHub shows beside the line of the scenario that failed.

    ``root`` is the repository's folder: paths below it are written as seen from there.
    """
    for number, result in enumerate(suite.unhappy):
        if number == _MOST_ANNOTATIONS:
            return
        lines = explanation(result)
        failure = result.failure
        place = ""
        if failure is not None:
            path = _seen_from(root, Path(failure.place.path))
            place = f"file={_property(path)},line={failure.place.line},col={failure.place.column},"
        elif result.path is not None:
            place = f"file={_property(_seen_from(root, result.path))},"
        yield f"::error {place}title={_property(result.name)}::{_message(chr(10).join(lines))}"


def _counts(suite: SuiteResult) -> dict[str, str]:
    return {
        "tests": str(len(suite.results)),
        "failures": str(suite.count("failed")),
        "errors": str(suite.count("error")),
        "time": f"{suite.seconds:.3f}",
    }


def _skipped(suite: SuiteResult) -> str:
    return str(suite.count("skipped"))


def _add_case(parent: ET.Element, result: ScenarioResult) -> None:
    again = f" [{result.run}]" if result.run > 1 else ""
    case = ET.SubElement(
        parent,
        "testcase",
        {
            "name": visible(result.name + again),
            "classname": visible("scenario" if result.path is None else result.path.stem),
            "time": f"{result.seconds:.3f}",
        },
    )
    if result.failure is not None:
        case.set("file", visible(result.failure.place.path))
        case.set("line", str(result.failure.place.line))
    if result.status == "skipped":
        ET.SubElement(case, "skipped", {"message": visible(result.reason)})
    elif result.status in {"failed", "error"}:
        lines = [visible(line) for line in explanation(result)]
        first = visible(result.failure.problem) if result.failure is not None else lines[0]
        tag = "failure" if result.status == "failed" else "error"
        ET.SubElement(case, tag, {"message": first, "type": result.status}).text = "\n".join(lines)


def _seen_from(root: Path | None, path: Path) -> str:
    if root is not None and path.is_absolute() and path.is_relative_to(root):
        path = path.relative_to(root)
    return path.as_posix()


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
