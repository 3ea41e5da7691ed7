"""One WebSocket connection, from the handshake to its end; ``websockets`` is named here and nowhere else.

It is open only when ``connected`` was seen (contract 3.1). Loopback never goes through a proxy. Whatever goes
wrong comes out as one of our errors; none of them, and no log line, holds the token.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidProxy,
    InvalidStatus,
    ProxyError,
    WebSocketException,
)
from websockets.typing import Subprotocol

import tribe_ws
from tribe_ws.client.events import Event, WireLine, binary_event, read_event
from tribe_ws.client.failures import (
    explain_close,
    explain_handshake_status,
    explain_network_error,
    explain_proxy,
    explain_timeout,
)
from tribe_ws.client.options import Timeouts
from tribe_ws.client.tokens import Tokens
from tribe_ws.clock import Clock
from tribe_ws.errors import CannotConnect, ConnectionLost, TribeError
from tribe_ws.protocol.frames_v2 import ConnectedV2
from tribe_ws.protocol.profiles import SUBPROTOCOL_V2
from tribe_ws.protocol.urls import ServerAddress, redact

NO_CLOSE_FRAME = 1006
MAX_FRAME = 16 * 1024 * 1024
MOST_EARLY = 100

HANDSHAKE_DONE = 'handshake done, waiting for "connected"'
"""What the wire log notes between the handshake and the first frame."""


class Connection:
    """An open connection; made by ``open_connection``."""

    def __init__(
        self,
        websocket: ClientConnection,
        address: ServerAddress,
        token: str,
        clock: Clock,
        on_wire: Callable[[WireLine], None] | None,
        number: int = 1,
    ) -> None:
        self.token = token
        self.number = number
        self.early: tuple[Event, ...] = ()
        self.is_v2 = websocket.subprotocol == SUBPROTOCOL_V2
        self.last_received = clock.monotonic()
        self._websocket = websocket
        self._address = address
        self._clock = clock
        self._on_wire = on_wire
        self._own_reason = ""

    @property
    def connection_id(self) -> str | None:
        """What the server calls this connection, which only ``tribe.v2`` tells."""
        frame = self.early[-1].frame if self.early else None
        return frame.data.connection_id if isinstance(frame, ConnectedV2) else None

    async def receive(self) -> Event:
        """Give the next frame as an event; raises ``ConnectionLost``, ``AuthenticationError`` at the end."""
        try:
            data = await self._websocket.recv()
        except ConnectionClosed as closed:
            raise self._ending(closed) from None
        now, at = self._clock.monotonic(), self._clock.now()
        self.last_received = now
        if isinstance(data, bytes):
            event = binary_event(data, received_at=now, at=at, connection=self.number)
        else:
            event = read_event(data, received_at=now, at=at, is_v2=self.is_v2, connection=self.number)
        self._log("in", event.text)
        return event

    async def send(self, frame: str | bytes) -> None:
        """Send one text or binary frame; raises as ``receive`` does if the connection is over."""
        # Told first: the answer may be read before this task goes on.
        self._log("out", frame if isinstance(frame, str) else repr(frame))
        try:
            await self._websocket.send(frame)
        except ConnectionClosed as closed:
            raise self._ending(closed) from None

    async def answers_transport_ping(self, seconds: float) -> bool:
        """Tell whether the other end answers a ping of the WebSocket protocol in time."""
        try:
            async with asyncio.timeout(seconds):
                await (await self._websocket.ping())
        except (TimeoutError, ConnectionClosed):
            return False
        return True

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close in an orderly way, within the close timeout."""
        await self._websocket.close(code, reason)

    def break_off(self, reason: str) -> None:
        """End the connection at once, without a close frame: the other end does not answer any more."""
        self._own_reason = reason
        self._websocket.transport.abort()

    async def await_connected(self, seconds: float) -> None:
        """Read until ``connected``; what comes before it is kept in ``early``, with a complaint."""
        early: list[Event] = []
        try:
            async with asyncio.timeout(seconds):
                while not early or early[-1].name != "connected":
                    early.append(await self.receive())
                    if len(early) > MOST_EARLY:
                        raise _not_our_language(
                            self._address, f'sends everything but "connected" ({early[0].name})'
                        )
        except TimeoutError:
            raise explain_timeout(
                self._address, seconds, 'took the WebSocket handshake, but sent no "connected"'
            ) from None
        self.early = (*(_too_early(event) for event in early[:-1]), early[-1])

    def _ending(self, closed: ConnectionClosed) -> TribeError:
        if closed.rcvd is not None:
            expires_at = Tokens(self.token).ends_at
            return explain_close(closed.rcvd.code, closed.rcvd.reason, expires_at=expires_at)
        # No close frame came. Where we sent one, the server broke the protocol and ours says how.
        said = self._own_reason or (
            f"we closed with {closed.sent.code}: {closed.sent.reason}" if closed.sent else ""
        )
        return ConnectionLost(NO_CLOSE_FRAME, redact(said))

    def _log(self, direction: Any, text: str) -> None:
        if self._on_wire is not None:
            self._on_wire(WireLine(direction, redact(text)))


