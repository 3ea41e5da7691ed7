"""What is said of a connection, in words: that it came back, and why nothing comes over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tribe_ws.capture.names import Names
from tribe_ws.client.events import Lost, Reconnected

if TYPE_CHECKING:
    from tribe_ws_cli.live import Live


def lost_words(loss: Lost) -> str:
    """Say how a connection ended."""
    reason = f' "{loss.reason}"' if loss.reason else ""
    return f"{loss.code}{reason}, {loss.meaning}"


def reconnected_words(notice: Reconnected, names: Names) -> str:
    """Say after what time the connection is back, and what was done for it."""
    labels = " ".join(names.label(one) for one in notice.conversations)
    again = f"re-subscribed {labels}, " if labels else ""
    missed = f"{notice.missed} missed message{'s' * (notice.missed != 1)} fetched"
    lost = "".join(f"; {names.label(one)} was not confirmed again" for one in notice.unconfirmed)
    return f"after {notice.gap:.1f} s, try {notice.attempt}, {again}{missed}{lost}."


def silence_words(live: Live, *, can_subscribe: bool) -> str:
    """Say why nothing may come, and what would change that."""
    if live.printer.hidden:
        return f"The filter hides {live.printer.hidden} events. /filter off shows them."
    me, flag = live.identity.username, live.identity.environment.url_flag()
    if not live.stream.subscriptions:
        example = live.names.example().lstrip("#")
        where = f"Try /subscribe {example}" if can_subscribe else f"tribe-ws watch {example} --as {me}{flag}"
        return f"Subscribed to nothing yet, so nothing will arrive. {where}"
    conversation_id = live.stream.subscriptions[0]
    others = [name for name in live.names.user_names(conversation_id) if name != me]
    label = live.names.label(conversation_id).lstrip("#")
    if not others:
        return f"Nothing yet: nobody but {me} is in {label}, and your own messages are not echoed to you."
    return (
        f"Nothing yet. Your own messages are not echoed to you; let another user speak:"
        f'  tribe-ws send {label} "Hello" --as {others[0]}{flag}'
    )
