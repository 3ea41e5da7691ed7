"""When the storage fails, those who wait are told why, nothing is announced, and after that it goes on."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from tribe_ws.errors import StorageUnavailable
from tribe_ws.storage import engine as engines
from tribe_ws.storage.faults import is_worth_repeating, translate
from tribe_ws.storage.records import NewMessage
from tribe_ws.storage.storage import Storage


def sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("no")
    error.sqlite_errorcode = code
    return error


class PostgresError(Exception):
    def __init__(self, state: str) -> None:
        super().__init__(state)
        self.sqlstate = state


def postgres_error(state: str, *, lost: bool = False) -> DBAPIError:
    return OperationalError("SELECT 1", None, PostgresError(state), connection_invalidated=lost)


REASONS = [
    (sqlite_error(sqlite3.SQLITE_FULL), "storage_full"),
    (sqlite_error(sqlite3.SQLITE_BUSY_SNAPSHOT), "storage_busy"),
    (sqlite_error(sqlite3.SQLITE_IOERR_FSYNC), "storage_io"),
    (sqlite_error(sqlite3.SQLITE_CORRUPT_INDEX), "storage_io"),
    (OperationalError("SELECT 1", None, sqlite_error(sqlite3.SQLITE_IOERR_WRITE)), "storage_io"),
    (postgres_error("53100"), "storage_full"),
    (postgres_error("55P03"), "storage_busy"),
    (postgres_error("53300"), "storage_busy"),
    (postgres_error("40P01"), "storage_busy"),
    (postgres_error("57P01"), "storage_io"),
    (postgres_error("08006"), "storage_io"),
    (postgres_error("", lost=True), "storage_io"),
    (ConnectionRefusedError("no"), "storage_io"),
    (PoolTimeoutError("pool"), "storage_busy"),
]


@pytest.mark.parametrize(("error", "reason"), REASONS, ids=[f"{type(e).__name__}-{r}" for e, r in REASONS])
def test_an_error_of_the_storage_has_a_reason(error, reason):
    problem = translate(error)
    assert isinstance(problem, StorageUnavailable)
    assert problem.reason == reason
    assert problem.__cause__ is error
    assert str(problem)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("bug"),
        sqlite_error(sqlite3.SQLITE_ERROR),
        sqlite3.ProgrammingError("bug"),
        postgres_error("42601"),
    ],
)
def test_a_bug_stays_a_bug(error):
    assert translate(error) is error


def test_what_is_repeated_and_what_is_not():
    assert is_worth_repeating(ValueError("one write's own"), alone=False)
    assert not is_worth_repeating(ValueError("one write's own"), alone=True)
    assert is_worth_repeating(sqlite_error(sqlite3.SQLITE_FULL), alone=False)
    assert not is_worth_repeating(sqlite_error(sqlite3.SQLITE_BUSY), alone=False)
    assert not is_worth_repeating(sqlite_error(sqlite3.SQLITE_IOERR), alone=False)
    assert is_worth_repeating(postgres_error("40P01"), alone=True)


# ── On a file ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def target(tmp_path) -> str:
    return str(tmp_path / "tribe.db")


async def reason_of(awaitable) -> str:
    with pytest.raises(StorageUnavailable) as caught:
        await awaitable
    return caught.value.reason


async def limit_pages(storage: Storage, extra: int) -> None:
    def limit(connection):
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + extra}")

    await storage._database.write(limit)


async def test_a_full_disk_is_told_and_forgotten(storage, people, send, committed):
    await limit_pages(storage, 8)
    results = await asyncio.gather(*(send("x" * 5000) for _ in range(30)), return_exceptions=True)
    stored = [result for result in results if not isinstance(result, BaseException)]
    reasons = {result.reason for result in results if isinstance(result, StorageUnavailable)}
    assert reasons == {"storage_full"}
    assert len(stored) + sum(isinstance(result, StorageUnavailable) for result in results) == 30
    # Reading goes on, and what was announced is what is there.
    page = await storage.messages.page(people.group.id, people.ana.id, 100)
    assert [message.id for message in page.messages] == [message.id for message in committed.messages]
    assert {message.id for message in stored} == {message.id for message in page.messages}
    await limit_pages(storage, 1000)
    assert (await send("room again")).seq == page.total + 1


async def test_on_a_full_disk_the_small_ones_still_find_room(storage, send):
    await limit_pages(storage, 3)
    results: Any = await asyncio.gather(
        send("small"), send("x" * 4_000_000), send("small too"), return_exceptions=True
    )
    assert results[1].reason == "storage_full"
    assert [results[0].seq, results[2].seq] == [1, 2]


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A disk of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk]
    if os.geteuid() != 0 or subprocess.run(mounting, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield disk
    subprocess.run(["umount", disk], check=True)


async def until_it_fails(send) -> AsyncIterator[Any]:
    """Give what each send gives, and at last the error."""
    while True:
        try:
            yield await send()
        except StorageUnavailable as error:
            yield error
            return


async def test_a_really_full_disk_is_told_and_forgotten(small_disk, clock):
    opened = await Storage.open(str(small_disk / "tribe.db"), clock=clock)
    ana = await opened.users.create("a@tribe.test", "ana", "Ana", "h")
    group, _ = await opened.conversations.create(ana.id, "group", [], "g")
    new = NewMessage(group.id, ana.id, "x" * 5000)
    results = [result async for result in until_it_fails(lambda: opened.messages.send(new))]
    stored = len(results) - 1
    assert results[-1].reason == "storage_full"
    assert (await opened.messages.page(group.id, ana.id, 1)).total == stored
    await asyncio.to_thread(subprocess.run, ["mount", "-o", "remount,size=8m", small_disk], check=True)
    assert (await opened.messages.send(new)).seq == stored + 1
    await opened.close()


async def test_a_file_locked_by_another_program_is_told_and_forgotten(tmp_path, clock, monkeypatch):
    monkeypatch.setattr(engines, "BUSY_TIMEOUT", 0.05)
    path = tmp_path / "tribe.db"
    told: list[Any] = []
    opened = await Storage.open(str(path), clock=clock, on_committed=told.extend)
    ana = await opened.users.create("a@tribe.test", "ana", "Ana", "h")
    group, _ = await opened.conversations.create(ana.id, "group", [], "g")
    new = NewMessage(group.id, ana.id, "hello")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        results: Any = await asyncio.gather(
            *(opened.messages.send(new) for _ in range(20)), return_exceptions=True
        )
        assert {result.reason for result in results} == {"storage_busy"}
        assert len({id(result) for result in results}) == 20
        assert await reason_of(opened.users.touch(ana.id)) == "storage_busy"
        # Reading is not stopped by it.
        assert (await opened.messages.page(group.id, ana.id, 10)).total == 0
        other.execute("ROLLBACK")
    assert told == []
    assert (await opened.messages.send(new)).seq == 1
    await opened.close()


async def test_a_lock_that_is_given_back_in_time_is_waited_for(tmp_path, clock):
    path = tmp_path / "tribe.db"
    opened = await Storage.open(str(path), clock=clock)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    asyncio.get_running_loop().call_later(0.1, other.execute, "ROLLBACK")
    await opened.users.create("a@tribe.test", "ana", "Ana", "h")
    other.close()
    await opened.close()


@contextmanager
def failing(storage: Storage, stage: str, error: Exception, times: int = 1):
    """Let the writer's driver fail when it begins, or commits."""
    writer: Any = storage._database._writer
    left = [times]

    def fail(_connection: Any) -> None:
        if left[0]:
            left[0] -= 1
            raise error

    event.listen(writer._engine, stage, fail)
    yield
    event.remove(writer._engine, stage, fail)


