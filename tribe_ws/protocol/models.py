"""REST bodies of contract 5: what a client may send, and what it gets, keys in the contract's order.

What a client sends is read strictly (a number is no string), and its rules are here and nowhere else. What a
server sends is read leniently, because the same models read the answers of servers that are not ours; fields
unknown to us are ignored both ways. Timestamps leave as UTC with milliseconds and ``Z``.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    field_validator,
)

from tribe_ws.clock import format_timestamp
from tribe_ws.protocol.ids import canonical_id

MAX_CONTENT = 5000
"""How many characters a message may have."""
PREVIEW_LENGTH = 100
"""How many characters of a message its conversation's ``last_message`` shows."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_USERNAME = re.compile(r"[a-zA-Z0-9_]{3,50}")


def _plain_text(text: str) -> str:
    # PostgreSQL cannot store NUL, and nothing can write half a character as UTF-8.
    if "\0" in text:
        raise ValueError("must not hold a NUL character")
    if not text.isascii() and _SURROGATE.search(text):
        raise ValueError("must not hold a lone surrogate")
    return text


def _not_blank(text: str) -> str:
    if text.isspace():
        raise ValueError("must not be only white space")
    return text


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text):
        raise ValueError("must be an e-mail address")
    return text.lower()


def _login_name(text: str) -> str:
    return text.strip().lower() if "@" in text else text.strip()


def _username(text: str) -> str:
    if not _USERNAME.fullmatch(text):
        raise ValueError("must be 3 to 50 of the characters a-z, A-Z, 0-9 and _")
    return text


def _strong_password(text: str) -> str:
    kinds = (
        ("an upper-case letter", str.isupper),
        ("a lower-case letter", str.islower),
        ("a digit", str.isdigit),
    )
    missing = [name for name, is_kind in kinds if not any(map(is_kind, text))]
    if missing:
        raise ValueError(f"must hold {', '.join(missing)}")
    return text


def _id(text: str) -> str:
    if (canonical := canonical_id(text)) is None:
        raise ValueError("must be a hyphenated UUID")
    return canonical


def _each_once(ids: list[str]) -> list[str]:
    return list(dict.fromkeys(ids))


def _shown_as(**keywords: str) -> Any:
    """Say in the JSON Schema what a validator of ours demands."""
    return Field(json_schema_extra=dict(keywords))


Text = Annotated[str, AfterValidator(_plain_text), _shown_as(pattern=r"^[^\x00]*$")]
# Elsewhere than in Python, \s leaves out the separators \x1c to \x1f and \x85.
_WORDS = _shown_as(pattern=r"^[^\x00]*[^\s\x00\x1c-\x1f\x85][^\x00]*$")
Name = Annotated[Text, Field(min_length=1, max_length=100), AfterValidator(_not_blank), _WORDS]
Link = Annotated[Text, Field(max_length=2048)]
Id = Annotated[str, AfterValidator(_id), _shown_as(format="uuid")]
IdList = Annotated[list[Id], Field(min_length=1, max_length=1000), AfterValidator(_each_once)]
Timestamp = Annotated[
    datetime, PlainSerializer(format_timestamp, return_type=str), _shown_as(format="date-time")
]
MessageType = Literal["text", "image", "video", "audio", "file"]
ConversationType = Literal["direct", "group"]


