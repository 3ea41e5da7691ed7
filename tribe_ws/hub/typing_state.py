"""Who is typing where, until they stop, leave, send, or have been silent for a while (contract 3.2).

The state is a user's, not a socket's: what a user says on any socket counts, the last word wins. It ends by
itself when the sockets that said ``true`` are gone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tribe_ws.clock import Clock, Timer
from tribe_ws.hub.connection import Connection

Emit = Callable[[str, str, str, bool], None]
"""Called with conversation id, user id, user's full name, and whether the user types."""

_TOLERANCE = 1e-6  # a timer may fire a rounding error before the moment it was set for


class _Entry:
    """What is known of one typist in one conversation, and until when."""

    __slots__ = (
        "conversation_id",
        "is_typing",
        "said_at",
        "speakers",
        "timer",
        "until",
        "user_id",
        "user_name",
    )

    def __init__(self, conversation_id: str, connection: Connection) -> None:
        self.conversation_id = conversation_id
        self.user_id = connection.user_id
        self.user_name = connection.user_name
        self.is_typing = False
        self.said_at = float("-inf")
        self.until = 0.0
        self.speakers: set[Connection] = set()
        self.timer: Timer | None = None


class TypingState:
    """Decides which changes of typing are told to others; ``emit`` hears of each of them, once.

    A ``true`` lapses after ``ttl`` seconds; the same word within ``repeat`` seconds is not told again, but
    a coalesced ``true`` still puts the lapse off.
    """

    def __init__(self, clock: Clock, *, ttl: float, emit: Emit, repeat: float = 1.0) -> None:
        self._clock = clock
        self._ttl = ttl
        self._repeat = repeat
        self._emit = emit
        self._entries: dict[tuple[str, str], _Entry] = {}
        self._spoken: dict[Connection, set[str]] = {}

    def say(self, connection: Connection, conversation_id: str, is_typing: bool) -> None:
        """Take the word of a user's connection."""
        key = (connection.user_id, conversation_id)
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry(conversation_id, connection)
        now = self._clock.monotonic()
        is_news = is_typing != entry.is_typing or now - entry.said_at >= self._repeat
        if not is_typing:
            self._unlist(entry)
        self._list(entry, connection)
        if is_news:
            self._turn(entry, is_typing, now)
        elif is_typing:
            entry.until = now + self._ttl

    def stop(self, user_id: str, conversation_id: str) -> None:
        """End the user's typing there, whatever the socket: they sent what they typed."""
        entry = self._entries.get((user_id, conversation_id))
        if entry is not None and entry.is_typing:
            self._turn(entry, False, self._clock.monotonic())

    def expel(self, user_id: str, conversation_id: str) -> None:
        """End the user's typing there and keep no trace: they are no participant any more."""
        self.stop(user_id, conversation_id)
        entry = self._entries.get((user_id, conversation_id))
        if entry is not None:
            self._drop(entry)

    def release(self, connection: Connection, conversation_id: str) -> None:
        """Note that the connection no longer listens there; ends typing that no other socket keeps up."""
        entry = self._entries.get((connection.user_id, conversation_id))
        if entry is None or not entry.is_typing or connection not in entry.speakers:
            return
        if len(entry.speakers) > 1:
            self._discard(entry, connection)
        else:
            self._turn(entry, False, self._clock.monotonic())

    def release_all(self, connection: Connection) -> None:
        """Note that the connection is gone; ends what typing no other socket of the user keeps up."""
        for conversation_id in tuple(self._spoken.get(connection, ())):
            entry = self._entries[connection.user_id, conversation_id]
            self._discard(entry, connection)
            if not entry.speakers:
                self.expel(connection.user_id, conversation_id)

    def clear(self) -> None:
        """Forget everything without a word; the server stops."""
        for entry in tuple(self._entries.values()):
            self._drop(entry)

    def __len__(self) -> int:
        return len(self._entries) + len(self._spoken)

    def _turn(self, entry: _Entry, is_typing: bool, now: float) -> None:
        entry.is_typing = is_typing
        entry.said_at = now
        entry.until = now + (self._ttl if is_typing else self._repeat)
        if entry.timer is not None:
            entry.timer.cancel()
        self._arm(entry, now)
        self._emit(entry.conversation_id, entry.user_id, entry.user_name, is_typing)

    def _arm(self, entry: _Entry, now: float) -> None:
        entry.timer = self._clock.call_later(entry.until - now, partial(self._due, entry))

    def _due(self, entry: _Entry) -> None:
        """Lapse a ``true``, or forget a ``false`` kept to coalesce its repeats; a renewed one waits on."""
        now = self._clock.monotonic()
        if now < entry.until - _TOLERANCE:
            self._arm(entry, now)
        elif entry.is_typing:
            self._turn(entry, False, now)
        else:
            self._drop(entry)

    def _drop(self, entry: _Entry) -> None:
        if entry.timer is not None:
            entry.timer.cancel()
        self._unlist(entry)
        self._entries.pop((entry.user_id, entry.conversation_id), None)

    def _list(self, entry: _Entry, connection: Connection) -> None:
        entry.speakers.add(connection)
        self._spoken.setdefault(connection, set()).add(entry.conversation_id)

    def _unlist(self, entry: _Entry) -> None:
        for connection in tuple(entry.speakers):
            self._discard(entry, connection)

    def _discard(self, entry: _Entry, connection: Connection) -> None:
        entry.speakers.discard(connection)
        spoken = self._spoken.get(connection)
        if spoken is not None:
            spoken.discard(entry.conversation_id)
            if not spoken:
                del self._spoken[connection]
