"""The calls that show and change the server as a whole: ``info``, ``connections``, ``reset``, ``clock``."""

from __future__ import annotations

import os
from typing import Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tribe_ws import __version__
from tribe_ws.clock import format_timestamp
from tribe_ws.errors import ConflictError
from tribe_ws.hub.connection import Connection
from tribe_ws.server.control.requests import Body, Control, control_of, read
from tribe_ws.server.failures import Unprocessable
from tribe_ws.settings import Duration
from tribe_ws.steered_clock import SteeredClock


class ResetBody(Body):
    """Which world to begin anew with; by default the one that the server was started with."""

    world: str = ""


class ClockBody(Body):
    """What to do with the time: first the mode, then the jump. Durations are seconds or text as ``90m``."""

    mode: str | None = None
    advance: Duration = Field(0.0, ge=0)


async def info(request: Request) -> JSONResponse:
    """Tell what this server is: version, database, world, settings, clock, connections."""
    control = control_of(request)
    services, world = control.services, control.world
    return JSONResponse(
        {
            "version": __version__,
            "pid": os.getpid(),
            "database": services.storage.description,
            "epoch": services.storage.epoch,
            "profile": services.settings.profile,
            "world": {
                "name": world.name,
                "users": list(world.usernames),
                "conversations": [
                    {"id": one.id, "alias": one.alias, "label": one.label} for one in world.conversations
                ],
            },
            "clock": _clock(control),
            "connections": services.hub.connection_count,
            "subscriptions": services.hub.subscription_count,
            "watchers": services.hub.journal.watchers,
            "settings": services.settings.model_dump(mode="json", exclude={"secret", "db"}),
        }
    )


async def connections(request: Request) -> JSONResponse:
    """List the live connections: whose they are, what they listen to, what waits for them."""
    control = control_of(request)
    live = control.services.hub.connections
    return JSONResponse({"connections": [await _shown(control, one) for one in live]})


async def reset(request: Request) -> JSONResponse:
    """Empty the database and fill it with a world again; every socket is closed with 1012."""
    control = control_of(request)
    body = await read(request, ResetBody)
    services = control.services
    world = body.world or services.settings.fixtures
    control.world = await services.storage.reset(world, services.passwords.hash_for_demo)
    await services.follow_new_data()
    return JSONResponse(
        {
            "world": control.world.name,
            "users": list(control.world.usernames),
            "messages": control.world.messages_created,
            "epoch": services.storage.epoch,
        }
    )


async def clock(request: Request) -> JSONResponse:
    """Tell the server's time."""
    return JSONResponse(_clock(control_of(request)))


async def set_clock(request: Request) -> JSONResponse:
    """Move the time that tokens, typing, presence and limits see; timers that come due on the way fire."""
    control = control_of(request)
    body = await read(request, ClockBody)
    steered = control.services.clock
    if not isinstance(steered, SteeredClock):
        raise ConflictError("this server was started with a clock that cannot be steered", field="clock")
    try:
        if body.mode is not None:
            steered.set_mode(body.mode)
        steered.advance(body.advance)
    except ValueError as error:
        raise Unprocessable([("clock", str(error))]) from None
    return JSONResponse(_clock(control))


def _clock(control: Control) -> dict[str, Any]:
    time = control.services.clock
    if isinstance(time, SteeredClock):
        return {"now": format_timestamp(time.now()), "mode": time.mode, "ahead": round(time.ahead, 3)}
    return {"now": format_timestamp(time.now()), "mode": None, "ahead": None}


async def _shown(control: Control, connection: Connection) -> dict[str, Any]:
    user = await control.services.storage.users.by_id(connection.user_id)
    size, frames = connection.transport.waiting()
    return {
        "id": connection.id,
        "user": user.username if user is not None else None,
        "user_id": connection.user_id,
        "profile": connection.profile.value,
        "subscriptions": sorted(connection.subscriptions),
        "waiting": {"bytes": size, "frames": frames},
        "closing": connection.ended.code if connection.ended is not None else None,
    }


ROUTES = (
    Route("/__tribe__/info", info, methods=["GET"]),
    Route("/__tribe__/connections", connections, methods=["GET"]),
    Route("/__tribe__/reset", reset, methods=["POST"]),
    Route("/__tribe__/clock", clock, methods=["GET"]),
    Route("/__tribe__/clock", set_clock, methods=["POST"]),
)
