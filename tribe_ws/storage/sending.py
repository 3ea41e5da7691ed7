"""The hot path: stores a batch of messages with a handful of statements, whatever its size.

Runs inside the writer's transaction. What is wrong with one message (no such conversation, not a participant,
a key used twice) is an outcome of that message alone; what is wrong with the database is raised.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, false, insert, null, select, update

from tribe_ws.errors import ConflictError, NotAllowed, NotFound, TribeError
from tribe_ws.storage.loading import load_answered, load_messages
from tribe_ws.storage.milliseconds import from_milliseconds
from tribe_ws.storage.records import Message, NewMessage, StoredMessage, User
from tribe_ws.storage.rows import USER_COLUMNS, user_from
from tribe_ws.storage.tables import conversations, messages, participants, sent_keys, users

KEY_LIFE_MS = 24 * 3600 * 1000
"""How long a repeat of a send is recognised (contract 5)."""

Outcome = StoredMessage | TribeError

# In the order of their ids, so that two processes which lock the same conversations cannot wait for each
# other.
_LOCK_CONVERSATIONS = (
    select(conversations.c.id, conversations.c.last_seq, conversations.c.last_message_ms)
    .where(conversations.c.id.in_(bindparam("conversation_ids", expanding=True)))
    .order_by(conversations.c.id)
    .with_for_update()
)
_FIND_SENDERS = (
    select(participants.c.conversation_id, *USER_COLUMNS)
    .join(users, users.c.id == participants.c.user_id)
    .where(
        participants.c.conversation_id.in_(bindparam("conversation_ids", expanding=True)),
        participants.c.user_id.in_(bindparam("sender_ids", expanding=True)),
    )
)
_FIND_KEYS = select(
    sent_keys.c.id, sent_keys.c.message_id, sent_keys.c.body_digest, sent_keys.c.expires_ms
).where(sent_keys.c.id.in_(bindparam("ids", expanding=True)))
_FORGET_KEYS = delete(sent_keys).where(sent_keys.c.id.in_(bindparam("ids", expanding=True)))
_INSERT_KEYS = insert(sent_keys)
# What no new message has is part of the statement: ten values to bind instead of fifteen.
_INSERT_MESSAGES = insert(messages).values(
    id=bindparam("id"),
    conversation_id=bindparam("conversation_id"),
    seq=bindparam("seq"),
    sender_id=bindparam("sender_id"),
    content=bindparam("content"),
    message_type=bindparam("message_type"),
    media_url=null(),
    media_thumbnail_url=null(),
    metadata=null(),
    reply_to_message_id=bindparam("reply_to_message_id"),
    is_edited=false(),
    is_deleted=false(),
    client_message_id=bindparam("client_message_id"),
    created_ms=bindparam("created_ms"),
    connection_id=bindparam("connection_id"),
)
_MOVE_HEADS = (
    update(conversations)
    .where(conversations.c.id == bindparam("moved_id"))
    .values(last_seq=bindparam("moved_seq"), last_message_ms=bindparam("moved_ms"))
)


def store_messages(
    connection: Connection, batch: Sequence[NewMessage], now_ms: int, new_id: Callable[[str], str]
) -> list[Outcome]:
    """Store what may be stored of a batch, in its order, and say of each message what came of it."""
    storing = _Storing(connection, batch, now_ms, new_id)
    outcomes = storing.admit_all()
    storing.write()
    return outcomes


def forget_expired_keys(connection: Connection, now_ms: int) -> None:
    """Delete the keys whose 24 hours are over."""
    connection.execute(delete(sent_keys).where(sent_keys.c.expires_ms <= now_ms))


@dataclass(slots=True)
class _Head:
    """Where a conversation stands: what the next message counts on from."""

    seq: int
    moment_ms: int
    moved: bool = False


@dataclass(frozen=True, slots=True)
class _Key:
    """A key under which a send is recognised; ``name`` is how its sender calls it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class _KnownSend:
    """What an earlier request with a key stored."""

    body_digest: str
    message: StoredMessage


