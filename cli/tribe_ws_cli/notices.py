"""What is said of a live session in the terminal: why nothing comes over it, and what would change that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tribe_ws.durations import format_duration

if TYPE_CHECKING:
    from tribe_ws.capture.journal import Journal
    from tribe_ws_cli.live import Live


def session_words(journal: Journal, seconds: float) -> str:
    """Say how long a session was and what passed in it."""
    counts = journal.counts
    violations = counts["violation"]
    told = f", {violations} violation{'s' * (violations != 1)}" if violations else ""
    out = counts["out"] + counts["rest"]
    events = f"{counts['in']} event{'s' * (counts['in'] != 1)} in, {out} out"
    return f"{format_duration(seconds)}, {events}{told}"


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
