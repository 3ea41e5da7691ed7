"""Why did this client not get it? Who a message went to, as our sessions or the tap can tell."""

from __future__ import annotations

from collections.abc import Sequence

from tribe_ws.capture.record import Record
from tribe_ws.capture.words import latency_text
from tribe_ws_tui.inspection import Inspection
from tribe_ws_tui.sessions import InspectorSession
from tribe_ws_tui.tap import Tap
from tribe_ws_tui.widgets.detail import Delivery

_MESSAGES = frozenset({"POST message", "message.new"})


def deliveries_of(
    record: Record, inspection: Inspection, sessions: Sequence[InspectorSession], tap: Tap | None = None
) -> tuple[Delivery, ...]:
    """Tell of everybody in the conversation of a message whether it arrived, when, and if not, why.

    A tap knows every connection of the server, and its word is taken where there is one.
    """
    if tap is not None and (verdicts := tap.verdicts(record.seq)):
        return tuple(
            Delivery(one.connection or one.recipient, one.reason, has_arrived=one.is_delivered)
            for one in verdicts
        )
    if record.event not in _MESSAGES or record.conversation_id is None:
        return ()
    arrived: dict[str, list[float | None]] = {}
    for one in inspection.deliveries(record.seq):
        arrived.setdefault(one.username, []).append(one.latency)
    found = []
    for username in _participants(record, sessions):
        ours = [session for session in sessions if session.username == username]
        found.append(_delivery(username, record, arrived.get(username, []), ours))
    return tuple(found)


def _participants(record: Record, sessions: Sequence[InspectorSession]) -> list[str]:
    for session in sessions:
        conversation = session.state.conversations.get(record.conversation_id or "")
        if conversation is not None:
            return sorted(one.username for one in conversation.participants)
    return []


def _delivery(
    username: str, record: Record, latencies: list[float | None], ours: Sequence[InspectorSession]
) -> Delivery:
    if latencies:
        measured = [latency for latency in latencies if latency is not None]
        took = f"{latency_text(max(measured))}, " if measured else ""
        connections = max(len(ours), len(latencies))
        noun = "connection" if connections == 1 else "connections"
        return Delivery(username, f"{took}{len(latencies)} of {connections} {noun}", has_arrived=True)
    if username == record.sender:
        return Delivery(username, "the sender: never echoed", has_arrived=False)
    if not ours:
        return Delivery(username, "not watched here", has_arrived=False)
    if not any(session.state.link.is_open for session in ours):
        return Delivery(username, "not connected", has_arrived=False)
    if not any(record.conversation_id in session.state.subscribed for session in ours):
        return Delivery(username, "not subscribed", has_arrived=False)
    return Delivery(username, "did not arrive (yet)", has_arrived=False)
