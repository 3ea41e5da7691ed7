"""Reads messages whole: with their sender, what they answer, and who has read them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from tribe_ws.storage.milliseconds import from_milliseconds
from tribe_ws.storage.records import Message
from tribe_ws.storage.rows import USER_COLUMNS, user_from
from tribe_ws.storage.tables import messages, participants, users

_MESSAGE_COLUMNS = (
    messages.c.id,
    messages.c.conversation_id,
    messages.c.seq,
    messages.c.content,
    messages.c.message_type,
    messages.c.media_url,
    messages.c.media_thumbnail_url,
    messages.c.metadata,
    messages.c.is_edited,
    messages.c.is_deleted,
    messages.c.client_message_id,
    messages.c.created_ms,
    messages.c.reply_to_message_id,
    messages.c.connection_id,
)
_COUNT = len(_MESSAGE_COLUMNS)


def load_messages(
    connection: Connection,
    condition: ColumnElement[bool],
    *order: ColumnElement[Any],
    limit: int | None = None,
) -> list[Message]:
    """Read the messages that meet a condition, in that order, with a fixed number of statements."""
    found = _read(connection, condition, order, limit)
    answered_ids = {answered_id for _, answered_id in found if answered_id is not None}
    answered = load_answered(connection, answered_ids)
    positions = _read_positions(connection, {message.conversation_id for message, _ in found})
    return [
        replace(
            message,
            reply_to_message=answered.get(answered_id or ""),
            read_by=_readers(message, positions.get(message.conversation_id, ())),
        )
        for message, answered_id in found
    ]


def load_answered(connection: Connection, message_ids: Collection[str]) -> dict[str, Message]:
    """Read messages as a reply carries them, by id: without what they answer, and their readers."""
    found = _read(connection, messages.c.id.in_(message_ids)) if message_ids else []
    return {message.id: message for message, _ in found}


def _read(
    connection: Connection,
    condition: ColumnElement[bool],
    order: Sequence[ColumnElement[Any]] = (),
    limit: int | None = None,
) -> list[tuple[Message, str | None]]:
    """Read messages without what hangs on them, each with the id of the message it answers."""
    statement = (
        select(*_MESSAGE_COLUMNS, *USER_COLUMNS)
        .join(users, users.c.id == messages.c.sender_id)
        .where(condition)
        .order_by(*order)
        .limit(limit)
    )
    return [_message_from(row) for row in connection.execute(statement)]


def _message_from(row: Sequence[Any]) -> tuple[Message, str | None]:
    (
        message_id, conversation_id, seq, content, message_type, media_url, media_thumbnail_url, metadata,
        is_edited, is_deleted, client_message_id, created_ms, answered_id, connection_id,
    ) = row[:_COUNT]  # fmt: skip
    message = Message(
        message_id, conversation_id, seq, user_from(row[_COUNT:]), content, message_type, media_url,
        media_thumbnail_url, metadata, None, is_edited, is_deleted, (), client_message_id,
        from_milliseconds(created_ms), connection_id,
    )  # fmt: skip
    return message, answered_id


def _read_positions(connection: Connection, conversation_ids: set[str]) -> dict[str, list[tuple[str, int]]]:
    """Tell how far each participant of some conversations has read."""
    positions: dict[str, list[tuple[str, int]]] = {}
    if conversation_ids:
        statement = select(
            participants.c.conversation_id, participants.c.user_id, participants.c.last_read_seq
        ).where(participants.c.conversation_id.in_(conversation_ids), participants.c.last_read_seq > 0)
        for conversation_id, user_id, seq in connection.execute(statement.order_by(participants.c.user_id)):
            positions.setdefault(conversation_id, []).append((user_id, seq))
    return positions


def _readers(message: Message, positions: Iterable[tuple[str, int]]) -> tuple[str, ...]:
    return tuple(user_id for user_id, seq in positions if seq >= message.seq and user_id != message.sender.id)
