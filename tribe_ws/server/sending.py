"""``POST /conversations/{id}/messages``, the hot path: bare ASGI, past the router and its machinery.

It is worth its own form (performance 4): the same route typed costs half of the sends per second. What it
takes and answers is described for OpenAPI by hand, from the same models.
"""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.json_schema import models_json_schema
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tribe_ws.protocol.ids import canonical_id
from tribe_ws.protocol.models import ErrorOut, MessageOut, SendMessageBody, ValidationErrorOut
from tribe_ws.protocol.urls import API_PREFIX
from tribe_ws.server.access import USER_KEY, bearer_token, conversation_id_of, services_of
from tribe_ws.server.bodies import parse_body, read_body
from tribe_ws.server.failures import Unprocessable, complaints, respond_to
from tribe_ws.server.services import Services
from tribe_ws.server.views import message_out
from tribe_ws.storage.records import NewMessage, StoredMessage

PATH = f"{API_PREFIX}/conversations/{{conversation_id}}/messages"
_TARGET = re.compile(rf"{API_PREFIX}/conversations/([^/]+)/messages")
_KEY = re.compile(r"[\x21-\x7e]{1,128}")


def named_conversation(scope: Scope) -> str | None:
    """Tell the conversation to which a request sends a message; ``None`` for any other request."""
    match = _TARGET.fullmatch(scope["path"]) if scope["method"] == "POST" else None
    return None if match is None else match[1]


async def send_message(conversation: str, scope: Scope, receive: Receive, send: Send) -> None:
    """Store a message and answer 201 after its commit; the sockets get it right after that."""
    try:
        answer = await _store(conversation, scope, receive)
    except Exception as error:
        refused = respond_to(error)
        if refused is None:
            raise
        answer = refused
    await answer(scope, receive, send)


async def _store(conversation: str, scope: Scope, receive: Receive) -> Response:
    services = services_of(scope)
    headers = Headers(scope=scope)
    identity = await services.accounts.recognise(bearer_token(headers))
    scope[USER_KEY] = identity.user
    conversation_id = conversation_id_of(conversation)
    body = _read(await read_body(receive, services.settings.max_body_bytes))
    stored = await services.storage.messages.send(
        NewMessage(
            conversation_id=conversation_id,
            sender_id=identity.user.id,
            content=body.content,
            message_type=body.message_type,
            reply_to_message_id=body.reply_to_message_id,
            client_message_id=body.client_message_id,
            idempotency_key=_idempotency_key(headers),
            connection_id=canonical_id(headers.get("x-connection-id", "")),
        )
    )
    if not stored.replayed:
        services.accounts.have_seen(stored.sender)
    return _answer(stored, services)


def describe_sending(document: dict[str, Any]) -> None:
    """Add the route to an OpenAPI document."""
    models: list[type[BaseModel]] = [SendMessageBody, MessageOut, ErrorOut, ValidationErrorOut]
    _, schema = models_json_schema(
        [(model, "validation" if model is SendMessageBody else "serialization") for model in models],
        ref_template="#/components/schemas/{model}",
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name, definition in schema["$defs"].items():
        schemas.setdefault(name, definition)
    document["paths"].setdefault(PATH, {})["post"] = deepcopy(_OPERATION)


def _read(body: bytes) -> SendMessageBody:
    try:
        return SendMessageBody.model_validate(parse_body(body))
    except ValidationError as error:
        raise Unprocessable(complaints(error)) from None


def _idempotency_key(headers: Headers) -> str | None:
    keys = headers.getlist("idempotency-key")
    if not keys:
        return None
    if len(keys) > 1 or not _KEY.fullmatch(keys[0]):
        raise Unprocessable([("Idempotency-Key", "must be 1 to 128 visible ASCII characters")])
    return keys[0]


def _answer(stored: StoredMessage, services: Services) -> Response:
    sender_id = stored.sender.id
    # Seen from the moment it was stored: a repeat gets the same body, however late it comes.
    body = message_out(stored, services.hub, stored.created_at)
    recipients = (
        0
        if stored.replayed
        else services.hub.recipients(stored.conversation_id, sender_id, stored.connection_id)
    )
    headers = {"Tribe-Recipients": str(recipients)}
    if stored.replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(
        body.__pydantic_serializer__.to_json(body),
        200 if stored.replayed else 201,
        headers,
        "application/json",
    )


def _json(model: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{model}"}}}


def _failure(description: str, model: str = "ErrorOut") -> dict[str, Any]:
    return {"description": description, "content": _json(model)}


_OPERATION: dict[str, Any] = {
    "tags": ["messages"],
    "summary": "Send Message",
    "description": "Store a message. 201 comes after the commit; then the message goes to the sockets.",
    "operationId": "send_message",
    "security": [{"HTTPBearer": []}],
    "parameters": [
        {
            "name": "conversation_id",
            "in": "path",
            "required": True,
            "schema": {"type": "string", "format": "uuid"},
        },
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": "Makes a repeat within 24 hours harmless.",
            "schema": {"type": "string", "pattern": "^[!-~]{1,128}$"},
        },
        {
            "name": "X-Connection-Id",
            "in": "header",
            "required": False,
            "description": "The socket of this client, as `connected` named it: it gets no echo.",
            "schema": {"type": "string"},
        },
    ],
    "requestBody": {"required": True, "content": _json("SendMessageBody")},
    "responses": {
        "201": {
            "description": "Stored.",
            "headers": {
                "Tribe-Recipients": {
                    "description": "How many sockets the message goes to.",
                    "schema": {"type": "integer"},
                }
            },
            "content": _json("MessageOut"),
        },
        "200": {"description": "It was stored already, under the same key.", "content": _json("MessageOut")},
        "401": _failure("No token, or one that is not accepted."),
        "403": _failure("Not a participant."),
        "404": _failure("No such conversation."),
        "409": _failure("The key was used for another message."),
        "422": _failure("The body is not acceptable.", "ValidationErrorOut"),
        "503": _failure("The message could not be stored; nothing was sent."),
    },
}
