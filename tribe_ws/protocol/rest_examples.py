"""An example of every REST body, as the OpenAPI document shows them: alice and bob of the demo world.

All are built from the models, so none of them can be a body which does not exist; the login works as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel

from tribe_ws.demo_accounts import DEMO_PASSWORD, demo_email, fixture_id
from tribe_ws.protocol import models

_NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
_GENERAL = fixture_id("conversation:general")
_ALICE, _BOB = fixture_id("user:alice"), fixture_id("user:bob")
_MESSAGE = fixture_id("message:hello")
_JWT = "eyJhbGciOiJIUzI1NiJ9…"

_OWN = models.UserOut(
    id=_ALICE,
    email=demo_email("alice"),
    username="alice",
    full_name="Alice Ames",
    bio=None,
    profile_image_url=None,
    cover_image_url=None,
    goals_achieved=0,
    photos_shared=0,
    email_verified=True,
    is_active=True,
    last_seen_at=_NOON,
    created_at=_NOON,
)
_PUBLIC = models.PublicUser(
    id=_ALICE,
    username="alice",
    full_name="Alice Ames",
    bio=None,
    profile_image_url=None,
    is_verified=False,
    goals_achieved=0,
    photos_shared=0,
    is_online=True,
    last_seen_at=_NOON,
)
_PAGE = models.Pagination(page=1, limit=20, total=1, total_pages=1, has_more=False)
_MEMBERS = [
    models.ParticipantOut(
        user_id=user_id,
        username=full_name.split()[0].lower(),
        full_name=full_name,
        profile_image_url=None,
        role=role,
        is_online=True,
        last_seen_at=_NOON,
    )
    for user_id, full_name, role in ((_ALICE, "Alice Ames", "admin"), (_BOB, "Bob Stone", "member"))
]
_CONVERSATION = models.ConversationOut(
    id=_GENERAL,
    conversation_type="group",
    name="General",
    image_url=None,
    is_group=True,
    participants=_MEMBERS,
    participants_count=2,
    last_message=models.LastMessage(
        id=_MESSAGE, sender=_PUBLIC, content="Hello 👋", message_type="text", created_at=_NOON
    ),
    unread_count=1,
    is_muted=False,
    is_archived=False,
    last_message_at=_NOON,
    created_at=_NOON,
)
_SENT = models.MessageOut(
    id=_MESSAGE,
    conversation_id=_GENERAL,
    sender=_PUBLIC,
    content="Hello 👋",
    message_type="text",
    media_url=None,
    media_thumbnail_url=None,
    metadata=None,
    reply_to_message=None,
    is_edited=False,
    is_deleted=False,
    read_by=[_BOB],
    created_at=_NOON,
    time_ago="Just now",
)
_NEW_PASSWORD = "Tribe-demo-2"  # noqa: S105 - an example of the form, of no account

_BODIES: tuple[BaseModel, ...] = (
    models.RegisterBody(
        email="erin@tribe.test",
        username="erin",
        full_name="Erin Fox",
        password=_NEW_PASSWORD,
        confirm_password=_NEW_PASSWORD,
    ),
    models.LoginBody(email=demo_email("alice"), password=DEMO_PASSWORD, device_info="curl"),
    models.RefreshBody(refresh_token=_JWT),
    models.LogoutBody(refresh_token=_JWT),
    models.UpdateMeBody(bio="Runs in the morning."),
    models.CreateConversationBody(conversation_type="group", participant_ids=[_BOB], name="Morning run"),
    models.AddParticipantsBody(user_ids=[_BOB]),
    models.SendMessageBody(content="Hello 👋"),
    _OWN,
    _PUBLIC,
    models.AuthResponse(user=_OWN, access_token=_JWT, refresh_token=_JWT, expires_in=3600),
    models.AccessTokenResponse(access_token=_JWT, expires_in=3600),
    models.SuccessResponse(message="Conversation marked as read"),
    _CONVERSATION,
    models.ConversationList(conversations=[_CONVERSATION], pagination=_PAGE),
    _SENT,
    models.MessageList(messages=[_SENT], has_more=False, next_cursor=None, pagination=_PAGE),
    models.HealthOut(status="ok", version="0.1.0", database="ok", broker="ok", connections=2),
    models.ErrorOut(detail="Conversation not found"),
    models.ValidationErrorOut(
        errors=[models.FieldError(field="content", message="must not be only white space")]
    ),
)

REST_EXAMPLES: Mapping[str, dict[str, Any]] = {
    type(body).__name__: body.model_dump(mode="json", exclude_unset=isinstance(body, models.Body))
    for body in _BODIES
}
"""An example of each body by the name of its model, as JSON; a request shows only what it needs."""
