"""Filling a world in adds what is missing, and nothing else, however often it is done."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta
from itertools import pairwise

import pytest

from tribe_ws.clock import ManualClock
from tribe_ws.demo_accounts import DEMO_PASSWORD, fixture_id
from tribe_ws.errors import ConfigurationError, NotFound
from tribe_ws.storage.records import NewMessage
from tribe_ws.storage.storage import Storage

ALICE, BOB = fixture_id("user:alice"), fixture_id("user:bob")
GENERAL = fixture_id("conversation:general")


def hash_password(password: str) -> str:
    return f"hash of {password}"


def never(_password: str) -> str:
    raise AssertionError("there was nothing to hash")


async def test_the_demo_world_is_filled_in(storage, clock):
    summary = await storage.apply_world("demo", hash_password)
    assert (summary.users_created, summary.conversations_created) == (4, 3)
    assert [conversation.label for conversation in summary.conversations] == [
        "#general",
        "#design",
        "alice+bob",
    ]
    alice = await storage.users.by_login("alice@tribe.test")
    assert (alice.id, alice.full_name, alice.password_hash) == (
        ALICE,
        "Alice Ames",
        f"hash of {DEMO_PASSWORD}",
    )
    assert (alice.is_verified, alice.goals_achieved, alice.email_verified) == (True, 12, True)
    listed = await storage.conversations.list(ALICE, 0, 10)
    assert {(c.name, len(c.participants), c.conversation_type) for c in listed.items} == {
        ("general", 4, "group"),
        ("design", 2, "group"),
        (None, 2, "direct"),
    }
    assert {p.username: p.role for p in listed.items[0].participants}["alice"] == "admin"


async def test_its_history_is_in_order_and_in_the_past(storage, clock):
    summary = await storage.apply_world("demo", hash_password)
    found = 0
    for conversation in summary.conversations:
        page = await storage.messages.page(conversation.id, ALICE, 100)
        found += len(page.messages)
        assert [m.seq for m in page.messages] == list(range(1, page.total + 1))
        assert all(a.created_at < b.created_at for a, b in pairwise(page.messages))
        assert page.messages[-1].created_at < clock.now()
        assert page.messages[0].created_at > clock.now() - timedelta(days=7)
    assert found == summary.messages_created > 0
    replies = [m for m in (await storage.messages.page(GENERAL, ALICE, 100)).messages if m.reply_to_message]
    assert replies


async def test_filling_in_again_changes_nothing(storage):
    first = await storage.apply_world("demo", hash_password)
    await storage.users.update(BOB, {"full_name": "Robert Stone"})
    sent = await storage.messages.send(NewMessage(GENERAL, ALICE, "new"))
    again = await storage.apply_world("demo", never)
    assert (again.users_created, again.conversations_created, again.messages_created) == (0, 0, 0)
    assert again.conversations == first.conversations
    assert (await storage.users.by_id(BOB)).full_name == "Robert Stone"
    page = await storage.messages.page(GENERAL, ALICE, 100)
    assert page.messages[-1].id == sent.id


async def test_two_who_fill_it_in_at_once_fill_it_in_once(target, storage):
    summaries = await asyncio.gather(*(storage.apply_world("demo", hash_password) for _ in range(3)))
    assert sorted(summary.users_created for summary in summaries) == [0, 0, 4]


@pytest.mark.parametrize("target", ["postgres"], indirect=True)
@pytest.mark.postgres
@pytest.mark.skipif(
    not os.environ.get("TRIBE_WS_TEST_POSTGRES"), reason="TRIBE_WS_TEST_POSTGRES names no server"
)
async def test_two_servers_on_one_postgres_fill_it_in_once(target, storage):
    other = await Storage.open(target, clock=ManualClock())
    summaries = await asyncio.gather(
        *(opened.apply_world("demo", hash_password) for opened in (storage, other, storage, other))
    )
    assert sorted(summary.users_created for summary in summaries) == [0, 0, 0, 4]
    await other.close()


async def test_no_world_leaves_the_database_empty(storage):
    summary = await storage.apply_world("none", never)
    assert (summary.name, summary.usernames, summary.users_created) == ("none", (), 0)
    assert await storage.users.search("", 0, 10) == []


async def test_a_name_that_somebody_else_has_is_told_and_nothing_is_filled_in(storage):
    await storage.users.create("real@tribe.test", "bob", "The real Bob", "h")
    with pytest.raises(ConfigurationError, match="username of its user 'bob'"):
        await storage.apply_world("demo", hash_password)
    assert await storage.users.by_id(ALICE) is None


async def test_a_direct_conversation_that_is_there_is_kept(storage, tmp_path):
    (tmp_path / "users.yaml").write_text(
        "users:\n  - {username: alice, full_name: Alice}\n  - {username: bob, full_name: Bob}\n"
    )
    (tmp_path / "both.yaml").write_text(
        (tmp_path / "users.yaml").read_text()
        + "conversations:\n  - {alias: alice+bob, participants: [alice, bob]}\n"
        + "  - {alias: empty, name: empty, participants: []}\n"
    )
    await storage.apply_world(str(tmp_path / "users.yaml"), hash_password)
    theirs, _ = await storage.conversations.create(BOB, "direct", [ALICE])
    summary = await storage.apply_world(str(tmp_path / "both.yaml"), never)
    assert summary.conversations_created == 1
    again, is_new = await storage.conversations.create(ALICE, "direct", [BOB])
    assert (again.id, is_new) == (theirs.id, False)


async def test_sending_goes_on_where_the_history_ends(storage):
    await storage.apply_world("demo", hash_password)
    total = (await storage.messages.page(GENERAL, ALICE, 1)).total
    assert (await storage.messages.send(NewMessage(GENERAL, BOB, "next"))).seq == total + 1


async def test_a_missing_world_is_told(storage):
    with pytest.raises(ConfigurationError, match="no world"):
        await storage.apply_world("mars", never)
    with pytest.raises(NotFound):
        await storage.conversations.get(GENERAL, ALICE)
