"""uvicorn's WebSocket protocol, held to the contract wherever its own manners differ.

What differs: a stop says ``restart`` (1012), a missing pong 4408, invalid UTF-8 closes with 1007 and leaves
no traceback; a close frame is always followed by the end of the connection, by force if need be; and a
handshake that cannot be read gets its answer.

It leans on names of uvicorn's class, which is why the version of uvicorn is bounded in ``pyproject.toml``.
"""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any, cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request
from websockets.protocol import OPEN

from tribe_ws.hub.connection import CLOSE_GRACE
from tribe_ws.protocol.close_codes import HEARTBEAT_TIMEOUT, INVALID_UTF8, RESTART, CloseCode
from tribe_ws.server.direct_socket import reset_on_close
from tribe_ws.server.handshake import RESET

LINGER = 2.0
"""Seconds a client that broke RFC 6455 has to hang up, so that it can read why it was closed."""
PONG_BACKLOG = 64 * 1024
"""Bytes that may wait before pings go unanswered: who does not read gets no pongs piled up."""


class ContractSocketProtocol(WebSocketsSansIOProtocol):
    """One socket on uvicorn that ends as contract 3.6 says."""

    def end(self, close_code: CloseCode) -> None:
        """Send a close frame now, whatever waits, and see to it that the connection ends; idempotent."""
        if not self.is_open:
            return
        self.close_sent = True
        self.stop_keepalive()
        self.conn.send_close(close_code.code, close_code.reason)
        self._write_out()
        self._tell_application(close_code.code, close_code.reason)
        self._keep_reading()
        self._cut_after(CLOSE_GRACE)

    def reset(self) -> None:
        """Cut the connection off with a TCP reset."""
        reset_on_close(self.transport)
        self.transport.abort()

    @property
    def is_open(self) -> bool:
        """Whether a frame can go out: after the accept, before any close."""
        return self.handshake_complete and not self.close_sent and not self.transport.is_closing()

    def handle_connect(self, event: Request) -> None:
        """Read the upgrade request, and put the way to a reset where the endpoint looks for it."""
        super().handle_connect(event)
        if not self.close_sent:
            cast("dict[str, object]", self.scope["extensions"])[RESET] = self.reset

    def data_received(self, data: bytes) -> None:
        """Read frames; after a breach of the protocol, read on only to drop it."""
        if self.conn.parser_exc is not None:
            return
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            # uvicorn waits for a request event which an unreadable request never becomes.
            self._write_out()
            self.transport.close()

    def eof_received(self) -> None:
        """Tell the application at once: the transport may still hold what this client never read."""
        self._tell_application(1006, "")
        self._cut_after(CLOSE_GRACE)

    def shutdown(self) -> None:
        """Close with the reason of contract 3.6, and give the client time to take it."""
        if self.is_open:
            self.end(RESTART)
        elif not self.handshake_complete:
            super().shutdown()

    def keepalive_timeout(self) -> None:
        """Give up a client that does not answer pings."""
        self.pong_timer = None
        self.pending_ping_payload = None
        self.end(HEARTBEAT_TIMEOUT)

    def handle_ping(self) -> None:
        """Answer pings, unless the connection is not open yet or nobody reads the answers."""
        if not self.handshake_complete:
            self.conn.data_to_send()
        elif self.conn.state is not OPEN or self.transport.get_write_buffer_size() <= PONG_BACKLOG:
            self._write_out()
        else:
            self.conn.data_to_send()

    def handle_close(self, event: Frame) -> None:
        """Echo the client's close, or take its echo; a client that reads nothing is cut off."""
        super().handle_close(event)
        if not self.close_sent:
            self._cut_after(CLOSE_GRACE)

    def send_receive_event_to_app(self) -> None:
        """Hand a whole message over and read no more until it is taken."""
        data = self.frames[0] if len(self.frames) == 1 else b"".join(self.frames)
        self.frames = []
        if self.close_sent:
            return
        if self.curr_msg_data_type == "text":
            try:
                self.queue.put_nowait({"type": "websocket.receive", "text": str(data, "utf-8")})
            except UnicodeDecodeError:
                self.conn.fail(INVALID_UTF8.code, INVALID_UTF8.reason)
                self.handle_parser_exception()
                return
        else:
            self.queue.put_nowait({"type": "websocket.receive", "bytes": bytes(data)})
        if not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def handle_parser_exception(self) -> None:
        """Close a client that broke RFC 6455, and linger: closing at once would wipe out its close frame.

        A socket closed while data is unread is reset by the kernel, and the client would never learn why.
        """
        if self.close_sent:
            return
        self.close_sent = True
        self.stop_keepalive()
        sent = self.conn.close_sent
        self._tell_application(sent.code if sent else 1006, sent.reason if sent else "")
        self._write_out()
        self._keep_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._cut_after(LINGER)

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        """Cut the connection some time after the application is done with it, whatever waits to be read."""
        super().on_task_complete(task)
        if self.close_timer is None:
            self._cut_after(CLOSE_GRACE)

    async def send(self, message: MutableMapping[str, Any]) -> None:  # type: ignore[override]
        """Send as ASGI has it; a close is followed by the end even if the client stalls."""
        await super().send(message)  # type: ignore[arg-type]
        if message["type"] == "websocket.close":
            self._cut_after(CLOSE_GRACE)

    def _tell_application(self, code: int, reason: str) -> None:
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})

    def _write_out(self) -> None:
        self.transport.write(b"".join(self.conn.data_to_send()))

    def _keep_reading(self) -> None:
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()

    def _cut_after(self, seconds: float) -> None:
        """Drop the connection unless it ends by itself before; uvicorn's timer would wait for the buffer."""
        if self.disconnected:
            return
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(seconds, self.transport.abort)
