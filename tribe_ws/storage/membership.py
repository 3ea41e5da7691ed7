"""What changes a conversation apart from its messages: its making, its participants, their reading.

Every function runs in the caller's transaction and locks the conversation first, as sending does, so that a
participant who was removed cannot slip a message in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from tribe_ws.errors import ConflictError, NotAllowed, NotFound
from tribe_ws.storage.milliseconds import from_milliseconds
from tribe_ws.storage.overview import read_conversation
from tribe_ws.storage.records import Conversation, ConversationType, ReadResult, Role
from tribe_ws.storage.tables import conversations, messages, participants
from tribe_ws.storage.users import missing_users


def create(
    connection: Connection,
    creator_id: str,
    conversation_type: ConversationType,
    participant_ids: Sequence[str],
    name: str | None,
    new_conversation_id: str,
    now_ms: int,
) -> tuple[Conversation, bool]:
    """Insert a conversation under the id that is kept for it, or find the direct one there is."""
    others = [user_id for user_id in dict.fromkeys(participant_ids) if user_id != creator_id]
    if missing_users(connection, frozenset([creator_id, *others])):
        raise NotFound("User not found")
    if conversation_type == "group":
        row = new_conversation(new_conversation_id, "group", name, None, now_ms)
        _insert_conversation(
            connection, row, [(creator_id, "admin"), *((other, "member") for other in others)]
        )
        return read_conversation(connection, row["id"], creator_id), True
    if len(others) != 1:
        raise ConflictError(
            "A direct conversation is between you and one other user", field="participant_ids"
        )
    return _create_direct(connection, creator_id, others[0], new_conversation_id, now_ms)


def new_conversation(
    conversation_id: str,
    conversation_type: ConversationType,
    name: str | None,
    direct_key: str | None,
    now_ms: int,
) -> dict[str, Any]:
    """Lay out the row of a conversation without messages."""
    return {
        "id": conversation_id, "conversation_type": conversation_type, "name": name, "image_url": None,
        "direct_key": direct_key, "last_seq": 0, "last_message_ms": None, "created_ms": now_ms,
    }  # fmt: skip


def direct_key(one_id: str, other_id: str) -> str:
    """Name the direct conversation of two users, whoever asks."""
    return ":".join(sorted((one_id, other_id)))


def insert_participants(
    connection: Connection, conversation_id: str, roles: Iterable[tuple[str, Role]], now_ms: int
) -> None:
    """Add users to a conversation within the caller's transaction."""
    rows = [
        {
            "conversation_id": conversation_id, "user_id": user_id, "role": role, "joined_ms": now_ms,
            "last_read_seq": 0, "last_read_ms": None, "is_muted": False, "is_archived": False,
        }
        for user_id, role in roles
    ]  # fmt: skip
    if rows:
        connection.execute(insert(participants), rows)


def role_of(connection: Connection, conversation_id: str, user_id: str) -> str | None:
    """Tell a participant's role; ``None`` for everybody else."""
    return connection.execute(
        select(participants.c.role).where(_is(conversation_id, user_id))
    ).scalar_one_or_none()


def add(
    connection: Connection, conversation_id: str, actor_id: str, user_ids: Sequence[str], now_ms: int
) -> Conversation:
    """Add users to a group on behalf of one of its admins."""
    _lock_group(connection, conversation_id, actor_id)
    if role_of(connection, conversation_id, actor_id) != "admin":
        raise NotAllowed("Only an admin may add participants")
    if missing_users(connection, frozenset(user_ids)):
        raise NotFound("User not found")
    present = connection.execute(
        select(participants.c.user_id).where(participants.c.conversation_id == conversation_id)
    ).scalars()
    wanted = dict.fromkeys(user_ids)
    for user_id in present:
        wanted.pop(user_id, None)
    insert_participants(connection, conversation_id, [(user_id, "member") for user_id in wanted], now_ms)
    return read_conversation(connection, conversation_id, actor_id)


def remove(connection: Connection, conversation_id: str, actor_id: str, user_id: str) -> None:
    """Remove a user from a group, on behalf of an admin or of that user."""
    _lock_group(connection, conversation_id, actor_id)
    if actor_id != user_id and role_of(connection, conversation_id, actor_id) != "admin":
        raise NotAllowed("Only an admin may remove participants")
    if connection.execute(delete(participants).where(_is(conversation_id, user_id))).rowcount == 0:
        raise NotFound("Participant not found")
    _keep_an_admin(connection, conversation_id)


def mark_read(connection: Connection, conversation_id: str, user_id: str, now_ms: int) -> ReadResult:
    """Move a participant's reading position to the newest message."""
    head = _lock(connection, conversation_id)
    if role_of(connection, conversation_id, user_id) is None:
        raise NotAllowed("Access denied")
    connection.execute(
        update(participants)
        .where(_is(conversation_id, user_id))
        .values(last_read_seq=head, last_read_ms=now_ms)
    )
    newest = connection.execute(
        select(messages.c.id).where(messages.c.conversation_id == conversation_id, messages.c.seq == head)
    ).scalar_one_or_none()
    return ReadResult(conversation_id, user_id, from_milliseconds(now_ms), newest)


def _create_direct(
    connection: Connection, creator_id: str, other_id: str, new_conversation_id: str, now_ms: int
) -> tuple[Conversation, bool]:
    key = direct_key(creator_id, other_id)
    find = select(conversations.c.id).where(conversations.c.direct_key == key)
    found = connection.execute(find).scalar_one_or_none()
    is_new = found is None
    if found is None:
        row = new_conversation(new_conversation_id, "direct", None, key, now_ms)
        found = row["id"]
        try:
            with connection.begin_nested():
                _insert_conversation(connection, row, [(creator_id, "member"), (other_id, "member")])
        except IntegrityError:
            # Another process was faster; what it committed is visible to the next statement.
            found, is_new = connection.execute(find).scalar_one(), False
    return read_conversation(connection, found, creator_id), is_new


def _insert_conversation(
    connection: Connection, row: dict[str, Any], roles: Iterable[tuple[str, Role]]
) -> None:
    connection.execute(insert(conversations), row)
    insert_participants(connection, row["id"], roles, row["created_ms"])


def _lock(connection: Connection, conversation_id: str) -> int:
    """Keep everybody else from changing a conversation until the end; tell its newest ``seq``."""
    head = connection.execute(
        select(conversations.c.last_seq).where(conversations.c.id == conversation_id).with_for_update()
    ).scalar_one_or_none()
    if head is None:
        raise NotFound("Conversation not found")
    return int(head)


def _lock_group(connection: Connection, conversation_id: str, actor_id: str) -> None:
    _lock(connection, conversation_id)
    if role_of(connection, conversation_id, actor_id) is None:
        raise NotAllowed("Access denied")
    kind = connection.execute(
        select(conversations.c.conversation_type).where(conversations.c.id == conversation_id)
    ).scalar_one()
    if kind != "group":
        raise NotAllowed("A direct conversation keeps its two participants")


def _keep_an_admin(connection: Connection, conversation_id: str) -> None:
    left = connection.execute(
        select(participants.c.user_id, participants.c.role)
        .where(participants.c.conversation_id == conversation_id)
        .order_by(participants.c.joined_ms, participants.c.user_id)
    ).all()
    if left and all(row.role != "admin" for row in left):
        connection.execute(
            update(participants).where(_is(conversation_id, left[0].user_id)).values(role="admin")
        )


def _is(conversation_id: str, user_id: str) -> Any:
    return and_(participants.c.conversation_id == conversation_id, participants.c.user_id == user_id)
