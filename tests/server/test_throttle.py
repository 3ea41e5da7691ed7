"""How often something may be tried."""

from __future__ import annotations

import pytest

from tribe_ws.clock import ManualClock
from tribe_ws.server.throttle import SPRAYING_FACTOR, LoginThrottle, Throttle, TooManyRequests


def test_so_many_a_minute_and_no_more():
    throttle = Throttle(3, "too many", ManualClock())
    for _ in range(3):
        throttle.spend("ana")
    with pytest.raises(TooManyRequests, match="too many") as caught:
        throttle.spend("ana")
    assert 1 <= caught.value.retry_after <= 60


def test_keys_do_not_share():
    throttle = Throttle(1, "too many", ManualClock())
    throttle.spend("ana")
    throttle.spend("ben")


def test_asking_does_not_count():
    throttle = Throttle(1, "too many", ManualClock())
    for _ in range(5):
        throttle.check("ana")
    throttle.count("ana")
    with pytest.raises(TooManyRequests):
        throttle.check("ana")


def test_zero_allows_all():
    throttle = Throttle(0, "too many", ManualClock())
    for _ in range(100):
        throttle.count("ana")
        throttle.spend("ana")
    throttle.check("ana")


def test_failed_logins_are_counted_per_account_whatever_its_case():
    throttle = LoginThrottle(2, ManualClock())
    throttle.count_failure("Ana@x.test", "10.0.0.1")
    throttle.count_failure("ana@X.test", "10.0.0.1")
    with pytest.raises(TooManyRequests):
        throttle.check("ANA@x.test", "10.0.0.1")
    throttle.check("ben@x.test", "10.0.0.1")
    throttle.check("ana@x.test", "10.0.0.2")


def test_one_address_cannot_try_every_account():
    throttle = LoginThrottle(2, ManualClock())
    for number in range(2 * SPRAYING_FACTOR):
        throttle.check(f"user{number}", "10.0.0.1")
        throttle.count_failure(f"user{number}", "10.0.0.1")
    with pytest.raises(TooManyRequests):
        throttle.check("another", "10.0.0.1")
    throttle.check("another", "10.0.0.2")


def test_the_minute_is_that_of_the_clock():
    clock = ManualClock()
    throttle = Throttle(2, "too many", clock)
    throttle.spend("ana")
    clock.advance(30)
    throttle.spend("ana")
    with pytest.raises(TooManyRequests) as caught:
        throttle.spend("ana")
    assert caught.value.retry_after == 30
    clock.advance(30)
    throttle.spend("ana")
    with pytest.raises(TooManyRequests):
        throttle.spend("ana")


def test_whoever_was_counted_is_forgotten_in_time():
    clock = ManualClock()
    throttle = Throttle(3, "too many", clock)
    for number in range(1024):
        throttle.count(f"old {number}")
    clock.advance(61)
    throttle.count("new")
    assert len(throttle) == 1
