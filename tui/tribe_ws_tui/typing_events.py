"""Real typing events: the first key says that one types, a pause, a sent message or Esc that one stopped."""

from __future__ import annotations

from collections.abc import Callable

from tribe_ws.clock import Clock, Timer

STOPS_AFTER = 4.0
"""Seconds without a key after which one has stopped."""
RENEWED_AFTER = 5.0
"""Seconds of typing after which it is said again: whoever hears nothing for six takes it for stopped."""


class TypingEvents:
    """Says when one begins and stops typing; ``say`` sends it for a conversation."""

    def __init__(self, say: Callable[[str, bool], None], clock: Clock) -> None:
        self.is_on = True
        self._say = say
        self._clock = clock
        self._where = ""
        self._said_at = 0.0
        self._timer: Timer | None = None

    def key_pressed(self, conversation_id: str) -> None:
        """Note a key in the composer."""
        if not self.is_on or not conversation_id:
            return
        if self._where != conversation_id:
            self.stop()
        now = self._clock.monotonic()
        if not self._where or now - self._said_at >= RENEWED_AFTER:
            self._where, self._said_at = conversation_id, now
            self._say(conversation_id, True)
        self._wait()

    def stop(self) -> None:
        """Say that one has stopped, if it was said that one began."""
        self.forget()
        where, self._where = self._where, ""
        if where:
            self._say(where, False)

    def forget(self) -> None:
        """Wait for nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        self.forget()
        self._timer = self._clock.call_later(STOPS_AFTER, self.stop)
