"""The calls about faults: ``GET`` lists those in force, ``POST`` adds some, ``DELETE`` takes them away."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import StringConstraints
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tribe_ws.errors import NotFound
from tribe_ws.hub.faults import Fault
from tribe_ws.server.control.requests import Body, control_of, read
from tribe_ws.server.fault_names import add_faults


class FaultsBody(Body):
    """Rules as people write them, separated by ``;``; ``seed`` sets chance anew for them."""

    faults: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=10_000)]
    seed: int | None = None


async def list_faults(request: Request) -> JSONResponse:
    """List the faults in force, and the seed of their chance."""
    plan = control_of(request).services.hub.faults
    return JSONResponse({"seed": plan.seed, "faults": [_shown(fault) for fault in plan.list()]})


async def add(request: Request) -> JSONResponse:
    """Put faults in force, also for the sockets that are open; all of them or none (400)."""
    control = control_of(request)
    body = await read(request, FaultsBody)
    services = control.services
    plan = services.hub.faults
    added = await add_faults(body.faults, plan, services.storage, control.world)
    if body.seed is not None:
        plan.seed = body.seed
    return JSONResponse({"seed": plan.seed, "faults": [_shown(fault) for fault in added]})


async def clear(request: Request) -> JSONResponse:
    """Take all faults away; what they held up goes out."""
    return JSONResponse({"cleared": control_of(request).services.hub.faults.clear()})


async def remove(request: Request) -> JSONResponse:
    """Take one fault away, by its id."""
    fault_id = request.path_params["fault_id"]
    if not control_of(request).services.hub.faults.remove(fault_id):
        raise NotFound(f"there is no fault {fault_id}")
    return JSONResponse({"cleared": 1})


def _shown(fault: Fault) -> dict[str, Any]:
    return {
        "id": fault.id,
        "fault": fault.rule.text,
        "user_id": fault.user_id,
        "conversation_id": fault.conversation_id,
        "hits": fault.hits,
    }


ROUTES = (
    Route("/__tribe__/faults", list_faults, methods=["GET"]),
    Route("/__tribe__/faults", add, methods=["POST"]),
    Route("/__tribe__/faults", clear, methods=["DELETE"]),
    Route("/__tribe__/faults/{fault_id:int}", remove, methods=["DELETE"]),
)
