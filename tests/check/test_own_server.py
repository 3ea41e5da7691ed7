"""Our own server passes what can be judged of the documented level, with and without its control API."""

from __future__ import annotations

from tests.check.on_our_server import PEOPLE, check_our_server, explained, failed
from tribe_ws.check.running import CheckRequest, check_server
from tribe_ws.check.verdict import Verdict
from tribe_ws.check.visit import Consent
from tribe_ws.server.local import LocalServer, local_settings

WRITE = Consent()


async def test_every_documented_clause_holds() -> None:
    report = await check_our_server("documented", consent=WRITE)
    assert failed(report) == set(), explained(report)
    tried = [one for one in report.results if one.attempts]
    assert {one.clause.id for one in tried if one.verdict is not Verdict.PASS} <= {"connect.reject-http"}
    assert len(tried) >= 130
    assert report.left_behind == 0


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
