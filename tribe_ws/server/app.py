"""The application: which part answers what, and what is open while it runs. Wiring, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TextIO

from fastapi import APIRouter, FastAPI
from starlette.types import Receive, Scope, Send

from tribe_ws import __version__
from tribe_ws.clock import Clock
from tribe_ws.protocol.urls import API_PREFIX
from tribe_ws.server.calls import CallRecorder
from tribe_ws.server.control.application import PREFIX, ControlApp
from tribe_ws.server.control.gate import make_control_key
from tribe_ws.server.edge import RequestEdge
from tribe_ws.server.failures import install_failures
from tribe_ws.server.guards import Guard
from tribe_ws.server.logging import make_log
from tribe_ws.server.metrics import Metrics
from tribe_ws.server.openapi import complete
from tribe_ws.server.quirks import Quirks
from tribe_ws.server.routes import auth, conversations, documents, health, messages, users
from tribe_ws.server.sending import describe_sending, named_conversation, send_message
from tribe_ws.server.services import open_services
from tribe_ws.server.websocket import SocketEndpoint
from tribe_ws.settings import ServerSettings
from tribe_ws.steered_clock import SteeredClock


class TribeApp(FastAPI):
    """The backend as one ASGI application.

    Sockets go straight to their endpoint and not through the middleware, which would cost each of them 12
    KiB for as long as it lives. While the application runs, ``state.services`` holds its parts.
    """

    def __init__(self, settings: ServerSettings, clock: Clock, log_stream: TextIO | None) -> None:
        super().__init__(
            title="Tribe",
            version=__version__,
            lifespan=_lifespan,
            openapi_url=f"{API_PREFIX}/openapi.json" if settings.docs else None,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            strict_content_type=False,
        )
        self.state.settings = settings
        self.state.clock = clock
        self.state.log = make_log(settings, clock, log_stream)
        self.state.guard = Guard(settings)
        self.state.metrics = Metrics()
        self.state.control_key = make_control_key(settings)
        self._socket: SocketEndpoint | None = None
        self._control: ControlApp | None = None
        self._calls: CallRecorder | None = None
        self._edge = RequestEdge(
            Quirks(settings.quirks).answers(self._answer),
            settings,
            guard=self.state.guard,
            log=self.state.log,
            metrics=self.state.metrics,
            clock=clock,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request, a socket or the lifespan on to the part that answers it."""
        if scope["type"] == "websocket" and self._socket is not None:
            await self._socket(scope, receive, send)
        elif scope["type"] == "http" and self._control is not None and scope["path"].startswith(PREFIX):
            await self._control(scope, receive, send)
        elif scope["type"] == "http" and self._calls is not None and self._calls.wants(scope):
            await self._calls(scope, receive, send)
        elif scope["type"] == "http":
            await self._edge(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Open everything the application needs, and close it in the end.

        Raises ``ConfigurationError`` and ``DatabaseRefused`` for what makes a start impossible.
        """
        state = self.state
        async with open_services(
            state.settings, clock=state.clock, log=state.log, guard=state.guard, metrics=state.metrics
        ) as services:
            state.services = services
            self._socket = SocketEndpoint(services)
            self._calls = CallRecorder(self._edge, services.hub.journal)
            if state.control_key:
                self._control = ControlApp(services, state.control_key)
            yield

    def openapi(self) -> dict[str, Any]:
        """Describe the REST calls, also the one that is no route of FastAPI's."""
        if not self.openapi_schema:
            document = super().openapi()
            describe_sending(document)
            complete(document)
        assert self.openapi_schema is not None
        return self.openapi_schema

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that the edge let in; sending goes past the router, for its cost."""
        conversation = named_conversation(scope)
        if conversation is None:
            await super().__call__(scope, receive, send)
        else:
            scope["app"] = self
            await send_message(conversation, scope, receive, send)


def create_app(
    settings: ServerSettings, *, clock: Clock | None = None, log_stream: TextIO | None = None
) -> TribeApp:
    """Make the backend; it opens its database when it is run, not here."""
    app = TribeApp(settings, clock or SteeredClock(settings.clock), log_stream)
    install_failures(app)
    api = APIRouter(prefix=API_PREFIX)
    for module in (auth, users, conversations, messages):
        api.include_router(module.router)
    app.include_router(api)
    app.include_router(health.router)
    if settings.docs:
        app.include_router(documents.router)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    assert isinstance(app, TribeApp)
    async with app.running():
        yield