class Body(BaseModel):
    """What all request bodies share: strict about what they know, deaf to what they do not."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


class Answer(BaseModel):
    """What all response bodies share."""

    model_config = ConfigDict(frozen=True, extra="ignore")


# ── Accounts ──────────────────────────────────────────────────────────────────────────────────────


class RegisterBody(Body):
    """``POST /auth/register``; the e-mail address is kept in lower case."""

    email: Annotated[
        Text,
        Field(max_length=254),
        AfterValidator(_email),
        _shown_as(pattern=r"^[^@\s\x00\x1c-\x1f\x85]+@[^@\s\x00\x1c-\x1f\x85]+\.[^@\s.\x00\x1c-\x1f\x85]+$"),
    ]
    username: Annotated[str, AfterValidator(_username), _shown_as(pattern="^[a-zA-Z0-9_]{3,50}$")]
    full_name: Name
    password: Annotated[
        Text,
        Field(min_length=8, max_length=128, repr=False),
        AfterValidator(_strong_password),
        _shown_as(pattern=r"^(?=[^\x00]*[A-Z])(?=[^\x00]*[a-z])(?=[^\x00]*[0-9])[^\x00]*$"),
    ]
    confirm_password: Annotated[str, Field(repr=False)]

    @field_validator("confirm_password")
    @classmethod
    def _same_again(cls, value: str, info: ValidationInfo) -> str:
        # A password that failed its own rules is absent here, and its own complaint is the one to read.
        if value != info.data.get("password", value):
            raise ValueError("must be the same as password")
        return value


class LoginBody(Body):
    """``POST /auth/login``; ``email`` may hold a username; a password that breaks the rules is just wrong."""

    email: Annotated[Text, Field(min_length=1, max_length=254), AfterValidator(_login_name)]
    password: Annotated[Text, Field(max_length=1024, repr=False)]
    device_info: dict[str, Any] | str | None = None


class RefreshBody(Body):
    """``POST /auth/refresh``."""

    refresh_token: Annotated[Text, Field(max_length=4096, repr=False)]


class LogoutBody(Body):
    """``POST /auth/logout``; that refresh token is revoked."""

    refresh_token: Annotated[Text, Field(max_length=4096, repr=False)]


class UpdateMeBody(Body):
    """``PUT /users/me``; only the fields that were sent change (``model_dump(exclude_unset=True)``)."""

    full_name: Name = ""
    bio: Annotated[Text, Field(max_length=500)] | None = None
    profile_image_url: Link | None = None
    cover_image_url: Link | None = None


class UserOut(Answer):
    """A user as that user sees it."""

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
    is_active: bool
    last_seen_at: Timestamp | None
    created_at: Timestamp


class PublicUser(Answer):
    """A user as everybody else sees it."""

    id: str
    username: str
    full_name: str
    bio: str | None
    profile_image_url: str | None
    is_verified: bool
    goals_achieved: int
    photos_shared: int
    is_online: bool
    last_seen_at: Timestamp | None


class AuthResponse(Answer):
    """Answers ``register`` and ``login``; ``expires_in`` counts the seconds of the access token."""

    user: UserOut
    access_token: str = Field(repr=False)
    refresh_token: str = Field(repr=False)
    token_type: str = "bearer"  # noqa: S105
    expires_in: int


class AccessTokenResponse(Answer):
    """Answers ``refresh``."""

    access_token: str = Field(repr=False)
    token_type: str = "bearer"  # noqa: S105
    expires_in: int


class SuccessResponse(Answer):
    """Answers a call that has nothing else to say."""

    message: str
    success: bool = True


# ── Conversations ─────────────────────────────────────────────────────────────────────────────────


class CreateConversationBody(Body):
    """``POST /conversations``; naming the same user twice counts once."""

    conversation_type: ConversationType
    participant_ids: IdList
    name: Name | None = None


class AddParticipantsBody(Body):
    """``POST /conversations/{id}/participants``."""

    user_ids: IdList


class ParticipantOut(Answer):
    """A member of a conversation."""

    user_id: str
    username: str
    full_name: str
    profile_image_url: str | None
    role: str
    is_online: bool
    last_seen_at: Timestamp | None


class LastMessage(Answer):
    """The newest message of a conversation, for a list of conversations; ``content`` is a ``preview``."""

    id: str
    sender: PublicUser
    content: str
    message_type: str
    created_at: Timestamp


class ConversationOut(Answer):
    """A conversation as one of its participants sees it."""

    id: str
    conversation_type: str
    name: str | None
    image_url: str | None
    is_group: bool
    participants: list[ParticipantOut]
    participants_count: int
    last_message: LastMessage | None
    unread_count: int
    is_muted: bool
    is_archived: bool
    last_message_at: Timestamp | None
    created_at: Timestamp


class Pagination(Answer):
    """Where in a list an answer stands; pages count from 1."""

    page: int
    limit: int
    total: int
    total_pages: int
    has_more: bool


class ConversationList(Answer):
    """Answers ``GET /conversations``, newest activity first."""

    conversations: list[ConversationOut]
    pagination: Pagination


# ── Messages ──────────────────────────────────────────────────────────────────────────────────────


class SendMessageBody(Body):
    """``POST /conversations/{id}/messages``; ``content`` is kept to the letter."""

    content: Annotated[Text, Field(min_length=1, max_length=MAX_CONTENT), AfterValidator(_not_blank), _WORDS]
    message_type: MessageType = "text"
    reply_to_message_id: Id | None = None
    client_message_id: Annotated[Text, Field(min_length=1, max_length=128)] | None = None


class MessageOut(Answer):
    """A stored message, with the one it answers, if any."""

    id: str
    conversation_id: str
    sender: PublicUser
    content: str
    message_type: str
    media_url: str | None
    media_thumbnail_url: str | None
    metadata: dict[str, Any] | None
    reply_to_message: MessageOut | None
    is_edited: bool
    is_deleted: bool
    read_by: list[str]
    created_at: Timestamp
    time_ago: str


class MessageList(Answer):
    """Answers ``GET /conversations/{id}/messages``: inside a page oldest first."""

    messages: list[MessageOut]
    has_more: bool
    next_cursor: str | None
    pagination: Pagination


def preview(content: str) -> str:
    """Shorten a message to what ``last_message`` shows: 100 characters at most, then ``…``."""
    return content if len(content) <= PREVIEW_LENGTH else content[:PREVIEW_LENGTH] + "…"


# ── The rest ──────────────────────────────────────────────────────────────────────────────────────


class HealthOut(Answer):
    """Answers ``GET /health``; ``database`` and ``broker`` are ``ok`` or what is wrong."""

    status: str
    version: str
    database: str
    broker: str
    connections: int


class ErrorOut(Answer):
    """Any refusal but 422; production answers with a list at times."""

    detail: str | list[str]


class FieldError(Answer):
    """One thing that is wrong with a request."""

    field: str
    message: str


class ValidationErrorOut(Answer):
    """A 422: what is wrong, field by field."""

    detail: str = "Validation error"
    errors: list[FieldError]
