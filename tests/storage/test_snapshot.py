"""A database as one document, and back: portable, complete, without tokens, all or nothing."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.storage.conftest import ON_POSTGRES, fresh_postgres
from tribe_ws.errors import ConfigurationError
from tribe_ws.protocol.ids import canonical_id
from tribe_ws.storage.records import NewMessage
from tribe_ws.storage.snapshot import RestoreSummary
from tribe_ws.storage.snapshot_check import TABLES
from tribe_ws.storage.storage import Storage
from tribe_ws.storage.tables import metadata

ONE = "11111111-1111-4111-8111-111111111111"


@pytest.fixture
async def filled(storage, people, send, clock):
    """A database with some of everything in it."""
    first = await send("hello 👋\u202e\n", client_message_id="c-1", idempotency_key="key")
    await send("answer", by=people.ben, reply_to_message_id=first.id)
    await storage.conversations.create(people.ana.id, "direct", [people.cleo.id], None)
    await storage.conversations.mark_read(people.group.id, people.ben.id)
    await storage.tokens.add(ONE, people.ana.id, "the hash of a token", clock.now(), {"os": "test"})
    return storage


async def copied(document: Any, target: str, clock: Any) -> Any:
    other = await Storage.open(target, clock=clock)
    try:
        await other.restore(document)
        return await other.snapshot()
    finally:
        await other.close()


def test_every_table_but_tokens_and_facts_is_in_it() -> None:
    assert {table.name for table in TABLES} == set(metadata.tables) - {"refresh_tokens", "meta"}


@pytest.mark.parametrize("other", ["file", "memory", ON_POSTGRES])
async def test_a_restored_database_holds_the_same(filled, clock, tmp_path, other) -> None:
    document = json.loads(json.dumps(await filled.snapshot()))
    if other == "postgres":
        async with fresh_postgres() as url:
            again = await copied(document, url, clock)
    else:
        again = await copied(document, ":memory:" if other == "memory" else str(tmp_path / "other.db"), clock)
    assert again == document


async def test_it_holds_hashes_of_passwords_but_no_token(filled) -> None:
    text = json.dumps(await filled.snapshot())
    assert "hash of ana" in text
    assert "the hash of a token" not in text


async def test_after_a_restore_things_are_as_they_were_and_the_epoch_is_another(
    filled, people, send, clock
) -> None:
    document = await filled.snapshot()
    epoch = filled.epoch
    await send("too much")
    assert await filled.restore(document) == RestoreSummary(users=3, conversations=2, messages=2)
    assert filled.epoch not in {epoch, ""}
    page = await filled.messages.page(people.group.id, people.ana.id, 10)
    assert [message.content for message in page.messages] == ["hello 👋\u202e\n", "answer"]
    assert page.messages[1].reply_to_message.id == page.messages[0].id
    assert not await filled.tokens.is_live(ONE, "the hash of a token", clock.now())
    # Numbers and keys go on where they were.
    assert (await send("next")).seq == 3
    again = await filled.messages.send(
        NewMessage(people.group.id, people.ana.id, "hello 👋\u202e\n", client_message_id="c-1",
                   idempotency_key="key")
    )  # fmt: skip
    assert again.replayed


def change(path: str, value: Any) -> Callable[[Any], None]:
    def apply(document: Any) -> None:
        *steps, last = [int(step) if step.isdigit() else step for step in path.split("/")]
        for step in steps:
            document = document[step]
        if value is ...:
            del document[last]
        else:
            document[last] = value(document[last]) if callable(value) else value

    return apply


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("format", "something", "that is no snapshot of tribe-ws"),
        ("version", 9, "of another tribe-ws"),
        ("schema", "0000", "tables '0000'"),
        ("tables", ..., "tables is missing"),
        ("tables/refresh_tokens", [], "tables.refresh_tokens is no table"),
        ("tables/messages", ..., "tables.messages is missing"),
        ("tables/users/1", 7, "users[1] is no object"),
        ("tables/users/1/email", ..., "users[1].email is missing"),
        ("tables/users/1/email", None, "users[1].email must not be null"),
        ("tables/users/1/email", 3, "users[1].email must be text, not 3"),
        ("tables/users/1/shoe", "42", "users[1].shoe is no column"),
        ("tables/users/1/bio", "\0", "users[1].bio holds a NUL"),
        ("tables/users/1/id", "me", "users[1].id must be a UUID"),
        ("tables/users/1/id", str.upper, "users[1].id must be a UUID"),
        ("tables/users/1/is_active", 1, "users[1].is_active must be true or false"),
        ("tables/users/1/created_ms", -1, "users[1].created_ms must be a whole number"),
        ("tables/users/1/created_ms", True, "users[1].created_ms must be a whole number"),
        ("tables/users/1/goals_achieved", 2**31, "goals_achieved must be a whole number"),
        ("tables/users/1/status", "asleep", "users[1].status must be one of online, away, offline"),
        ("tables/messages/0/metadata", "x", "messages[0].metadata must be an object or null"),
        ("tables/messages/0/sender_id", ONE, "messages[0].sender_id names"),
        ("tables/messages/1/seq", 1, "messages[1].seq is there twice"),
        ("tables/messages/1/seq", 3, "last_seq is 2, but its messages are not numbered"),
        ("tables/messages/1/reply_to_message_id", ONE, "reply_to_message_id names"),
        ("tables/participants/0/role", "king", "participants[0].role must be one of admin, member"),
        ("tables/sent_keys/0/message_id", ONE, "sent_keys[0].message_id names"),
    ],
)  # fmt: skip
async def test_a_fault_is_named_and_nothing_is_changed(filled, path, value, said) -> None:
    before = await filled.snapshot()
    epoch = filled.epoch
    broken = copy.deepcopy(before)
    change(path, value)(broken)
    with pytest.raises(ConfigurationError) as caught:
        await filled.restore(broken)
    assert said in str(caught.value)
    assert await filled.snapshot() == before
    assert filled.epoch == epoch


async def test_names_that_are_there_twice_and_answers_to_the_future_are_faults(filled) -> None:
    broken = await filled.snapshot()
    first, second = broken["tables"]["users"][:2]
    second["email_key"] = first["email_key"]
    with pytest.raises(ConfigurationError, match=r"users\[1\].email_key is there twice: users\[0\]"):
        await filled.restore(broken)
    broken = await filled.snapshot()
    first, second = broken["tables"]["messages"]
    first["reply_to_message_id"] = second["id"]
    with pytest.raises(ConfigurationError, match="must name an earlier message"):
        await filled.restore(broken)


@pytest.mark.parametrize("document", [None, [], "text", {}])
async def test_what_is_no_snapshot_is_refused(storage, document) -> None:
    with pytest.raises(ConfigurationError, match="no snapshot of tribe-ws"):
        await storage.restore(document)


async def test_an_empty_database_has_a_snapshot_too(storage) -> None:
    assert await storage.restore(await storage.snapshot()) == RestoreSummary(0, 0, 0)


async def test_the_order_of_the_messages_does_not_matter(filled) -> None:
    document = await filled.snapshot()
    shuffled = copy.deepcopy(document)
    shuffled["tables"]["messages"].reverse()
    await filled.restore(shuffled)
    assert await filled.snapshot() == document
    assert all(canonical_id(row["id"]) == row["id"] for row in document["tables"]["messages"])
