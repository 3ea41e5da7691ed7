"""The upgrade request, judged before anything is accepted: where it goes, who sent it, which token it brings.

Nothing here looks inside a token, and no token ever gets into an answer.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

from tribe_ws.protocol.close_codes import ACCOUNT_DISABLED, TOKEN_INVALID, CloseCode
from tribe_ws.protocol.urls import SOCKET_PATH
from tribe_ws.server.guards import Guard, Refusal
from tribe_ws.server.tokens import TokenRefused

EXTENSION = "tribe.raw"
"""The scope extension under which a server of ours offers a transport that is faster than ASGI."""

RESET = "tribe.reset"
"""The scope extension under which a server of ours offers to cut a connection off."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def refuse_upgrade(scope: Scope, guard: Guard) -> Refusal | None:
    """Tell why an upgrade must be answered with an HTTP error, whatever its token; ``None`` to go on."""
    refusal = guard.refuse_upgrade(scope["headers"])
    if refusal is not None:
        return refusal
    if scope["path"].removeprefix(scope.get("root_path", "")) != SOCKET_PATH:
        return Refusal(404, "Not Found")
    return None


def token_of(scope: Scope) -> str | None:
    """Find the one token of an upgrade request, in its query or its ``Authorization`` header (contract 3.1).

    Raises ``TokenRefused`` where the request leaves open which token is meant (contract 4): two parameters,
    two headers, or one of each that differ.
    """
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    named = [value for name, value in query if name == "token"]
    borne = [_bearer(value) for name, value in scope["headers"] if name == b"authorization"]
    if len(named) > 1 or len(borne) > 1:
        raise TokenRefused(TOKEN_INVALID)
    tokens = {token for token in (*named, *borne) if token}
    if len(tokens) > 1:
        raise TokenRefused(TOKEN_INVALID)
    return next(iter(tokens), None)


def refusal_of(close_code: CloseCode) -> Refusal:
    """Say a refusal of the token as HTTP, for a server that rejects that way."""
    return Refusal(403 if close_code is ACCOUNT_DISABLED else 401, close_code.reason)


async def answer_with_http(scope: Scope, send: Send, refusal: Refusal) -> None:
    """Refuse the upgrade with an HTTP status and a JSON body, or as plainly as this ASGI server can."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    body = json.dumps({"detail": refusal.detail}, separators=(",", ":")).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if refusal.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "websocket.http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


def _bearer(header: bytes) -> str:
    """Take the token out of an ``Authorization`` header; another scheme is no token."""
    scheme, _, token = header.decode("latin-1").strip().partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