async def test_a_failing_fsync_is_told_and_nothing_is_announced(storage, people, send, committed):
    with failing(storage, "commit", sqlite_error(sqlite3.SQLITE_IOERR_FSYNC)):
        results: Any = await asyncio.gather(*(send(f"{n}") for n in range(10)), return_exceptions=True)
    assert {result.reason for result in results} == {"storage_io"}
    assert committed.messages == []
    assert (await storage.messages.page(people.group.id, people.ana.id, 10)).total == 0
    assert (await send("it works again")).seq == 1


async def test_a_storage_that_breaks_while_a_batch_is_repeated_fails_the_rest(storage, send, committed):
    committed.sizes.clear()
    with failing(storage, "begin", sqlite_error(sqlite3.SQLITE_FULL), times=2):
        results: Any = await asyncio.gather(*(send(f"{n}") for n in range(4)), return_exceptions=True)
    assert [getattr(result, "reason", "stored") for result in results] == ["storage_full", *["stored"] * 3]
    errors = iter(
        [sqlite_error(code) for code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)]
    )
    writer: Any = storage._database._writer

    def fail(_connection: Any) -> None:
        if (error := next(errors, None)) is not None:
            raise error

    event.listen(writer._engine, "begin", fail)
    results = await asyncio.gather(*(send(f"{n}") for n in range(4)), return_exceptions=True)
    assert [result.reason for result in results] == ["storage_full", *["storage_io"] * 3]
    assert sum(committed.sizes) == 3


async def test_a_read_that_fails_is_told(storage):
    def read(_connection):
        raise sqlite_error(sqlite3.SQLITE_IOERR_READ)

    assert await reason_of(storage._database.read(read)) == "storage_io"


async def test_a_connection_that_cannot_even_be_cleaned_is_given_up_and_replaced(storage, send):
    def break_down(connection):
        # The driver's connection is closed under our hands: neither commit nor rollback can work.
        connection.connection.dbapi_connection.close()

    with pytest.raises(DBAPIError):
        await storage._database.write(break_down)
    assert (await send("on a new connection")).seq == 1
