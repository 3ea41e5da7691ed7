"""Records as the REST bodies of contract 5 show them; who is online comes from the hub."""

from __future__ import annotations

import math
from datetime import datetime

from tribe_ws.hub.hub import Hub
from tribe_ws.protocol.models import (
    ConversationOut,
    LastMessage,
    MessageOut,
    Pagination,
    ParticipantOut,
    PublicUser,
    UserOut,
    preview,
)
from tribe_ws.storage.records import Conversation, Message, Participant, User

_AGES = ((60, 60, "minute"), (3600, 24, "hour"), (86400, 30, "day"), (30 * 86400, 12, "month"))
_YEAR = 365 * 86400


def own_user(user: User) -> UserOut:
    """Show a user to that user."""
    return UserOut(
        id=user.id,
        email=user.email,
        username=user.username,
        full_name=user.full_name,
        bio=user.bio,
        profile_image_url=user.profile_image_url,
        cover_image_url=user.cover_image_url,
        goals_achieved=user.goals_achieved,
        photos_shared=user.photos_shared,
        email_verified=user.email_verified,
        is_active=user.is_active,
        last_seen_at=user.last_seen_at,
        created_at=user.created_at,
    )


def public_user(user: User, hub: Hub) -> PublicUser:
    """Show a user to the others."""
    return PublicUser(
        id=user.id,
        username=user.username,
        full_name=user.full_name,
        bio=user.bio,
        profile_image_url=user.profile_image_url,
        is_verified=user.is_verified,
        goals_achieved=user.goals_achieved,
        photos_shared=user.photos_shared,
        is_online=hub.is_online(user.id),
        last_seen_at=user.last_seen_at,
    )


def conversation_out(conversation: Conversation, hub: Hub) -> ConversationOut:
    """Show a conversation to the participant it was read for."""
    last = conversation.last_message
    return ConversationOut(
        id=conversation.id,
        conversation_type=conversation.conversation_type,
        name=conversation.name,
        image_url=conversation.image_url,
        is_group=conversation.conversation_type == "group",
        participants=[_participant(participant, hub) for participant in conversation.participants],
        participants_count=len(conversation.participants),
        last_message=None if last is None else _last_message(last, hub),
        unread_count=conversation.unread_count,
        is_muted=conversation.is_muted,
        is_archived=conversation.is_archived,
        last_message_at=conversation.last_message_at,
        created_at=conversation.created_at,
    )


def message_out(message: Message, hub: Hub, now: datetime) -> MessageOut:
    """Show a message, with the one it answers."""
    answered = message.reply_to_message
    return MessageOut(
        id=message.id,
        conversation_id=message.conversation_id,
        sender=public_user(message.sender, hub),
        content=message.content,
        message_type=message.message_type,
        media_url=message.media_url,
        media_thumbnail_url=message.media_thumbnail_url,
        metadata=message.metadata,
        reply_to_message=None if answered is None else message_out(answered, hub, now),
        is_edited=message.is_edited,
        is_deleted=message.is_deleted,
        read_by=list(message.read_by),
        created_at=message.created_at,
        time_ago=time_ago(message.created_at, now),
    )


def pagination(page: int, limit: int, total: int) -> Pagination:
    """Say where in a list of ``total`` things an answer stands."""
    pages = math.ceil(total / limit)
    return Pagination(page=page, limit=limit, total=total, total_pages=pages, has_more=page < pages)


def time_ago(moment: datetime, now: datetime) -> str:
    """Say how long ago something was, the way people do: ``just now``, ``5 minutes ago``."""
    seconds = (now - moment).total_seconds()
    if seconds < 60:
        return "just now"
    for unit, end, name in _AGES:
        if seconds < unit * end:
            return _ago(int(seconds // unit), name)
    return _ago(max(1, int(seconds // _YEAR)), "year")


def _ago(count: int, name: str) -> str:
    return f"{count} {name}{'' if count == 1 else 's'} ago"


def _participant(participant: Participant, hub: Hub) -> ParticipantOut:
    return ParticipantOut(
        user_id=participant.user_id,
        username=participant.username,
        full_name=participant.full_name,
        profile_image_url=participant.profile_image_url,
        role=participant.role,
        is_online=hub.is_online(participant.user_id),
        last_seen_at=participant.last_seen_at,
    )


def _last_message(message: Message, hub: Hub) -> LastMessage:
    return LastMessage(
        id=message.id,
        sender=public_user(message.sender, hub),
        content=preview(message.content),
        message_type=message.message_type,
        created_at=message.created_at,
    )
