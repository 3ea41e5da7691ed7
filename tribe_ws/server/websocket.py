"""The socket endpoint, a bare ASGI callable: judges an upgrade, and lets a visit begin or turns it away."""

from __future__ import annotations

from typing import Any

from tribe_ws.errors import StorageUnavailable
from tribe_ws.hub.connection import Connection, Transport
from tribe_ws.protocol import close_codes
from tribe_ws.protocol.close_codes import CloseCode
from tribe_ws.protocol.profiles import SUBPROTOCOL_V2, Profile
from tribe_ws.protocol.session import Session, SessionLimits
from tribe_ws.protocol.session_v2 import SessionV2
from tribe_ws.server.guards import Refusal
from tribe_ws.server.handshake import (
    EXTENSION,
    RESET,
    Receive,
    Scope,
    Send,
    answer_with_http,
    refusal_of,
    refuse_upgrade,
    token_of,
)
from tribe_ws.server.portable_socket import PortableTransport
from tribe_ws.server.quirks import Quirks
from tribe_ws.server.socket_services import SocketIdentity, SocketServices
from tribe_ws.server.tokens import Unauthorised
from tribe_ws.server.visit import Visit
from tribe_ws.server.visit_v2 import VisitV2

_REFUSED = Refusal(503, "Refused by a fault")


class SocketEndpoint:
    """``GET /api/v1/ws``, and the 404 for an upgrade anywhere else."""

    def __init__(self, services: SocketServices) -> None:
        settings = services.settings
        self._services = services
        self._profile = Profile(settings.profile)
        self._quirks = Quirks(settings.quirks)
        self._limits = SessionLimits(frames=settings.limit_frames, subscriptions=settings.limit_subscriptions)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one upgrade request from its first byte to the end of the connection."""
        try:
            visit = await self._admit(scope, receive, send)
        except OSError:
            return  # The client left before it was let in.
        if visit is None:
            return
        if isinstance(visit.transport, PortableTransport):
            await visit.transport.accompany(visit.run())
        else:
            await visit.run()

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> Visit | None:
        refusal = refuse_upgrade(scope, self._services.guard)
        await receive()
        if refusal is not None:
            await answer_with_http(scope, send, refusal)
            return None
        identity = await self._identify(scope)
        if isinstance(identity, CloseCode):
            await self._turn_away(scope, send, identity)
            return None
        if self._services.hub.faults.refuses(identity.user.id):
            await answer_with_http(scope, send, _REFUSED)
            return None
        await send(_accept(scope))
        extensions = scope.get("extensions", {})
        transport = extensions.get(EXTENSION) or PortableTransport(send, extensions.get(RESET))
        return self._visit(scope, receive, identity, transport)

    async def _identify(self, scope: Scope) -> SocketIdentity | CloseCode:
        """Tell who asks, or why they cannot be let in."""
        log = self._services.log
        try:
            return await self._services.authenticate(token_of(scope))
        except Unauthorised as error:
            log.info("socket.refused", reason=error.close_code.reason)
            return error.close_code
        except StorageUnavailable as error:
            log.warning("socket.refused", reason=error.reason)
        except Exception:
            log.exception("socket.refused", reason="internal")
        return close_codes.INTERNAL

    async def _turn_away(self, scope: Scope, send: Send, close_code: CloseCode) -> None:
        """Accept, then close: a client cannot see the status of a refused upgrade, a close code it can."""
        refusal = self._quirks.refuse_token(close_code)
        if refusal is None and self._services.settings.reject == "http":
            refusal = refusal_of(close_code)
        if refusal is not None and close_code is not close_codes.INTERNAL:
            await answer_with_http(scope, send, refusal)
            return
        await send(_accept(scope))
        await send({"type": "websocket.close", "code": close_code.code, "reason": close_code.reason})

    def _visit(self, scope: Scope, receive: Receive, identity: SocketIdentity, transport: Transport) -> Visit:
        profile = Profile.V2 if _asks_for_v2(scope) else self._profile
        connection = Connection(
            user_id=identity.user.id,
            user_name=identity.user.full_name,
            profile=profile,
            transport=transport,
            limits=self._services.hub.limits.outbox,
            connection_id=self._services.clock.new_id("connection"),
        )
        if profile is Profile.V2:
            session = SessionV2(profile, self._limits)
            return VisitV2(self._services, connection, session, receive, identity)
        return Visit(self._services, connection, Session(profile, self._limits), receive, identity)


def _asks_for_v2(scope: Scope) -> bool:
    return SUBPROTOCOL_V2 in scope.get("subprotocols", ())


def _accept(scope: Scope) -> dict[str, Any]:
    """Accept an upgrade; v2 is selected also for who is turned away: a browser fails where nothing is."""
    chosen = {"subprotocol": SUBPROTOCOL_V2} if _asks_for_v2(scope) else {}
    return {"type": "websocket.accept", **chosen}
