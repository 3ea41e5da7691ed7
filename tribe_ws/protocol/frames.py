"""One model per WebSocket event, exactly as the owner's document spells it: same names, keys and order.

Models ignore fields they do not know (contract 1: the app sends ``channel`` in ``unsubscribe`` too) and are
strict about those they know: ``is_typing`` is a boolean, not ``1``.

Ids are kept as text here. Whether a text is a usable id is for the session to say (contract 3.2), because the
same models must also carry the frames of servers that are not ours.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class Frame(BaseModel):
    """What all frames share: immutable, strict, and deaf to fields they do not know."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore")


# ── Client → server (contract 3.2) ────────────────────────────────────────────────────────────────


class Subscribe(Frame):
    """Asks for what happens in a conversation; a missing channel counts as ``conversation``."""

    event: Literal["subscribe"] = "subscribe"
    channel: Literal["conversation"] = "conversation"
    conversation_id: str


class Unsubscribe(Frame):
    """Asks that this connection no longer get what happens in a conversation."""

    event: Literal["unsubscribe"] = "unsubscribe"
    conversation_id: str


class SetTyping(Frame):
    """Says that the user began or stopped typing."""

    event: Literal["typing"] = "typing"
    conversation_id: str
    is_typing: bool


PresenceStatus = Literal["online", "away", "offline"]


class SetPresence(Frame):
    """Says how the user wants to be seen."""

    event: Literal["presence"] = "presence"
    status: PresenceStatus


class Ping(Frame):
    """Asks for a sign of life."""

    event: Literal["ping"] = "ping"


ClientFrame = Annotated[
    Subscribe | Unsubscribe | SetTyping | SetPresence | Ping, Field(discriminator="event")
]
CLIENT_FRAMES: tuple[type[Frame], ...] = (Subscribe, Unsubscribe, SetTyping, SetPresence, Ping)


# ── Server → client: the six events of the owner's document ───────────────────────────────────────


class Connected(Frame):
    """The first frame on every accepted connection (contract 3.1)."""

    event: Literal["connected"] = "connected"
    message: str = "WebSocket connection established"


class Sender(Frame):
    """Who wrote a message, as ``message.new`` shows it."""

    id: str
    username: str
    full_name: str
    profile_image_url: str | None


class NewMessage(Frame):
    """The stored message in ``message.new`` (contract 3.3); ``created_at`` is UTC, milliseconds, ``Z``."""

    id: str
    conversation_id: str
    sender: Sender
    content: str
    message_type: str
    created_at: str


class MessageNew(Frame):
    """A message was stored in a subscribed conversation, by somebody else."""

    event: Literal["message.new"] = "message.new"
    conversation_id: str
    data: NewMessage


class Typist(Frame):
    """Who types, or stopped; ``user_name`` is the full name."""

    user_id: str
    user_name: str
    is_typing: bool


class TypingChanged(Frame):
    """Somebody else began or stopped typing in a subscribed conversation."""

    event: Literal["typing"] = "typing"
    conversation_id: str
    data: Typist


class Subscribed(Frame):
    """Confirms one ``subscribe``."""

    event: Literal["subscribed"] = "subscribed"
    conversation_id: str


class Pong(Frame):
    """Answers one ``ping``."""

    event: Literal["pong"] = "pong"


# ── Server → client: what the shipped app decodes beyond the document (profile ``app``, contract 3.4)


class Presence(Frame):
    """Whether a user has a live connection, and how they want to be seen."""

    user_id: str
    is_online: bool
    status: PresenceStatus
    last_seen_at: str | None


class PresenceChanged(Frame):
    """A user who shares a conversation with this one came, went, or said how they want to be seen."""

    event: Literal["presence"] = "presence"
    data: Presence


class ReadMark(Frame):
    """How far a user has read."""

    user_id: str
    read_at: str
    last_read_message_id: str | None


class MessageRead(Frame):
    """A participant has read the conversation."""

    event: Literal["message.read"] = "message.read"
    conversation_id: str
    data: ReadMark


ServerFrame = Annotated[
    Connected | MessageNew | TypingChanged | Subscribed | Pong | PresenceChanged | MessageRead,
    Field(discriminator="event"),
]
DOCUMENTED_FRAMES: tuple[type[Frame], ...] = (Connected, MessageNew, TypingChanged, Subscribed, Pong)
APP_FRAMES: tuple[type[Frame], ...] = (*DOCUMENTED_FRAMES, PresenceChanged, MessageRead)
