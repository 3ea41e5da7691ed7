from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from tribe_ws.client.backoff import Backoff


class Extreme(random.Random):
    """Always draws the largest delay."""

    def uniform(self, a: float, b: float) -> float:
        return max(a, b)


def test_the_longest_delays_double_from_half_a_second_to_fifteen() -> None:
    backoff = Backoff(rng=Extreme())
    assert [backoff.next_delay() for _ in range(7)] == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]


def test_reset_begins_with_short_delays_again() -> None:
    backoff = Backoff(rng=Extreme())
    for _ in range(9):
        backoff.next_delay()
    backoff.reset()
    assert (backoff.tries, backoff.next_delay()) == (0, 0.5)


@given(
    seed=st.integers(),
    first=st.floats(0.001, 10),
    ceiling=st.floats(0.001, 100),
    tries=st.integers(1, 5000),
)
def test_every_delay_lies_between_nothing_and_the_limit_of_its_try(
    seed: int, first: float, ceiling: float, tries: int
) -> None:
    backoff = Backoff(first, ceiling, random.Random(seed))
    backoff.tries = tries
    limit = backoff.limit
    assert 0 <= backoff.next_delay() <= limit <= ceiling
    assert backoff.limit >= limit
    assert backoff.tries == tries + 1


def test_delays_are_spread_over_their_whole_range() -> None:
    """Full jitter: of many clients, some come back almost at once."""
    delays = []
    for seed in range(200):
        backoff = Backoff(rng=random.Random(seed))
        backoff.tries = 3
        delays.append(backoff.next_delay())
    assert min(delays) < 0.4
    assert max(delays) > 3.6
