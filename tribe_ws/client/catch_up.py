"""Which messages were handed out, and from where on to fetch after a gap: none lost, none doubled. No I/O.

The bookkeeping of a client's position is where other systems broke (reliability 1), so these rules hold:

* a message counts as handed out only once it is; what is fetched or held for a connection that ends meanwhile
  leaves no trace;
* while the missed messages of a conversation are fetched, its live ones are held, and follow them;
* the anchor to fetch from lies ``OVERLAP`` messages before the newest one handed out, so that a message which
  a server delivered out of order is not skipped; what comes twice by that is known by its id;
* live messages for which there is no room while holding are dropped and fetched as well;
* the position that ``tribe.v2`` resumes from moves in the same step in which a message is handed out, and
  while the missed ones are fetched by REST a new one counts only once they all were;
* memory is bounded: ``REMEMBERED`` ids a conversation, ``MOST_THREADS`` conversations.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import Enum

from tribe_ws.client.events import Event

OVERLAP = 16
REMEMBERED = 1024
MOST_HELD = 1000
MOST_THREADS = 4096


class Fate(Enum):
    """What to do with a live message."""

    HAND_OUT = "hand out"
    HOLD = "hold"
    REPEATED = "repeated"
    KNOWN = "known"


@dataclass(frozen=True, slots=True)
class Position:
    """How far a conversation was handed out, by the server's numbers of one epoch."""

    epoch: str
    seq: int


@dataclass(slots=True)
class _Thread:
    """What is known of one conversation."""

    # None: nobody knows where the subscription began. "": it began in an empty conversation.
    baseline: str | None = None
    recent: deque[str] = field(default_factory=lambda: deque(maxlen=OVERLAP))
    # Message id → the session in which it came live; 0 for one that was fetched.
    seen: dict[str, int] = field(default_factory=dict)
    held: deque[tuple[str, Event]] | None = None
    has_overflowed: bool = False
    is_fetching: bool = False
    position: Position | None = None
    # The position that counts once everything before it was fetched.
    pending: Position | None = None


