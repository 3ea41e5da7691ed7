"""An open database: reads run side by side, writes go through the one writer.

Opening is where a database is refused: what is damaged, newer than this program, read-only, unreachable or
already served never gets as far as the first request.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from tribe_ws.clock import Clock
from tribe_ws.errors import DatabaseRefused, StorageUnavailable, TribeError
from tribe_ws.storage import guard, migrate
from tribe_ws.storage.batch import Batches
from tribe_ws.storage.engine import (
    Durability,
    Target,
    file_reader_engine,
    file_writer_engine,
    memory_engine,
    postgres_engine,
    read_target,
)
from tribe_ws.storage.epoch import epoch_of, renew_epoch
from tribe_ws.storage.faults import translate, unavailable
from tribe_ws.storage.records import NewMessage, StoredMessage
from tribe_ws.storage.tables import metadata, users
from tribe_ws.storage.writer import LoopWriter, OnCommitted, StorageObserver, ThreadWriter, Writer

T = TypeVar("T")


class Database:
    """One reader, one writer, and whatever has to be let go of at the end."""

    def __init__(
        self,
        description: str,
        epoch: str,
        reader: AsyncEngine,
        writer: Writer,
        release: Callable[[], None],
    ) -> None:
        self.description = description
        self.epoch = epoch
        self._reader = reader
        self._quick_reader = reader.execution_options(single_statement=True)
        self._writer = writer
        self._release = release
        self._reads: set[asyncio.Task[Any]] = set()
        self._is_closed = False

    @classmethod
    async def open(
        cls,
        target: str,
        *,
        clock: Clock,
        durability: Durability = "full",
        on_committed: OnCommitted | None = None,
        observer: StorageObserver | None = None,
    ) -> Database:
        """Open, check and migrate a database; see ``Storage.open``."""
        found = read_target(target)
        batches = Batches(clock)
        if found.path is not None:
            path = found.path
            held, engine, epoch = await asyncio.to_thread(_open_file, path, durability)
            reader = file_reader_engine(path, durability)
            writer: Writer = ThreadWriter(engine, batches, on_committed, observer)
            return cls(found.description, epoch, reader, writer, lambda: _let_go(engine, held))
        reader, epoch = await _open_server(found)
        writer = LoopWriter(reader, batches, on_committed, observer)
        return cls(found.description, epoch, reader, writer, lambda: None)

    def send(self, message: NewMessage) -> asyncio.Future[StoredMessage]:
        """Queue a message for the next commit."""
        return self._writer.send(message)

    def write(
        self, work: Callable[[Connection], T], then: Callable[[], None] | None = None
    ) -> asyncio.Future[T]:
        """Queue any other change for the next commit; what ``work`` raises undoes it, and comes back.

        ``then`` is called after the commit, in the order of the commits and of the messages among them.
        """
        return self._writer.perform(work, then)

    async def renew_epoch(self) -> str:
        """Begin another epoch.

        A write that itself puts other contents into the database renews it in its own transaction and sets
        ``epoch`` afterwards.
        """
        self.epoch = epoch = await self.write(renew_epoch)
        return epoch

    async def look_up(self, work: Callable[[Connection], T]) -> T:
        """Read with a single statement, at less cost than ``read``."""
        return await self._shielded(self._quick_reader, work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """Read in a transaction of its own; raises what ``work`` raises, or ``StorageUnavailable``."""
        return await self._shielded(self._reader, work)

    async def ping(self) -> bool:
        """Tell whether the database answers."""
        try:
            await self.read(lambda connection: connection.execute(select(users.c.id).limit(1)).all())
        except StorageUnavailable:
            return False
        return True

    async def close(self) -> None:
        """Finish what was begun, then let go of the database; a second call does nothing."""
        if self._is_closed:
            return
        self._is_closed = True
        await self._writer.stop()
        await asyncio.gather(*self._reads, return_exceptions=True)
        await self._reader.dispose()
        await asyncio.to_thread(self._release)

    async def _shielded(self, reader: AsyncEngine, work: Callable[[Connection], T]) -> T:
        if self._is_closed:
            raise unavailable("storage_stopped")
        # A driver that is cancelled in the middle gives its connection up, and ":memory:" with it.
        task = asyncio.get_running_loop().create_task(_read(reader, work))
        self._reads.add(task)
        task.add_done_callback(self._reads.discard)
        return await asyncio.shield(task)


async def _read(reader: AsyncEngine, work: Callable[[Connection], T]) -> T:
    try:
        async with reader.connect() as connection:
            return await connection.run_sync(work)
    except TribeError:
        raise
    except Exception as error:
        problem = translate(error)
        if problem is error:
            raise
        raise problem from error


def _open_file(path: Path, durability: Durability) -> tuple[guard.FileGuard, Engine, str]:
    guard.make_ready(path)
    held = guard.FileGuard(path)
    engine = file_writer_engine(path, durability)
    try:
        guard.examine(path)
        with engine.begin() as connection:
            migrate.bring_up_to_date(connection, str(path))
            epoch = epoch_of(connection)
    except BaseException as error:
        _let_go(engine, held)
        if isinstance(error, DBAPIError) and isinstance(error.orig, sqlite3.Error):
            raise guard.refusal(path, error.orig) from None
        raise
    return held, engine, epoch


def _let_go(engine: Engine, held: guard.FileGuard) -> None:
    engine.dispose()
    held.release()


async def _open_server(target: Target) -> tuple[AsyncEngine, str]:
    if target.url is None:
        engine = memory_engine()
        async with engine.begin() as connection:
            await connection.run_sync(metadata.create_all)
            return engine, await connection.run_sync(epoch_of)
    engine = postgres_engine(target.url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(migrate.bring_up_to_date, target.description)
            return engine, await connection.run_sync(epoch_of)
    except (DBAPIError, OSError, TimeoutError) as error:
        await engine.dispose()
        raise _unreachable(target, error) from None
    except BaseException:
        await engine.dispose()
        raise


def _unreachable(target: Target, error: Exception) -> DatabaseRefused:
    cause = str(getattr(error, "orig", None) or error) or type(error).__name__
    return DatabaseRefused(
        f"{target.description} does not let us in: {' '.join(cause.split())}",
        reason="unreachable",
        hint="check that PostgreSQL runs there, and the user and the password",
    )
