"""The outermost layer around the REST routes: who may come in, how often, and one line for each request.

A bug behind it ends as a 500 and a traceback in the log; a fault of the client's as a line.
"""

from __future__ import annotations

from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tribe_ws.clock import Clock
from tribe_ws.server.access import USER_KEY
from tribe_ws.server.failures import CLIENT_GONE, answer_for, refusal
from tribe_ws.server.guards import DevelopmentCORS, Guard
from tribe_ws.server.logging import Log
from tribe_ws.server.metrics import Metrics
from tribe_ws.server.throttle import Throttle, TooManyRequests
from tribe_ws.settings import ServerSettings


class RequestEdge:
    """Guards, limits, times and logs every HTTP request."""

    def __init__(
        self,
        app: ASGIApp,
        settings: ServerSettings,
        *,
        guard: Guard,
        log: Log,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._app = app
        self._cors = DevelopmentCORS(app, guard) if settings.cors else app
        self._guard = guard
        self._log = log
        self._metrics = metrics
        self._throttle = (
            Throttle(settings.limit_requests, "Too many requests, try again later", clock)
            if settings.limit_requests
            else None
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request and leave one line."""
        started = perf_counter()
        status = CLIENT_GONE

        async def note_status(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._serve(scope, receive, note_status)
        except Exception:  # noqa: BLE001 - a bug of ours: said once, here
            self._log.exception("request failed", method=scope["method"], path=scope["path"])
            if status == CLIENT_GONE:
                await refusal(500, "Internal server error")(scope, receive, note_status)
        finally:
            user = scope.get(USER_KEY)
            self._metrics.request(status)
            self._log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                ms=round((perf_counter() - started) * 1000, 1),
                user=user.username if user is not None else None,
            )

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self._guard.refuse_host(scope["headers"])
        if refused is not None:
            await refusal(refused.status, refused.detail)(scope, receive, send)
            return
        try:
            if self._throttle is not None and scope["client"] is not None:
                self._throttle.spend(scope["client"][0])
        except TooManyRequests as error:
            answer = answer_for(error)
            assert answer is not None
            await answer(scope, receive, send)
            return
        has_origin = any(name == b"origin" for name, _ in scope["headers"])
        await (self._cors if has_origin else self._app)(scope, receive, send)
