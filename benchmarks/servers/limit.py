"""The raw limit: bare ``asyncio.Protocol``, one prebuilt frame, one write per socket, no framework.

With ``--batched`` the frames of one loop turn are joined into one write per socket. A message is stored by
the thinnest durable path there is: the requests of one loop turn share one transaction of plain ``sqlite3``,
and their answers are written before the broadcast.

    python -m benchmarks.servers.limit DATABASE [--batched]
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from typing import cast

import uvloop

from benchmarks import wire
from benchmarks.servers.child import announce, local_socket, open_control, when_parent_ends

_HEAD_END = b"\r\n\r\n"


class Limit:
    """The subscribers, the messages that wait for the end of this loop turn, and the database."""

    def __init__(self, database: str, *, batched: bool) -> None:
        self.subscribers: list[asyncio.Transport] = []
        self._batched = batched
        self._frames: list[bytes] = []
        self._requests: list[tuple[asyncio.Transport, str]] = []
        self._database = sqlite3.connect(database, isolation_level=None)
        self._database.execute("PRAGMA journal_mode=WAL")
        self._database.execute("PRAGMA synchronous=FULL")
        self._database.execute("CREATE TABLE messages (id INTEGER PRIMARY KEY, content TEXT)")

    def publish(self, stamp: int, size: int) -> None:
        """Broadcast one message: now, or with the others of this loop turn."""
        frame = wire.server_frame(wire.event_of(wire.content_of(stamp, size)))
        if not self._batched:
            self._write(frame)
            return
        if not self._frames:
            asyncio.get_running_loop().call_soon(self._flush)
        self._frames.append(frame)

    def store(self, sender: asyncio.Transport, content: str) -> None:
        """Store one message with the others of this loop turn, answer, then broadcast."""
        if not self._requests:
            asyncio.get_running_loop().call_soon(self._commit)
        self._requests.append((sender, content))

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def _commit(self) -> None:
        requests, self._requests = self._requests, []
        self._database.execute("BEGIN IMMEDIATE")
        self._database.executemany(
            "INSERT INTO messages (content) VALUES (?)", [(content,) for _, content in requests]
        )
        self._database.execute("COMMIT")
        frames = []
        for sender, content in requests:
            event = wire.event_of(content)
            sender.write(b"HTTP/1.1 201 Created\r\ncontent-length: %d\r\n\r\n%b" % (len(event), event))
            frames.append(wire.server_frame(event))
        self._write(b"".join(frames))

    def _flush(self) -> None:
        frames, self._frames = self._frames, []
        self._write(b"".join(frames))

    def _write(self, data: bytes) -> None:
        for subscriber in self.subscribers:
            subscriber.write(data)


class LimitProtocol(asyncio.Protocol):
    """One connection: the first request tells whether it is a socket or carries messages."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._buffer = b""
        self._is_socket = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, _reason: Exception | None) -> None:
        """Forget a subscriber."""
        if self._transport in self._limit.subscribers:
            self._limit.subscribers.remove(self._transport)

    def data_received(self, data: bytes) -> None:
        """Answer; whatever a socket sends is taken for its ``subscribe``."""
        assert self._transport is not None
        if self._is_socket:
            if self._transport not in self._limit.subscribers:
                self._limit.subscribers.append(self._transport)
                self._transport.write(wire.server_frame(wire.subscribed(wire.CONVERSATION)))
            return
        self._buffer += data
        head, end, body = self._buffer.partition(_HEAD_END)
        if not end:
            return
        if head.startswith(b"GET "):
            self._buffer, self._is_socket = b"", True
            answer = wire.upgrade_answer(wire.header(head, b"sec-websocket-key"))
            self._transport.write(answer + wire.server_frame(wire.CONNECTED))
        elif len(body) >= int(wire.header(head, b"content-length")):
            self._buffer = b""
            self._limit.store(self._transport, json.loads(body)["content"])


async def serve(database: str, *, batched: bool) -> None:
    """Serve until the parent ends."""
    limit = Limit(database, batched=batched)
    stopped = asyncio.Event()
    when_parent_ends(stopped.set)
    listener = local_socket()
    server = await asyncio.get_running_loop().create_server(
        lambda: LimitProtocol(limit), sock=listener, backlog=2048
    )
    announce(listener, await open_control(limit.publish))
    await stopped.wait()
    server.close()
    limit.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(sys.argv[1], batched="--batched" in sys.argv))
