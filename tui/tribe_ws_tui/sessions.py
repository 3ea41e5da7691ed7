"""What the screens may ask of a session, whoever answers: a live one, a replay, or a test's fake.

All calls return at once; what fails is told by a message (``Said``, ``NotSent``, ``LoginWanted``), never by
an exception into a key handler. ``state`` is always the newest; ``SessionMoved`` says that it has changed.
"""

from __future__ import annotations

from typing import Protocol

from tribe_ws.capture.names import Names
from tribe_ws.client.rest import RestClient
from tribe_ws.protocol.frames import PresenceStatus
from tribe_ws_tui.state import SessionState


class InspectorSession(Protocol):
    """One user at work; its label, ``A`` or ``B``, is also the lane and the ``connection`` of its records."""

    @property
    def label(self) -> str:
        """The letter on the screen."""
        ...

    @property
    def username(self) -> str:
        """Who it acts as."""
        ...

    @property
    def state(self) -> SessionState:
        """What it knows now."""
        ...

    @property
    def names(self) -> Names:
        """The conversations by every name they answer to."""
        ...

    @property
    def is_read_only(self) -> bool:
        """Whether nothing can be sent (a replay)."""
        ...

    @property
    def sends_typing(self) -> bool:
        """Whether typing in the composer is told to the others."""
        ...

    def now(self) -> float:
        """Tell the seconds of the clock that its state counts by."""
        ...

    # ── life ──────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Begin to connect, in a task of its own; connects again by itself after a loss."""
        ...

    async def stop(self) -> None:
        """Close the connection and end every task."""
        ...

    def disconnect(self) -> None:
        """Close the connection and stay away until ``reconnect``."""
        ...

    def reconnect(self) -> None:
        """Connect at once: do not wait for the next try, or break an open connection off."""
        ...

    def log_in(self, rest: RestClient) -> None:
        """Go on with another login, as the same user or as another one."""
        ...

    def renew_token(self) -> None:
        """Renew the access token before its time, and connect with it where that is needed."""
        ...

    # ── talking ───────────────────────────────────────────────────────────────────────────────────────────

    def subscribe(self, conversation_id: str) -> None:
        """Subscribe; the state says when the server has confirmed it."""
        ...

    def unsubscribe(self, conversation_id: str) -> None:
        """Take back a subscription."""
        ...

    def say(self, conversation_id: str, text: str) -> None:
        """Send a message by REST; ``NotSent`` brings the text back where that failed."""
        ...

    def key_pressed(self, conversation_id: str) -> None:
        """Note a key in the composer: the first tells the others that one types."""
        ...

    def stop_typing(self) -> None:
        """Tell the others, if they were told, that one types no more."""
        ...

    def send_typing_events(self, is_on: bool) -> None:
        """Switch real typing events on or off."""
        ...

    def typing(self, conversation_id: str, is_typing: bool) -> None:
        """Send a typing event by command, whatever the composer does."""
        ...

    def set_presence(self, status: PresenceStatus) -> None:
        """Say how one wants to be seen."""
        ...

    def ping(self, count: int = 1) -> None:
        """Send the documented ping, so often."""
        ...

    def send_raw(self, frame: str | bytes) -> None:
        """Send a frame as it is, right or wrong."""
        ...

    def close_with(self, code: int, reason: str = "") -> None:
        """Close the connection with a code of one's own choice."""
        ...

    def mark_read(self, conversation_id: str) -> None:
        """Tell the server that one has read everything in a conversation."""
        ...

    def watch(self, conversation_id: str) -> None:
        """Count nothing as unread that comes into the conversation somebody reads; empty for none."""
        ...

    def refetch(self) -> None:
        """Fetch the conversations anew."""
        ...

    def say_note(self, words: str) -> None:
        """Put a note of one's own into the stream."""
        ...
