"""The epoch of a database, and reading messages by their number."""

from __future__ import annotations

import pytest
from alembic import command
from sqlalchemy import insert, select

from tribe_ws.clock import ManualClock
from tribe_ws.storage import migrate
from tribe_ws.storage.epoch import epoch_of, renew_epoch
from tribe_ws.storage.storage import Storage
from tribe_ws.storage.tables import meta

NOBODY = "11111111-1111-4111-8111-111111111111"


async def test_a_database_has_an_epoch_of_its_own(storage):
    other = await Storage.open(":memory:", clock=ManualClock())
    assert storage.epoch
    assert storage.epoch != other.epoch
    assert await storage._database.read(epoch_of) == storage.epoch
    await other.close()


async def test_it_stays_over_a_restart(target, storage):
    if target == ":memory:":
        pytest.skip("a database in memory does not outlive its storage")
    await storage.close()
    again = await Storage.open(target, clock=ManualClock())
    assert again.epoch == storage.epoch
    await again.close()


async def test_another_one_can_be_begun_alone_or_with_other_contents(storage):
    first = storage.epoch
    second = await storage.renew_epoch()
    assert storage.epoch == second != first

    def restore(connection):
        connection.execute(insert(meta).values(key="restored", value="yes"))
        return renew_epoch(connection)

    third = await storage._database.write(restore)
    assert third not in (first, second)
    assert await storage._database.read(epoch_of) == third


async def test_a_database_of_the_first_schema_gets_one(target, storage, send):
    if target == ":memory:":
        pytest.skip("a database in memory is made from the tables themselves")
    await send("kept")

    def go_back_and_forth(connection):
        command.downgrade(migrate.configuration(connection), "0001")
        migrate.bring_up_to_date(connection, "it")
        return connection.execute(select(meta.c.key)).all()

    assert await storage._database.write(go_back_and_forth) == []
    before = storage.epoch
    await storage.close()
    again = await Storage.open(target, clock=ManualClock())
    assert again.epoch not in ("", before)
    await again.close()


async def test_the_head_is_the_newest_number(storage, people, send):
    assert await storage.messages.head_seq(people.group.id) == 0
    assert await storage.messages.head_seq(NOBODY) == 0
    for content in "abc":
        await send(content)
    assert await storage.messages.head_seq(people.group.id) == 3


async def test_messages_are_read_from_a_number_on(storage, people, send):
    for content in "abcdef":
        await send(content, by=people.ben if content in "bd" else people.ana)
    other, _ = await storage.conversations.create(people.ana.id, "direct", [people.cleo.id])
    await send("elsewhere", conversation_id=other.id)

    async def read(*arguments, **options):
        found = await storage.messages.after_seq(people.group.id, *arguments, **options)
        return "".join(message.content for message in found)

    assert await read(0, 100) == "abcdef"
    assert await read(2, 100) == "cdef"
    assert await read(2, 2) == "cd"
    assert await read(1, 100, up_to=4) == "bcd"
    assert await read(1, 100, up_to=5, not_from=people.ben.id) == "ce"
    assert await read(6, 100) == ""


async def test_a_message_knows_where_it_was_posted(storage, people, send):
    sent = await send("here", connection_id=NOBODY, client_message_id="c")
    repeated = await send("here", client_message_id="c")
    (read,) = await storage.messages.after_seq(people.group.id, 0, 10)
    assert sent.connection_id == repeated.connection_id == read.connection_id == NOBODY
    assert (await send("anywhere")).connection_id is None


async def test_who_takes_part_is_listed(storage, people):
    found = await storage.conversations.participant_ids(people.group.id)
    assert found == tuple(sorted([people.ana.id, people.ben.id]))
    assert await storage.conversations.participant_ids(NOBODY) == ()
