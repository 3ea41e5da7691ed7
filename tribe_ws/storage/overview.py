"""Reads conversations as one participant sees them, any number of them with the same few statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from tribe_ws.errors import NotAllowed, NotFound
from tribe_ws.storage.loading import load_messages
from tribe_ws.storage.milliseconds import from_milliseconds, maybe_moment
from tribe_ws.storage.records import Conversation, Message, Page, Participant
from tribe_ws.storage.rows import PARTICIPANT_COLUMNS, participant_from
from tribe_ws.storage.tables import conversations, messages, participants, users

_UNREAD = (
    select(func.count())
    .select_from(messages)
    .where(
        messages.c.conversation_id == conversations.c.id,
        messages.c.seq > participants.c.last_read_seq,
        messages.c.sender_id != participants.c.user_id,
    )
    .correlate(conversations, participants)
    .scalar_subquery()
)
_SEEN_BY = (
    select(
        conversations.c.id,
        conversations.c.conversation_type,
        conversations.c.name,
        conversations.c.image_url,
        conversations.c.last_seq,
        conversations.c.last_message_ms,
        conversations.c.created_ms,
        participants.c.is_muted,
        participants.c.is_archived,
        _UNREAD.label("unread_count"),
    )
    .select_from(conversations)
    .join(participants, participants.c.conversation_id == conversations.c.id)
)
_ACTIVITY = func.coalesce(conversations.c.last_message_ms, conversations.c.created_ms)


def read_conversation(connection: Connection, conversation_id: str, viewer_id: str) -> Conversation:
    """Read one conversation; raises ``NotFound`` or, if it is not the viewer's, ``NotAllowed``."""
    rows = connection.execute(
        _SEEN_BY.where(conversations.c.id == conversation_id, participants.c.user_id == viewer_id)
    ).all()
    if not rows:
        exists = connection.execute(
            select(conversations.c.id).where(conversations.c.id == conversation_id)
        ).one_or_none()
        raise NotFound("Conversation not found") if exists is None else NotAllowed("Access denied")
    return _complete(connection, rows)[0]


def list_conversations(connection: Connection, viewer_id: str, offset: int, limit: int) -> Page[Conversation]:
    """Read some of a user's conversations, newest activity first."""
    total = connection.execute(
        select(func.count()).select_from(participants).where(participants.c.user_id == viewer_id)
    ).scalar_one()
    rows = connection.execute(
        _SEEN_BY.where(participants.c.user_id == viewer_id)
        .order_by(_ACTIVITY.desc(), conversations.c.id.desc())
        .offset(offset)
        .limit(limit)
    ).all()
    return Page(tuple(_complete(connection, rows)), total)


def _complete(connection: Connection, rows: Sequence[Any]) -> list[Conversation]:
    people = _read_participants(connection, [row.id for row in rows])
    newest = _read_newest(connection, [(row.id, row.last_seq) for row in rows if row.last_seq])
    return [
        Conversation(
            id=row.id,
            conversation_type=row.conversation_type,
            name=row.name,
            image_url=row.image_url,
            participants=tuple(people.get(row.id, ())),
            last_message=newest.get(row.id),
            unread_count=row.unread_count,
            is_muted=row.is_muted,
            is_archived=row.is_archived,
            last_message_at=maybe_moment(row.last_message_ms),
            created_at=from_milliseconds(row.created_ms),
            last_seq=row.last_seq,
        )
        for row in rows
    ]


def _read_participants(
    connection: Connection, conversation_ids: Sequence[str]
) -> dict[str, list[Participant]]:
    people: dict[str, list[Participant]] = {}
    statement = (
        select(participants.c.conversation_id, *PARTICIPANT_COLUMNS)
        .join(users, users.c.id == participants.c.user_id)
        .where(participants.c.conversation_id.in_(conversation_ids))
        .order_by(participants.c.joined_ms, users.c.username_key)
    )
    for conversation_id, *values in connection.execute(statement):
        people.setdefault(conversation_id, []).append(participant_from(values))
    return people


def _read_newest(connection: Connection, heads: Sequence[tuple[str, int]]) -> dict[str, Message]:
    if not heads:
        return {}
    is_head: list[ColumnElement[bool]] = [
        and_(messages.c.conversation_id == conversation_id, messages.c.seq == seq)
        for conversation_id, seq in heads
    ]
    return {message.conversation_id: message for message in load_messages(connection, or_(*is_head))}


def count_all(connection: Connection) -> int:
    """Count users, conversations and messages together."""
    counts = [
        select(func.count()).select_from(table).scalar_subquery()
        for table in (users, conversations, messages)
    ]
    return int(connection.execute(select(counts[0] + counts[1] + counts[2])).scalar_one())
