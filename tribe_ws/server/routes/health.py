"""``/health`` and ``/metrics``: for whoever watches the server; no prefix and no token."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from starlette.responses import Response

from tribe_ws import __version__
from tribe_ws.protocol.models import HealthOut
from tribe_ws.server.access import Parts
from tribe_ws.server.metrics import CONTENT_TYPE
from tribe_ws.storage.storage import Storage

PATIENCE = 2.0
"""Seconds after which a database that says nothing does not answer."""

router = APIRouter(tags=["operation"])


@router.get("/health", responses={503: {"model": HealthOut, "description": "The database does not answer."}})
async def read_health(services: Parts, response: Response) -> HealthOut:
    """Tell whether the server can do its work."""
    has_database = await _answers(services.storage)
    has_broker = services.hub.broker.is_healthy
    if not has_database:
        response.status_code = 503
    return HealthOut(
        status="ok" if has_database and has_broker else "degraded",
        version=__version__,
        database="ok" if has_database else "unavailable",
        broker="ok" if has_broker else "unavailable",
        connections=services.hub.connection_count,
    )


@router.get("/metrics", response_class=Response)
async def read_metrics(services: Parts) -> Response:
    """Show the figures for Prometheus."""
    return Response(services.metrics.text(), media_type=CONTENT_TYPE)


async def _answers(storage: Storage) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            return await storage.ping()
    except TimeoutError:
        return False
