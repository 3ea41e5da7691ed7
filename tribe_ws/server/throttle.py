"""How often something may be tried: failed logins, and REST requests where the settings limit them.

One engine counts both, by the server's own clock, so that moving that clock moves the minute too. What is
counted is kept in memory and forgotten by itself.
"""

from __future__ import annotations

import math
from collections import deque

from tribe_ws.clock import Clock
from tribe_ws.errors import TribeError

WINDOW = 60.0
SPRAYING_FACTOR = 10
"""How many times as many failures one address gets over all accounts as over one of them."""
_TIDY_AFTER = 1024
"""How many keys gather before those are looked for that have nothing left to count."""


class TooManyRequests(TribeError):
    """Something was tried too often; ``retry_after`` whole seconds from now it may be tried again."""

    code = "too_many_requests"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Throttle:
    """Allows so many of a kind of event in any minute, for each key; a limit of 0 allows all."""

    def __init__(self, per_minute: int, message: str, clock: Clock) -> None:
        self._limit = per_minute
        self._message = message
        self._clock = clock
        # No more than the limit is kept of a key: the oldest of the last so many tells all.
        self._moments: dict[str, deque[float]] = {}
        self._tidy_at = _TIDY_AFTER

    def check(self, key: str) -> None:
        """Raise ``TooManyRequests`` if another event of that key would be one too many."""
        moments = self._moments.get(key)
        if not self._limit or moments is None or len(moments) < self._limit:
            return
        wait = moments[0] + WINDOW - self._clock.monotonic()
        if wait > 0:
            raise TooManyRequests(self._message, retry_after=max(1, math.ceil(wait)))

    def count(self, key: str) -> None:
        """Note an event, without asking whether it may be."""
        if not self._limit:
            return
        moments = self._moments.get(key)
        if moments is None:
            self._tidy()
            moments = self._moments[key] = deque(maxlen=self._limit)
        moments.append(self._clock.monotonic())

    def spend(self, key: str) -> None:
        """Note an event, or raise ``TooManyRequests`` if it is one too many."""
        self.check(key)
        self.count(key)

    def __len__(self) -> int:
        return len(self._moments)

    def _tidy(self) -> None:
        """Forget keys whose minute is over, each time their number has doubled."""
        if len(self._moments) < self._tidy_at:
            return
        over = self._clock.monotonic() - WINDOW
        self._moments = {key: moments for key, moments in self._moments.items() if moments[-1] > over}
        self._tidy_at = max(_TIDY_AFTER, 2 * len(self._moments))


class LoginThrottle:
    """Slows down whoever guesses passwords: per account and address, and per address over all accounts."""

    def __init__(self, per_minute: int, clock: Clock) -> None:
        message = "Too many failed logins, try again later"
        self._guessing = Throttle(per_minute, message, clock)
        self._spraying = Throttle(per_minute * SPRAYING_FACTOR, message, clock)

    def check(self, account: str, address: str) -> None:
        """Raise ``TooManyRequests`` if that address has failed too often."""
        self._guessing.check(f"{account.casefold()} {address}")
        self._spraying.check(address)

    def count_failure(self, account: str, address: str) -> None:
        """Note that a login failed."""
        self._guessing.count(f"{account.casefold()} {address}")
        self._spraying.count(address)
