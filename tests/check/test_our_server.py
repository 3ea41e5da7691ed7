"""Our own server keeps every promise, at each level, as far as that can be judged from outside."""

from __future__ import annotations

import pytest

from tests.check.on_our_server import PEOPLE, check_our_server, explained, failed
from tribe_ws.check.report import Report
from tribe_ws.check.running import CheckRequest, check_server
from tribe_ws.check.verdict import Verdict
from tribe_ws.check.visit import Consent
from tribe_ws.protocol.clause import Level
from tribe_ws.server.local import LocalServer, local_settings

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


async def test_a_server_that_refuses_by_http_passes_too() -> None:
    async with LocalServer(local_settings(reject="http", control="off")) as server:
        report = await check_server(CheckRequest(server.address, PEOPLE, only=("connect.*", "document.t*")))
    assert failed(report) == set(), explained(report)
    assert report.verdict_of("connect.reject-http") is Verdict.PASS
    assert report.verdict_of("connect.accepted-then-closed") is Verdict.CANNOT_TELL
    assert report.verdict_of("connect.token-missing") is Verdict.PASS


async def test_conversations_of_others_are_as_they_were() -> None:
    async with LocalServer(local_settings()) as server:
        before = server.run(conversations_of(server))
        await check_server(CheckRequest(server.address, PEOPLE, only=("message.*", "typing.relayed")))
        assert server.run(conversations_of(server)) == before


async def conversations_of(server: LocalServer) -> list[tuple[str, int]]:
    """Tell alice's conversations, and how much of each is unread."""
    storage = server.services.storage
    user = await storage.users.by_login("alice")
    assert user is not None
    page = await storage.conversations.list(user.id, 0, 100)
    return sorted((one.id, one.unread_count) for one in page.items)


async def test_a_clock_that_stands_still_is_no_fault() -> None:
    report = await check_our_server("documented", ("typing.*", "message.*", "presence.*"), clock="frozen")
    assert failed(report) == set(), explained(report)
    assert report.verdict_of("typing.lapse") is Verdict.CANNOT_TELL
