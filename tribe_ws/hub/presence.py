"""Who is online, worked out from sockets: from the first that opens until a while after the last is closed.

The delay is there because an app opens a socket per screen, and screens come and go (contract 3.4).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tribe_ws.clock import Clock, Timer


class PresenceState:
    """Turns first and last sockets into comings and goings; ``announce(user_id, is_online)`` hears them."""

    def __init__(self, clock: Clock, *, delay: float, announce: Callable[[str, bool], None]) -> None:
        self._clock = clock
        self._delay = delay
        self._announce = announce
        self._online: set[str] = set()
        self._leaving: dict[str, Timer] = {}

    def is_online(self, user_id: str) -> bool:
        """Tell whether the user has a socket, or had one a moment ago."""
        return user_id in self._online

    def arrived(self, user_id: str) -> None:
        """Note that the user opened a first socket."""
        leaving = self._leaving.pop(user_id, None)
        if leaving is not None:
            leaving.cancel()
        elif user_id not in self._online:
            self._online.add(user_id)
            self._announce(user_id, True)

    def left(self, user_id: str) -> None:
        """Note that the last socket of the user was closed."""
        if self._delay == 0:
            self._gone(user_id)
        elif user_id in self._online and user_id not in self._leaving:
            self._leaving[user_id] = self._clock.call_later(self._delay, partial(self._gone, user_id))

    def stop(self) -> None:
        """Forget everybody without a word; the server stops."""
        for timer in self._leaving.values():
            timer.cancel()
        self._leaving.clear()
        self._online.clear()

    def __len__(self) -> int:
        return len(self._online) + len(self._leaving)

    def _gone(self, user_id: str) -> None:
        self._leaving.pop(user_id, None)
        if user_id in self._online:
            self._online.discard(user_id)
            self._announce(user_id, False)
