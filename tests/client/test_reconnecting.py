from __future__ import annotations

import random

import pytest

from tribe_ws.client.backoff import Backoff
from tribe_ws.client.failures import explain_close
from tribe_ws.client.reconnecting import GiveUp, ReconnectPolicy, Renew, TryAgain
from tribe_ws.errors import ApiError, AuthenticationError, CannotConnect, ConnectionLost, TribeError


class Extreme(random.Random):
    def uniform(self, a: float, b: float) -> float:
        return max(a, b)


def policy(**options: object) -> ReconnectPolicy:
    return ReconnectPolicy(backoff=Backoff(rng=Extreme()), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", [1001, 1006, 1011, 1012, 1013, 4000, 4408, 4409, 4413, 4429])
def test_these_ends_are_worth_another_try(code: int) -> None:
    verdict = policy().ended(explain_close(code, ""), open_for=1.0)
    assert isinstance(verdict, TryAgain)
    assert verdict.delay == 0.5


@pytest.mark.parametrize(("code", "reason"), [(1007, ""), (1009, ""), (4403, "account_disabled")])
def test_these_ends_are_final(code: int, reason: str) -> None:
    error = explain_close(code, reason)
    assert policy().ended(error, open_for=100.0) == GiveUp(error)


def test_a_normal_close_ends_without_an_error() -> None:
    assert policy().ended(ConnectionLost(1000), open_for=1.0) == GiveUp(None)
    assert policy(is_enabled=False).ended(ConnectionLost(1000), open_for=1.0) == GiveUp(None)


def test_without_reconnecting_the_first_loss_is_final() -> None:
    error = ConnectionLost(1006)
    assert policy(is_enabled=False).ended(error, open_for=1.0) == GiveUp(error)


@pytest.mark.parametrize("reason", ["token_expired", "token_invalid", "token_revoked", "of its own"])
def test_a_refused_token_is_renewed_at_once(reason: str) -> None:
    error = explain_close(4401, reason)
    assert policy().ended(error, open_for=60.0) == Renew(0.0, error)


def test_a_renewed_token_that_is_refused_as_well_ends_it() -> None:
    state = policy()
    refusal = explain_close(4401, "token_invalid")
    assert isinstance(state.failed(refusal), Renew)
    state.renewed()
    assert state.failed(refusal) == GiveUp(refusal)


def test_a_renewal_that_failed_for_the_network_may_be_tried_again() -> None:
    state = policy()
    assert isinstance(state.failed(explain_close(4401, "")), Renew)
    assert isinstance(state.failed(CannotConnect("nobody")), TryAgain)
    assert isinstance(state.failed(explain_close(4401, "")), Renew)


def test_a_token_that_ends_again_and_again_soon_after_opening_slows_us_down() -> None:
    state = policy()
    delays = []
    for _ in range(5):
        verdict = state.ended(explain_close(4401, "token_expired"), open_for=0.1)
        assert isinstance(verdict, Renew)
        delays.append(verdict.delay)
        state.renewed()
        state.opened()
    assert delays == [0.0, 1.0, 2.0, 4.0, 8.0]


def test_a_server_that_closes_right_after_opening_is_given_ever_more_time() -> None:
    state = policy()
    delays = []
    for _ in range(4):
        verdict = state.ended(ConnectionLost(4413, "slow_consumer"), open_for=0.1)
        assert isinstance(verdict, TryAgain)
        delays.append(verdict.delay)
        state.opened()
    assert delays == [0.5, 1.0, 2.0, 4.0]


def test_a_connection_that_held_makes_the_next_loss_the_first() -> None:
    state = policy(steady_after=10.0)
    for _ in range(4):
        state.failed(CannotConnect("nobody"))
    state.opened()
    verdict = state.ended(ConnectionLost(1006), open_for=10.0)
    assert isinstance(verdict, TryAgain)
    assert verdict.delay == 0.5


@pytest.mark.parametrize(
    "error",
    [CannotConnect("refused", reason="refused"), CannotConnect("x", reason="handshake", status=404)],
)
def test_tries_can_be_limited(error: TribeError) -> None:
    state = policy(max_tries=2)
    assert isinstance(state.failed(error), TryAgain)
    assert isinstance(state.failed(error), TryAgain)
    assert state.failed(error) == GiveUp(error)
    state.opened()
    assert isinstance(state.failed(error), TryAgain)


def test_an_error_status_at_renewal_is_tried_again() -> None:
    assert isinstance(policy().failed(ApiError(503, "busy")), TryAgain)


def test_a_refused_upgrade_is_a_refused_token() -> None:
    refusal = AuthenticationError("the server refused the connection (HTTP 401)", reason="http_401")
    assert isinstance(policy().failed(refusal), Renew)
