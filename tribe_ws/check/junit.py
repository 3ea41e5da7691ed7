"""A report as JUnit XML, for continuous integration: a suite for each section, a case for each clause."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from xml.etree import ElementTree as ET

from tribe_ws.capture.visible import visible
from tribe_ws.check.report import Report
from tribe_ws.check.verdict import Result, Verdict


def to_junit(report: Report) -> str:
    """Write a report as JUnit XML; what could not be told counts as skipped."""
    root = ET.Element("testsuites", {"name": f"tribe-ws check {report.url}", **_counts(report.results)})
    root.set("time", f"{report.seconds:.3f}")
    for section, group in groupby(report.results, key=lambda one: one.clause.section):
        results = list(group)
        suite = ET.SubElement(root, "testsuite", {"name": section, **_counts(results)})
        suite.set("time", f"{sum(one.seconds for one in results):.3f}")
        for result in results:
            _add_case(suite, result)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)


def _add_case(suite: ET.Element, result: Result) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=f"tribe_ws.check.{result.clause.level}",
        name=result.clause.id,
        time=f"{result.seconds:.3f}",
    )
    match result.verdict:
        case Verdict.FAIL:
            failure = ET.SubElement(case, "failure", message=visible(result.reason), type=result.clause.id)
            failure.text = visible(_account_of(result))
        case Verdict.CANNOT_TELL | Verdict.SKIPPED:
            ET.SubElement(case, "skipped", message=visible(f"{result.verdict.words}: {result.reason}"))
        case Verdict.PASS:
            pass


def _account_of(result: Result) -> str:
    seen = "\n".join(map(str, result.evidence))
    parts = (f"{result.clause.sentence} ({result.clause.section})", result.reason, seen, result.advice)
    return "\n\n".join(parts) + "\n"


def _counts(results: Sequence[Result]) -> dict[str, str]:
    verdicts = [one.verdict for one in results]
    skipped = verdicts.count(Verdict.CANNOT_TELL) + verdicts.count(Verdict.SKIPPED)
    return {
        "tests": str(len(verdicts)),
        "failures": str(verdicts.count(Verdict.FAIL)),
        "errors": "0",
        "skipped": str(skipped),
    }
