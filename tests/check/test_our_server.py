"""Our own server keeps every promise, at each level, as far as that can be judged from outside."""

from __future__ import annotations

import pytest

from tests.check.on_our_server import check_our_server, explained, failed
from tribe_ws.check.verdict import Verdict
from tribe_ws.check.visit import Consent
from tribe_ws.protocol.clause import Level

THOROUGH = Consent(write=True, register=True, thorough=True)


@pytest.mark.slow
@pytest.mark.parametrize("level", ["documented", "app", "v2"])
async def test_every_clause_holds_on_our_own_server(level: Level) -> None:
    profile = "app" if level == "app" else "documented"
    report = await check_our_server(level, consent=THOROUGH, profile=profile)
    assert failed(report) == set(), explained(report)
    tried = [one for one in report.results if one.attempts]
    unsure = {one.clause.id: one.reason for one in tried if one.verdict is not Verdict.PASS}
    # A server that refuses by HTTP is another one.
    assert set(unsure) <= {"connect.reject-http"}, unsure
    assert len(tried) >= 60
    assert report.left_behind == 0
