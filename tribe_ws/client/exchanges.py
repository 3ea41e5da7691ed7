"""REST calls as they went over the wire, for whoever keeps a record of what a session does."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_KEPT = 200


@dataclass(frozen=True, slots=True)
class Exchange:
    """One REST call and its answer, which came ``at``; ``path`` is whole, with prefix and query.

    ``body`` and ``answer`` are as they were: the body of a login holds the password, its answer the tokens.
    Whoever writes them down redacts them.
    """

    at: datetime
    method: str
    path: str
    status: int
    seconds: float
    body: Any = field(repr=False, default=None)
    answer: Any = field(repr=False, default=None)


class ExchangeLog:
    """Hands each exchange to its listener; until there is one it keeps them, the newest two hundred."""

    def __init__(self) -> None:
        self._early: deque[Exchange] = deque(maxlen=_KEPT)
        self._listener: Callable[[Exchange], None] | None = None

    def take(self, exchange: Exchange) -> None:
        """Pass an exchange on, or keep it for whoever listens later."""
        if self._listener is None:
            self._early.append(exchange)
        else:
            self._listener(exchange)

    def listen(self, listener: Callable[[Exchange], None]) -> None:
        """Hand over what was kept, and everything from now on."""
        self._listener = listener
        while self._early:
            listener(self._early.popleft())
