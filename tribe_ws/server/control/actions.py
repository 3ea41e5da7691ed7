"""The calls that act on certain users: ``tokens`` makes one, ``disconnect`` ends sockets."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tribe_ws.errors import NotFound
from tribe_ws.hub.connection import Connection
from tribe_ws.protocol.close_codes import Advice, CloseCode
from tribe_ws.server.control.requests import Body, Control, control_of, read
from tribe_ws.settings import Duration

Broken = Literal["", "expired", "not-yet", "signature", "alg-none", "refresh", "unknown-user", "no-sub"]
_RESERVED = frozenset({1004, 1005, 1006, 1015})


def _sendable(code: int) -> int:
    if code in _RESERVED or not (1000 <= code <= 1014 or 3000 <= code <= 4999):
        raise ValueError("no close frame may carry that code (RFC 6455, 7.4)")
    return code


def _short(reason: str) -> str:
    if len(reason.encode()) > 123:
        raise ValueError("a close frame has room for 123 bytes")
    return reason


class TokenBody(Body):
    """For whom to make a token, for how long, and what should be wrong with it."""

    user: str
    ttl: Duration | None = Field(None, gt=0)
    broken: Broken = ""


class DisconnectBody(Body):
    """Whose sockets to close, or which one, and what to tell them."""

    user: str = ""
    connection_id: str = ""
    code: Annotated[int, AfterValidator(_sendable)] = 1012
    reason: Annotated[str, StringConstraints(max_length=123), AfterValidator(_short)] = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> DisconnectBody:
        if bool(self.user) == bool(self.connection_id):
            raise ValueError("give either user or connection_id")
        return self


async def tokens(request: Request) -> JSONResponse:
    """Make an access token for a user, good or broken in a certain way, by the server's secret and clock."""
    control = control_of(request)
    body = await read(request, TokenBody)
    user = await control.user(body.user)
    token = control.services.tokens.mint(user, ttl=body.ttl, broken=body.broken)
    return JSONResponse({"token": token, "user": user.username, "user_id": user.id, "broken": body.broken})


async def disconnect(request: Request) -> JSONResponse:
    """Close sockets with a code and a reason; tells how many."""
    control = control_of(request)
    body = await read(request, DisconnectBody)
    chosen = await _chosen(control, body)
    close_code = CloseCode(body.code, body.reason, "closed by the control API", Advice.RECONNECT)
    for connection in chosen:
        connection.close(close_code)
    return JSONResponse({"closed": [connection.id for connection in chosen]})


async def _chosen(control: Control, body: DisconnectBody) -> list[Connection]:
    live = control.services.hub.connections
    if body.connection_id:
        found = [one for one in live if one.id == body.connection_id]
        if not found:
            raise NotFound(f"there is no connection {body.connection_id[:100]!r}")
        return found
    user: Any = await control.user(body.user)
    return [one for one in control.services.hub.connections if one.user_id == user.id]


ROUTES = (
    Route("/__tribe__/tokens", tokens, methods=["POST"]),
    Route("/__tribe__/disconnect", disconnect, methods=["POST"]),
)
