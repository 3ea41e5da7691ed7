"""REST, tokens and ``tribe.v2`` on a server that knows little of them: told so, and never fallen over."""

from __future__ import annotations

import pytest

from tests.check.foreign_server import PEOPLE, foreign_server
from tribe_ws.check.running import CheckRequest, check_server
from tribe_ws.check.verdict import Verdict
from tribe_ws.check.visit import Consent
from tribe_ws.protocol.clause import Level

REST = (
    "rest.*", "register.*", "login.*", "refresh.*", "logout.*", "me.*", "user.*", "search.*",
    "conversations.*", "participants.*", "messages.*", "health.*", "metrics.*", "docs.*", "token.*",
)  # fmt: skip
BY_LEVEL: dict[Level, tuple[str, ...]] = {"documented": REST, "v2": ("v2.*",)}
AS_DOCUMENTED = {"login.username", "messages.created", "messages.to-the-letter", "conversations.unknown"}
NOT_TO_BE_SEEN = {
    "refresh.answer": "a login gives no refresh token",
    "token.algorithm-fixed": "the server's tokens are no JWT, and name no algorithm",
    "register.username": "the server does not seem to register anybody: HTTP 404 Not Found",
    "participants.at-once": "the second person could not be removed: HTTP 404 Not Found",
    "v2.resume": "the server does not select tribe.v2",
}
DEPARTURES = {"register.created", "me.shape", "messages.length", "docs.openapi", "v2.negotiated"}


@pytest.mark.parametrize("level", BY_LEVEL)
async def test_what_is_missing_is_told_and_nothing_falls_over(level: Level) -> None:
    async with foreign_server() as (_, address):
        request = CheckRequest(
            address, PEOPLE, level=level, only=BY_LEVEL[level], consent=Consent(register=True)
        )
        report = await check_server(request)
    seen = {one.clause.id: one for one in report.results}
    assert not [one.reason for one in report.results if "could not read what came" in one.reason]
    for clause_id in seen.keys() & AS_DOCUMENTED:
        assert seen[clause_id].verdict is Verdict.PASS
    for clause_id in seen.keys() & DEPARTURES:
        assert seen[clause_id].verdict is Verdict.FAIL
    for clause_id in seen.keys() & NOT_TO_BE_SEEN.keys():
        assert seen[clause_id].verdict is Verdict.CANNOT_TELL
        assert seen[clause_id].reason == NOT_TO_BE_SEEN[clause_id]
