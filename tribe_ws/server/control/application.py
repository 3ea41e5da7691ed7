"""The control API as one ASGI application: the gate first, then the calls of all its modules."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tribe_ws.errors import ConfigurationError, TribeError
from tribe_ws.server.control import actions, events, faults, snapshot, state, trigger
from tribe_ws.server.control.gate import Gate
from tribe_ws.server.control.requests import Control
from tribe_ws.server.failures import refusal, respond_to
from tribe_ws.server.services import Services

PREFIX = "/__tribe__/"
MODULES = (state, events, actions, faults, snapshot, trigger)
"""Whoever adds calls lists them in a ``ROUTES`` of a module of their own, and the module here."""


class ControlApp:
    """Answers everything under ``PREFIX``, past the CORS and the limits of the rest of the server."""

    def __init__(self, services: Services, key: str) -> None:
        self._gate = Gate(services.guard, key)
        self._log = services.log
        self._app = Starlette(
            routes=[route for module in MODULES for route in module.ROUTES],
            exception_handlers={TribeError: _on_error, HTTPException: _on_error, Exception: _on_bug},
        )
        self._app.state.control = Control(services, services.world)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        refused = self._gate.refuse(scope["headers"])
        if refused is not None:
            await refusal(refused.status, refused.detail)(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        except Exception:  # noqa: BLE001 - answered with 500 already; said once, here
            self._log.exception("control failed", method=scope["method"], path=scope["path"])


async def _on_error(_request: Request, error: Exception) -> Response:
    if isinstance(error, ConfigurationError):
        return refusal(400, error.message)
    answer = respond_to(error)
    return answer if answer is not None else refusal(500, "Internal server error")


async def _on_bug(_request: Request, _error: Exception) -> Response:
    return refusal(500, "Internal server error")
