"""What every call of the control API needs: the running server, a checked body, and people by their names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request

from tribe_ws.errors import NotFound
from tribe_ws.protocol.ids import canonical_id
from tribe_ws.server.bodies import parse_body, read_body
from tribe_ws.server.failures import Unprocessable, complaints
from tribe_ws.server.services import Services
from tribe_ws.storage.records import User, WorldSummary

LARGEST_BODY = 64 * 1024 * 1024
"""Bytes; whoever has the key may send a whole world."""


class Body(BaseModel):
    """What all bodies share: unknown fields are refused, because they are slips."""

    model_config = ConfigDict(extra="forbid", frozen=True)


AnyBody = TypeVar("AnyBody", bound=Body)


@dataclass(slots=True)
class Control:
    """The running server as the control API's calls see it; ``world`` is what it was filled with last."""

    services: Services
    world: WorldSummary

    async def user(self, text: str) -> User:
        """Find a user by id, username (with or without ``@``) or e-mail address; raises ``NotFound``."""
        users = self.services.storage.users
        name = text.removeprefix("@")
        user_id = canonical_id(name)
        found = await (users.by_login(name) if user_id is None else users.by_id(user_id))
        if found is None:
            raise NotFound(f"there is no user {text[:100]!r}")
        return found

    def conversation_id(self, text: str) -> str:
        """Find a conversation by id, or by its alias or label in the world; raises ``NotFound``."""
        if (canonical := canonical_id(text)) is not None:
            return canonical
        for one in self.world.conversations:
            if text in {one.alias, one.label, f"#{one.alias}"}:
                return one.id
        raise NotFound(f"there is no conversation {text[:100]!r}")


def control_of(request: Request) -> Control:
    """Find the running server that a request came to."""
    control: Control = request.app.state.control
    return control


async def read(request: Request, kind: type[AnyBody]) -> AnyBody:
    """Read and check a body; an empty one counts as ``{}``. What is wrong with it ends as 422."""
    raw = await read_body(request.receive, LARGEST_BODY)
    value: Any = parse_body(raw) if raw.strip() else {}
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        raise Unprocessable(complaints(error)) from None
