"""One accepted connection, from its first frame to its end.

What a frame means is decided by ``protocol.session``; what goes out, and to whom, by the hub. A visit
connects the two with the database, and sees to it that every end is a clean one: whatever happens to a
connection, nothing of it is left in the hub.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import assert_never

from tribe_ws.clock import Timer
from tribe_ws.errors import ProtocolViolation, StorageUnavailable
from tribe_ws.hub.connection import Connection, Transport
from tribe_ws.protocol import close_codes
from tribe_ws.protocol.frames import Connected, Frame
from tribe_ws.protocol.session import (
    Close,
    Effect,
    Ignore,
    Join,
    Leave,
    Relay,
    Renew,
    Send,
    Session,
    SetStatus,
)
from tribe_ws.server.faulty_receive import FaultyReceive
from tribe_ws.server.handshake import Receive
from tribe_ws.server.socket_services import SocketIdentity, SocketServices

_EVENT_OF: dict[type[Effect], str] = {
    Join: "subscribe", Leave: "unsubscribe", Relay: "typing", SetStatus: "presence", Send: "ping",
    Renew: "auth",
}  # fmt: skip
LOGGED_VIOLATIONS = 10
"""How many violations of one connection are logged; all are counted."""


class Visit:
    """One accepted connection: reads frames until it ends, and cleans up after it."""

    __slots__ = (
        "_complaints", "_connection", "_expires_at", "_expiry", "_heard_at", "_identity", "_receive",
        "_services", "_session", "_silence",
    )  # fmt: skip

    def __init__(
        self,
        services: SocketServices,
        connection: Connection,
        session: Session,
        receive: Receive,
        identity: SocketIdentity,
    ) -> None:
        self._services = services
        self._connection = connection
        self._session = session
        self._receive = receive
        self._identity = identity
        self._expires_at = identity.claims.expires_at
        self._expiry: Timer | None = None
        self._silence: Timer | None = None
        self._heard_at = services.clock.monotonic()
        self._complaints = 0

    @property
    def transport(self) -> Transport:
        """The way to the client."""
        return self._connection.transport

    async def run(self) -> None:
        """Serve the connection to its end; never raises for anything a client does."""
        code = 1006
        try:
            if self._enter():
                code = await self._listen()
        except asyncio.CancelledError:
            self._connection.close(close_codes.RESTART)
            raise
        except StorageUnavailable as error:
            self._services.log.warning(
                "socket.failed", connection_id=self._connection.id, reason=error.reason
            )
            self._connection.close(close_codes.INTERNAL)
        except Exception:
            self._services.log.exception("socket.failed", connection_id=self._connection.id)
            self._connection.close(close_codes.INTERNAL)
        finally:
            self._leave(code)

    def _enter(self) -> bool:
        hub, connection = self._services.hub, self._connection
        if not hub.attach(connection):
            connection.close(close_codes.TOO_MANY_CONNECTIONS)
            return False
        connection.on_evicted = self._on_evicted
        hub.send(connection, self._greeting())
        self._watch_token()
        self._watch_silence()
        self._services.log.info("socket.opened", connection_id=connection.id, user_id=connection.user_id)
        return True

    def _greeting(self) -> Frame:
        return Connected()

    def _on_evicted(self, conversation_id: str) -> None:
        self._session.left(conversation_id)

    def _leave(self, code: int) -> None:
        for timer in (self._expiry, self._silence):
            if timer is not None:
                timer.cancel()
        if isinstance(self._receive, FaultyReceive):
            self._receive.close()
        connection = self._connection
        self._services.hub.detach(connection)
        connection.on_evicted = None
        ended = connection.ended
        self._services.log.info(
            "socket.closed",
            connection_id=connection.id,
            user_id=connection.user_id,
            code=ended.code if ended else code,
            reason=ended.reason if ended else "",
        )

    async def _listen(self) -> int:
        """Read frames until either side ends the connection; tells the close code that arrived."""
        clock, journal = self._services.clock, self._services.hub.journal
        faults = self._services.hub.faults
        while True:
            message = await self._receive()
            if faults.is_active and not isinstance(self._receive, FaultyReceive):
                self._receive = FaultyReceive(self._receive, self._connection, faults, journal, message)
                continue
            if message["type"] == "websocket.disconnect":
                return int(message.get("code") or 1005)
            if self._connection.ended is not None:
                return self._connection.ended.code
            self._heard_at = now = clock.monotonic()
            text = message.get("text")
            if journal.is_watched:
                journal.received(self._connection, text if text is not None else message.get("bytes") or b"")
            if text is not None:
                effects = self._session.receive_text(text, now)
            else:
                effects = self._session.receive_binary(message.get("bytes") or b"", now)
            # What follows first tells what was asked; the rest is answers.
            if effects and (event := _EVENT_OF.get(type(effects[0]))) is not None:
                self._services.hub.observer.frame_in(event)
            await self._carry_out(effects)

    async def _carry_out(self, effects: tuple[Effect, ...]) -> None:
        """Do what follows from one frame, in order, before the next frame is read."""
        hub, connection = self._services.hub, self._connection
        for effect in effects:
            match effect:
                case Send(frame):
                    hub.send(connection, frame)
                case Join():
                    await self._join(effect)
                case Leave(conversation_id):
                    hub.unsubscribe(connection, conversation_id)
                case Relay():
                    await self._relay(effect)
                case Renew():
                    await self._renew(effect)
                case SetStatus(status):
                    await self._services.set_presence(connection.user_id, status)
                case Ignore(violation):
                    self._note(violation)
                case Close(close_code):
                    connection.close(close_code)
                case _:
                    assert_never(effect)

    async def _join(self, join: Join) -> None:
        services, connection, conversation_id = self._services, self._connection, join.conversation_id
        if not await services.can_subscribe(connection.user_id, conversation_id):
            await self._refuse(conversation_id, join.ref)
        elif services.hub.subscribe(connection, conversation_id):
            await self._carry_out(self._session.joined(conversation_id))

    async def _relay(self, relay: Relay) -> None:
        if not await self._services.typing(self._connection, relay.conversation_id, relay.is_typing):
            await self._refuse(relay.conversation_id, relay.ref)

    async def _renew(self, renew: Renew) -> None:
        """Go on under another token; only a session in v2 asks for that."""
        raise NotImplementedError(f"{self._connection.profile} has no {renew!r}")

    async def _refuse(self, conversation_id: str, ref: str | None) -> None:
        # A subscription from before must not outlive what the database says now.
        self._services.hub.unsubscribe(self._connection, conversation_id)
        await self._carry_out(self._session.refused(conversation_id, ref))

    def _note(self, violation: ProtocolViolation) -> None:
        hub = self._services.hub
        hub.observer.dropped(violation.violation)
        if hub.journal.is_watched:
            hub.journal.note(
                "ignored", self._connection, violation=violation.violation, detail=violation.message[:200]
            )
        self._complaints += 1
        if self._complaints <= LOGGED_VIOLATIONS:
            self._services.log.info(
                "socket.ignored",
                connection_id=self._connection.id,
                violation=violation.violation,
                detail=violation.message[:200],
            )

    def _watch_token(self) -> None:
        services = self._services
        if services.settings.on_expiry == "close":
            left = max(0.0, self._expires_at - services.clock.now().timestamp())
            close = partial(self._connection.close, close_codes.TOKEN_EXPIRED)
            self._expiry = services.clock.call_later(left, close)

    def _watch_silence(self) -> None:
        """Look again when the client would have been silent for too long, if that is watched at all."""
        patience = self._services.settings.heartbeat_timeout
        if not patience:
            return
        clock = self._services.clock
        left = self._heard_at + patience - clock.monotonic()
        if left <= 0:
            self._connection.close(close_codes.HEARTBEAT_TIMEOUT)
        else:
            self._silence = clock.call_later(left, self._watch_silence)
