"""Learns the habits of a server before the probes begin, each from having seen the contrary twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from tribe_ws.check.accounts import Person
from tribe_ws.check.habits import Marker, Pace
from tribe_ws.check.socket import Refusal, Socket
from tribe_ws.check.stage import Stage
from tribe_ws.check.verdict import Said
from tribe_ws.check.visit import Visit
from tribe_ws.errors import TribeError

Trial = Callable[[Stage], Awaitable[bool]]


async def learn(visit: Visit) -> None:
    """Look at the server, and write into the visit what it can be relied on for."""
    visit.habits = replace(visit.habits, is_on_time=await _is_on_time(visit))
    await _find_homes(visit)
    visit.habits = replace(visit.habits, greets=await _twice(visit, _greets))
    pongs = await _twice(visit, _pongs)
    has_home = visit.people[0].id in visit.homes
    acknowledges = not has_home or await _twice(visit, _acknowledges)
    marker: Marker = "pong" if pongs else "subscribed" if has_home and acknowledges else "none"
    visit.habits = replace(visit.habits, marker=marker, acknowledges=acknowledges)
    if marker != "none":
        visit.habits = replace(visit.habits, keeps_several=await _twice(visit, _keeps_several))


async def _twice(visit: Visit, trial: Trial) -> bool:
    """Tell what a trial comes to; that a server cannot do it, only after it could not twice."""
    for attempt in (1, 2):
        async with Stage(visit, Pace(visit.patience, attempt)) as stage:
            try:
                if await trial(stage):
                    return True
            except Said:
                pass
    return False


async def _find_homes(visit: Visit) -> None:
    """Give each person a conversation to ask about, of the check's own where it may write."""
    async with Stage(visit) as stage:
        for person in visit.people[:2]:
            try:
                found = await _own_home(stage) if visit.consent.write else await _existing(stage, person)
            except Said:
                visit.habits = replace(visit.habits, can_create=False)
                found = await _existing_or_none(stage, person)
            if found:
                visit.homes[person.id] = found


async def _own_home(stage: Stage) -> str:
    return next(iter(stage.visit.rooms), "") or await stage.room()


async def _existing(stage: Stage, person: Person) -> str:
    answer = await stage.call(person, "GET", "/conversations", query={"page": 1, "limit": 1})
    found = answer.object.get("conversations")
    first = found[0] if isinstance(found, list) and found else None
    return str(first.get("id", "")) if isinstance(first, dict) else ""


async def _existing_or_none(stage: Stage, person: Person) -> str:
    try:
        return await _existing(stage, person)
    except Said:
        return ""


async def _dial(stage: Stage) -> Socket | None:
    socket = await stage.dial(token=stage.first.token, who=stage.first)
    return None if isinstance(socket, Refusal) else socket


async def _greets(stage: Stage) -> bool:
    socket = await _dial(stage)
    # Where nobody is let in, nothing is learnt; the probes then say so one by one.
    return socket is None or await socket.hear("connected") is not None


async def _pongs(stage: Stage) -> bool:
    socket = await _dial(stage)
    if socket is None:
        return True
    await socket.say("ping")
    return await socket.hear("pong") is not None


async def _acknowledges(stage: Stage) -> bool:
    socket = await _dial(stage)
    if socket is None:
        return True
    room = stage.visit.homes[stage.first.id]
    await socket.say("subscribe", channel="conversation", conversation_id=room)
    return await socket.hear("subscribed") is not None


async def _keeps_several(stage: Stage) -> bool:
    older = await _dial(stage)
    newer = await _dial(stage)
    if older is None or newer is None:
        return True
    if stage.habits.greets:
        await newer.need("connected")
    await older.marker()
    return True


async def _is_on_time(visit: Visit) -> bool:
    """Tell whether the server's clock runs as ours; one without a control API has no other."""
    if visit.control is None:
        return True
    try:
        return (await visit.control.clock()).get("mode") in {None, "system"}
    except TribeError:
        return True
