"""What the storage hands out and takes in: frozen values, free of any database.

Ids are hyphenated lower-case UUIDs. Moments are aware, in UTC, and whole milliseconds: that is what the wire
shows (contract 3.3), so nothing finer is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

T = TypeVar("T")

ConversationType = Literal["direct", "group"]
Role = Literal["admin", "member"]


@dataclass(frozen=True, slots=True)
class User:
    """An account. ``password_hash`` is filled where somebody logs in (``by_login``), and empty elsewhere."""

    id: str
    email: str
    username: str
    full_name: str
    bio: str | None
    profile_image_url: str | None
    cover_image_url: str | None
    goals_achieved: int
    photos_shared: int
    email_verified: bool
    is_verified: bool
    is_active: bool
    status: str
    last_seen_at: datetime | None
    created_at: datetime
    password_hash: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Participant:
    """A user as one of a conversation's participants."""

    user_id: str
    username: str
    full_name: str
    profile_image_url: str | None
    role: str
    last_seen_at: datetime | None


@dataclass(frozen=True, slots=True)
class Message:
    """A stored message; ``seq`` counts from 1 within its conversation, without gaps.

    ``reply_to_message`` is itself never followed further. ``read_by`` holds the ids of the other participants
    who have read up to here. ``connection_id`` is the socket whose client posted it, where it said so.
    """

    id: str
    conversation_id: str
    seq: int
    sender: User
    content: str
    message_type: str
    media_url: str | None
    media_thumbnail_url: str | None
    metadata: dict[str, Any] | None
    reply_to_message: Message | None
    is_edited: bool
    is_deleted: bool
    read_by: tuple[str, ...]
    client_message_id: str | None
    created_at: datetime
    connection_id: str | None = None

    @property
    def sender_id(self) -> str:
        """The sender's id."""
        return self.sender.id

    @property
    def sender_username(self) -> str:
        """The sender's username."""
        return self.sender.username

    @property
    def sender_full_name(self) -> str:
        """The sender's full name."""
        return self.sender.full_name

    @property
    def sender_profile_image_url(self) -> str | None:
        """The address of the sender's picture, if there is one."""
        return self.sender.profile_image_url

    @property
    def reply_to_message_id(self) -> str | None:
        """The id of the message this one answers, if it answers one."""
        return None if self.reply_to_message is None else self.reply_to_message.id


@dataclass(frozen=True, slots=True)
class StoredMessage(Message):
    """A committed message as its sender gets it back; ``replayed`` if an earlier request had stored it."""

    replayed: bool = False


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message that is to be stored.

    Either key makes a repeat harmless for 24 hours, per sender and conversation (contract 5).
    """

    conversation_id: str
    sender_id: str
    content: str
    message_type: str = "text"
    reply_to_message_id: str | None = None
    client_message_id: str | None = None
    idempotency_key: str | None = None
    connection_id: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as one of its participants sees it: the unread count and the flags are the viewer's."""

    id: str
    conversation_type: ConversationType
    name: str | None
    image_url: str | None
    participants: tuple[Participant, ...]
    last_message: Message | None
    unread_count: int
    is_muted: bool
    is_archived: bool
    last_message_at: datetime | None
    created_at: datetime
    last_seq: int


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What ``mark_read`` noted; ``last_read_message_id`` is ``None`` in a conversation without messages."""

    conversation_id: str
    user_id: str
    read_at: datetime
    last_read_message_id: str | None


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Part of a conversation, oldest message first.

    ``next_cursor`` is the message id to ask for next, in the direction asked: as ``before``, or as ``after``
    when this page was asked for by ``after``. It is ``None`` where ``has_more`` is false. ``total`` counts
    the whole conversation.
    """

    messages: tuple[Message, ...]
    has_more: bool
    next_cursor: str | None
    total: int


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Part of a list, with the size of the whole."""

    items: tuple[T, ...]
    total: int


@dataclass(frozen=True, slots=True)
class WorldConversation:
    """A conversation of a world: ``label`` is how transcripts name it (``#general``, ``alice+bob``)."""

    id: str
    alias: str
    label: str
    participants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WorldSummary:
    """What a world holds, and how much of it was missing and is there now."""

    name: str
    usernames: tuple[str, ...] = ()
    conversations: tuple[WorldConversation, ...] = ()
    users_created: int = 0
    conversations_created: int = 0
    messages_created: int = 0
