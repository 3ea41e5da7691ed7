"""A stage for socket tests: the real endpoint on a real uvicorn, with a cast of users in place of a database.

The server runs on the test's own loop, so a test can look into the hub and move the clock while real clients
talk to real sockets.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import uvicorn
from websockets.asyncio.client import ClientConnection, connect

from tests.server.raw_client import TEXT, RawClient
from tribe_ws.clock import ManualClock
from tribe_ws.hub.connection import Connection, OutboxLimits
from tribe_ws.hub.hub import Hub, HubLimits
from tribe_ws.protocol.close_codes import TOKEN_INVALID, TOKEN_MISSING, CloseCode
from tribe_ws.protocol.frames import MessageNew, NewMessage, PresenceStatus, Sender
from tribe_ws.protocol.frames_v2 import MAX_MISSED, MessageNewV2, Stamp, widen
from tribe_ws.server.guards import Guard
from tribe_ws.server.logging import make_log
from tribe_ws.server.socket_protocol import ContractSocketProtocol
from tribe_ws.server.tokens import Claims, TokenKind, Unauthorised
from tribe_ws.server.uvicorn_config import uvicorn_config
from tribe_ws.server.websocket import SocketEndpoint
from tribe_ws.settings import ServerSettings

PATIENCE = 10.0
LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
if find_spec("uvloop"):
    LOOPS["uvloop"] = import_module("uvloop").new_event_loop
ROOM = "11111111-1111-7111-8111-11111111111a"
HALL = "22222222-2222-7222-8222-22222222222b"
CONNECTED = '{"event":"connected","message":"WebSocket connection established"}'
PONG = '{"event":"pong"}'


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    full_name: str
    profile_image_url: str | None = None

    @property
    def username(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class Pass:
    user: Person
    claims: Claims


class Counts:
    """An observer that adds up."""

    def __init__(self) -> None:
        self.frames_in: list[str] = []
        self.reasons: list[str] = []

    def frame_in(self, event: str) -> None:
        self.frames_in.append(event)

    def frame_out(self, event: str, n: int) -> None:
        pass

    def dropped(self, reason: str) -> None:
        self.reasons.append(reason)

    def fan_out(self, seconds: float) -> None:
        pass


class Cast:
    """The services of a server whose users are called by their tokens: token ``ana`` is user ``ana``."""

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self.clock = ManualClock()
        self.log_lines = io.StringIO()
        self.log = make_log(settings, self.clock, self.log_lines)
        self.guard = Guard(settings)
        self.counts = Counts()
        outbox = OutboxLimits(settings.limit_outbox_bytes, settings.limit_outbox_frames)
        limits = HubLimits(connections_per_user=settings.limit_connections, outbox=outbox)
        self.hub = Hub(clock=self.clock, limits=limits, observer=self.counts)
        self.expires_at = self.clock.now().timestamp() + 3600
        self.refusals: dict[str, CloseCode] = {}
        self.strangers: set[str] = set()
        self.asked: list[tuple[str, str]] = []
        self.statuses: list[tuple[str, str]] = []
        self.failure: Exception | None = None
        self.gate: asyncio.Event | None = None
        self.epoch = "e-1"
        self.stored: dict[str, list[tuple[MessageNew, Stamp]]] = {}

    async def authenticate(self, token: str | None) -> Pass:
        await self._wait()
        if not token:
            raise Unauthorised(TOKEN_MISSING)
        if token in self.refusals:
            raise Unauthorised(self.refusals[token])
        if len(token) > 20:
            raise Unauthorised(TOKEN_INVALID)
        claims = Claims(token, TokenKind.ACCESS, 0.0, self.expires_at, "jti")
        return Pass(Person(token, f"Full {token.title()}"), claims)

    async def can_subscribe(self, user_id: str, conversation_id: str) -> bool:
        await self._wait()
        self.asked.append((user_id, conversation_id))
        return user_id not in self.strangers

    async def head_seq(self, conversation_id: str) -> int:
        await self._wait()
        return len(self.stored.get(conversation_id, ()))

    async def missed(
        self, connection: Connection, conversation_id: str, above: int, up_to: int, *, echo: bool
    ) -> tuple[MessageNewV2, ...] | None:
        await self._wait()
        found = [
            widen(frame, stamp)
            for frame, stamp in self.stored.get(conversation_id, ())[above:up_to]
            if echo or frame.data.sender.id != connection.user_id
            if stamp.connection_id != connection.id
        ]
        return None if len(found) > MAX_MISSED else tuple(found)

    async def online(self, conversation_id: str) -> list[str]:  # noqa: ARG002 - all are everywhere
        return sorted({connection.user_id for connection in self.hub.connections})

    async def typing(self, connection: Connection, conversation_id: str, is_typing: bool) -> bool:
        if connection.user_id in self.strangers:
            return False
        self.hub.typing(connection, conversation_id, is_typing)
        return True

    async def set_presence(self, user_id: str, status: PresenceStatus) -> None:
        await self._wait()
        self.statuses.append((user_id, status))

    async def _wait(self) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.failure is not None:
            raise self.failure


class QuietServer(uvicorn.Server):
    """A server that leaves the signals to the test runner."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass
