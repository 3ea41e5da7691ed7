"""A check that may do less or knows less judges less, never wrongly; what is not its own it leaves alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.check.on_our_server import ALL, PEOPLE, check_our_server, explained, failed
from tribe_ws.check.accounts import Account
from tribe_ws.check.rest_answers import registration
from tribe_ws.check.running import CheckRequest, check_server
from tribe_ws.check.verdict import Verdict
from tribe_ws.check.visit import Consent
from tribe_ws.check.wire import Rest
from tribe_ws.client.control import ControlClient
from tribe_ws.server.local import LocalServer, local_settings

# What happens to people because they are logged in and connected.
LIVELY = {"status", "last_seen_ms", "last_seen_at"}


async def everything(server: LocalServer) -> dict[str, Any]:
    """Read what the server holds, but for what a login leaves."""
    async with ControlClient(server.url, server.control_key) as control:
        found = await control.snapshot()
    tables: dict[str, Any] = found.get("tables", found)
    return {
        name: [{key: value for key, value in row.items() if key not in LIVELY} for row in rows]
        for name, rows in tables.items()
        if isinstance(rows, list) and "token" not in name
    }


async def test_a_server_that_is_not_ours_is_judged_without_its_control_api() -> None:
    with LocalServer(local_settings()) as server:
        only = ("token.*", "connect.*", "rest.*", "close.*")
        report = await check_server(CheckRequest(server.address, PEOPLE, only=only, consent=ALL))
    assert failed(report) == set(), explained(report)
    assert report.verdict_of("token.leeway") is Verdict.SKIPPED
    assert report.verdict_of("token.algorithm-fixed") is Verdict.PASS
    assert report.verdict_of("rest.host-foreign") is Verdict.PASS


async def test_tokens_do_in_place_of_passwords() -> None:
    with LocalServer(local_settings()) as server:
        rest, accounts = Rest(server.address, 10.0), []
        for one in PEOPLE[:2]:
            body = {"email": one.name, "password": one.password}
            said = (await rest.call("POST", "/auth/login", body=body)).object
            accounts.append(Account(one.name, access_token=said["access_token"]))
        await rest.close()
        only = ("login.*", "refresh.*", "me.shape", "conversations.denied", "messages.created")
        report = await check_server(CheckRequest(server.address, accounts, only=only))
    verdicts = {one.clause.id: one.verdict for one in report.results}
    assert failed(report) == set(), explained(report)
    assert verdicts["login.answer"] is verdicts["refresh.answer"] is Verdict.SKIPPED
    assert verdicts["conversations.denied"] is Verdict.SKIPPED, "nobody is a stranger among two"
    assert verdicts["me.shape"] is verdicts["messages.created"] is Verdict.PASS


async def test_a_check_that_reads_only_leaves_everything_as_it_was() -> None:
    with LocalServer(local_settings()) as server:
        before = await everything(server)
        consent = Consent(write=False)
        report = await check_server(CheckRequest(server.address, PEOPLE, level="v2", consent=consent))
        after = await everything(server)
    assert before
    assert after == before
    assert failed(report) == set(), explained(report)
    assert report.verdict_of("messages.created") is Verdict.SKIPPED
    assert report.verdict_of("conversations.list") is Verdict.PASS


async def test_a_check_that_writes_touches_nothing_but_its_own() -> None:
    only = ("conversations.*", "participants.*", "messages.*", "message.*", "me.*", "logout.*")
    with LocalServer(local_settings()) as server:
        before = await everything(server)
        report = await check_server(CheckRequest(server.address, PEOPLE, only=only))
        after = await everything(server)
    assert failed(report) == set(), explained(report)
    for name, rows in before.items():
        assert [row for row in rows if row not in after[name]] == [], f"{name} of others changed"
    assert after["users"] == before["users"]
    new = {row["conversation_id"] for row in after["participants"]} - {
        row["conversation_id"] for row in before["participants"]
    }
    assert not new, "a conversation of the check was not left"


async def newcomers(server: LocalServer, count: int) -> list[Account]:
    """Make accounts of people who never met."""
    rest, accounts = Rest(server.address, 20.0), []
    for _ in range(count):
        body = registration()
        said = (await rest.call("POST", "/auth/register", body=body)).object
        accounts.append(Account(body["email"], access_token=said["access_token"]))
    await rest.close()
    return accounts


async def test_people_who_never_met_are_no_obstacle() -> None:
    with LocalServer(local_settings(profile="app")) as server:
        people = await newcomers(server, 3)
        only = ("conversations.direct-once", "presence.shared")
        request = CheckRequest(server.address, people, level="app", only=only)
        careful = await check_server(request)
        bold = await check_server(replace(request, consent=ALL))
    assert careful.verdict_of("conversations.direct-once") is Verdict.SKIPPED, "it would stay for ever"
    assert careful.verdict_of("presence.shared") is Verdict.PASS
    assert bold.verdict_of("conversations.direct-once") is Verdict.PASS


async def test_a_stranger_who_is_none_proves_nothing() -> None:
    consent = Consent(write=True)
    report = await check_our_server("app", ("presence.shared",), consent=consent, profile="app")
    (result,) = report.results
    assert result.verdict is Verdict.CANNOT_TELL
    assert result.reason == "dan shares a conversation with alice"


@pytest.mark.parametrize(("control", "verdict"), [("on", Verdict.SKIPPED), ("off", Verdict.CANNOT_TELL)])
async def test_a_server_on_all_addresses_may_answer_any_host(control: str, verdict: Verdict) -> None:
    with LocalServer(local_settings(host="0.0.0.0", control=control)) as server:
        key = server.control_key
        async with ControlClient(server.url, key) as driver:
            report = await check_server(
                CheckRequest(
                    server.address, PEOPLE[:1], only=("rest.host-foreign",), control=driver if key else None
                )
            )
    assert report.verdict_of("rest.host-foreign") is verdict


async def test_floods_and_guesses_are_tried_where_that_is_allowed() -> None:
    consent = Consent(write=True, thorough=True)
    report = await check_our_server("v2", ("v2.error-rate-limited", "login.throttled"), consent=consent)
    assert failed(report) == set(), explained(report)
    assert report.count(Verdict.PASS) == 2
