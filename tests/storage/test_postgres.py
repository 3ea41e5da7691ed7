"""What only a server can do to us: be away, lose the connection, and be shared with other servers."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from tribe_ws.clock import ManualClock
from tribe_ws.errors import DatabaseRefused, StorageUnavailable
from tribe_ws.storage import engine as engines
from tribe_ws.storage.records import NewMessage
from tribe_ws.storage.storage import Storage

POSTGRES = os.environ.get("TRIBE_WS_TEST_POSTGRES", "")
on_postgres = [
    pytest.mark.postgres,
    pytest.mark.skipif(not POSTGRES, reason="TRIBE_WS_TEST_POSTGRES names no server"),
    pytest.mark.parametrize("target", ["postgres"], indirect=True),
]


def on_a_server(test: Any) -> Any:
    for mark in on_postgres:
        test = mark(test)
    return test


@pytest.fixture
async def other(target: str, storage: Storage) -> AsyncIterator[Storage]:
    """A second server on the same database."""
    opened = await Storage.open(target, clock=ManualClock())
    yield opened
    await opened.close()


async def test_a_server_that_is_away_is_refused_in_one_line_without_the_password(clock):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(DatabaseRefused) as caught:
            await Storage.open(f"postgresql://ana:s3cret@127.0.0.1:{port}/tribe", clock=clock)
    message = str(caught.value)
    assert caught.value.reason == "unreachable"
    assert f"postgresql://127.0.0.1:{port}/tribe" in message
    assert "s3cret" not in message
    assert "\n" not in message


@on_a_server
async def test_a_database_that_is_not_there_is_refused(target, clock):
    with pytest.raises(DatabaseRefused, match="does not exist") as caught:
        await Storage.open(target + "_not", clock=clock)
    assert caught.value.reason == "unreachable"


@on_a_server
async def test_the_database_of_another_program_is_refused(target, storage, people):
    await storage._database.write(lambda connection: connection.execute(text("DROP TABLE alembic_version")))
    with pytest.raises(DatabaseRefused) as caught:
        await Storage.open(target, clock=ManualClock())
    assert caught.value.reason == "foreign"


@on_a_server
async def test_two_servers_may_start_at_the_same_moment(target):
    opened = await asyncio.gather(*(Storage.open(target, clock=ManualClock()) for _ in range(3)))
    for storage in opened:
        assert await storage.ping()
        await storage.close()


@on_a_server
async def test_two_servers_number_the_messages_of_a_conversation_together(storage, other, people):
    sent = await asyncio.gather(
        *(
            opened.messages.send(NewMessage(people.group.id, people.ana.id, f"{n}"))
            for n in range(100)
            for opened in (storage, other)
        )
    )
    assert sorted(message.seq for message in sent) == list(range(1, 201))
    in_order = sorted(sent, key=lambda message: message.seq)
    moments = [message.created_at for message in in_order]
    assert moments == sorted(set(moments))


@on_a_server
async def test_a_repeat_at_another_server_stores_nothing(storage, other, people):
    for n in range(10):
        new = NewMessage(people.group.id, people.ana.id, "once", idempotency_key=f"k{n}")
        one, two = await asyncio.gather(storage.messages.send(new), other.messages.send(new))
        assert one.id == two.id
        assert {one.replayed, two.replayed} == {True, False}


@on_a_server
async def test_who_was_removed_at_another_server_cannot_slip_a_message_in(storage, other, people):
    removed = asyncio.Event()

    async def send_on() -> list[Any]:
        outcomes: list[Any] = []
        while not outcomes or not isinstance(outcomes[-1], Exception):
            new = NewMessage(people.group.id, people.ben.id, "still here?")
            was_removed = removed.is_set()
            outcomes += await asyncio.gather(storage.messages.send(new), return_exceptions=True)
            assert not (was_removed and not isinstance(outcomes[-1], Exception))
        return outcomes

    sending = asyncio.create_task(send_on())
    await other.conversations.remove_participant(people.group.id, people.ana.id, people.ben.id)
    removed.set()
    outcomes = await sending
    assert str(outcomes[-1]) == "Access denied"


@on_a_server
async def test_two_servers_start_one_direct_conversation(storage, other, people):
    made = await asyncio.gather(
        storage.conversations.create(people.ana.id, "direct", [people.cleo.id]),
        other.conversations.create(people.cleo.id, "direct", [people.ana.id]),
    )
    assert made[0][0].id == made[1][0].id
    assert sorted(is_new for _, is_new in made) == [False, True]


@on_a_server
async def test_a_direct_conversation_that_came_in_between_is_taken(storage, other, people, monkeypatch):
    """Whoever looked before the other committed finds out when inserting."""
    from tribe_ws.storage import membership

    loop = asyncio.get_running_loop()
    there, is_there = loop.create_future(), loop.create_future()
    insert = membership._insert_conversation

    def insert_late(connection, row, roles):
        if row["conversation_type"] == "direct" and not there.done():
            there.set_result(None)
            from sqlalchemy.util import await_only

            await_only(is_there)
        insert(connection, row, roles)

    monkeypatch.setattr(membership, "_insert_conversation", insert_late)
    slow = asyncio.create_task(storage.conversations.create(people.ana.id, "direct", [people.cleo.id]))
    await there
    fast, _ = await other.conversations.create(people.cleo.id, "direct", [people.ana.id])
    is_there.set_result(None)
    found, is_new = await slow
    assert (found.id, is_new) == (fast.id, False)


@on_a_server
async def test_a_row_that_another_server_holds_is_waited_for_and_then_given_up(
    target, people, storage, other, monkeypatch
):
    monkeypatch.setattr(engines, "BUSY_TIMEOUT", 0.1)
    impatient = await Storage.open(target, clock=ManualClock())
    held, release = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        writer: Any = other._database._writer
        async with writer._engine.begin() as connection:
            await connection.execute(text("SELECT * FROM conversations FOR UPDATE"))
            held.set()
            await release.wait()

    holding = asyncio.create_task(hold())
    await held.wait()
    new = NewMessage(people.group.id, people.ana.id, "let me")
    results: Any = await asyncio.gather(
        *(impatient.messages.send(new) for _ in range(5)), return_exceptions=True
    )
    assert {result.reason for result in results} == {"storage_busy"}
    release.set()
    await holding
    assert (await impatient.messages.send(new)).seq == 1
    await impatient.close()


@on_a_server
async def test_a_lost_connection_is_told_and_replaced(storage, other, people, committed):
    new = NewMessage(people.group.id, people.ana.id, "hello")
    kill = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    end_itself = text("SELECT pg_terminate_backend(pg_backend_pid())")
    for run in (storage._database.write, storage._database.read):
        with pytest.raises(StorageUnavailable) as caught:
            await run(lambda connection: connection.execute(end_itself).all())
        assert caught.value.reason == "storage_io"
    await other._database.write(lambda connection: connection.execute(kill).all())
    assert (await storage.messages.send(new)).seq == 1
    assert await storage.ping()


async def test_a_server_that_went_away_fails_each_write_and_each_read(tmp_path, clock):
    """Nothing listens there any more: connecting itself fails."""
    storage = await Storage.open(":memory:", clock=clock)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        target = engines.read_target(f"postgresql://127.0.0.1:{unused.getsockname()[1]}/tribe")
        assert target.url is not None
        gone = engines.postgres_engine(target.url)
        database, writer = storage._database, storage._database._writer
        reader, database._reader, database._quick_reader = database._reader, gone, gone
        writer._engine = gone  # type: ignore[attr-defined]
        results: Any = await asyncio.gather(
            *(storage.users.touch("x") for _ in range(3)), storage.users.by_id("x"), return_exceptions=True
        )
        assert [result.reason for result in results] == ["storage_io"] * 4
        assert not await storage.ping()
        await storage.close()
        await reader.dispose()
