"""``NoSession``: nobody at work. It stands where a capture is played, or a server tapped, without a login."""

from __future__ import annotations

import time
from dataclasses import replace

from tribe_ws.capture.names import Names
from tribe_ws.client.rest import RestClient
from tribe_ws.protocol.frames import PresenceStatus
from tribe_ws_tui.state import Link, LinkKind, SessionState


class NoSession:
    """Knows nobody and sends nothing; see ``InspectorSession``."""

    is_read_only = True
    sends_typing = False

    def __init__(self, label: str, words: str = "", username: str = "nobody") -> None:
        self.label = label
        self.username = username
        self.names = Names((), username)
        self.state = SessionState(username, link=Link(LinkKind.REPLAY, words=words))

    def stands(self, words: str) -> None:
        """Say something else of what one looks at instead."""
        self.state = replace(self.state, link=replace(self.state.link, words=words))

    def now(self) -> float:
        """Tell the seconds of the system's clock."""
        return time.monotonic()

    def start(self) -> None:
        """Connect to nothing."""

    async def stop(self) -> None:
        """End nothing."""

    def disconnect(self) -> None:
        """Stay away."""

    def reconnect(self) -> None:
        """Stay away."""

    def log_in(self, rest: RestClient) -> None:
        """Take no login."""

    def renew_token(self) -> None:
        """Have no token."""

    def subscribe(self, conversation_id: str) -> None:
        """Send nothing."""

    def unsubscribe(self, conversation_id: str) -> None:
        """Send nothing."""

    def say(self, conversation_id: str, text: str) -> None:
        """Send nothing."""

    def key_pressed(self, conversation_id: str) -> None:
        """Send nothing."""

    def stop_typing(self) -> None:
        """Send nothing."""

    def send_typing_events(self, is_on: bool) -> None:
        """Send nothing."""

    def typing(self, conversation_id: str, is_typing: bool) -> None:
        """Send nothing."""

    def set_presence(self, status: PresenceStatus) -> None:
        """Send nothing."""

    def ping(self, count: int = 1) -> None:
        """Send nothing."""

    def send_raw(self, frame: str | bytes) -> None:
        """Send nothing."""

    def close_with(self, code: int, reason: str = "") -> None:
        """Have nothing to close."""

    def mark_read(self, conversation_id: str) -> None:
        """Send nothing."""

    def watch(self, conversation_id: str) -> None:
        """Count nothing."""

    def refetch(self) -> None:
        """Fetch nothing."""

    def say_note(self, words: str) -> None:
        """Say nothing."""
