"""Add up what the sessions of nox did and end with one line in the words of pytest.

Arguments: the folder of JUnit reports, the seconds that passed, the JSON reports of the nox runs. A session
that failed without a failed test (style, types, coverage, a crash) counts as one error.
"""

from __future__ import annotations

import json
import sys
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

OUTCOMES = ("failed", "passed", "skipped", "errors")


def tests_of(report: Path) -> Counter[str]:
    """Count the tests of a session by outcome; a session without a report ran none."""
    try:
        suites = list(ET.parse(report).iter("testsuite"))
    except FileNotFoundError:
        return Counter()
    tests, failed, errors, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites)
        for name in ("tests", "failures", "errors", "skipped")
    )
    return Counter(failed=failed, passed=tests - failed - errors - skipped, skipped=skipped, errors=errors)


def outcome_of(session: dict[str, str], reports: Path) -> Counter[str]:
    """Count what a session did, its own failure included."""
    count = tests_of(reports / f"{session['name']}.xml")
    if session["result"] != "success" and not count["failed"] and not count["errors"]:
        count["errors"] = 1
    return count


def in_words(count: Counter[str]) -> str:
    """Say a count as pytest does: what did not happen is left out."""
    words = ", ".join(f"{count[name]} {name}" for name in OUTCOMES if count[name])
    return words.replace("1 errors", "1 error") if count["errors"] == 1 else words


def main() -> None:
    """Print a line for each session and the sum."""
    reports, seconds, *runs = sys.argv[1:]
    total: Counter[str] = Counter()
    for session in (one for run in runs for one in json.loads(Path(run).read_text("utf-8"))["sessions"]):
        count = outcome_of(session, Path(reports))
        print(f"{session['name']}: {in_words(count) or session['result']}")
        total += count
    print(f"{in_words(total) or 'no tests ran'} in {seconds}s")


main()
