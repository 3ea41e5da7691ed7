"""A report as SARIF 2.1.0, as code scanning reads it: a rule for each clause, a result for each broken one.

Code scanning shows an alert at a place in the repository. What a running server does stands at no line, so
all results point to one file of the caller's choice.
"""

from __future__ import annotations

import hashlib
from typing import Any

import tribe_ws
from tribe_ws.capture.visible import visible
from tribe_ws.check.report import Report
from tribe_ws.check.verdict import Result, Verdict

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
DEFAULT_FILE = "README.md"


def to_sarif(report: Report, *, file: str = DEFAULT_FILE) -> dict[str, Any]:
    """Write a report as a SARIF log whose results point to that file of the repository."""
    numbers = {one.clause.id: number for number, one in enumerate(report.results)}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver(report)},
                "automationDetails": {"id": f"tribe-ws-check/{report.level}/"},
                "columnKind": "unicodeCodePoints",
                "invocations": [{"executionSuccessful": True}],
                "results": [_result(one, numbers[one.clause.id], report, file) for one in report.failed],
                "properties": {
                    "url": report.url,
                    "counts": {verdict.value: report.count(verdict) for verdict in Verdict},
                },
            }
        ],
    }


def _driver(report: Report) -> dict[str, Any]:
    return {
        "name": "tribe-ws check",
        "semanticVersion": tribe_ws.__version__,
        "rules": [_rule(one) for one in report.results],
    }


def _rule(result: Result) -> dict[str, Any]:
    clause = result.clause
    advice = result.advice or "The contract says it in the section named above."
    text = f"{clause.sentence}\n\n{clause.section}, level {clause.level}.\n\n{advice}"
    return {
        "id": clause.id,
        "shortDescription": {"text": clause.sentence},
        "fullDescription": {"text": f"{clause.section}: {clause.sentence}"},
        "help": {"text": text},
        "defaultConfiguration": {"level": "error"},
        "properties": {"tags": ["contract", clause.level], "problem.severity": "error"},
    }


def _result(result: Result, number: int, report: Report, file: str) -> dict[str, Any]:
    seen = "\n".join(map(str, result.evidence))
    text = f"{result.clause.sentence} {result.reason}. To mend it: {result.advice}."
    print_ = hashlib.sha256(f"{report.url} {report.level} {result.clause.id}".encode()).hexdigest()
    return {
        "ruleId": result.clause.id,
        "ruleIndex": number,
        "level": "error",
        "message": {"text": visible(text)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": file},
                    "region": {"startLine": 1},
                },
                "logicalLocations": [
                    {"name": result.clause.id, "fullyQualifiedName": f"{report.url}#{result.clause.id}"}
                ],
            }
        ],
        "partialFingerprints": {"clauseOnServer/v1": print_},
        "properties": {"evidence": visible(seen), "attempts": result.attempts},
    }
