"""A check of a server that knows nothing of tribe-ws: right where it departs, else silent."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.check.foreign_server import PEOPLE, Backend, foreign_server
from tribe_ws.check.accounts import Account
from tribe_ws.check.report import Report
from tribe_ws.check.running import CheckRequest, check_server
from tribe_ws.check.verdict import Verdict
from tribe_ws.check.visit import Consent
from tribe_ws.errors import AuthenticationError, CannotConnect, ConfigurationError
from tribe_ws.protocol.urls import ServerAddress

OF_THE_SOCKET = (
    "document.*", "connect.*", "subscribe.*", "unsubscribe.*", "ping.*", "frames.*", "message.*", "socket.*",
    "typing.relayed", "typing.full-name", "typing.coalesced", "typing.false-once", "typing.participants-only",
)  # fmt: skip
ITS_DEPARTURES = {
    "connect.token-missing",
    "connect.token-malformed",
    "connect.origin-foreign",
    "connect.bearer-header",
    "typing.coalesced",
    "frames.hostile-json",
    "frames.too-big",
    "message.timestamp",
    "message.increasing",
}


async def check(address: ServerAddress, **wishes: Any) -> Report:
    return await check_server(CheckRequest(address, wishes.pop("accounts", PEOPLE), **wishes))


def of(report: Report, verdict: Verdict) -> dict[str, str]:
    return {one.clause.id: one.reason for one in report.results if one.verdict is verdict}


async def test_just_its_departures_are_found() -> None:
    async with foreign_server() as (_, address):
        report = await check(address, only=OF_THE_SOCKET)
    assert set(of(report, Verdict.FAIL)) == ITS_DEPARTURES
    assert all(one.attempts >= 2 and one.evidence and one.advice for one in report.failed)
    assert report.count(Verdict.PASS) >= 50
    unseen = of(report, Verdict.CANNOT_TELL)
    assert "no JWT" in unseen["connect.token-signature"]
    assert "nobody could be taken out of a group" in unseen["message.participants-only"]
    assert report.left_behind > 0, "it lets nobody out of a conversation"


@pytest.mark.slow
async def test_a_server_that_thinks_long_fails_no_more_than_a_quick_one() -> None:
    async with foreign_server(lag=0.8) as (_, address):
        report = await check(address, only=OF_THE_SOCKET)
    assert set(of(report, Verdict.FAIL)) <= ITS_DEPARTURES


async def test_nothing_is_written_where_nothing_may_be() -> None:
    async with foreign_server() as (backend, address):
        report = await check(address, consent=Consent(write=False), only=OF_THE_SOCKET)
    assert {call for call in backend.calls if call.startswith("POST")} == {"POST /api/v1/auth/login"}
    assert backend.members == {}
    assert report.verdict_of("ping.pong") is Verdict.PASS
    assert report.verdict_of("message.once") is Verdict.SKIPPED
    assert "needs to write" in of(report, Verdict.SKIPPED)["message.once"]


async def test_a_server_that_makes_no_conversations_is_judged_by_the_rest() -> None:
    async with foreign_server(may_create=False) as (_, address):
        report = await check(address, only=("ping.*", "message.once", "document.server-*"))
    assert report.verdict_of("ping.pong") is Verdict.PASS
    assert report.verdict_of("document.server-pong") is Verdict.PASS
    assert "no conversation could be made" in of(report, Verdict.CANNOT_TELL)["message.once"]


async def test_two_people_suffice_for_what_is_not_about_strangers() -> None:
    async with foreign_server() as (_, address):
        report = await check(address, accounts=PEOPLE[:2], only=("message.once", "subscribe.foreign"))
    assert report.verdict_of("message.once") is Verdict.PASS
    assert "a third account" in of(report, Verdict.SKIPPED)["subscribe.foreign"]


async def test_one_person_suffices_for_what_is_about_one() -> None:
    async with foreign_server() as (_, address):
        report = await check(address, accounts=PEOPLE[:1], only=("message.once", "ping.*"))
    assert report.verdict_of("ping.pong") is Verdict.PASS
    assert "a second account" in of(report, Verdict.SKIPPED)["message.once"]


async def test_a_wrong_password_names_the_account() -> None:
    async with foreign_server() as (_, address):
        with pytest.raises(AuthenticationError, match="refused the login of ana: HTTP 401"):
            await check(address, accounts=(Account("ana", "wrong"),))


async def test_the_same_user_twice_is_refused() -> None:
    async with foreign_server() as (_, address):
        with pytest.raises(AuthenticationError, match="ana is the same user as another account"):
            await check(address, accounts=(PEOPLE[0], PEOPLE[0]))


async def test_nobody_to_act_as_is_refused() -> None:
    with pytest.raises(AuthenticationError, match="needs accounts"):
        await check(ServerAddress("http://127.0.0.1:1"), accounts=())


async def test_nobody_there_is_said_at_once() -> None:
    with pytest.raises(CannotConnect, match="nothing is listening"):
        await check(ServerAddress("http://127.0.0.1:1"))


async def test_a_pattern_that_fits_nothing_is_refused() -> None:
    async with foreign_server() as (_, address):
        with pytest.raises(ConfigurationError, match="no clause of the level documented is named dance"):
            await check(address, only=("dance",))


async def test_a_check_keeps_to_its_budget_whatever_the_server_does() -> None:
    async with foreign_server(lag=1.0) as (_, address):
        report = await asyncio.wait_for(check(address, only=("document.*",), budget=1.5), 30)
    assert report.failed == ()
    assert "was used up" in " ".join(of(report, Verdict.CANNOT_TELL).values())


class Mute(Backend):
    """Never says a word on a socket, and answers REST all the same."""

    async def say(self, line: Any, frame: dict[str, Any]) -> None:
        pass


async def test_silence_of_a_mute_server_proves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.check.foreign_server.Backend.say", Mute.say)
    async with foreign_server() as (_, address):
        report = await check(
            address, patience=0.2, only=("ping.pong", "unsubscribe.silent", "frames.not-json", "message.once")
        )
    assert {one.verdict for one in report.results if one.clause.id != "ping.pong"} <= {Verdict.CANNOT_TELL}
    assert report.count(Verdict.PASS) == 0


async def test_results_are_told_as_they_come() -> None:
    heard: list[str] = []
    async with foreign_server() as (_, address):
        await check_server(
            CheckRequest(address, PEOPLE, only=("ping.*",)),
            on_results=lambda results: heard.extend(one.clause.id for one in results),
        )
    assert set(heard) == {"ping.pong", "document.heartbeat"}