class _Storing:
    """One batch: what it needed to know, and what it is going to write."""

    def __init__(
        self,
        connection: Connection,
        batch: Sequence[NewMessage],
        now_ms: int,
        new_id: Callable[[str], str],
    ) -> None:
        self._connection = connection
        self._new_id = new_id
        self._batch = batch
        self._now_ms = now_ms
        conversation_ids = list({new.conversation_id for new in batch})
        # First the locks: on PostgreSQL each statement sees what was committed before it began, so whoever
        # was removed while we waited for the lock is not found as a participant any more.
        self._heads = self._lock(conversation_ids)
        self._senders = self._find_senders(conversation_ids, list({new.sender_id for new in batch}))
        self._keys = [_keys_of(new) for new in batch]
        self._known = self._find_known([key.id for keys in self._keys for key in keys])
        self._answered = self._find_answered([new.reply_to_message_id for new in batch])
        self._rows: list[dict[str, Any]] = []
        self._key_rows: list[dict[str, Any]] = []

    def admit_all(self) -> list[Outcome]:
        """Decide about each message, and note the rows that storing it takes."""
        return [self._admit(new, keys) for new, keys in zip(self._batch, self._keys, strict=True)]

    def _admit(self, new: NewMessage, keys: Sequence[_Key]) -> Outcome:
        head = self._heads.get(new.conversation_id)
        if head is None:
            return NotFound("Conversation not found")
        sender = self._senders.get((new.conversation_id, new.sender_id))
        if sender is None:
            return NotAllowed("Access denied")
        digest = _digest_of_body(new) if keys else ""
        for key in keys:
            if (known := self._known.get(key.id)) is not None:
                return _repeat(known, digest, key)
        answered = self._answered.get(new.reply_to_message_id or "")
        if new.reply_to_message_id and (answered is None or answered.conversation_id != new.conversation_id):
            return NotFound("Message to reply to not found")
        stored = self._note(new, head, sender, answered)
        for key in keys:
            self._note_key(key, stored, digest)
        return stored

    def write(self) -> None:
        """Write what was admitted."""
        if not self._rows:
            return
        execute = self._connection.execute
        execute(_INSERT_MESSAGES, self._rows)
        if self._key_rows:
            execute(_INSERT_KEYS, self._key_rows)
        execute(
            _MOVE_HEADS,
            [
                {"moved_id": conversation_id, "moved_seq": head.seq, "moved_ms": head.moment_ms}
                for conversation_id, head in self._heads.items()
                if head.moved
            ],
        )

    def _note(self, new: NewMessage, head: _Head, sender: User, answered: Message | None) -> StoredMessage:
        head.seq += 1
        # Strictly increasing, even when the wall clock stands still or runs backwards.
        head.moment_ms = max(self._now_ms, head.moment_ms + 1)
        head.moved = True
        message_id = self._new_id("message")
        self._rows.append(
            {
                "id": message_id,
                "conversation_id": new.conversation_id,
                "seq": head.seq,
                "sender_id": new.sender_id,
                "content": new.content,
                "message_type": new.message_type,
                "reply_to_message_id": new.reply_to_message_id,
                "client_message_id": new.client_message_id,
                "created_ms": head.moment_ms,
                "connection_id": new.connection_id,
            }
        )
        return StoredMessage(
            message_id, new.conversation_id, head.seq, sender, new.content, new.message_type, None, None,
            None, answered, False, False, (), new.client_message_id, from_milliseconds(head.moment_ms),
            new.connection_id,
        )  # fmt: skip

    def _note_key(self, key: _Key, stored: StoredMessage, digest: str) -> None:
        # A repeat may come in the same batch.
        self._known[key.id] = _KnownSend(digest, stored)
        self._key_rows.append(
            {
                "id": key.id,
                "message_id": stored.id,
                "body_digest": digest,
                "expires_ms": self._now_ms + KEY_LIFE_MS,
            }
        )

    def _lock(self, conversation_ids: list[str]) -> dict[str, _Head]:
        rows = self._connection.execute(_LOCK_CONVERSATIONS, {"conversation_ids": conversation_ids})
        return {row[0]: _Head(row[1], row[2] or 0) for row in rows}

    def _find_senders(
        self, conversation_ids: list[str], sender_ids: list[str]
    ) -> dict[tuple[str, str], User]:
        rows = self._connection.execute(
            _FIND_SENDERS, {"conversation_ids": conversation_ids, "sender_ids": sender_ids}
        )
        known: dict[str, User] = {}
        senders: dict[tuple[str, str], User] = {}
        for conversation_id, *values in rows:
            if (user := known.get(values[0])) is None:
                user = known[values[0]] = user_from(values)
            senders[conversation_id, user.id] = user
        return senders

    def _find_known(self, key_ids: list[str]) -> dict[str, _KnownSend]:
        if not key_ids:
            return {}
        found = self._connection.execute(_FIND_KEYS, {"ids": key_ids}).all()
        if expired := [row.id for row in found if row.expires_ms <= self._now_ms]:
            self._connection.execute(_FORGET_KEYS, {"ids": expired})
        live = [row for row in found if row.expires_ms > self._now_ms]
        if not live:
            return {}
        ids = [row.message_id for row in live]
        stored = {message.id: message for message in load_messages(self._connection, messages.c.id.in_(ids))}
        return {row.id: _KnownSend(row.body_digest, _as_stored(stored[row.message_id])) for row in live}

    def _find_answered(self, message_ids: Iterable[str | None]) -> dict[str, Message]:
        wanted = {message_id for message_id in message_ids if message_id is not None}
        return load_answered(self._connection, wanted)


def _keys_of(new: NewMessage) -> list[_Key]:
    keys: list[_Key] = []
    for name, key in (("Idempotency-Key", new.idempotency_key), ("client_message_id", new.client_message_id)):
        if key is not None:
            keys.append(_Key(_digest(new.sender_id, new.conversation_id, name, key), name))
    return keys


def _digest_of_body(new: NewMessage) -> str:
    return _digest(new.content, new.message_type, new.reply_to_message_id, new.client_message_id)


def _digest(*parts: str | None) -> str:
    # As JSON, so that no two lists of parts look alike, and lone surrogates can be encoded.
    return hashlib.blake2b(json.dumps(parts).encode(), digest_size=16).hexdigest()


def _repeat(known: _KnownSend, digest: str, key: _Key) -> Outcome:
    if known.body_digest == digest:
        return _as_stored(known.message)
    return ConflictError(f"{key.name} was already used with another body", field="idempotency_key")


def _as_stored(message: Message) -> StoredMessage:
    """Show a message as it was when its first request was answered: nobody had read it yet."""
    return StoredMessage(
        message.id, message.conversation_id, message.seq, message.sender, message.content,
        message.message_type, message.media_url, message.media_thumbnail_url, message.metadata,
        message.reply_to_message, message.is_edited, message.is_deleted, (), message.client_message_id,
        message.created_at, message.connection_id, replayed=True,
    )  # fmt: skip