class Stage:
    """A running server with its cast, and clients that are closed at the end."""

    cast: Cast
    server: uvicorn.Server
    port: int
    stack: contextlib.AsyncExitStack
    serving: asyncio.Task[None] = field(repr=False)

    def url(self, query: str = "", path: str = "/api/v1/ws") -> str:
        return f"ws://127.0.0.1:{self.port}{path}{query}"

    async def dial(self, user: str = "", *, query: str | None = None, **options: Any) -> ClientConnection:
        """Open a client that has read nothing yet."""
        query = f"?token={user}" if query is None else query
        options = {"proxy": None, "close_timeout": 1, "ping_interval": None} | options
        url = self.url(query, options.pop("path", "/api/v1/ws"))
        return await self.stack.enter_async_context(connect(url, **options))

    async def join(self, user: str, *rooms: str, **options: Any) -> ClientConnection:
        """Open a client, see it connected, and subscribe it."""
        client = await self.dial(user, **options)
        assert await hear(client) == CONNECTED
        for room in rooms:
            await say(client, event="subscribe", channel="conversation", conversation_id=room)
            assert await hear_json(client) == {"event": "subscribed", "conversation_id": room}
        return client

    async def dial_raw(self, user: str = "", *, target: str | None = None, **options: Any) -> RawClient:
        """Open a client without manners that has asked for its upgrade and read nothing."""
        client = await RawClient.dial(self.port, **options)
        self.stack.callback(client.close)
        await client.ask_for_upgrade(target or f"/api/v1/ws?token={user}", self.port)
        return client

    async def join_raw(self, user: str, *rooms: str) -> RawClient:
        """Open a client without manners, see it connected, and subscribe it."""
        client = await self.dial_raw(user)
        assert " 101 " in await client.read_head()
        assert (await client.read()).payload.decode() == CONNECTED
        for room in rooms:
            await client.send(TEXT, json.dumps({"event": "subscribe", "conversation_id": room}).encode())
            assert b"subscribed" in (await client.read()).payload
        return client

    @property
    def protocol(self) -> ContractSocketProtocol:
        """The server's side of the only socket there is."""
        (protocol,) = self.server.server_state.connections
        assert isinstance(protocol, ContractSocketProtocol)
        return protocol

    def connection(self, user: str) -> Connection:
        """The hub's connection of a user who has just one."""
        (connection,) = (entry for entry in self.cast.hub.connections if entry.user_id == user)
        return connection

    def publish(
        self, name: str, *, room: str = ROOM, author: str = "ana", content: str = "", on: str | None = None
    ) -> None:
        sender = Sender(id=author, username=author, full_name=author, profile_image_url=None)
        data = NewMessage(
            id=name,
            conversation_id=room,
            sender=sender,
            content=content,
            message_type="text",
            created_at="t",
        )
        frame = MessageNew(conversation_id=room, data=data)
        stored = self.cast.stored.setdefault(room, [])
        stored.append((frame, Stamp(len(stored) + 1, connection_id=on)))
        self.cast.hub.publish(room, frame, exclude_user=author, stamp=stored[-1][1])

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.cast.log_lines.getvalue().splitlines()]

    async def until(self, condition: Callable[[], object]) -> None:
        await until(condition)

    async def stop(self) -> None:
        self.server.should_exit = True
        await asyncio.wait_for(self.serving, PATIENCE)


MakeStage = Callable[..., contextlib.AbstractAsyncContextManager[Stage]]


@contextlib.asynccontextmanager
async def stage_with(overrides: dict[str, Any] | None = None, **changes: Any) -> AsyncIterator[Stage]:
    """Run the endpoint under our own uvicorn settings on a free port of the running loop."""
    settings = ServerSettings(log_format="json", **changes)
    cast = Cast(settings)
    options = {"lifespan": "off", "loop": "none", "port": 0} | (overrides or {})
    server = QuietServer(uvicorn_config(settings, SocketEndpoint(cast), **options))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve([listener]))
        try:
            await until(lambda: server.started or serving.done())
            async with contextlib.AsyncExitStack() as stack:
                yield Stage(cast, server, listener.getsockname()[1], stack, serving)
        finally:
            server.should_exit = True
            await asyncio.wait_for(serving, PATIENCE)
            await cast.hub.stop()


async def until(condition: Callable[[], object], patience: float = PATIENCE) -> None:
    """Let the loop work until the condition holds."""
    deadline = asyncio.get_running_loop().time() + patience
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, "the condition never held"
        await asyncio.sleep(0.002)


async def say(client: ClientConnection, **frame: Any) -> None:
    await client.send(json.dumps(frame))


async def hear(client: ClientConnection) -> str:
    return str(await asyncio.wait_for(client.recv(), PATIENCE))


async def hear_json(client: ClientConnection) -> dict[str, Any]:
    heard: dict[str, Any] = json.loads(await hear(client))
    return heard


async def hears_nothing(client: ClientConnection) -> None:
    """See that nothing waits for the client: its ping is answered before anything else comes."""
    await say(client, event="ping")
    assert await hear(client) == PONG


async def end_of(client: ClientConnection) -> tuple[int | None, str | None]:
    """Wait for the end and tell the close code and reason that came."""
    await asyncio.wait_for(client.wait_closed(), PATIENCE)
    return client.close_code, client.close_reason
