"""The group commit: who shares a transaction, who is told what and when, and what happens at the end."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import insert, select

from tribe_ws.errors import NotAllowed, StorageUnavailable, TribeError
from tribe_ws.storage import writer
from tribe_ws.storage.records import NewMessage
from tribe_ws.storage.storage import Storage
from tribe_ws.storage.tables import users


async def test_two_hundred_concurrent_inserts_are_all_there(storage):
    made = await asyncio.gather(
        *(storage.users.create(f"u{n}@tribe.test", f"user_{n}", f"User {n}", "h") for n in range(200))
    )
    assert len({user.id for user in made}) == 200
    assert len(await storage.users.search("user_", 0, 500)) == 200


async def test_writes_survive_reads_and_failures_between_them(storage, people):
    """A shared connection would lose writes here: somebody else's rollback would take them along."""

    async def read_badly(connection):
        raise ValueError("no")

    async def write(n):
        await storage.users.create(f"u{n}@tribe.test", f"user_{n}", "U", "h")

    async def fail(n):
        with pytest.raises(ZeroDivisionError):
            await storage._database.read(lambda _: 1 // 0)
        with pytest.raises(TribeError):
            await storage.users.create("ana@tribe.test", f"other_{n}", "U", "h")

    await asyncio.gather(*(work(n) for n in range(50) for work in (write, fail)))
    assert len(await storage.users.search("user_", 0, 500)) == 50


async def test_concurrent_sends_share_a_transaction(send, committed):
    await send("first")
    committed.sizes.clear()
    await asyncio.gather(*(send(f"{n}") for n in range(64)))
    assert sum(committed.sizes) == 64
    assert len(committed.sizes) <= 2


async def test_a_batch_has_a_bearable_size(send, committed):
    await asyncio.gather(*(send(f"{n}") for n in range(600)))
    assert max(committed.sizes) == 256


async def test_a_batch_costs_a_handful_of_statements(storage, people, send, count_statements):
    await send("warm up")
    with count_statements(storage) as statements:
        await asyncio.gather(*(send(f"{n}") for n in range(50)))
    assert len([s for s in statements if not s.startswith("BEGIN")]) <= 4


async def test_what_is_committed_is_told_in_order_and_after_the_senders_knew(
    storage, people, send, committed
):
    order = []
    note = storage._database._writer._on_committed

    def listen(batch):
        order.append(("told", [message.id for message in batch], all(task.done() for task in futures)))
        note(batch)

    storage._database._writer._on_committed = listen
    futures = [storage._database.send(NewMessage(people.group.id, people.ana.id, f"{n}")) for n in range(10)]
    sent = await asyncio.gather(*futures)
    assert order == [("told", [message.id for message in sent], True)]
    assert [message.seq for message in committed.messages] == list(range(1, 11))


async def test_a_removal_is_told_in_its_place_among_the_messages(storage, people, send, committed):
    told = []
    await asyncio.gather(
        send("before"),
        storage.conversations.remove_participant(
            people.group.id,
            people.ana.id,
            people.ben.id,
            on_removed=lambda: told.append([message.content for message in committed.messages]),
        ),
        send("after"),
    )
    assert told == [["before"]]
    assert [message.content for message in committed.messages] == ["before", "after"]


async def test_a_removal_that_fails_is_not_told(storage, people):
    def tell():
        pytest.fail("it was told")

    with pytest.raises(NotAllowed):
        await storage.conversations.remove_participant(
            people.group.id, people.ben.id, people.ana.id, on_removed=tell
        )


async def test_a_cancelled_sender_does_not_undo_the_message(storage, people, send, committed):
    task = asyncio.create_task(send("I am leaving"))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await send("still here")).seq == 2
    assert [message.content for message in committed.messages] == ["I am leaving", "still here"]


async def test_a_cancelled_reader_leaves_the_database_as_it_is(storage, people, send):
    await send("one")
    tasks = [
        asyncio.create_task(storage.messages.page(people.group.id, people.ana.id, 10)) for _ in range(10)
    ]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (await storage.messages.page(people.group.id, people.ana.id, 10)).total == 1


