"""A chat backend of other hands: what the owner's document says, in memory, and nothing of tribe-ws.

It has no control API, no ``tribe.v2``, no reasons in close codes, opaque tokens, and it takes nobody out of a
conversation. Its ways to depart from the contract are known, so a check of it has one right outcome.
"""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tribe_ws.check.accounts import Account
from tribe_ws.protocol.urls import ServerAddress, parse_address

PEOPLE = tuple(Account(name, f"{name}'s password") for name in ("ana", "ben", "cem"))


@dataclass(eq=False)
class Line:
    """One connection."""

    user: str
    websocket: WebSocket
    rooms: set[str] = field(default_factory=set)
    typing_in: set[str] = field(default_factory=set)


class Backend:
    """Everything the server knows; ``lag`` is how long it thinks before each thing it says."""

    def __init__(self, *, lag: float = 0.0, may_create: bool = True) -> None:
        self.lag = lag
        self.may_create = may_create
        self.ids = {account.name: str(uuid4()) for account in PEOPLE}
        self.members: dict[str, set[str]] = {}
        self.messages: dict[str, list[dict[str, Any]]] = {}
        self.lines: list[Line] = []
        self.calls: list[str] = []

    def app(self) -> Starlette:
        routes = [
            Route("/api/v1/auth/login", self.login, methods=["POST"]),
            Route("/api/v1/conversations", self.create, methods=["POST"]),
            Route("/api/v1/conversations/{room}/messages", self.send, methods=["POST"]),
            Route("/api/v1/conversations/{room}/messages", self.history, methods=["GET"]),
            WebSocketRoute("/api/v1/ws", self.talk),
        ]
        return Starlette(routes=routes)

    def user_of(self, request: Request) -> str:
        self.calls.append(f"{request.method} {request.url.path}")
        return request.headers.get("authorization", "").removeprefix("Bearer token-of-")

    async def login(self, request: Request) -> JSONResponse:
        self.user_of(request)
        body = await request.json()
        if Account(body["email"], body["password"]) not in PEOPLE:
            return JSONResponse({"message": "no"}, 401)
        name = body["email"]
        return JSONResponse({"access_token": f"token-of-{name}", "user": {"id": self.ids[name]}})

    async def create(self, request: Request) -> JSONResponse:
        user = self.user_of(request)
        if not self.may_create:
            return JSONResponse({"message": "ask an administrator"}, 403)
        room = str(uuid4())
        invited = (await request.json())["participant_ids"]
        self.members[room] = {user, *(name for name, one in self.ids.items() if one in invited)}
        self.messages[room] = []
        return JSONResponse({"id": room}, 201)

    async def send(self, request: Request) -> JSONResponse:
        user, room = self.user_of(request), request.path_params["room"]
        if user not in self.members.get(room, ()):
            return JSONResponse({"message": "no"}, 403)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        message = {
            "id": str(uuid4()),
            "conversation_id": room,
            "sender": {
                "id": self.ids[user],
                "username": user,
                "full_name": user,
                "profile_image_url": None,
            },
            "content": (await request.json())["content"],
            "message_type": "text",
            "created_at": now,
        }
        self.messages[room].append(message)
        await self.tell(room, user, {"event": "message.new", "conversation_id": room, "data": message})
        return JSONResponse(message, 201)

    async def history(self, request: Request) -> JSONResponse:
        user, room = self.user_of(request), request.path_params["room"]
        return JSONResponse({"messages": self.messages[room] if user in self.members[room] else []})

    async def talk(self, websocket: WebSocket) -> None:
        user = websocket.query_params.get("token", "").removeprefix("token-of-")
        await websocket.accept()
        if user not in self.ids:
            await websocket.close(4401)
            return
        line = Line(user, websocket)
        self.lines.append(line)
        await self.say(line, {"event": "connected", "message": "WebSocket connection established"})
        with suppress(WebSocketDisconnect, KeyError):
            while True:
                await self.hear(line, await websocket.receive())
        self.lines.remove(line)
        for room in line.typing_in:
            await self.typing(line, room, False)

    async def hear(self, line: Line, received: Any) -> None:
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect
        with suppress(ValueError, AttributeError, TypeError):
            frame = json.loads(received.get("text") or "")
            await self.follow(line, frame.get("event"), str(frame.get("conversation_id")).lower(), frame)

    async def follow(self, line: Line, event: str, room: str, frame: dict[str, Any]) -> None:
        is_member = line.user in self.members.get(room, ())
        match event:
            case "ping":
                await self.say(line, {"event": "pong"})
            case "subscribe" if is_member:
                line.rooms.add(room)
                await self.say(line, {"event": "subscribed", "conversation_id": room})
            case "unsubscribe":
                line.rooms.discard(room)
            case "typing" if is_member and isinstance(frame.get("is_typing"), bool):
                (line.typing_in.add if frame["is_typing"] else line.typing_in.discard)(room)
                await self.typing(line, room, frame["is_typing"])

    async def typing(self, line: Line, room: str, is_typing: bool) -> None:
        data = {"user_id": self.ids[line.user], "user_name": line.user, "is_typing": is_typing}
        await self.tell(room, line.user, {"event": "typing", "conversation_id": room, "data": data})

    async def tell(self, room: str, but: str, frame: dict[str, Any]) -> None:
        for line in [one for one in self.lines if room in one.rooms and one.user != but]:
            await self.say(line, frame)

    async def say(self, line: Line, frame: dict[str, Any]) -> None:
        await asyncio.sleep(self.lag)
        with suppress(WebSocketDisconnect, RuntimeError):
            await line.websocket.send_text(json.dumps(frame, separators=(",", ":"), ensure_ascii=False))


@contextmanager
def serving(app: Any) -> Iterator[ServerAddress]:
    """Serve an ASGI application on a free port, in a thread, until the end of the block."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", ws="websockets-sansio"))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        yield parse_address(f"http://127.0.0.1:{listener.getsockname()[1]}")
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@asynccontextmanager
async def foreign_server(**options: Any) -> AsyncIterator[tuple[Backend, ServerAddress]]:
    """Serve a backend until the end of the block."""
    backend = Backend(**options)
    with serving(backend.app()) as address:
        yield backend, address
