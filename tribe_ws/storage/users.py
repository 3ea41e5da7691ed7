"""Accounts: who there is, under which unique names, and who shares a conversation with whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from tribe_ws.clock import Clock
from tribe_ws.errors import ConflictError, NotFound, TribeError
from tribe_ws.storage.database import Database
from tribe_ws.storage.milliseconds import to_milliseconds
from tribe_ws.storage.records import User
from tribe_ws.storage.rows import USER_COLUMNS, user_from
from tribe_ws.storage.tables import participants, users

CHANGEABLE = frozenset(
    {
        "email", "username", "full_name", "bio", "profile_image_url", "cover_image_url", "goals_achieved",
        "photos_shared", "email_verified", "is_verified", "is_active", "status", "password_hash",
    }
)  # fmt: skip
"""The fields that ``UserStore.update`` takes."""


class UserStore:
    """The accounts of one database."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, email: str, username: str, full_name: str, password_hash: str) -> User:
        """Add an account.

        Raises ``ConflictError`` with the field ``email`` or ``username`` if that is taken, in any case of
        letters.
        """
        values = new_user(
            self._clock.new_id("user"),
            email,
            username,
            full_name,
            password_hash,
            to_milliseconds(self._clock.now()),
        )
        return await self._database.write(lambda connection: insert_user(connection, values))

    async def by_id(self, user_id: str) -> User | None:
        """Find a user by id."""
        return await self._database.look_up(lambda connection: find_user(connection, user_id))

    async def by_login(self, email_or_username: str) -> User | None:
        """Find the user who logs in under that e-mail address or username, with the password's hash."""
        return await self._database.look_up(lambda connection: _find_login(connection, email_or_username))

    async def update(self, user_id: str, changes: Mapping[str, Any]) -> User:
        """Change the named fields of a user (those of ``CHANGEABLE``).

        Raises ``NotFound``, or ``ConflictError`` for a taken username or e-mail address.
        """
        if unknown := changes.keys() - CHANGEABLE:
            raise TypeError(f"a user has no changeable {', '.join(sorted(unknown))}")
        return await self._database.write(lambda connection: _update(connection, user_id, changes))

    async def search(self, text: str, offset: int, limit: int) -> list[User]:
        """List active users whose username or full name contains ``text``, whatever the case, by username."""
        return await self._database.look_up(lambda connection: _search(connection, text, offset, limit))

    async def touch(
        self, user_id: str, status: str | None = None, last_seen_at: datetime | None = None
    ) -> None:
        """Note when a user was last seen (default: now) and, if given, the status that user wants to show."""
        values: dict[str, Any] = {"last_seen_ms": to_milliseconds(last_seen_at or self._clock.now())}
        if status is not None:
            values["status"] = status
        statement = update(users).where(users.c.id == user_id).values(values)
        await self._database.write(lambda connection: connection.execute(statement).close())

    async def contacts_of(self, user_id: str) -> frozenset[str]:
        """Tell who shares a conversation with a user, the user left out."""
        return await self._database.look_up(lambda connection: _contacts(connection, user_id))


def new_user(
    user_id: str, email: str, username: str, full_name: str, password_hash: str, now_ms: int
) -> dict[str, Any]:
    """Lay out the row of a new account; whoever knows more changes it before it is inserted."""
    return {
        "id": user_id, "email": email, "username": username, "full_name": full_name, "bio": None,
        "profile_image_url": None, "cover_image_url": None, "goals_achieved": 0, "photos_shared": 0,
        "email_verified": False, "is_verified": False, "is_active": True, "status": "offline",
        "last_seen_ms": None, "created_ms": now_ms, "password_hash": password_hash,
    }  # fmt: skip


def insert_user(connection: Connection, values: dict[str, Any]) -> User:
    """Insert a row of ``new_user`` within the caller's transaction."""
    try:
        with connection.begin_nested():
            connection.execute(insert(users), values | _keys(values))
    except IntegrityError as error:
        raise _taken(connection, values, error) from None
    return user_from([values[column.name] for column in USER_COLUMNS])


def find_user(connection: Connection, user_id: str) -> User | None:
    """Find a user by id within the caller's transaction."""
    row = connection.execute(select(*USER_COLUMNS).where(users.c.id == user_id)).one_or_none()
    return None if row is None else user_from(row)


def missing_users(connection: Connection, user_ids: frozenset[str]) -> frozenset[str]:
    """Tell which of some ids no user has."""
    found = connection.execute(select(users.c.id).where(users.c.id.in_(user_ids))).scalars()
    return user_ids - frozenset(found)


def _find_login(connection: Connection, text: str) -> User | None:
    if "\0" in text:
        # No name has one, and PostgreSQL would not even look.
        return None
    key = text.strip().casefold()
    statement = select(*USER_COLUMNS, users.c.password_hash, users.c.email_key).where(
        or_(users.c.email_key == key, users.c.username_key == key)
    )
    # An address wins over a username that looks like one.
    rows = sorted(connection.execute(statement).all(), key=lambda row: row.email_key != key)
    return replace(user_from(rows[0][:-2]), password_hash=rows[0].password_hash) if rows else None


def _update(connection: Connection, user_id: str, changes: Mapping[str, Any]) -> User:
    found = find_user(connection, user_id)
    if found is None:
        raise NotFound("User not found")
    values = {"email": found.email, "username": found.username, "full_name": found.full_name} | dict(changes)
    try:
        with connection.begin_nested():
            connection.execute(update(users).where(users.c.id == user_id).values(values | _keys(values)))
    except IntegrityError as error:
        raise _taken(connection, values | {"id": user_id}, error) from None
    return find_user(connection, user_id) or found


def _search(connection: Connection, text: str, offset: int, limit: int) -> list[User]:
    if "\0" in text:
        return []
    statement = (
        select(*USER_COLUMNS)
        .where(users.c.is_active, users.c.search_key.contains(text.strip().casefold(), autoescape=True))
        .order_by(users.c.username_key)
        .offset(offset)
        .limit(limit)
    )
    return [user_from(row) for row in connection.execute(statement)]


def _contacts(connection: Connection, user_id: str) -> frozenset[str]:
    own = select(participants.c.conversation_id).where(participants.c.user_id == user_id)
    statement = select(participants.c.user_id).where(
        participants.c.conversation_id.in_(own), participants.c.user_id != user_id
    )
    return frozenset(connection.execute(statement.distinct()).scalars())


def _keys(values: Mapping[str, Any]) -> dict[str, str]:
    """Work out the case-folded twins of a user's names."""
    return {
        "email_key": values["email"].casefold(),
        "username_key": values["username"].casefold(),
        "search_key": f"{values['username']}\n{values['full_name']}".casefold(),
    }


def _taken(connection: Connection, values: Mapping[str, Any], error: IntegrityError) -> TribeError:
    """Say which name of a refused row belongs to somebody else."""
    keys = _keys(values)
    for field, sentence in (("email", "Email already registered"), ("username", "Username already taken")):
        column = users.c[f"{field}_key"]
        statement = select(func.count()).where(column == keys[f"{field}_key"], users.c.id != values["id"])
        if connection.execute(statement).scalar_one():
            return ConflictError(sentence, field=field)
    raise error
