"""Messages: sending them through the writer, and reading a conversation page by page (contract 5)."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection, and_, select

from tribe_ws.errors import NotAllowed, NotFound
from tribe_ws.storage.database import Database
from tribe_ws.storage.loading import load_messages
from tribe_ws.storage.records import Message, MessagePage, NewMessage, StoredMessage
from tribe_ws.storage.tables import conversations, messages, participants


class MessageStore:
    """The messages of one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def send(self, new: NewMessage) -> StoredMessage:
        """Store a message; returns after its commit, together with whatever else waited for one.

        Raises ``NotFound`` (no such conversation, or nothing there to reply to), ``NotAllowed`` (the sender
        is no participant at that moment), ``ConflictError`` (field ``idempotency_key``: a key used with
        another body) and ``StorageUnavailable``. A caller that is cancelled does not undo the message.
        """
        return await self._database.send(new)

    async def head_seq(self, conversation_id: str) -> int:
        """Tell the number of the newest message of a conversation; 0 for none."""
        found = await self._database.look_up(
            lambda connection: connection.execute(
                select(conversations.c.last_seq).where(conversations.c.id == conversation_id)
            ).scalar_one_or_none()
        )
        return int(found or 0)

    async def after_seq(
        self,
        conversation_id: str,
        after_seq: int,
        limit: int,
        *,
        up_to: int | None = None,
        not_from: str | None = None,
    ) -> tuple[Message, ...]:
        """Read at most ``limit`` messages whose number is above ``after_seq``, oldest first.

        ``up_to`` is the highest number wanted, ``not_from`` a sender whose messages are not.
        """
        wanted = [messages.c.conversation_id == conversation_id, messages.c.seq > after_seq]
        if up_to is not None:
            wanted.append(messages.c.seq <= up_to)
        if not_from is not None:
            wanted.append(messages.c.sender_id != not_from)
        found = await self._database.read(
            lambda connection: load_messages(connection, and_(*wanted), messages.c.seq.asc(), limit=limit)
        )
        return tuple(found)

    async def page(
        self,
        conversation_id: str,
        viewer_id: str,
        limit: int,
        page: int | None = None,
        before: str | None = None,
        after: str | None = None,
    ) -> MessagePage:
        """Read part of a conversation, oldest message first.

        By default the newest ``limit`` messages, with ``page`` (from 1) those further back; ``before`` and
        ``after`` are message ids, and ``after`` runs upwards from that message. Raises ``NotFound`` (also for
        an unknown message id) and ``NotAllowed``.
        """
        return await self._database.read(
            lambda connection: _page(connection, conversation_id, viewer_id, limit, page or 1, before, after)
        )


def _page(
    connection: Connection,
    conversation_id: str,
    viewer_id: str,
    limit: int,
    page: int,
    before: str | None,
    after: str | None,
) -> MessagePage:
    total = _visible_length(connection, conversation_id, viewer_id)
    # seq has no gaps, so it is the offset: no page gets slower the further back it lies.
    lowest = _seq_of(connection, conversation_id, after) if after else 0
    highest = _seq_of(connection, conversation_id, before) - 1 if before else total
    direction: Literal["up", "down"] = "up" if after else "down"
    if direction == "up":
        lowest += (page - 1) * limit
        found = _between(connection, conversation_id, lowest, min(highest, lowest + limit))
        has_more = bool(found) and found[-1].seq < highest
    else:
        highest -= (page - 1) * limit
        found = _between(connection, conversation_id, max(0, highest - limit), highest)
        has_more = bool(found) and found[0].seq > 1
    edge = None if not has_more else found[-1] if direction == "up" else found[0]
    return MessagePage(tuple(found), has_more, None if edge is None else edge.id, total)


def _visible_length(connection: Connection, conversation_id: str, viewer_id: str) -> int:
    """Tell how many messages a conversation holds, to one who may know it."""
    row = connection.execute(
        select(conversations.c.last_seq, participants.c.user_id)
        .outerjoin(
            participants,
            (participants.c.conversation_id == conversations.c.id) & (participants.c.user_id == viewer_id),
        )
        .where(conversations.c.id == conversation_id)
    ).one_or_none()
    if row is None:
        raise NotFound("Conversation not found")
    if row.user_id is None:
        raise NotAllowed("Access denied")
    return int(row.last_seq)


def _seq_of(connection: Connection, conversation_id: str, message_id: str) -> int:
    seq = connection.execute(
        select(messages.c.seq).where(
            messages.c.id == message_id, messages.c.conversation_id == conversation_id
        )
    ).scalar_one_or_none()
    if seq is None:
        raise NotFound("Message not found")
    return int(seq)


def _between(connection: Connection, conversation_id: str, above: int, up_to: int) -> list[Message]:
    return load_messages(
        connection,
        and_(messages.c.conversation_id == conversation_id, messages.c.seq > above, messages.c.seq <= up_to),
        messages.c.seq.asc(),
    )
