"""What REST calls give back: plain values, with the server's own object kept in ``raw``.

They read what is there: a field that a foreign server leaves out gets a neutral default, one that it adds is
in ``raw``. Only what cannot be missing (ids) is insisted on; then ``ProtocolViolation`` says which call broke
the contract (contract 5).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tribe_ws.client.events import read_time
from tribe_ws.client.tokens import Tokens
from tribe_ws.errors import ProtocolViolation

Raw = dict[str, Any]


@dataclass(frozen=True, slots=True)
class User:
    """A user; one's own account has ``email``, others' have not."""

    id: str
    username: str
    full_name: str
    profile_image_url: str | None = None
    email: str = ""
    bio: str | None = None
    is_online: bool | None = None
    last_seen_at: datetime | None = None
    raw: Raw = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Participant:
    """A member of a conversation; ``role`` is ``admin`` or ``member``."""

    user_id: str
    username: str
    full_name: str
    role: str
    is_online: bool | None
    raw: Raw = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Message:
    """A stored message; inside ``Conversation.last_message`` its content may be shortened."""

    id: str
    conversation_id: str
    sender: User
    content: str
    message_type: str
    created_at: datetime | None
    raw: Raw = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as its viewer sees it; a direct one usually has no ``name``."""

    id: str
    conversation_type: str
    name: str | None
    participants: tuple[Participant, ...]
    last_message: Message | None
    unread_count: int
    last_message_at: datetime | None
    raw: Raw = field(default_factory=dict, repr=False, compare=False)

    @property
    def is_group(self) -> bool:
        """Whether more than two people may take part."""
        return self.conversation_type == "group"


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """One page of the conversations, newest activity first."""

    conversations: tuple[Conversation, ...]
    page: int
    total: int
    has_more: bool
    raw: Raw = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class MessagePage:
    """One page of a conversation's messages, oldest first."""

    messages: tuple[Message, ...]
    has_more: bool
    next_cursor: str | None
    raw: Raw = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class SentMessage:
    """A message the server has stored.

    ``recipients`` is how many connections it goes to, where the server tells (ours does); ``is_replayed``
    says that it was stored by an earlier try; ``seconds`` is the round trip; ``tries`` how often it went out.
    """

    message: Message
    recipients: int | None
    is_replayed: bool
    seconds: float
    idempotency_key: str
    tries: int = 1


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The answer to a login or a registration."""

    user: User
    tokens: Tokens
    raw: Raw = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Health:
    """How a server says it is; ``status`` is ``ok`` when all is well with a server of ours."""

    status: str
    version: str
    raw: Raw = field(default_factory=dict, repr=False, compare=False)


def read_user(raw: Raw) -> User:
    """Read a user, one's own or another's."""
    return User(
        id=required(raw, "id"),
        username=_text(raw, "username"),
        full_name=_text(raw, "full_name"),
        profile_image_url=_optional_text(raw, "profile_image_url"),
        email=_text(raw, "email"),
        bio=_optional_text(raw, "bio"),
        is_online=_optional_flag(raw, "is_online"),
        last_seen_at=read_time(raw.get("last_seen_at")),
        raw=raw,
    )


def read_participant(raw: Raw) -> Participant:
    """Read a member of a conversation."""
    return Participant(
        user_id=required(raw, "user_id"),
        username=_text(raw, "username"),
        full_name=_text(raw, "full_name"),
        role=_text(raw, "role"),
        is_online=_optional_flag(raw, "is_online"),
        raw=raw,
    )


def read_message(raw: Raw, conversation_id: str = "") -> Message:
    """Read a message; ``conversation_id`` is that of the call, where the object itself does not tell."""
    sender = raw.get("sender")
    return Message(
        id=required(raw, "id"),
        conversation_id=_text(raw, "conversation_id") or conversation_id,
        sender=read_user(sender) if isinstance(sender, dict) else User("", "", ""),
        content=_text(raw, "content"),
        message_type=_text(raw, "message_type") or "text",
        created_at=read_time(raw.get("created_at")),
        raw=raw,
    )


def read_conversation(raw: Raw) -> Conversation:
    """Read a conversation."""
    identity = required(raw, "id")
    last = raw.get("last_message")
    return Conversation(
        id=identity,
        conversation_type=_text(raw, "conversation_type") or "direct",
        name=_optional_text(raw, "name"),
        participants=tuple(read_participant(one) for one in objects(raw, "participants")),
        last_message=read_message(last, identity) if isinstance(last, dict) else None,
        unread_count=_number(raw, "unread_count", 0),
        last_message_at=read_time(raw.get("last_message_at")),
        raw=raw,
    )


def read_conversation_page(raw: Raw) -> ConversationPage:
    """Read a page of conversations."""
    conversations = tuple(read_conversation(one) for one in objects(raw, "conversations"))
    pagination = raw.get("pagination")
    pages = pagination if isinstance(pagination, dict) else {}
    return ConversationPage(
        conversations,
        page=_number(pages, "page", 1),
        total=_number(pages, "total", len(conversations)),
        has_more=pages.get("has_more") is True,
        raw=raw,
    )


def read_message_page(raw: Raw, conversation_id: str) -> MessagePage:
    """Read a page of messages."""
    return MessagePage(
        tuple(read_message(one, conversation_id) for one in objects(raw, "messages")),
        has_more=raw.get("has_more") is True,
        next_cursor=_optional_text(raw, "next_cursor"),
        raw=raw,
    )


def required(raw: Raw, name: str) -> str:
    """Give a text that must be there; raises ``ProtocolViolation`` where it is not."""
    value = raw.get(name)
    if not isinstance(value, str) or not value:
        raise ProtocolViolation("invalid_payload", f'the server\'s answer has no "{name}"')
    return value


def objects(raw: Raw, name: str) -> list[Raw]:
    """Give the objects of a list; anything else in it is passed over."""
    value = raw.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _text(raw: Raw, name: str) -> str:
    value = raw.get(name)
    return value if isinstance(value, str) else ""


def _optional_text(raw: Raw, name: str) -> str | None:
    value = raw.get(name)
    return value if isinstance(value, str) else None


def _number(raw: Raw, name: str, default: int) -> int:
    value = raw.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _optional_flag(raw: Raw, name: str) -> bool | None:
    value = raw.get(name)
    return value if isinstance(value, bool) else None
