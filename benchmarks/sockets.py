"""The load driver's sockets: an ``asyncio.Protocol`` that counts frames and decodes only a sample of them.

Counting a frame costs well under a microsecond, so one core receives more than most servers send. What a
server does wrong on the way (refuses, closes, sends what is no event) is raised by the next ``wait``.
"""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable, Sequence
from typing import Any, cast

from benchmarks import wire
from benchmarks.progress import Progress

CONNECTING_AT_ONCE = 50
CONNECT_DEADLINE = 60.0
_TEXT, _CLOSE, _PING = 1, 8, 9
_PONG_HEAD = b"\x8a\x80\x00\x00\x00\x00"
_TWO_BYTES_MORE, _EIGHT_BYTES_MORE = 126, 127


class DriverError(Exception):
    """A server under test did not do what every server must do; its figures would mean nothing."""


class Subscriber(asyncio.Protocol):
    """One socket: connects, subscribes, and from then on reports the frames it gets to its crowd."""

    def __init__(self, crowd: Crowd, token: str) -> None:
        self.received = 0
        self.transport: asyncio.Transport | None = None
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._crowd = crowd
        self._token = token
        self._rest = b""
        self._upgraded = False
        self._subscribed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(wire.upgrade_request(self._crowd.port, self._token))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the crowd, which may or may not have expected it."""
        self._crowd.lost(self, exc)

    def data_received(self, data: bytes) -> None:
        """Count the frames, or get on with becoming a subscriber."""
        if self._rest:
            data = self._rest + data
        if not self._upgraded:
            head, found, rest = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = data
                return
            self._upgraded = head.startswith(b"HTTP/1.1 101")
            if not self._upgraded:
                self._crowd.fail(f"a socket was refused: {head[:80]!r}")
                return
            data = rest
        frames = self._read_frames(data)
        if frames:
            before = self.received
            self.received = before + frames
            self._crowd.advance(before, frames)

    def _read_frames(self, data: bytes) -> int:
        """Read all complete frames, keep the rest, and tell how many of them were events."""
        frames, position, end = 0, 0, len(data)
        on_event = self._crowd.on_event
        while end - position > 1:
            length, start = data[position + 1], position + 2
            if length == _TWO_BYTES_MORE:
                start += 2
                length = int.from_bytes(data[position + 2 : start], "big")
            elif length == _EIGHT_BYTES_MORE:
                start += 8
                length = int.from_bytes(data[position + 2 : start], "big")
            stop = start + length
            if stop > end:
                break
            if self._subscribed and data[position] == wire.TEXT_FRAME:
                frames += 1
                if on_event is not None:
                    on_event(data, start, stop)
                if not self.received and frames == 1:
                    self._crowd.inspect(data[start:stop])
            else:
                self._handle(data[position] & 0x0F, data[start:stop])
            position = stop
        self._rest = data[position:] if position < end else b""
        return frames

    def _handle(self, opcode: int, payload: bytes) -> None:
        assert self.transport is not None
        if opcode == _PING:
            self.transport.write(_PONG_HEAD[:1] + bytes([0x80 | len(payload)]) + _PONG_HEAD[2:] + payload)
        elif opcode == _CLOSE:
            self._crowd.closed(self, int.from_bytes(payload[:2], "big"))
            self.transport.close()
        elif opcode == _TEXT and b'"connected"' in payload:
            self.transport.write(wire.client_frame(wire.subscribe(self._crowd.conversation_id)))
        elif opcode == _TEXT and b'"subscribed"' in payload:
            self._subscribed = True
            self.ready.set_result(None)


class Crowd:
    """Many subscribers of one conversation, and how far its messages have come."""

    def __init__(self, port: int, conversation_id: str, tokens: Sequence[str]) -> None:
        self.port = port
        self.conversation_id = conversation_id
        self.members: list[Subscriber] = []
        self.progress = Progress(0)
        self.on_complete: Callable[[], None] | None = None
        self.on_event: Callable[[bytes, int, int], None] | None = None
        self._tokens = tokens
        self._opened = 0
        self._dispensable: set[Subscriber] = set()
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def grow(self, size: int) -> None:
        """Open sockets until the crowd has that many members, all of them subscribed."""
        async with asyncio.timeout(CONNECT_DEADLINE):
            while len(self.members) < size:
                count = min(CONNECTING_AT_ONCE, size - len(self.members))
                opened = await asyncio.gather(*(self._open() for _ in range(count)))
                await self.wait(asyncio.gather(*(member.ready for member in opened)))
                self.members.extend(opened)

    async def add_stalled(self) -> Subscriber:
        """Open a socket that subscribes and then never reads again; it is no member and may be closed."""
        stalled = await self._open(receive_buffer=4096)
        self._dispensable.add(stalled)
        await self.wait(stalled.ready)
        assert stalled.transport is not None
        stalled.transport.pause_reading()
        return stalled

    def begin(self) -> Progress:
        """Start to count from nothing."""
        for member in self.members:
            member.received = 0
        self.progress = Progress(len(self.members))
        self.on_complete = self.on_event = None
        return self.progress

    async def wait(self, event: asyncio.Future[Any], seconds: float = CONNECT_DEADLINE) -> None:
        """Wait for an event, at most so long; raises ``DriverError`` for whatever went wrong meanwhile."""
        await asyncio.wait({event, self._failed}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if self._failed.done():
            event.cancel()
            self._failed.result()
        if not event.done():
            event.cancel()
            raise DriverError(
                f"after {seconds:.0f} s only {self.progress.complete} messages had reached everybody, "
                f"in {self.progress.frames} deliveries"
            )
        event.result()

    def advance(self, before: int, frames: int) -> None:
        """Note what one member got."""
        if self.progress.advance(before, frames) and self.on_complete is not None:
            self.on_complete()

    def inspect(self, payload: bytes) -> None:
        """Make sure that what is counted is a message: the first of each run is, at every member."""
        if b'"message.new"' not in payload or not json.loads(payload)["data"]["content"].startswith("@"):
            self.fail(f"expected message.new, got {payload[:120]!r}")

    def closed(self, member: Subscriber, code: int) -> None:
        """Note that the server sent a close frame."""
        if member not in self._dispensable:
            self.fail(f"the server closed a socket with {code}")

    def lost(self, member: Subscriber, reason: Exception | None) -> None:
        """Note that a socket has ended."""
        if member not in self._dispensable:
            self.fail(f"a socket was lost: {reason or 'the server hung up'}")

    def fail(self, reason: str) -> None:
        """Let the next ``wait`` raise."""
        if not self._failed.done():
            self._failed.set_exception(DriverError(reason))

    def close(self) -> None:
        """Hang up everywhere, without a word."""
        everybody = [*self.members, *self._dispensable]
        self._dispensable.update(self.members)
        for member in everybody:
            if member.transport is not None:
                member.transport.abort()
        # A failure that nobody waits for any more is no news.
        self._failed.cancel()

    async def _open(self, receive_buffer: int = 0) -> Subscriber:
        token = self._tokens[self._opened % len(self._tokens)]
        self._opened += 1
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        connection.setblocking(False)
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(connection, ("127.0.0.1", self.port))
        _, subscriber = await loop.create_connection(lambda: Subscriber(self, token), sock=connection)
        return subscriber
