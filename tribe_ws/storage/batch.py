"""A batch of writes in one transaction: sends together, other changes each behind a savepoint of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection

from tribe_ws.clock import Clock
from tribe_ws.errors import TribeError
from tribe_ws.storage.faults import is_worth_repeating, translate
from tribe_ws.storage.milliseconds import to_milliseconds
from tribe_ws.storage.records import NewMessage
from tribe_ws.storage.sending import forget_expired_keys, store_messages

MAX_BATCH = 256
"""How many writes share a transaction at most: more would make the first of them wait for the last."""
_PURGE_EVERY_MS = 3600 * 1000


class Write:
    """Something to be written, and whoever waits for it."""

    __slots__ = ("error", "future", "outcome")

    def __init__(self, future: asyncio.Future[Any]) -> None:
        self.future = future
        self.outcome: Any = None
        self.error: Exception | None = None

    def succeed(self, outcome: Any) -> None:
        """Note what came of it; nobody hears of that before the commit."""
        self.outcome, self.error = outcome, None

    def fail(self, error: Exception) -> None:
        """Note that nothing came of it."""
        self.outcome, self.error = None, error

    def settle(self) -> None:
        """Answer whoever still waits; on the event loop."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.outcome)
        else:
            self.future.set_exception(self.error)


class Send(Write):
    """A message to be stored."""

    __slots__ = ("message",)

    def __init__(self, future: asyncio.Future[Any], message: NewMessage) -> None:
        super().__init__(future)
        self.message = message

    @property
    def is_news(self) -> bool:
        """Whether this send stored a message that was not there before."""
        return self.outcome is not None and not self.outcome.replayed


class Work(Write):
    """Any other change, as a function of the connection.

    ``then`` is called on the event loop after its commit, in its place among the messages of the same batch.
    """

    __slots__ = ("then", "work")

    def __init__(
        self,
        future: asyncio.Future[Any],
        work: Callable[[Connection], Any],
        then: Callable[[], None] | None = None,
    ) -> None:
        super().__init__(future)
        self.work = work
        self.then = then


class Batches:
    """Commits batches, one at a time."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._purge_due_ms = 0

    def split(self, writes: Sequence[Write]) -> Iterator[Sequence[Write]]:
        """Cut what waits into batches of a bearable size."""
        for start in range(0, len(writes), MAX_BATCH):
            yield writes[start : start + MAX_BATCH]

    def commit(self, connection: Connection, batch: Sequence[Write]) -> None:
        """Commit a batch, and note in each write what came of it; raises nothing.

        If the batch fails through one of its writes, each is repeated by itself.
        """
        try:
            self._attempt(connection, batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            if is_worth_repeating(error, alone=len(batch) == 1):
                self._commit_one_by_one(connection, batch)
            else:
                _fail_all(batch, error)

    def _commit_one_by_one(self, connection: Connection, batch: Sequence[Write]) -> None:
        for position, write in enumerate(batch):
            try:
                self._attempt(connection, [write])
            except Exception as error:  # noqa: BLE001 - as above
                if not is_worth_repeating(error, alone=False):
                    # The storage itself fails by now: the others would only wait for the same answer.
                    _fail_all(batch[position:], error)
                    return
                write.fail(translate(error))

    def _attempt(self, connection: Connection, batch: Sequence[Write]) -> None:
        try:
            self._transact(connection, batch)
        except Exception:
            _make_clean(connection)
            raise

    def _transact(self, connection: Connection, batch: Sequence[Write]) -> None:
        with connection.begin():
            now_ms = to_milliseconds(self._clock.now())
            if now_ms >= self._purge_due_ms:
                forget_expired_keys(connection, now_ms)
                self._purge_due_ms = now_ms + _PURGE_EVERY_MS
            for _, run in groupby(batch, type):
                _write(connection, list(run), now_ms, self._clock.new_id)


def _make_clean(connection: Connection) -> None:
    """End what a failed commit may have left open in the driver; SQLAlchemy takes it for done."""
    if connection.invalidated:
        return
    try:
        connection.connection.rollback()
    except Exception:  # noqa: BLE001 - a connection that cannot even do this is given up
        connection.invalidate()


def _write(connection: Connection, run: Sequence[Write], now_ms: int, new_id: Callable[[str], str]) -> None:
    """Write what is of one kind and came in a row."""
    if sends := [write for write in run if isinstance(write, Send)]:
        _store(connection, sends, now_ms, new_id)
    for write in run:
        if isinstance(write, Work):
            _perform(connection, write)


def _store(connection: Connection, sends: Sequence[Send], now_ms: int, new_id: Callable[[str], str]) -> None:
    outcomes = store_messages(connection, [send.message for send in sends], now_ms, new_id)
    for send, outcome in zip(sends, outcomes, strict=True):
        if isinstance(outcome, TribeError):
            send.fail(outcome)
        else:
            send.succeed(outcome)


def _perform(connection: Connection, write: Work) -> None:
    try:
        with connection.begin_nested():
            write.succeed(write.work(connection))
    except TribeError as error:
        write.fail(error)


def _fail_all(batch: Sequence[Write], error: Exception) -> None:
    for write in batch:
        write.fail(translate(error))
