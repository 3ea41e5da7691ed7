"""The databases every storage test runs on: a SQLite file, in memory, and PostgreSQL where it is."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event, make_url

from tribe_ws.clock import ManualClock
from tribe_ws.storage.records import Conversation, NewMessage, StoredMessage, User
from tribe_ws.storage.storage import Storage

POSTGRES = os.environ.get("TRIBE_WS_TEST_POSTGRES", "")

needs_postgres = pytest.mark.skipif(not POSTGRES, reason="TRIBE_WS_TEST_POSTGRES names no server")
ON_POSTGRES = pytest.param("postgres", marks=[pytest.mark.postgres, needs_postgres])


@asynccontextmanager
async def fresh_postgres() -> AsyncIterator[str]:
    """Make an empty database for one test, and drop it after."""
    import asyncpg  # type: ignore[import-untyped]

    server = make_url(POSTGRES).set(drivername="postgresql")
    name = f"tribe_test_{uuid4().hex}"
    admin = await asyncpg.connect(server.render_as_string(hide_password=False))
    try:
        await admin.execute(f"CREATE DATABASE {name}")
        yield server.set(database=name).render_as_string(hide_password=False)
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["file", "memory", ON_POSTGRES])
async def target(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    match request.param:
        case "file":
            yield str(tmp_path / "tribe.db")
        case "memory":
            yield ":memory:"
        case _:
            async with fresh_postgres() as url:
                yield url


@dataclass
class Committed:
    """What the storage told of its commits."""

    batches: list[list[StoredMessage]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    def note(self, batch) -> None:
        self.batches.append(list(batch))

    def on_commit(self, batch_size: int, seconds: float) -> None:
        assert seconds >= 0
        self.sizes.append(batch_size)

    @property
    def messages(self) -> list[StoredMessage]:
        return [message for batch in self.batches for message in batch]


@pytest.fixture
def committed() -> Committed:
    return Committed()


@pytest.fixture
async def storage(target: str, clock: ManualClock, committed: Committed) -> AsyncIterator[Storage]:
    opened = await Storage.open(target, clock=clock, on_committed=committed.note, observer=committed)
    yield opened
    await opened.close()


@dataclass(frozen=True)
class People:
    """Three users; ana and ben share the group, ana is its admin, cleo is a stranger."""

    ana: User
    ben: User
    cleo: User
    group: Conversation


@pytest.fixture
async def people(storage: Storage) -> People:
    return await make_people(storage)


async def make_people(storage: Storage) -> People:
    ana, ben, cleo = [
        await storage.users.create(f"{name}@tribe.test", name, f"{name.title()} Tester", f"hash of {name}")
        for name in ("ana", "ben", "cleo")
    ]
    group, _ = await storage.conversations.create(ana.id, "group", [ben.id], "runners")
    return People(ana, ben, cleo, group)


Sender = Callable[..., Awaitable[StoredMessage]]


@pytest.fixture
def send(storage: Storage, people: People) -> Sender:
    """Send a message to the group, by ana unless said otherwise."""

    async def send(content: str = "hello", *, by: User | None = None, **more) -> StoredMessage:
        sender = by or people.ana
        return await storage.messages.send(
            NewMessage(
                **{"conversation_id": people.group.id, "sender_id": sender.id, "content": content} | more
            )
        )

    return send


@pytest.fixture
def count_statements():
    """Collect the SQL that a storage's writer sends while a block runs."""

    @contextmanager
    def count(storage: Storage) -> Iterator[list[str]]:
        writer: Any = storage._database._writer
        engine = writer._engine
        engine = getattr(engine, "sync_engine", engine)
        statements: list[str] = []

        def note(connection, cursor, statement, *rest) -> None:
            statements.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        yield statements
        event.remove(engine, "before_cursor_execute", note)

    return count
