"""The load driver's HTTP client: keep-alive connections that each post one message after the other."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from benchmarks import wire
from benchmarks.sockets import DriverError

CONTENT_SIZE = 60
_ANSWER_DEADLINE = 30.0


@dataclass(frozen=True, slots=True)
class Sends:
    """What a number of clients got through: how many sends, in how many seconds, and each one's latency."""

    count: int
    seconds: float
    latencies: tuple[float, ...]


class Poster(asyncio.Protocol):
    """One client: sends, waits for its 201, sends again."""

    def __init__(self, port: int, conversation_id: str, token: str) -> None:
        body = b'{"content":"' + wire.content_of(0, CONTENT_SIZE).encode() + b'"}'
        self._before, _, self._after = body.partition(b"0" * wire.STAMP_DIGITS)
        self._head = (
            f"POST /api/v1/conversations/{conversation_id}/messages HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode()
        self._buffer = b""
        self._sent_at = 0
        self._until = 0
        self._transport: asyncio.Transport | None = None
        self._finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.latencies: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what still waits."""
        self._fail(f"a posting connection was lost: {exc or 'the server hung up'}")

    def run(self, seconds: float) -> asyncio.Future[None]:
        """Post for so long; the last answer finishes the run."""
        self.latencies = []
        self._until = time.monotonic_ns() + int(seconds * 1e9)
        self._finished = asyncio.get_running_loop().create_future()
        self._post()
        return self._finished

    def data_received(self, data: bytes) -> None:
        """Take the answer in, and post the next one."""
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        if not head.startswith(b"HTTP/1.1 201"):
            self._fail(f"a send was not answered by 201: {self._buffer[:300]!r}")
            return
        if len(body) < int(wire.header(head, b"content-length")):
            return
        self._buffer = b""
        now = time.monotonic_ns()
        self.latencies.append((now - self._sent_at) / 1e9)
        if now < self._until:
            self._post()
        elif not self._finished.done():
            self._finished.set_result(None)

    def close(self) -> None:
        """Hang up."""
        if not self._finished.done():
            self._finished.cancel()
        if self._transport is not None:
            self._transport.abort()

    def _post(self) -> None:
        assert self._transport is not None
        self._sent_at = time.monotonic_ns()
        stamp = b"%0*d" % (wire.STAMP_DIGITS, self._sent_at)
        self._transport.write(self._head + self._before + stamp + self._after)

    def _fail(self, reason: str) -> None:
        if not self._finished.done():
            self._finished.set_exception(DriverError(reason))


async def open_posters(count: int, port: int, conversation_id: str, tokens: Sequence[str]) -> list[Poster]:
    """Open so many clients, each with the next of the tokens."""
    loop = asyncio.get_running_loop()
    posters = []
    for number in range(count):
        token = tokens[number % len(tokens)]
        _, poster = await loop.create_connection(
            lambda token=token: Poster(port, conversation_id, token),  # type: ignore[misc]
            "127.0.0.1",
            port,
        )
        posters.append(poster)
    return posters


async def post_for(posters: Sequence[Poster], seconds: float) -> Sends:
    """Let all clients post side by side for so long."""
    started = time.monotonic()
    async with asyncio.timeout(seconds + _ANSWER_DEADLINE):
        await asyncio.gather(*(poster.run(seconds) for poster in posters))
    elapsed = time.monotonic() - started
    latencies = tuple(latency for poster in posters for latency in poster.latencies)
    return Sends(len(latencies), elapsed, latencies)
