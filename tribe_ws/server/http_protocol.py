"""The HTTP side of uvicorn with an end to its patience: for slow headers, long addresses and many headers.

Without it a client that connects and says nothing is kept for ever, and one whose query is longer than 64
KiB is cut off without an answer (reliability 0.3). Every refusal here is JSON like all others.
"""

from __future__ import annotations

import asyncio
import json
from typing import cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

MAX_TARGET = 8_000
"""Bytes of path and query; the WebSocket library reads request lines of 8 KiB at most."""
MAX_HEADER = 8_000
MAX_HEADERS = 100
MAX_HEADER_BYTES = 32 * 1024
LINGER = 2.0
"""Seconds a refused client has to take its answer and hang up."""


class BoundedHttpProtocol(HttpToolsProtocol):
    """Refuses what is too long (414, 431) and closes what is too slow."""

    handshake_timeout = 10.0

    _deadline: asyncio.TimerHandle | None = None
    _refusal: tuple[int, str] | None = None
    _header_bytes = 0
    _is_over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start waiting for the first request."""
        super().connection_made(cast("asyncio.Transport", transport))
        self._start_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting for a request that cannot come any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what comes in, until a refusal has gone out."""
        if not self._is_over:
            super().data_received(data)

    def on_message_begin(self) -> None:
        """Start waiting for the end of this request's headers."""
        super().on_message_begin()
        self._header_bytes = 0
        if self._deadline is None:
            self._start_waiting()

    def on_url(self, url: bytes) -> None:
        """Refuse an address that is too long."""
        super().on_url(url)
        if len(self.url) > MAX_TARGET:
            self._refuse(414, "URI too long")

    def on_header(self, name: bytes, value: bytes) -> None:
        """Refuse a header that is too long, or one too many."""
        self._header_bytes += len(name) + len(value)
        if (
            len(value) > MAX_HEADER
            or self._header_bytes > MAX_HEADER_BYTES
            or len(self.headers) >= MAX_HEADERS
        ):
            self._refuse(431, "Request header fields too large")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Stop waiting: the request is there."""
        self._stop_waiting()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that cannot be read, and close."""
        status, detail = self._refusal or (400, msg)
        body = json.dumps({"detail": detail}).encode()
        lines = [
            STATUS_LINE[status],
            *(name + b": " + value + b"\r\n" for name, value in self.server_state.default_headers),
            b"content-type: application/json\r\n",
            b"content-length: %d\r\n" % len(body),
            b"connection: close\r\n\r\n",
        ]
        self.transport.write(b"".join(lines) + body)
        self._linger()

    def _refuse(self, status: int, detail: str) -> None:
        # The parser turns any exception of a callback into its own, which ends in send_400_response.
        self._refusal = (status, detail)
        raise ValueError(detail)

    def _linger(self) -> None:
        """Read on for a moment, only to drop it: closing while data comes in would wipe out our answer."""
        self._is_over = True
        self._stop_waiting()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._deadline = self.loop.call_later(LINGER, self.transport.abort)

    def _start_waiting(self) -> None:
        self._deadline = self.loop.call_later(self.handshake_timeout, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()


def bounded_http_protocol(handshake_timeout: float) -> type[BoundedHttpProtocol]:
    """Make the protocol class that uvicorn instantiates per connection, with that patience."""
    return type("BoundedHttpProtocol", (BoundedHttpProtocol,), {"handshake_timeout": handshake_timeout})
