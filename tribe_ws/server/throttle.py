"""How often something may be tried: failed logins, and REST requests where the settings limit them.

One engine counts both. What is counted is kept in memory and forgotten by itself.
"""

from __future__ import annotations

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from tribe_ws.errors import TribeError

SPRAYING_FACTOR = 10
"""How many times as many failures one address gets over all accounts as over one of them."""


class TooManyRequests(TribeError):
    """Something was tried too often; ``retry_after`` whole seconds from now it may be tried again."""

    code = "too_many_requests"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Throttle:
    """Allows so many of a kind of event a minute and key; a limit of 0 allows all."""

    def __init__(self, per_minute: int, message: str) -> None:
        self._item = RateLimitItemPerMinute(per_minute) if per_minute else None
        self._message = message
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def check(self, key: str) -> None:
        """Raise ``TooManyRequests`` if another event of that key would be one too many."""
        if self._item is not None and not self._limiter.test(self._item, key):
            self._refuse(self._item, key)

    def count(self, key: str) -> None:
        """Note an event, without asking whether it may be."""
        if self._item is not None:
            self._limiter.hit(self._item, key)

    def spend(self, key: str) -> None:
        """Note an event, or raise ``TooManyRequests`` if it is one too many."""
        if self._item is not None and not self._limiter.hit(self._item, key):
            self._refuse(self._item, key)

    def _refuse(self, item: RateLimitItemPerMinute, key: str) -> None:
        wait = self._limiter.get_window_stats(item, key).reset_time - time.time()
        raise TooManyRequests(self._message, retry_after=max(1, math.ceil(wait)))


class LoginThrottle:
    """Slows down whoever guesses passwords: per account and address, and per address over all accounts."""

    def __init__(self, per_minute: int) -> None:
        message = "Too many failed logins, try again later"
        self._guessing = Throttle(per_minute, message)
        self._spraying = Throttle(per_minute * SPRAYING_FACTOR, message)

    def check(self, account: str, address: str) -> None:
        """Raise ``TooManyRequests`` if that address has failed too often."""
        self._guessing.check(f"{account.casefold()} {address}")
        self._spraying.check(address)

    def count_failure(self, account: str, address: str) -> None:
        """Note that a login failed."""
        self._guessing.count(f"{account.casefold()} {address}")
        self._spraying.count(address)
