"""Group commit: one writer, to whom everybody hands what is to be written, and who commits it in batches.

While one transaction commits, the next batch gathers, so that a commit's cost is shared by all who wait for
one. What fails, fails alone: a batch that cannot be committed is repeated write by write, unless it is the
storage itself that fails. Nobody is answered before the commit.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import perf_counter
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.ext.asyncio import AsyncEngine

from tribe_ws.storage.batch import Batches, Send, Work, Write
from tribe_ws.storage.faults import translate, unavailable
from tribe_ws.storage.records import NewMessage, StoredMessage

T = TypeVar("T")

MAX_WAITING = 10_000
"""How many writes may wait; whoever comes then is refused with ``storage_busy``."""


class StorageObserver(Protocol):
    """Who wants to know how the writer does; called on the event loop."""

    def on_commit(self, batch_size: int, seconds: float) -> None:
        """Note that a transaction with ``batch_size`` writes was committed in ``seconds``."""
        ...


OnCommitted = Callable[[Sequence[StoredMessage]], None]


class Writer(ABC):
    """What both writers share: the queue's loop side. All its methods belong to the event loop's thread."""

    def __init__(self, on_committed: OnCommitted | None, observer: StorageObserver | None) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_committed = on_committed
        self._observer = observer
        self._incoming: list[Write] = []
        self._waiting = 0
        self._is_stopping = False

    def send(self, message: NewMessage) -> asyncio.Future[StoredMessage]:
        """Queue a message; the future is done after its commit."""
        write = Send(self._loop.create_future(), message)
        self._submit(write)
        return write.future

    def perform(
        self, work: Callable[[Connection], T], then: Callable[[], None] | None = None
    ) -> asyncio.Future[T]:
        """Queue any other change; it runs in the order of its coming, and alone if it fails.

        ``then`` is called after its commit, before any message of a later place in that order is announced.
        """
        write = Work(self._loop.create_future(), work, then)
        self._submit(write)
        return write.future

    async def stop(self) -> None:
        """Take nothing more, and return when all that was taken is answered."""
        self._is_stopping = True
        self._hand_over()
        await self._finish()

    @abstractmethod
    def _pass_on(self, writes: list[Write]) -> None:
        """Give some writes to whoever commits."""

    @abstractmethod
    async def _finish(self) -> None:
        """Wait until whoever commits has nothing left, and ended."""

    def _submit(self, write: Write) -> None:
        if self._is_stopping:
            raise unavailable("storage_stopped")
        if self._waiting >= MAX_WAITING:
            raise unavailable("storage_busy")
        self._waiting += 1
        self._incoming.append(write)
        if len(self._incoming) == 1:
            # All who write in this turn of the loop come in one batch, for one wake-up of the other side.
            self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        if self._incoming:
            writes, self._incoming = self._incoming, []
            self._pass_on(writes)

    def _settle(self, writes: Sequence[Write], seconds: float) -> None:
        """Answer a batch: first those who wait, then those who listen."""
        self._waiting -= len(writes)
        for write in writes:
            write.settle()
        committed = sum(write.error is None for write in writes)
        if self._observer is not None and committed:
            self._observer.on_commit(committed, seconds)
        stored: list[StoredMessage] = []
        for write in writes:
            if isinstance(write, Send) and write.is_news:
                stored.append(write.outcome)
            elif isinstance(write, Work) and write.then is not None and write.error is None:
                # What was sent before goes out before, and what was sent after, after.
                self._announce(stored)
                stored = []
                write.then()
        self._announce(stored)

    def _announce(self, stored: Sequence[StoredMessage]) -> None:
        if stored and self._on_committed is not None:
            self._on_committed(stored)


class ThreadWriter(Writer):
    """Writes to a SQLite file from a thread of its own, which spares a thread hop for every statement."""

    def __init__(
        self,
        engine: Engine,
        batches: Batches,
        on_committed: OnCommitted | None,
        observer: StorageObserver | None,
    ) -> None:
        super().__init__(on_committed, observer)
        self._engine = engine
        self._batches = batches
        self._queue: queue.SimpleQueue[list[Write] | None] = queue.SimpleQueue()
        self._ended = self._loop.create_future()
        self._thread = threading.Thread(target=self._run, name="tribe-ws writer", daemon=True)
        self._thread.start()

    def _pass_on(self, writes: list[Write]) -> None:
        self._queue.put(writes)

    async def _finish(self) -> None:
        self._queue.put(None)
        await asyncio.shield(self._ended)
        self._thread.join()

    def _run(self) -> None:
        with self._engine.connect() as connection, suppress(_LoopClosed):
            while (writes := self._queue.get()) is not None:
                for batch in self._batches.split(_gather(writes, self._queue)):
                    started = perf_counter()
                    self._batches.commit(connection, batch)
                    self._call(self._settle, batch, perf_counter() - started)
        with suppress(_LoopClosed):
            self._call(self._ended.set_result, None)

    def _call(self, function: Callable[..., object], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError as error:
            # The loop ended without closing the storage: there is nobody left to answer.
            raise _LoopClosed from error


class LoopWriter(Writer):
    """Writes through an async engine, for a server or a database in memory."""

    def __init__(
        self,
        engine: AsyncEngine,
        batches: Batches,
        on_committed: OnCommitted | None,
        observer: StorageObserver | None,
    ) -> None:
        super().__init__(on_committed, observer)
        self._engine = engine
        self._batches = batches
        self._queue: asyncio.Queue[list[Write] | None] = asyncio.Queue()
        self._task = self._loop.create_task(self._run(), name="tribe-ws writer")

    def _pass_on(self, writes: list[Write]) -> None:
        self._queue.put_nowait(writes)

    async def _finish(self) -> None:
        self._queue.put_nowait(None)
        await asyncio.shield(self._task)

    async def _run(self) -> None:
        while (writes := await self._queue.get()) is not None:
            for batch in self._batches.split(_gather(writes, self._queue)):
                started = perf_counter()
                await self._commit(batch)
                # Through the loop: what a listener raises must not end the writer.
                self._loop.call_soon(self._settle, batch, perf_counter() - started)

    async def _commit(self, batch: Sequence[Write]) -> None:
        try:
            async with self._engine.connect() as connection:
                await connection.run_sync(self._batches.commit, batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            for write in batch:
                write.fail(translate(error))


class _LoopClosed(Exception):
    """Nobody can be answered any more."""


def _gather(
    writes: list[Write], waiting: queue.SimpleQueue[list[Write] | None] | asyncio.Queue[list[Write] | None]
) -> list[Write]:
    """Add what came while the last batch was committed; ``None``, the end, stays where it is."""
    while not waiting.empty():
        further = waiting.get_nowait()
        if further is None:
            waiting.put_nowait(None)
            break
        writes.extend(further)
    return writes
