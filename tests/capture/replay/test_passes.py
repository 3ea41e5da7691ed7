"""The tokens of one run of a replay."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tribe_ws.capture.replay.passes import ACCESS_SECONDS, Passes
from tribe_ws.client.tokens import claims_of

NOW = datetime(2030, 1, 1, tzinfo=UTC)


def test_a_token_says_whose_it_is_and_is_known_again() -> None:
    passes = Passes()
    token = passes.give("u1", "bob", "access", NOW)
    assert passes.user_id(token, "access", NOW) == "u1"
    assert claims_of(token)["username"] == "bob"
    assert claims_of(token)["exp"] - claims_of(token)["iat"] == ACCESS_SECONDS


@pytest.mark.parametrize("token", ["", "a", "a.b", "a.b.c", "é.é.é"])
def test_nonsense_is_nobodys(token: str) -> None:
    assert Passes().user_id(token, "access", NOW) is None


def test_a_token_of_another_kind_another_run_or_another_time_is_nobodys() -> None:
    passes = Passes()
    token = passes.give("u1", "bob", "access", NOW)
    assert passes.user_id(token, "refresh", NOW) is None
    assert Passes().user_id(token, "access", NOW) is None
    assert passes.user_id(token, "access", NOW + timedelta(seconds=ACCESS_SECONDS)) is None
    assert passes.user_id(token[:-2], "access", NOW) is None
