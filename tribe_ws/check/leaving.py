"""Leaves what a check made: everybody goes out of its conversations, and nothing else is touched."""

from __future__ import annotations

import asyncio

from tribe_ws.check.accounts import Person
from tribe_ws.check.visit import Visit
from tribe_ws.errors import TribeError

_AT_ONCE = 6
_LONGEST = 20.0
_GONE = frozenset({200, 204, 403, 404})
"""Answers after which one is out: removed now, or out already."""


async def leave_rooms(visit: Visit) -> int:
    """Have everybody leave all conversations of the check; tell how many could not be left in time."""
    gate = asyncio.Semaphore(_AT_ONCE)
    left: set[str] = set()

    async def leave(room: str, people: tuple[Person, ...]) -> None:
        async with gate:
            if all([await _leaves(visit, room, one) for one in people]):
                left.add(room)

    try:
        async with asyncio.timeout(_LONGEST * visit.patience):
            await asyncio.gather(*(leave(room, people) for room, people in visit.rooms.items()))
    except TimeoutError:
        pass
    return len(visit.rooms) - len(left)


async def _leaves(visit: Visit, room: str, person: Person) -> bool:
    path = f"/conversations/{room}/participants/{person.id}"
    try:
        answer = await visit.rest.call("DELETE", path, token=person.token)
    except TribeError:
        return False
    return answer.status in _GONE
