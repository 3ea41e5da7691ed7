"""The calls that keep and bring back everything: ``GET snapshot`` and ``POST snapshot``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tribe_ws.server.bodies import parse_body, read_body
from tribe_ws.server.control.requests import LARGEST_BODY, control_of
from tribe_ws.storage.records import WorldConversation, WorldSummary


async def save(request: Request) -> JSONResponse:
    """Give everything in the database as one document: without tokens, with the hashes of passwords."""
    return JSONResponse(await control_of(request).services.storage.snapshot())


async def restore(request: Request) -> JSONResponse:
    """Replace everything by a document, all of it or nothing (400); every socket is closed with 1012."""
    control = control_of(request)
    services = control.services
    document = parse_body(await read_body(request.receive, LARGEST_BODY))
    restored = await services.storage.restore(document)
    control.world = _world(document["tables"])
    await services.follow_new_data()
    return JSONResponse(asdict(restored) | {"epoch": services.storage.epoch})


def _world(tables: Mapping[str, list[dict[str, Any]]]) -> WorldSummary:
    """Name what is there now, so that calls can go on naming it: groups by name, others by their people."""
    names = {row["id"]: row["username"] for row in tables["users"]}
    people: dict[str, list[str]] = {row["id"]: [] for row in tables["conversations"]}
    for row in sorted(tables["participants"], key=lambda row: names[row["user_id"]]):
        people[row["conversation_id"]].append(names[row["user_id"]])
    listed = []
    for row in tables["conversations"]:
        name, among = row["name"], people[row["id"]]
        alias = name or "+".join(among)
        listed.append(WorldConversation(row["id"], alias, f"#{name}" if name else alias, tuple(among)))
    return WorldSummary("snapshot", tuple(sorted(names.values())), tuple(listed))


ROUTES = (
    Route("/__tribe__/snapshot", save, methods=["GET"]),
    Route("/__tribe__/snapshot", restore, methods=["POST"]),
)
