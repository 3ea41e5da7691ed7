"""What there is to read about this server: AsyncAPI as JSON, and both documents as pages without scripts."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from tribe_ws import __version__
from tribe_ws.protocol.asyncapi import asyncapi_document
from tribe_ws.protocol.profiles import Profile
from tribe_ws.protocol.urls import API_PREFIX, parse_address
from tribe_ws.server.pages import events_page, rest_page

router = APIRouter(include_in_schema=False)

_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


@router.get(f"{API_PREFIX}/asyncapi.json")
async def read_asyncapi(request: Request) -> dict[str, Any]:
    """Describe the socket at the address that was asked."""
    return asyncapi_document(
        version=__version__,
        socket_url=parse_address(str(request.base_url)).socket_url,
        profile=Profile(request.app.state.settings.profile),
    )


@router.get("/docs")
async def read_rest_page(request: Request) -> HTMLResponse:
    """Show the REST calls to a person."""
    return HTMLResponse(rest_page(request.app.openapi()), headers=_HEADERS)


@router.get("/docs/events")
async def read_events_page(request: Request) -> HTMLResponse:
    """Show the socket's events to a person."""
    return HTMLResponse(events_page(await read_asyncapi(request)), headers=_HEADERS)