class CatchUp:
    """The positions in all conversations of one stream; ``session`` counts its connections."""

    def __init__(self) -> None:
        self._threads: dict[str, _Thread] = {}
        self._session = 1

    def knows_start(self, conversation_id: str) -> bool:
        """Tell whether there is a point in that conversation to fetch from."""
        return self.anchor(conversation_id) is not None

    def begins_at(self, conversation_id: str, newest_id: str | None) -> None:
        """Note the newest message from before a subscription; ``None`` for an empty conversation."""
        thread = self._thread(conversation_id)
        if thread.baseline is None and not thread.recent:
            thread.baseline = newest_id or ""

    def forget(self, conversation_id: str) -> None:
        """Drop all that is known of a conversation, after ``unsubscribe``."""
        self._threads.pop(conversation_id.lower(), None)

    def anchor(self, conversation_id: str) -> str | None:
        """Tell the id to fetch after: ``""`` for the very beginning, ``None`` where nobody knows."""
        thread = self._threads.get(conversation_id.lower())
        if thread is None:
            return None
        if thread.baseline is not None and len(thread.recent) < OVERLAP:
            return thread.baseline
        return thread.recent[0] if thread.recent else None

    def begin_session(self, catching_up: tuple[str, ...]) -> None:
        """Begin with a new connection, holding live messages of those conversations."""
        self._session += 1
        for thread in self._threads.values():
            thread.held, thread.has_overflowed = None, False
            thread.is_fetching, thread.pending = False, None
        for conversation_id in catching_up:
            self._thread(conversation_id).held = deque()

    def arrived(self, conversation_id: str, message_id: str, event: Event) -> Fate:
        """Decide about a live message; one to ``HOLD`` is kept here until ``next_held``."""
        thread = self._thread(conversation_id)
        if thread.held is not None:
            # Once one was dropped, all later ones are: they must not come before it.
            thread.has_overflowed |= len(thread.held) >= MOST_HELD
            if not thread.has_overflowed:
                thread.held.append((message_id, event))
            return Fate.HOLD
        return self._fate_of(thread, message_id)

    def is_known(self, conversation_id: str, message_id: str) -> bool:
        """Tell whether that message was handed out already, as far back as we remember."""
        return message_id in self._thread(conversation_id).seen

    def handed_out(self, conversation_id: str, message_id: str, *, is_fetched: bool = False) -> None:
        """Note that a message was handed out, at the moment it is."""
        thread = self._thread(conversation_id)
        thread.seen[message_id] = 0 if is_fetched else self._session
        thread.recent.append(message_id)
        if len(thread.seen) > REMEMBERED:
            del thread.seen[next(iter(thread.seen))]

    # ── the server's numbers (tribe.v2) ─────────────────────────────────────────────────────────────────────

    def position(self, conversation_id: str) -> Position | None:
        """Tell where a server that numbers its messages should go on; ``None`` where nobody knows."""
        thread = self._threads.get(conversation_id.lower())
        return thread.position if thread else None

    def subscribed_at(self, conversation_id: str, at: Position, *, is_recovered: bool) -> bool:
        """Note where a subscription begins; tells whether what was missed comes over this connection."""
        thread = self._thread(conversation_id)
        if thread.held is None:
            if not is_recovered:
                thread.position = at
            return is_recovered
        if is_recovered and not thread.held and not thread.is_fetching:
            thread.held = None
            return True
        # It came too late, or after other messages: they are fetched, and what is known is left out.
        thread.pending = at
        return False

    def moved_to(self, conversation_id: str, seq: int) -> None:
        """Move the position on, at the moment a message of that number is handed out."""
        thread = self._thread(conversation_id)
        current = thread.position if thread.held is None else thread.pending
        if current is None or seq <= current.seq:
            return
        moved = Position(current.epoch, seq)
        if thread.held is None:
            thread.position = moved
        else:
            thread.pending = moved

    def forget_position(self, conversation_id: str) -> None:
        """Drop the position, after the server ended the subscription."""
        thread = self._thread(conversation_id)
        thread.position = thread.pending = None

    # ── fetching ────────────────────────────────────────────────────────────────────────────────────────────

    def begin_fetching(self, conversation_id: str) -> bool:
        """Tell whether missed messages must be fetched; from now on no replay takes their place."""
        thread = self._thread(conversation_id)
        thread.is_fetching = thread.held is not None
        return thread.is_fetching

    def next_held(self, conversation_id: str) -> tuple[Fate, Event] | None:
        """Look at the next held message and its fate; ``None`` when none is left."""
        thread = self._thread(conversation_id)
        if not thread.held:
            return None
        message_id, event = thread.held[0]
        return self._fate_of(thread, message_id), event

    def drop_held(self, conversation_id: str) -> None:
        """Be done with the message that ``next_held`` showed."""
        held = self._thread(conversation_id).held
        if held:
            held.popleft()

    def go_live(self, conversation_id: str) -> bool:
        """Stop holding; ``False``, and still holding, if messages were dropped that must be fetched."""
        thread = self._thread(conversation_id)
        if thread.has_overflowed:
            thread.has_overflowed = False
            return False
        thread.held, thread.is_fetching = None, False
        if thread.pending is not None:
            thread.position, thread.pending = thread.pending, None
        return True

    def _fate_of(self, thread: _Thread, message_id: str) -> Fate:
        session = thread.seen.get(message_id)
        if session is None:
            return Fate.HAND_OUT
        return Fate.REPEATED if session == self._session else Fate.KNOWN

    def _thread(self, conversation_id: str) -> _Thread:
        key = conversation_id.lower()
        found = self._threads.get(key)
        if found is None:
            if len(self._threads) >= MOST_THREADS:
                del self._threads[next(iter(self._threads))]
            found = self._threads[key] = _Thread()
        return found
