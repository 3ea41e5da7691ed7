"""What a route asks of its request before it does anything: who is it, and which thing is meant."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Security
from fastapi.security import HTTPBearer
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import Scope

from tribe_ws.errors import NotFound
from tribe_ws.protocol import close_codes
from tribe_ws.protocol.ids import canonical_id
from tribe_ws.server.accounts import Identity
from tribe_ws.server.services import Services
from tribe_ws.server.tokens import TokenRefused
from tribe_ws.storage.records import User

USER_KEY = "tribe.user"
"""Where a request's scope keeps the user, for the log and the journal."""

_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="The access token of a login.")


def bearer_token(headers: Headers) -> str | None:
    """Find the token in the ``Authorization`` header; ``None`` without one.

    Raises ``TokenRefused`` for another scheme, and for two headers: which of them would be meant?
    """
    values = headers.getlist("authorization")
    if not values:
        return None
    scheme, _, token = values[0].partition(" ")
    if len(values) > 1 or scheme.lower() != "bearer":
        raise TokenRefused(close_codes.TOKEN_INVALID)
    return token.strip()


def services_of(scope: Scope) -> Services:
    """Find the services of the application that a request came to."""
    services: Services = scope["app"].state.services
    return services


def _services(request: Request) -> Services:
    return services_of(request.scope)


async def _identity(request: Request, _documented: Annotated[object, Security(_bearer)]) -> Identity:
    identity = await services_of(request.scope).authenticate(bearer_token(request.headers))
    request.scope[USER_KEY] = identity.user
    return identity


def _me(identity: Annotated[Identity, Depends(_identity)]) -> User:
    return identity.user


def conversation_id_of(text: str) -> str:
    """Read a conversation's id from a path; what is no id is no conversation (404)."""
    if (canonical := canonical_id(text)) is None:
        raise NotFound("Conversation not found")
    return canonical


Parts = Annotated[Services, Depends(_services)]
"""The services of the server."""
Me = Annotated[User, Depends(_me)]
"""The user whose access token came with the request."""


# Both ask for the user first: who is not let in learns nothing about ids.
def _conversation_id(conversation_id: str, _asking: Me) -> str:
    return conversation_id_of(conversation_id)


def _user_id(user_id: str, _asking: Me) -> str:
    if (canonical := canonical_id(user_id)) is None:
        raise NotFound("User not found")
    return canonical


ConversationId = Annotated[str, Depends(_conversation_id)]
"""The conversation named in the path."""
UserId = Annotated[str, Depends(_user_id)]
"""The user named in the path."""
