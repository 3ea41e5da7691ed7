"""Our own server keeps every promise, at each level, as far as that can be judged from outside."""

from __future__ import annotations

import pytest

from tests.check.on_our_server import check_our_server, explained, failed
from tribe_ws.check.report import Report
from tribe_ws.check.verdict import Verdict
from tribe_ws.check.visit import Consent
from tribe_ws.protocol.clause import Level

THOROUGH = Consent(write=True, register=True, thorough=True)
# A server that refuses bad tokens by HTTP is another one.
OF_ANOTHER_SERVER = {"connect.reject-http"}
PROFILES = {"documented": "documented", "app": "app", "v2": "documented"}
OWN_CLAUSES: dict[Level, tuple[str, ...]] = {
    "documented": (),
    "app": ("presence.*", "read.*"),
    "v2": ("v2.*",),
}
"""What a level adds; the documented clauses are looked at once."""


def assert_whole(report: Report, may_be_skipped: bool) -> None:
    assert failed(report) == set(), explained(report)
    unsure = {
        one.clause.id: f"{one.verdict}: {one.reason}"
        for one in report.results
        if one.attempts and one.verdict is not Verdict.PASS
    }
    skipped = {one.clause.id for one in report.results if one.verdict is Verdict.SKIPPED}
    assert set(unsure) <= OF_ANOTHER_SERVER, unsure
    assert may_be_skipped or skipped <= OF_ANOTHER_SERVER, skipped
    assert report.left_behind == 0


@pytest.mark.parametrize("level", OWN_CLAUSES)
async def test_every_clause_of_a_level_holds(level: Level) -> None:
    report = await check_our_server(level, OWN_CLAUSES[level], profile=PROFILES[level])
    assert_whole(report, may_be_skipped=True)
    assert report.count(Verdict.PASS) >= {"documented": 140, "app": 9, "v2": 20}[level]


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("level", OWN_CLAUSES)
async def test_every_clause_holds_also_where_that_takes_long(level: Level) -> None:
    report = await check_our_server(level, consent=THOROUGH, profile=PROFILES[level])
    assert_whole(report, may_be_skipped=False)
