"""Beginning anew: nothing of before is left, and the history is another one."""

from __future__ import annotations

import pytest

from tribe_ws.demo_accounts import fixture_id
from tribe_ws.errors import ConfigurationError
from tribe_ws.storage.storage import Storage

ALICE = fixture_id("user:alice")
GENERAL = fixture_id("conversation:general")


def hash_password(password: str) -> str:
    return f"hash of {password}"


async def test_nothing_of_before_is_left(storage, people, send, clock):
    first = await send("one", client_message_id="key")
    await send("two", reply_to_message_id=first.id)
    await storage.tokens.add("token", people.ana.id, "hash", clock.now(), None)
    epoch = storage.epoch
    summary = await storage.reset("demo", hash_password)
    assert (summary.name, summary.users_created, summary.conversations_created) == ("demo", 4, 3)
    assert await storage.users.by_id(people.ana.id) is None
    assert await storage.conversations.participant_ids(people.group.id) == ()
    assert not await storage.tokens.is_live("token", "hash", clock.now())
    assert (await storage.conversations.list(ALICE, 0, 10)).total == 3
    assert storage.epoch != epoch


async def test_it_is_the_same_world_however_often(storage):
    await storage.reset("demo", hash_password)
    before = (await storage.messages.page(GENERAL, ALICE, 50)).messages
    await storage.reset("demo", hash_password)
    after = (await storage.messages.page(GENERAL, ALICE, 50)).messages
    assert [message.id for message in after] == [message.id for message in before]
    assert (await storage.reset("none", hash_password)).usernames == ()
    assert await storage.users.by_id(ALICE) is None


async def test_a_world_that_is_none_changes_nothing(storage, people):
    epoch = storage.epoch
    with pytest.raises(ConfigurationError):
        await storage.reset("no-such-world", hash_password)
    assert await storage.users.by_id(people.ana.id) is not None
    assert storage.epoch == epoch


async def test_the_new_epoch_is_kept(tmp_path, clock):
    path = str(tmp_path / "tribe.db")
    opened = await Storage.open(path, clock=clock)
    await opened.reset("demo", hash_password)
    epoch = opened.epoch
    await opened.close()
    again = await Storage.open(path, clock=clock)
    assert again.epoch == epoch
    await again.close()
