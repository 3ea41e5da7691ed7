"""``GET /conversations/{id}/messages``; its ``POST`` is the hot path and lives in ``server.sending``."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from tribe_ws.errors import NotFound
from tribe_ws.protocol.ids import canonical_id
from tribe_ws.protocol.models import MessageList
from tribe_ws.server.access import ConversationId, Me, Parts
from tribe_ws.server.bodies import StrictRoute
from tribe_ws.server.paging import PageNumber
from tribe_ws.server.views import message_out, pagination

router = APIRouter(prefix="/conversations", tags=["messages"], route_class=StrictRoute)

MAX_MESSAGES = 200
_ID = {"format": "uuid"}
MessageLimit = Annotated[int, Query(ge=1, le=MAX_MESSAGES, description="How many messages to a page.")]
Before = Annotated[
    str | None, Query(description="A message id: what came before that message.", json_schema_extra=_ID)
]
After = Annotated[
    str | None,
    Query(description="A message id: what came after it, from there upwards.", json_schema_extra=_ID),
]


@router.get("/{conversation_id}/messages")
async def read_messages(
    conversation_id: ConversationId,
    me: Me,
    services: Parts,
    limit: MessageLimit = 50,
    page: PageNumber = 1,
    before: Before = None,
    after: After = None,
) -> MessageList:
    """Read part of a conversation, oldest message first; the newest page by default."""
    page = services.quirks.page(page)
    found = await services.storage.messages.page(
        conversation_id, me.id, limit, page, _message_id(before), _message_id(after)
    )
    now = services.clock.now()
    return MessageList(
        messages=[message_out(message, services.hub, now) for message in found.messages],
        has_more=found.has_more,
        next_cursor=found.next_cursor,
        pagination=pagination(page, limit, found.total),
    )


def _message_id(text: str | None) -> str | None:
    if text is None:
        return None
    if (canonical := canonical_id(text)) is None:
        raise NotFound("Message not found")
    return canonical
