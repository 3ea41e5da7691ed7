"""``/users`` and ``/search/users``: one's own profile, and the others'."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from tribe_ws.errors import NotFound
from tribe_ws.protocol.models import PublicUser, Text, UpdateMeBody, UserOut
from tribe_ws.server.access import Me, Parts, UserId
from tribe_ws.server.bodies import StrictRoute
from tribe_ws.server.paging import Limit, PageNumber
from tribe_ws.server.views import own_user, public_user

router = APIRouter(tags=["users"], route_class=StrictRoute)

Words = Annotated[Text, Query(max_length=100, description="Part of a name.")]


@router.get("/users/me")
async def read_me(me: Me) -> UserOut:
    """Show the user whose token this is."""
    return own_user(me)


@router.put("/users/me")
async def update_me(body: UpdateMeBody, me: Me, services: Parts) -> UserOut:
    """Change the fields that were sent, and no others."""
    return own_user(await services.accounts.update(me, body.model_dump(exclude_unset=True)))


@router.get("/users/{user_id}")
async def read_user(user_id: UserId, _me: Me, services: Parts) -> PublicUser:
    """Show what everybody may see of a user."""
    user = await services.storage.users.by_id(user_id)
    if user is None:
        raise NotFound("User not found")
    return public_user(user, services.hub)


@router.get("/search/users")
async def search_users(
    _me: Me, services: Parts, q: Words = "", page: PageNumber = 1, limit: Limit = 20
) -> list[PublicUser]:
    """Find users by a part of their username or full name."""
    found = await services.storage.users.search(q, (page - 1) * limit, limit)
    return [public_user(user, services.hub) for user in found]
