"""The server everybody writes first: an ORM session per request, ``for ws in …: await ws.send_text()``.

It runs as well as it can: FastAPI on uvicorn with httptools and the sans-I/O WebSocket implementation, on
asyncio, SQLite in WAL mode with full durability, no access log.

    python -m benchmarks.servers.naive DATABASE
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from pydantic import BaseModel
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from benchmarks import wire
from benchmarks.servers.announced import serve_announced


class Base(DeclarativeBase):
    """Collects the tables."""


class MessageRow(Base):
    """A stored message."""

    __tablename__ = "messages"

    id: Mapped[str] = mapped_column(primary_key=True)
    conversation_id: Mapped[str] = mapped_column(index=True)
    sender_id: Mapped[str]
    content: Mapped[str]
    created_at: Mapped[datetime]


class SendMessage(BaseModel):
    """The body of a send."""

    content: str


class MessageOut(BaseModel):
    """The answer to a send."""

    id: str
    conversation_id: str
    sender_id: str
    content: str
    message_type: str
    created_at: datetime


class Channel:
    """The sockets of the one conversation."""

    def __init__(self) -> None:
        self._sockets: list[WebSocket] = []
        self._publishing: set[asyncio.Task[None]] = set()

    async def attend(self, socket: WebSocket) -> None:
        """Serve one socket for its whole life."""
        await socket.accept()
        await socket.send_text(wire.CONNECTED.decode())
        try:
            while True:
                frame = await socket.receive_json()
                self._sockets.append(socket)
                await socket.send_text(wire.subscribed(frame["conversation_id"]).decode())
        except WebSocketDisconnect:
            if socket in self._sockets:
                self._sockets.remove(socket)

    async def broadcast(self, text: str) -> None:
        """Send to each socket, one after the other."""
        for socket in list(self._sockets):
            await socket.send_text(text)

    def publish(self, stamp: int, size: int) -> None:
        """Broadcast as a request's handler would: in a task of its own."""
        text = wire.event_of(wire.content_of(stamp, size)).decode()
        task = asyncio.create_task(self.broadcast(text))
        self._publishing.add(task)
        task.add_done_callback(self._publishing.discard)


def create_engine(database: str) -> AsyncEngine:
    """Open the database with the durability ours has."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{database}", connect_args={"timeout": 60})

    @event.listens_for(engine.sync_engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    return engine


def create_naive_app(database: str, channel: Channel) -> FastAPI:
    """Build the whole server."""
    engine = create_engine(database)
    sessions = async_sessionmaker(engine, expire_on_commit=False)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        yield
        await engine.dispose()

    app = FastAPI(lifespan=lifespan)

    @app.websocket("/api/v1/ws")
    async def events(websocket: WebSocket) -> None:
        await channel.attend(websocket)

    @app.post("/api/v1/conversations/{conversation_id}/messages", status_code=201)
    async def send(conversation_id: str, body: SendMessage) -> MessageOut:
        row = MessageRow(
            id=str(uuid4()),
            conversation_id=conversation_id,
            sender_id=wire.SENDER,
            content=body.content,
            created_at=datetime.now(UTC),
        )
        async with sessions() as session:
            session.add(row)
            await session.commit()
        await channel.broadcast(wire.event_of(row.content, conversation_id, row.id).decode())
        return MessageOut(
            id=row.id,
            conversation_id=conversation_id,
            sender_id=row.sender_id,
            content=row.content,
            message_type="text",
            created_at=row.created_at,
        )

    return app


async def serve(database: str) -> None:
    """Serve until the parent ends."""
    channel = Channel()
    config = uvicorn.Config(
        create_naive_app(database, channel),
        ws="websockets-sansio",
        http="httptools",
        loop="asyncio",
        log_level="warning",
        timeout_graceful_shutdown=1,
    )
    await serve_announced(config, channel.publish)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