async def open_connection(
    address: ServerAddress,
    token: str,
    *,
    clock: Clock,
    timeouts: Timeouts,
    on_wire: Callable[[WireLine], None] | None = None,
    offers_v2: bool = False,
    number: int = 1,
) -> Connection:
    """Connect, offering ``tribe.v2`` if so asked, and wait for ``connected``; ``number`` is for its events.

    Raises ``CannotConnect``, ``AuthenticationError`` or ``ConnectionLost``.
    """
    if on_wire is not None:
        on_wire(WireLine("note", f"connecting to {address.socket_url}?token=***"))
    websocket = await _handshake(address, token, timeouts, offers_v2=offers_v2)
    connection = Connection(websocket, address, token, clock, on_wire, number)
    if on_wire is not None:
        on_wire(WireLine("note", HANDSHAKE_DONE))
    try:
        await connection.await_connected(timeouts.connected)
    except BaseException:
        websocket.transport.abort()
        raise
    return connection


async def _handshake(
    address: ServerAddress, token: str, timeouts: Timeouts, *, offers_v2: bool
) -> ClientConnection:
    try:
        return await open_websocket(
            address.socket_url_with(token),
            # Even loopback would go through http_proxy otherwise.
            proxy=None if address.is_loopback else True,
            compression=None,
            subprotocols=[Subprotocol(SUBPROTOCOL_V2)] if offers_v2 else None,
            open_timeout=timeouts.handshake,
            close_timeout=timeouts.close,
            # The documented heartbeat is ours to send (stream.py).
            ping_interval=None,
            max_size=MAX_FRAME,
            user_agent_header=f"tribe-ws/{tribe_ws.__version__}",
            logger=_quiet_logger(),
        )
    except InvalidStatus as error:
        body = (error.response.body or b"")[:200].decode("utf-8", "replace")
        raise explain_handshake_status(address, error.response.status_code, _detail(body)) from None
    except (ProxyError, InvalidProxy, ImportError) as error:
        raise explain_proxy(address, str(error)) from None
    except TimeoutError:
        raise explain_timeout(address, timeouts.handshake, "did not answer the WebSocket handshake") from None
    except OSError as error:
        raise explain_network_error(error, address) from None
    except (InvalidMessage, InvalidHandshake, WebSocketException, EOFError) as error:
        raise _not_our_language(
            address, f"did not take the WebSocket handshake ({redact(str(error))})"
        ) from None


def _too_early(event: Event) -> Event:
    complaint = event.complaint or 'came before "connected", which is the first frame of a connection'
    return replace(event, complaint=complaint)


def _not_our_language(address: ServerAddress, what: str) -> CannotConnect:
    return CannotConnect(
        f"{address.host}:{address.port} {what}",
        reason="handshake",
        url=address.socket_url,
        hint="is it a Tribe server?",
    )


def _detail(body: str) -> str:
    """Give the server's own words from the body of a refused upgrade, if they are short and plain."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = body
    if isinstance(found, dict):
        found = found.get("detail")
    return " ".join(found.split()) if isinstance(found, str) and "<" not in found else ""


class _Redacting(logging.Filter):
    """Hides tokens in what the WebSocket library logs at debug level."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(record.getMessage()), ()
        return True


def _quiet_logger() -> logging.Logger:
    logger = logging.getLogger("tribe_ws.client.websocket")
    if not logger.filters:
        logger.addFilter(_Redacting())
    return logger
