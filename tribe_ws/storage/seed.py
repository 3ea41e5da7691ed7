"""Fills a database with a world: adds what is missing, and touches nothing that is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from tribe_ws.clock import Clock
from tribe_ws.errors import ConfigurationError, ConflictError
from tribe_ws.storage import migrate
from tribe_ws.storage.database import Database
from tribe_ws.storage.membership import direct_key, insert_participants, new_conversation
from tribe_ws.storage.milliseconds import to_milliseconds
from tribe_ws.storage.records import Role, WorldSummary
from tribe_ws.storage.tables import conversations, messages
from tribe_ws.storage.users import insert_user, missing_users, new_user
from tribe_ws.storage.world import World, WorldHistory, WorldMessage


async def apply_world(
    database: Database, clock: Clock, world: World, hash_password: Callable[[str], str]
) -> WorldSummary:
    """Add the users and conversations of a world that the database lacks.

    Who and what is there already stays as it is, its history included. Raises ``ConfigurationError`` if
    somebody else has the name of one of its users.
    """
    ids = frozenset(user.id for user in world.users)
    missing = await database.read(lambda connection: missing_users(connection, ids))
    hashes = await asyncio.to_thread(_hash_all, world, missing, hash_password)
    now_ms = to_milliseconds(clock.now())
    filling = Filling(world, hashes, now_ms)
    return await database.write(filling.run) if world.users else filling.summary()


def _hash_all(world: World, missing: frozenset[str], hash_password: Callable[[str], str]) -> dict[str, str]:
    return {user.id: hash_password(user.password) for user in world.users if user.id in missing}


@dataclass(slots=True)
class Filling:
    """One run over a world, with the count of what it had to add."""

    world: World
    hashes: Mapping[str, str]
    now_ms: int
    users_created: int = 0
    conversations_created: int = 0
    messages_created: int = 0

    def run(self, connection: Connection) -> WorldSummary:
        """Add what the database lacks; for one transaction, which may be repeated."""
        self.users_created = self.conversations_created = self.messages_created = 0
        migrate.take_turns(connection)
        self._add_users(connection)
        ids = {user.username: user.id for user in self.world.users}
        for history in self.world.conversations:
            if not _is_there(connection, history, _direct_key(history, ids)):
                self._add_conversation(connection, history, ids)
        return self.summary()

    def summary(self) -> WorldSummary:
        """Tell what the world holds, and how much of it was added."""
        return WorldSummary(
            self.world.name,
            tuple(user.username for user in self.world.users),
            tuple(history.summary() for history in self.world.conversations),
            self.users_created,
            self.conversations_created,
            self.messages_created,
        )

    def _add_users(self, connection: Connection) -> None:
        # Asked again: somebody may have been faster.
        missing = missing_users(connection, frozenset(self.hashes))
        for user in self.world.users:
            if user.id not in missing:
                continue
            row = new_user(
                user.id, user.email, user.username, user.full_name, self.hashes[user.id], self.now_ms
            )
            try:
                insert_user(connection, row | {"email_verified": True} | user.details)
            except ConflictError as error:
                raise ConfigurationError(
                    f"the world {self.world.name!r} cannot be filled in: another account has the "
                    f"{error.field} of its user {user.username!r}",
                    hint="give another database with --db, or another world with --fixtures",
                ) from None
            self.users_created += 1

    def _add_conversation(
        self, connection: Connection, history: WorldHistory, ids: Mapping[str, str]
    ) -> None:
        people = [ids[name] for name in history.participants]
        row = new_conversation(
            history.id,
            history.conversation_type,
            history.name,
            _direct_key(history, ids),
            self._start(history),
        )
        connection.execute(insert(conversations), row)
        first: Role = "member" if history.name is None else "admin"
        insert_participants(
            connection,
            history.id,
            [(user_id, "member" if position else first) for position, user_id in enumerate(people)],
            self.now_ms,
        )
        self.conversations_created += 1
        self._add_messages(connection, history, ids)

    def _add_messages(self, connection: Connection, history: WorldHistory, ids: Mapping[str, str]) -> None:
        rows: list[dict[str, Any]] = []
        moment_ms = 0
        for number, message in enumerate(history.messages, 1):
            # Strictly increasing, as for messages that are sent.
            moment_ms = max(self._moment(message), moment_ms + 1)
            rows.append(_message_row(history, number, message, ids[message.sender], moment_ms))
        if rows:
            connection.execute(insert(messages), rows)
            connection.execute(
                update(conversations)
                .where(conversations.c.id == history.id)
                .values(last_seq=len(rows), last_message_ms=moment_ms)
            )
        self.messages_created += len(rows)

    def _start(self, history: WorldHistory) -> int:
        return self._moment(history.messages[0]) if history.messages else self.now_ms

    def _moment(self, message: WorldMessage) -> int:
        return self.now_ms - round(message.age.total_seconds() * 1000)


def _message_row(
    history: WorldHistory, number: int, message: WorldMessage, sender_id: str, moment_ms: int
) -> dict[str, Any]:
    answered = None if message.reply_to is None else history.message_id(message.reply_to)
    return {
        "id": history.message_id(number), "conversation_id": history.id, "seq": number, "sender_id":
        sender_id, "content": message.text, "message_type": "text", "media_url": None, "media_thumbnail_url":
        None, "metadata": None, "reply_to_message_id": answered, "is_edited": False, "is_deleted": False,
        "client_message_id": None, "created_ms": moment_ms,
    }  # fmt: skip


def _direct_key(history: WorldHistory, ids: Mapping[str, str]) -> str | None:
    return None if history.name else direct_key(*(ids[name] for name in history.participants))


def _is_there(connection: Connection, history: WorldHistory, key: str | None) -> bool:
    """Tell whether a conversation exists; the two of a direct one may have started it themselves."""
    found = select(conversations.c.id).where(conversations.c.id == history.id)
    if key is not None:
        found = select(conversations.c.id).where(conversations.c.direct_key == key)
    return connection.execute(found).first() is not None
