"""Everything the data side tells the screens, on one page: tasks post these, handlers touch widgets.

No message is posted per event: what is in the store is drawn by the event log's own timer.
"""

from __future__ import annotations

from typing import Literal

from textual.message import Message

Severity = Literal["information", "warning", "error"]


class SessionMoved(Message):
    """The state of a session has changed; a newer one makes an older one of the same session needless."""

    def __init__(self, label: str) -> None:
        super().__init__()
        self.label = label

    def can_replace(self, message: Message) -> bool:
        """Tell that only the newest state of a session matters."""
        return isinstance(message, SessionMoved) and message.label == self.label


class Said(Message):
    """Something to be told in passing: a reconnect, a failed send, an end of the recording."""

    def __init__(self, words: str, severity: Severity = "information", hint: str = "") -> None:
        super().__init__()
        self.words = words
        self.severity: Severity = severity
        self.hint = hint


class Broke(Message):
    """A task failed by a bug of ours; whoever owns the task goes on as well as it can."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


class LoginWanted(Message):
    """A session cannot go on without a new login; ``reason`` is the server's own word."""

    def __init__(self, label: str, username: str, reason: str) -> None:
        super().__init__()
        self.label = label
        self.username = username
        self.reason = reason


class NotSent(Message):
    """A message was not stored: its text goes back into the composer."""

    def __init__(self, label: str, conversation_id: str, text: str, words: str, hint: str = "") -> None:
        super().__init__()
        self.label = label
        self.conversation_id = conversation_id
        self.text = text
        self.words = words
        self.hint = hint


class TapMoved(Message):
    """The tap has a new lane, or has ended; ``words`` says why if it has."""

    def __init__(self, words: str = "") -> None:
        super().__init__()
        self.words = words

    def can_replace(self, message: Message) -> bool:
        """Tell that only the newest matters."""
        return isinstance(message, TapMoved) and not message.words


class ReplayMoved(Message):
    """The position, the speed or the end of a replay has changed."""

    def can_replace(self, message: Message) -> bool:
        """Tell that only the newest matters."""
        return isinstance(message, ReplayMoved)
