"""What is said of a connection, in words, in every face: how it ended, when it came back, what is missing."""

from __future__ import annotations

from tribe_ws.capture.names import Names
from tribe_ws.client.events import CatchUpFailed, Dropped, Lost, PongMissing, Reconnected, Repeated
from tribe_ws.durations import format_duration


def lost_words(loss: Lost) -> str:
    """Say how a connection ended."""
    reason = f' "{loss.reason}"' if loss.reason else ""
    meaning = f", {loss.meaning}" if loss.meaning else ""
    return f"{loss.code}{reason}{meaning}"


def reconnected_words(notice: Reconnected, names: Names) -> str:
    """Say after what time the connection is back, and what was done for it."""
    labels = " ".join(names.label(one) for one in notice.conversations)
    again = f"re-subscribed {labels}, " if labels else ""
    lost = "".join(f"; {names.label(one)} was not confirmed again" for one in notice.unconfirmed)
    return f"after {notice.gap:.1f} s, try {notice.attempt}, {again}{missed_words(notice)}{lost}."


def missed_words(notice: Reconnected) -> str:
    """Say how many missed messages were fetched."""
    return f"{notice.missed} missed message{'s' * (notice.missed != 1)} fetched"


def not_fetched_words(notice: CatchUpFailed, names: Names) -> str:
    """Say that what was missed in a conversation stays missing, and why."""
    return f"what was missed in {names.label(notice.conversation_id)} cannot be fetched: {notice.error}"


def dropped_words(notice: Dropped) -> str:
    """Say that events were thrown away because nobody read them in time."""
    return f"we read too slowly: {notice.count} events were thrown away"


def pong_words(notice: PongMissing) -> str:
    """Say that a ping went unanswered on a connection that lives."""
    return f"the server did not answer a ping in {format_duration(notice.seconds)}"


def repeated_words(notice: Repeated) -> str:
    """Say that a message came twice, with the clause which that breaks."""
    return f"the server sent message {notice.event.message_id} twice (message.once)"