async def test_a_message_the_database_cannot_take_fails_alone(storage, people, send, committed):
    results: Any = await asyncio.gather(
        send("one"), send("a lone surrogate: \ud800"), send("two"), return_exceptions=True
    )
    assert isinstance(results[1], Exception)
    assert not isinstance(results[1], StorageUnavailable)
    assert [results[0].seq, results[2].seq] == [1, 2]
    assert [message.content for message in committed.messages] == ["one", "two"]
    page = await storage.messages.page(people.group.id, people.ana.id, 10)
    assert [message.content for message in page.messages] == ["one", "two"]


async def test_a_change_that_fails_half_way_is_undone_alone(storage, people, send):
    def half(connection):
        connection.execute(insert(users).from_select(["id"], select(users.c.id).where(users.c.id == "none")))
        connection.execute(users.update().values(bio="half"))
        raise NotAllowed("changed my mind")

    results: Any = await asyncio.gather(
        send("before"), storage._database.write(half), send("after"), return_exceptions=True
    )
    assert [results[0].seq, results[2].seq] == [1, 2]
    assert isinstance(results[1], NotAllowed)
    assert (await storage.users.by_id(people.ana.id)).bio is None


async def test_a_bug_in_a_change_fails_alone(storage, people, send):
    results = await asyncio.gather(
        send("before"), storage._database.write(lambda _: 1 // 0), send("after"), return_exceptions=True
    )
    assert [type(result).__name__ for result in results] == [
        "StoredMessage",
        "ZeroDivisionError",
        "StoredMessage",
    ]


async def test_writes_are_carried_out_in_the_order_of_their_coming(storage, people):
    changes = [{"bio": f"{n}"} for n in range(30)]
    await asyncio.gather(*(storage.users.update(people.ana.id, change) for change in changes))
    assert (await storage.users.by_id(people.ana.id)).bio == "29"


async def test_closing_finishes_what_waits(target, storage, people, send, committed):
    futures = [storage._database.send(NewMessage(people.group.id, people.ana.id, f"{n}")) for n in range(300)]
    reading = asyncio.create_task(storage.users.by_id(people.ana.id))
    await asyncio.sleep(0)
    await storage.close()
    assert [future.result().seq for future in futures] == list(range(1, 301))
    assert (await reading).id == people.ana.id
    assert len(committed.messages) == 300


async def test_a_closed_storage_says_so(storage, people, send):
    await storage.close()
    await storage.close()
    for attempt in (
        lambda: send("too late"),
        lambda: storage.users.touch(people.ana.id),
        lambda: storage.users.by_id(people.ana.id),
    ):
        with pytest.raises(StorageUnavailable) as caught:
            await attempt()
        assert caught.value.reason == "storage_stopped"
    assert not await storage.ping()


async def test_the_queue_is_bounded(storage, people, monkeypatch):
    monkeypatch.setattr(writer, "MAX_WAITING", 5)
    new = NewMessage(people.group.id, people.ana.id, "hello")
    futures = [storage._database.send(new) for _ in range(5)]
    with pytest.raises(StorageUnavailable) as caught:
        storage._database.send(new)
    assert caught.value.reason == "storage_busy"
    await asyncio.gather(*futures)
    assert (await storage.messages.send(new)).seq == 6


async def test_nobody_has_to_listen(target, clock):
    opened = await Storage.open(target, clock=clock)
    ana = await opened.users.create("a@tribe.test", "ana", "Ana", "h")
    group, _ = await opened.conversations.create(ana.id, "group", [], "alone")
    assert (await opened.messages.send(NewMessage(group.id, ana.id, "echo"))).seq == 1
    await opened.close()


async def test_a_database_that_answers_is_alive(storage):
    assert await storage.ping()


def test_a_loop_that_ends_without_closing_leaves_no_noise(tmp_path, clock):
    async def forget():
        opened = await Storage.open(str(tmp_path / "tribe.db"), clock=clock)
        await opened.users.create("a@tribe.test", "ana", "Ana", "h")
        writing: Any = opened._database._writer
        thread = writing._thread
        writing._hand_over = lambda: None
        opened._database.write(lambda _: None)
        return opened, writing, thread

    opened, writing, thread = asyncio.run(forget())
    writing._queue.put(writing._incoming)
    thread.join(10)
    assert not thread.is_alive()
    opened._database._release()
