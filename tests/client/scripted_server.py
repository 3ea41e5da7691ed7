"""A server that is not ours and does exactly what a test tells it, right or wrong.

One ``Handler`` plays each connection in turn (the last one plays all further ones). REST is answered by the
same object through ``httpx.MockTransport``, from the same store of messages.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Any

import httpx
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

GENERAL = "0190a000-0000-7000-8000-000000000001"
DESIGN = "0190a000-0000-7000-8000-000000000002"
ALICE = "0190b000-0000-7000-8000-00000000000a"
BOB = "0190b000-0000-7000-8000-00000000000b"

Handler = Callable[["Peer"], Awaitable[None]]
Rest = Callable[[httpx.Request], httpx.Response | None]


def message_id(number: int) -> str:
    return f"0190c000-0000-7000-8000-{number:012d}"


class Peer:
    """The server's end of one connection."""

    def __init__(self, websocket: ServerConnection, server: ScriptedServer) -> None:
        self.websocket = websocket
        self.server = server
        self.number = server.connections
        self.subscribed: set[str] = set()

    async def send(self, frame: dict[str, Any] | str | bytes) -> None:
        await self.websocket.send(json.dumps(frame) if isinstance(frame, dict) else frame)

    async def connected(self) -> None:
        await self.send({"event": "connected", "message": "WebSocket connection established"})

    async def receive(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(await self.websocket.recv())
        self.server.received.append(frame)
        return frame

    async def close(self, code: int, reason: str = "") -> None:
        await self.websocket.close(code, reason)

    def cut(self) -> None:
        """End the TCP connection without a word."""
        self.websocket.transport.abort()

    def write_raw(self, data: bytes) -> None:
        """Put bytes on the wire past the WebSocket protocol."""
        self.websocket.transport.write(data)

    async def deliver(self, number: int, conversation_id: str = GENERAL) -> None:
        await self.send(self.server.message_new(number, conversation_id))

    async def answer(self) -> dict[str, Any]:
        """Receive one frame and answer it as the document says."""
        frame = await self.receive()
        if frame.get("event") == "ping":
            await self.send({"event": "pong"})
        elif frame.get("event") == "subscribe":
            self.subscribed.add(frame["conversation_id"])
            await self.send({"event": "subscribed", "conversation_id": frame["conversation_id"]})
        return frame

    async def serve_on(self) -> None:
        """Answer everything until the connection ends."""
        while True:
            await self.answer()


async def well_behaved(peer: Peer) -> None:
    await peer.connected()
    await peer.serve_on()


class ScriptedServer:
    """The store of messages, the script of connections, and the log of what came in."""

    def __init__(
        self,
        *handlers: Handler,
        rest: Rest | None = None,
        refuse: tuple[int, ...] = (),
        subprotocols: Sequence[str] = (),
    ) -> None:
        self.handlers = handlers or (well_behaved,)
        self.rest = rest
        self.refuse = list(refuse)
        self.subprotocols = [Subprotocol(name) for name in subprotocols]
        self.received: list[dict[str, Any]] = []
        self.requests: list[httpx.Request] = []
        self.paths: list[str] = []
        self.connections = 0
        self.peers: list[Peer] = []
        self.stored: dict[str, list[dict[str, Any]]] = {GENERAL: [], DESIGN: []}
        self.port = 0
        self._server: Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    async def start(self, port: int = 0) -> None:
        self._server = await serve(
            self._play,
            "127.0.0.1",
            port,
            process_request=self._upgrade,
            subprotocols=self.subprotocols or None,
            select_subprotocol=self._select,
            ping_interval=None,
            close_timeout=1,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self, code: int = 1012) -> None:
        if self._server is not None:
            self._server.close(code=code, reason="restart")
            await self._server.wait_closed()
            self._server = None

    def message_new(self, number: int, conversation_id: str = GENERAL, **changes: Any) -> dict[str, Any]:
        data = {
            "id": message_id(number),
            "conversation_id": conversation_id,
            "sender": {"id": BOB, "username": "bob", "full_name": "Bob Stone", "profile_image_url": None},
            "content": f"message {number}",
            "message_type": "text",
            "created_at": f"2024-01-01T12:{number // 60 % 60:02d}:{number % 60:02d}.000Z",
        }
        return {"event": "message.new", "conversation_id": conversation_id, "data": {**data, **changes}}

    def store(self, *numbers: int, conversation_id: str = GENERAL, sender_id: str = BOB) -> None:
        for number in numbers:
            message = self.message_new(number, conversation_id)["data"]
            message["sender"]["id"] = sender_id
            self.stored[conversation_id].append(message)

    def _upgrade(self, _connection: ServerConnection, request: Request) -> Response | None:
        self.paths.append(request.path)
        if not self.refuse:
            return None
        status = HTTPStatus(self.refuse.pop(0))
        body = json.dumps({"detail": "not here"}).encode()
        headers = Headers({"Content-Length": str(len(body)), "Connection": "close"})
        return Response(status.value, status.phrase, headers, body)

    def _select(self, _connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        return next((one for one in self.subprotocols if one in offered), None)

    async def _play(self, websocket: ServerConnection) -> None:
        handler = self.handlers[min(self.connections, len(self.handlers) - 1)]
        self.connections += 1
        peer = Peer(websocket, self)
        self.peers.append(peer)
        with suppress(ConnectionClosed):
            await handler(peer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.rest(request) if self.rest is not None else None
        if answer is not None:
            return answer
        parts = request.url.path.removeprefix("/api/v1").strip("/").split("/")
        if request.method == "GET" and parts[0] == "conversations" and parts[-1] == "messages":
            page = self._page(parts[1], request.url.params)
            return httpx.Response(200, content=json.dumps(page).encode())
        if parts == ["auth", "me"]:
            return httpx.Response(200, json={"id": ALICE, "username": "alice", "full_name": "Alice"})
        return httpx.Response(404, json={"detail": "Not Found"})

    def _page(self, conversation_id: str, query: httpx.QueryParams) -> dict[str, Any]:
        messages, limit = self.stored[conversation_id], int(query.get("limit", 50))
        ids = [message["id"] for message in messages]
        if after := query.get("after"):
            rest = messages[ids.index(after) + 1 :]
            return {"messages": rest[:limit], "has_more": len(rest) > limit, "next_cursor": None}
        rest = messages[: ids.index(query["before"])] if "before" in query else messages
        return {"messages": rest[-limit:], "has_more": len(rest) > limit, "next_cursor": None}


@asynccontextmanager
async def scripted(*handlers: Handler, **options: Any) -> AsyncIterator[ScriptedServer]:
    server = ScriptedServer(*handlers, **options)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def until(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait for a condition, with a deadline."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - the condition is anything a test can see
            await asyncio.sleep(0.005)
