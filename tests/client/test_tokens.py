from __future__ import annotations

import asyncio
import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tribe_ws.client.tokens import FixedToken, TokenKeeper, Tokens, claims_of
from tribe_ws.clock import ManualClock
from tribe_ws.errors import AuthenticationError, CannotConnect

START = datetime(2024, 1, 1, 12, tzinfo=UTC)


def jwt(**claims: Any) -> str:
    parts = [
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, claims)
    ]
    return ".".join([*parts, "signature"])


def epoch(seconds: float = 0.0) -> float:
    return START.timestamp() + seconds


class Refreshing:
    """A refresh endpoint that counts, and fails on demand."""

    def __init__(self, clock: ManualClock, error: Exception | None = None) -> None:
        self.clock, self.error, self.calls = clock, error, 0
        self.given: list[str] = []

    async def __call__(self, refresh_token: str) -> Tokens:
        self.calls += 1
        self.given.append(refresh_token)
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return Tokens(f"access {self.calls}", None, self.clock.now() + timedelta(hours=1))


def keeper(
    tokens: Tokens, clock: ManualClock, error: Exception | None = None
) -> tuple[TokenKeeper, Refreshing]:
    refreshing = Refreshing(clock, error)
    return TokenKeeper(tokens, refreshing, clock=clock), refreshing


def test_no_token_is_ever_shown() -> None:
    tokens = Tokens("secret-access", "secret-refresh")
    assert "secret" not in repr(tokens)
    assert "secret" not in repr(FixedToken("secret"))
    assert "secret" not in repr(TokenKeeper(tokens, Refreshing(ManualClock())))


def test_claims_are_read_without_verification() -> None:
    assert claims_of(jwt(sub="u1", exp=5)) == {"sub": "u1", "exp": 5}
    assert Tokens(jwt(sub="u1")).user_id == "u1"


@pytest.mark.parametrize("token", ["", "abc", "a.b.c", "a.!!!.c", "a.W10.c", "a.b.c.d", "ä.ö.ü"])
def test_what_is_no_jwt_has_no_claims(token: str) -> None:
    assert claims_of(token) == {}
    assert Tokens(token).user_id is None
    assert Tokens(token).ends_at is None
    assert Tokens(token).renewal_at is None


@pytest.mark.parametrize("exp", ["soon", True, 1e30, None, float("inf")])
def test_an_absurd_end_counts_as_unknown(exp: Any) -> None:
    assert Tokens(jwt(exp=exp)).ends_at is None


def test_renewal_is_due_a_minute_before_the_end() -> None:
    tokens = Tokens(jwt(iat=epoch(), exp=epoch(3600)), "r")
    assert tokens.renewal_at == START + timedelta(seconds=3540)


def test_a_short_token_is_renewed_in_the_last_tenth_of_its_life() -> None:
    tokens = Tokens(jwt(iat=epoch(), exp=epoch(20)), "r")
    assert tokens.renewal_at == START + timedelta(seconds=18)


def test_a_token_of_seconds_is_renewed_before_what_rounding_may_take_off() -> None:
    tokens = Tokens(jwt(iat=epoch(), exp=epoch(5)), "r")
    assert tokens.renewal_at == START + timedelta(seconds=3.5)


def test_what_the_server_said_at_login_counts_more_than_the_claim() -> None:
    tokens = Tokens.given(jwt(exp=epoch(10)), "r", 600, START)
    assert tokens.ends_at == START + timedelta(seconds=600)
    assert Tokens.given("a", "", None, START) == Tokens("a", None, None)
    assert Tokens.given("a", 7, "3600", START) == Tokens("a", None, None)
    assert Tokens.given("a", "r", 1e300, START).expires_at is not None


async def test_a_fixed_token_cannot_be_renewed() -> None:
    source = FixedToken("t")
    assert await source.current() == "t"
    assert source.renewal_due() is None
    with pytest.raises(AuthenticationError, match="no refresh token") as refusal:
        await source.renew("t")
    assert refusal.value.hint


async def test_a_token_is_renewed_before_it_ends_and_kept_until_then() -> None:
    clock = ManualClock(START)
    source, refreshing = keeper(Tokens("first", "r", START + timedelta(hours=1)), clock)
    assert await source.current() == "first"
    clock.advance(3541)
    assert await source.current() == "access 1"
    assert refreshing.given == ["r"]
    assert source.tokens.refresh_token == "r"
    assert source.renewal_due() == pytest.approx(3540)


async def test_many_callers_cause_one_renewal() -> None:
    source, refreshing = keeper(Tokens("first", "r"), ManualClock(START))
    tokens = await asyncio.gather(*(source.renew("first") for _ in range(10)))
    assert set(tokens) == {"access 1"}
    assert refreshing.calls == 1


async def test_every_new_pair_is_told_to_whoever_keeps_it() -> None:
    clock = ManualClock(START)
    kept: list[Tokens] = []
    source = TokenKeeper(Tokens("first", "r"), Refreshing(clock), on_change=kept.append, clock=clock)
    await source.renew("first")
    assert [tokens.access_token for tokens in kept] == ["access 1"]
    source.replace(Tokens("other"))
    assert kept[-1].access_token == "other"


async def test_without_a_refresh_token_nothing_can_be_renewed() -> None:
    clock = ManualClock(START)
    source, _ = keeper(Tokens(jwt(exp=epoch(-5))), clock)
    assert source.renewal_due() is None
    assert await source.current() == source.tokens.access_token
    with pytest.raises(AuthenticationError):
        await source.renew(source.tokens.access_token)


async def test_a_failing_early_renewal_leaves_the_token_in_use_until_its_end() -> None:
    clock = ManualClock(START)
    tokens = Tokens("first", "r", START + timedelta(seconds=30))
    source, refreshing = keeper(tokens, clock, CannotConnect("nobody there"))
    assert await source.current() == "first"
    clock.advance(31)
    with pytest.raises(CannotConnect):
        await source.current()
    assert refreshing.calls == 2
