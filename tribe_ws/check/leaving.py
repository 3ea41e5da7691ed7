"""Leaves what a check made: everybody goes out of its conversations, and nothing else is touched."""

from __future__ import annotations

import asyncio

from tribe_ws.check.accounts import Person
from tribe_ws.check.visit import Visit
from tribe_ws.errors import TribeError

_AT_ONCE = 6
_LONGEST = 20.0
_OUT = frozenset({200, 204})
_OUT_ALREADY = frozenset({403, 404})


async def leave_rooms(visit: Visit) -> int:
    """Have everybody leave all conversations of the check; tell how many could not be left in time."""
    gate = asyncio.Semaphore(_AT_ONCE)
    left: set[str] = set()
    answers: set[int] = set()

    async def leave(room: str, people: tuple[Person, ...]) -> None:
        async with gate:
            said = {await _leaves(visit, room, one) for one in people}
        answers.update(said)
        if said <= _OUT | _OUT_ALREADY:
            left.add(room)

    try:
        async with asyncio.timeout(_LONGEST * visit.patience):
            await asyncio.gather(*(leave(room, people) for room, people in visit.rooms.items()))
    except TimeoutError:
        pass
    # A server that let nobody out, ever, has no such call: then its 404 says nothing about who is in.
    return len(visit.rooms) - (len(left) if answers & _OUT else 0)


async def _leaves(visit: Visit, room: str, person: Person) -> int:
    """Take a person out, and give the status of the answer; 0 where none came."""
    path = f"/conversations/{room}/participants/{person.id}"
    try:
        answer = await visit.rest.call("DELETE", path, token=person.token)
    except TribeError:
        return 0
    return answer.status
