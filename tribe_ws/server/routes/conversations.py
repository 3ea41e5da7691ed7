"""``/conversations``: the list, one of them, its participants, and how far it was read."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from tribe_ws.protocol.models import (
    AddParticipantsBody,
    ConversationList,
    ConversationOut,
    CreateConversationBody,
    SuccessResponse,
)
from tribe_ws.server.access import ConversationId, Me, Parts, UserId
from tribe_ws.server.bodies import StrictRoute
from tribe_ws.server.paging import Limit, PageNumber
from tribe_ws.server.views import conversation_out, pagination

router = APIRouter(prefix="/conversations", tags=["conversations"], route_class=StrictRoute)


@router.get("")
async def list_conversations(
    me: Me, services: Parts, page: PageNumber = 1, limit: Limit = 20
) -> ConversationList:
    """List one's conversations, newest activity first."""
    found = await services.storage.conversations.list(me.id, (page - 1) * limit, limit)
    return ConversationList(
        conversations=[conversation_out(item, services.hub) for item in found.items],
        pagination=pagination(page, limit, found.total),
    )


@router.post(
    "", status_code=201, responses={200: {"model": ConversationOut, "description": "It was there already."}}
)
async def create_conversation(
    body: CreateConversationBody, me: Me, services: Parts, response: Response
) -> ConversationOut:
    """Begin a conversation; a direct one that exists already is given back with 200."""
    conversation, created = await services.storage.conversations.create(
        me.id, body.conversation_type, body.participant_ids, body.name
    )
    response.status_code = 201 if created else 200
    return conversation_out(conversation, services.hub)


@router.get("/{conversation_id}")
async def read_conversation(conversation_id: ConversationId, me: Me, services: Parts) -> ConversationOut:
    """Show one of one's conversations."""
    return conversation_out(await services.storage.conversations.get(conversation_id, me.id), services.hub)


@router.post("/{conversation_id}/participants")
async def add_participants(
    conversation_id: ConversationId, body: AddParticipantsBody, me: Me, services: Parts
) -> ConversationOut:
    """Take users in; for admins of a group."""
    conversation = await services.storage.conversations.add_participants(
        conversation_id, me.id, body.user_ids
    )
    return conversation_out(conversation, services.hub)


@router.delete("/{conversation_id}/participants/{user_id}", status_code=204)
async def remove_participant(
    conversation_id: ConversationId, user_id: UserId, me: Me, services: Parts
) -> None:
    """Take a user out, or leave oneself; their sockets get nothing more of it."""
    await services.messaging.remove(conversation_id, me.id, user_id)


@router.post("/{conversation_id}/read")
async def mark_read(conversation_id: ConversationId, me: Me, services: Parts) -> SuccessResponse:
    """Note that one has read everything there is."""
    await services.messaging.mark_read(conversation_id, me.id)
    return SuccessResponse(message="Conversation marked as read")
