"""Logging in: with a password, with a kept token, and what a server may answer to either."""

from __future__ import annotations

from typing import Any

import pytest

from tribe_ws.check.accounts import Account, log_in
from tribe_ws.check.wire import Answer
from tribe_ws.errors import AuthenticationError, ProtocolViolation

ANA = {"id": "u1", "username": "ana", "full_name": "Ana Ng", "email": "ana@example.com"}
REFUSED: Answer = Answer(401, {}, "", {"detail": "no token=abcdefgh"}, 0.0)


def ok(value: Any) -> Answer:
    return Answer(200, {}, "", value, 0.0)


class CannedRest:
    """Answers calls by path and token."""

    def __init__(self, **answers: Answer) -> None:
        self.answers = answers

    async def call(self, _method: str, path: str, *, token: str = "", **_: Any) -> Answer:
        return self.answers.get(f"{path.rpartition('/')[2]}_{token}".rstrip("_"), REFUSED)


async def log_in_at(account: Account, **answers: Answer) -> Any:
    return await log_in(CannedRest(**answers), account)  # type: ignore[arg-type]


async def test_a_login_that_tells_the_user_needs_no_further_call() -> None:
    person = await log_in_at(
        Account("ana", "hush"), login=ok({"access_token": "t", "refresh_token": "r", "user": ANA})
    )
    assert (person.id, person.full_name, person.token, person.refresh_token) == ("u1", "Ana Ng", "t", "r")


@pytest.mark.parametrize("told", [{}, {"user": None}, {"user": ["id"]}, {"user": "id"}, {"user": {"id": 7}}])
async def test_a_login_that_tells_no_user_is_asked_who_it_was(told: dict[str, Any]) -> None:
    login = ok({"access_token": "t", **told})
    person = await log_in_at(Account("ana", "hush"), login=login, me_t=ok({"id": "u1"}))
    assert (person.id, person.username, person.email, person.refresh_token) == ("u1", "ana", "ana", "")


async def test_a_kept_token_is_enough() -> None:
    person = await log_in_at(Account("ana", access_token="t"), me_t=ok(ANA))
    assert (person.id, person.token, person.password) == ("u1", "t", "")


async def test_a_kept_token_that_has_ended_is_renewed() -> None:
    account = Account("ana", access_token="old", refresh_token="r")
    person = await log_in_at(account, refresh=ok({"access_token": "new"}), me_new=ok(ANA))
    assert person.token == "new"


@pytest.mark.parametrize("refresh_token", ["", "r"])
async def test_a_kept_token_that_cannot_be_renewed_is_refused_without_showing_it(refresh_token: str) -> None:
    with pytest.raises(AuthenticationError, match=r"refused the login of ana: no token=\*\*\*"):
        await log_in_at(Account("ana", access_token="old", refresh_token=refresh_token))


async def test_a_user_without_an_id_is_no_user() -> None:
    with pytest.raises(ProtocolViolation, match="does not tell the id of ana"):
        await log_in_at(Account("ana", access_token="t"), me_t=ok({}))


def test_no_secret_is_shown_where_an_account_is() -> None:
    assert "hush" not in repr(Account("ana", "hush", "hush", "hush"))
