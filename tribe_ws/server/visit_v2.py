"""A visit of a client that asked for ``tribe.v2``: it says more at the beginning, and forgets nothing (3.5).

The seam between what was missed and what comes live is exact. While the missed messages are read and sent,
what is published waits in the hub; what was read is dropped from it by its number, and the rest follows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import tribe_ws
from tribe_ws.clock import Timer, format_timestamp
from tribe_ws.errors import ProtocolViolation, StorageUnavailable
from tribe_ws.hub.connection import Connection
from tribe_ws.protocol import close_codes
from tribe_ws.protocol.frames import Frame, Sender
from tribe_ws.protocol.frames_v2 import (
    EXPIRY_NOTICE,
    HEARTBEAT_INTERVAL,
    ConnectedV2,
    MessageNewV2,
    Subscription,
    TokenExpiring,
    TokenLife,
    Welcome,
)
from tribe_ws.protocol.session import Effect, Join, Renew, Send
from tribe_ws.protocol.session_v2 import SessionV2
from tribe_ws.server.handshake import Receive
from tribe_ws.server.socket_services import SocketIdentity, SocketServices
from tribe_ws.server.tokens import Unauthorised
from tribe_ws.server.visit import Visit

AT_ONCE = 16
"""Missed messages that are sent before the client is given time to take them."""
PATIENCE = 10.0
"""Seconds a client may take nothing at all of what it missed before it counts as too slow."""
_PAUSE = 0.005


class VisitV2(Visit):
    """One accepted connection in v2."""

    __slots__ = ("_notice", "_v2")

    def __init__(
        self,
        services: SocketServices,
        connection: Connection,
        session: SessionV2,
        receive: Receive,
        identity: SocketIdentity,
    ) -> None:
        super().__init__(services, connection, session, receive, identity)
        self._v2 = session
        self._notice: Timer | None = None

    def _greeting(self) -> Frame:
        user = self._identity.user
        return ConnectedV2(
            data=Welcome(
                connection_id=self._connection.id,
                user=Sender(
                    id=user.id,
                    username=user.username,
                    full_name=user.full_name,
                    profile_image_url=user.profile_image_url,
                ),
                server=f"tribe-ws/{tribe_ws.__version__}",
                epoch=self._services.epoch,
                heartbeat_interval=HEARTBEAT_INTERVAL,
                expires_at=self._end_of_token,
            )
        )

    def _on_evicted(self, conversation_id: str) -> None:
        for effect in self._v2.left(conversation_id):
            if isinstance(effect, Send):
                self._services.hub.send(self._connection, effect.frame)

    def _leave(self, code: int) -> None:
        if self._notice is not None:
            self._notice.cancel()
        super()._leave(code)

    async def _carry_out(self, effects: tuple[Effect, ...]) -> None:
        try:
            await super()._carry_out(effects)
        except StorageUnavailable as error:
            # In v2 there is a word for it: the client may try again, and the connection need not end.
            about, ref = (getattr(effects[0], name, None) for name in ("conversation_id", "ref"))
            problem = ProtocolViolation("internal", error.message, conversation_id=about, ref=ref)
            await super()._carry_out(self._v2.complain(problem))

    # ── Subscribing ─────────────────────────────────────────────────────────────────────────────────────

    async def _join(self, join: Join) -> None:
        services, connection, conversation_id = self._services, self._connection, join.conversation_id
        if not await services.can_subscribe(connection.user_id, conversation_id):
            await self._refuse(conversation_id, join.ref)
            return
        before = services.hub.covered(connection, conversation_id)
        if not services.hub.hold(connection, conversation_id):
            return
        try:
            await self._begin(join, before)
        except BaseException:
            if before is None:
                services.hub.unsubscribe(connection, conversation_id)
            else:
                services.hub.release(connection, conversation_id, before, echo=join.echo)
            raise

    async def _begin(self, join: Join, before: tuple[int, int] | None) -> None:
        """Answer a subscribe and send what was missed, while live messages wait; then let them come."""
        services, connection, conversation_id = self._services, self._connection, join.conversation_id
        online = await services.online(conversation_id)
        if before is None:
            newest = await services.head_seq(conversation_id)
            before = newest, newest
        covered, missed = before, await self._missed(join, before)
        if not services.hub.is_held(connection, conversation_id):
            # Taken out of the conversation while we read.
            await self._refuse(conversation_id, join.ref)
            return
        state = Subscription(
            seq=covered[1],
            epoch=services.epoch,
            online=online,
            recovered=None if join.position is None else missed is not None,
        )
        await self._carry_out(self._v2.joined_at(conversation_id, state, join.ref))
        if join.position is not None and missed is not None:
            covered = min(covered[0], join.position.after_seq), covered[1]
            await self._send_missed(conversation_id, missed)
        services.hub.release(connection, conversation_id, covered, echo=join.echo)

    async def _missed(self, join: Join, covered: tuple[int, int]) -> Sequence[MessageNewV2] | None:
        """Read what lies between the client's position and what it has got; ``None`` if that cannot be."""
        position = join.position
        if position is None:
            return ()
        if position.epoch != self._services.epoch or position.after_seq > covered[1]:
            return None
        if position.after_seq >= covered[0]:
            return ()
        return await self._services.missed(
            self._connection, join.conversation_id, position.after_seq, covered[0], echo=join.echo
        )

    async def _send_missed(self, conversation_id: str, missed: Sequence[MessageNewV2]) -> None:
        hub, connection = self._services.hub, self._connection
        for start in range(0, len(missed), AT_ONCE):
            if not hub.is_held(connection, conversation_id):
                return
            for frame in missed[start : start + AT_ONCE]:
                hub.send(connection, frame)
            await self._let_it_read()

    async def _let_it_read(self) -> None:
        """Wait until the client has taken what was sent, so that catching up makes nobody a slow consumer."""
        connection, loop = self._connection, asyncio.get_running_loop()
        await asyncio.sleep(0)
        waiting, deadline = connection.transport.waiting(), loop.time() + PATIENCE
        while waiting[1] and connection.ended is None:
            await asyncio.sleep(_PAUSE)
            still = connection.transport.waiting()
            if still != waiting:
                waiting, deadline = still, loop.time() + PATIENCE
            elif loop.time() > deadline:
                connection.close(close_codes.SLOW_CONSUMER)

    # ── The token ───────────────────────────────────────────────────────────────────────────────────────

    @property
    def _end_of_token(self) -> str:
        return format_timestamp(datetime.fromtimestamp(self._expires_at, UTC))

    async def _renew(self, renew: Renew) -> None:
        try:
            identity = await self._services.authenticate(renew.token)
        except Unauthorised as error:
            if error.close_code in (close_codes.ACCOUNT_DISABLED, close_codes.USER_UNKNOWN):
                self._connection.close(error.close_code)
                return
            await self._refuse_token(f"{error.close_code.reason}: {error.close_code.meaning}", renew.ref)
            return
        if identity.user.id != self._connection.user_id:
            await self._refuse_token("the token is another user's", renew.ref)
            return
        self._expires_at = identity.claims.expires_at
        await self._carry_out(self._v2.renewed(self._end_of_token, renew.ref))
        self._watch_token()

    async def _refuse_token(self, why: str, ref: str | None) -> None:
        await self._carry_out(
            self._v2.complain(ProtocolViolation("invalid_payload", f"auth: {why}", ref=ref))
        )

    def _watch_token(self) -> None:
        """Watch the token's end, in place of that of the token before, and tell the client in time."""
        for timer in (self._expiry, self._notice):
            if timer is not None:
                timer.cancel()
        super()._watch_token()
        clock = self._services.clock
        left = self._expires_at - clock.now().timestamp() - EXPIRY_NOTICE
        if left > 0:
            self._notice = clock.call_later(left, self._tell_of_expiry)
        else:
            self._tell_of_expiry()

    def _tell_of_expiry(self) -> None:
        frame = TokenExpiring(data=TokenLife(expires_at=self._end_of_token))
        self._services.hub.send(self._connection, frame)
