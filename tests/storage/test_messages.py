"""Sending and reading messages: numbering, time, repeats, replies and pages."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from tribe_ws.errors import ConflictError, NotAllowed, NotFound
from tribe_ws.storage.records import NewMessage

NOBODY = "11111111-1111-4111-8111-111111111111"


async def test_a_sent_message_is_read_as_it_was_sent(storage, people, send, clock):
    sent = await send("Hëllo 👩‍👩‍👧 <b>&amp;</b>\x1b[31m\n", message_type="image", client_message_id="c-1")
    [read] = (await storage.messages.page(people.group.id, people.ben.id, 10)).messages
    assert (read.id, read.seq, read.content, read.message_type) == (sent.id, 1, sent.content, "image")
    assert read.content == "Hëllo 👩‍👩‍👧 <b>&amp;</b>\x1b[31m\n"
    assert (read.client_message_id, read.created_at) == ("c-1", clock.now())
    assert read.sender == await storage.users.by_id(people.ana.id)
    assert (read.is_edited, read.is_deleted, read.metadata, read.media_url) == (False, False, None, None)


async def test_the_sender_gets_all_that_the_answer_shows(storage, people, send):
    sent = await send("hello")
    assert not sent.replayed
    assert (sent.sender_id, sent.sender_username) == (people.ana.id, "ana")
    assert (sent.sender_full_name, sent.sender_profile_image_url) == ("Ana Tester", None)
    assert (sent.conversation_id, sent.reply_to_message_id, sent.read_by) == (people.group.id, None, ())


async def test_concurrent_sends_are_numbered_without_gaps_in_strictly_increasing_time(storage, people, send):
    sent = await asyncio.gather(*(send(f"{n}", by=(people.ana, people.ben)[n % 2]) for n in range(200)))
    assert sorted(message.seq for message in sent) == list(range(1, 201))
    in_order = sorted(sent, key=lambda message: message.seq)
    assert all(a.created_at < b.created_at for a, b in pairwise(in_order))
    assert [message.content for message in sent] == [f"{n}" for n in range(200)]
    page = await storage.messages.page(people.group.id, people.ana.id, 500)
    assert [message.id for message in page.messages] == [message.id for message in in_order]


async def test_each_conversation_counts_for_itself(storage, people, send):
    other, _ = await storage.conversations.create(people.ana.id, "direct", [people.cleo.id])
    sent = await asyncio.gather(
        *(send(f"{n}", conversation_id=(people.group.id, other.id)[n % 2]) for n in range(20))
    )
    for conversation_id in (people.group.id, other.id):
        assert [m.seq for m in sent if m.conversation_id == conversation_id] == list(range(1, 11))


async def test_time_goes_on_when_the_clock_stands_still_or_runs_backwards(storage, people, send, clock):
    first, second = await send("one"), await send("two")
    assert second.created_at - first.created_at == timedelta(milliseconds=1)
    clock._start -= timedelta(days=1)
    third = await send("three")
    assert third.created_at - second.created_at == timedelta(milliseconds=1)
    clock.advance(3 * 86400)
    assert (await send("four")).created_at == clock.now()


async def test_only_participants_send(storage, people, send):
    with pytest.raises(NotAllowed, match="Access denied"):
        await send("let me in", by=people.cleo)
    with pytest.raises(NotFound, match="Conversation not found"):
        await send("anybody here?", conversation_id=NOBODY)
    with pytest.raises(NotAllowed):
        await send("who am I?", sender_id=NOBODY)


async def test_a_refused_send_takes_no_number(storage, people, send):
    results: Any = await asyncio.gather(
        send("one"), send("no", by=people.cleo), send("two"), return_exceptions=True
    )
    assert [results[0].seq, results[2].seq] == [1, 2]


# ── Repeats ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("key", ["idempotency_key", "client_message_id"])
async def test_a_repeat_gives_the_first_message_and_stores_nothing(storage, people, send, committed, key):
    first = await send("once", **{key: "k"})
    again = await send("once", **{key: "k"})
    assert (again.replayed, again.id, again.seq, again.created_at) == (True, first.id, 1, first.created_at)
    assert (again.sender, again.content) == (first.sender, first.content)
    assert (await storage.messages.page(people.group.id, people.ana.id, 10)).total == 1
    assert [message.id for message in committed.messages] == [first.id]


@pytest.mark.parametrize("key", ["idempotency_key", "client_message_id"])
async def test_a_key_with_another_body_is_refused(send, key):
    await send("once", **{key: "k"})
    for change in ({"content": "twice"}, {"message_type": "image"}):
        with pytest.raises(ConflictError) as caught:
            await send(**({"content": "once", key: "k"} | change))
        assert caught.value.field == "idempotency_key"


async def test_repeats_in_one_batch_store_one_message(storage, people, send):
    sent = await asyncio.gather(*(send("once", idempotency_key="k") for _ in range(20)))
    assert len({message.id for message in sent}) == 1
    assert [message.replayed for message in sent].count(False) == 1
    assert (await storage.messages.page(people.group.id, people.ana.id, 10)).total == 1


async def test_the_same_key_with_another_body_in_one_batch_is_refused(send):
    results: Any = await asyncio.gather(
        send("one", idempotency_key="k"), send("two", idempotency_key="k"), return_exceptions=True
    )
    first, second = results
    assert first.seq == 1
    assert isinstance(second, ConflictError)


async def test_keys_are_per_sender_per_conversation_and_per_kind(storage, people, send):
    direct, _ = await storage.conversations.create(people.ana.id, "direct", [people.ben.id])
    sent = [
        await send("same", idempotency_key="k"),
        await send("same", client_message_id="k"),
        await send("same", idempotency_key="k", by=people.ben),
        await send("same", idempotency_key="k", conversation_id=direct.id),
    ]
    assert len({message.id for message in sent}) == 4
    assert not any(message.replayed for message in sent)


async def test_a_retry_with_a_new_header_is_known_by_its_client_id(send):
    first = await send("once", idempotency_key="try-1", client_message_id="c")
    again = await send("once", idempotency_key="try-2", client_message_id="c")
    assert (again.id, again.replayed) == (first.id, True)


@pytest.mark.parametrize(("hours", "replayed"), [(23.9, True), (24, False), (30, False)])
async def test_a_key_is_known_for_24_hours(send, clock, hours, replayed):
    first = await send("once", idempotency_key="k")
    clock.advance(hours * 3600)
    again = await send("once", idempotency_key="k")
    assert (again.replayed, again.id == first.id) == (replayed, replayed)


async def test_an_expired_key_may_be_used_again_before_it_is_cleared_away(send, clock):
    await send("any", idempotency_key="other")
    clock.advance(1800)
    await send("first body", idempotency_key="k")
    clock.advance(23.6 * 3600)
    # Clears away what has expired by now, and is done with that for an hour: "k" still has 24 minutes.
    await send("any", idempotency_key="another")
    clock.advance(1500)
    assert not (await send("second body", idempotency_key="k")).replayed
    assert (await send("second body", idempotency_key="k")).replayed


async def test_a_repeat_shows_the_message_as_it_was_first_answered(storage, people, send):
    first = await send("once", idempotency_key="k")
    await storage.conversations.mark_read(people.group.id, people.ben.id)
    again = await send("once", idempotency_key="k")
    assert (again.read_by, again.sender) == (first.read_by, first.sender)


async def test_who_was_removed_gets_no_repeat(storage, people, send):
    await send("once", by=people.ben, idempotency_key="k")
    await storage.conversations.remove_participant(people.group.id, people.ana.id, people.ben.id)
    with pytest.raises(NotAllowed):
        await send("once", by=people.ben, idempotency_key="k")


# ── Replies and readers ──────────────────────────────────────────────────────────────────────────


async def test_a_reply_carries_what_it_answers(storage, people, send):
    question = await send("who is in?")
    answer = await send("me", by=people.ben, reply_to_message_id=question.id)
    thanks = await send("great", reply_to_message_id=answer.id)
    assert answer.reply_to_message_id == question.id
    assert answer.reply_to_message.sender.username == "ana"
    assert thanks.reply_to_message.reply_to_message is None
    page = await storage.messages.page(people.group.id, people.ana.id, 10)
    assert [message.reply_to_message_id for message in page.messages] == [None, question.id, answer.id]
    assert page.messages[2].reply_to_message.content == "me"
    again = await send("me too", by=people.ben, reply_to_message_id=question.id, idempotency_key="k")
    repeat = await send("me too", by=people.ben, reply_to_message_id=question.id, idempotency_key="k")
    assert (repeat.replayed, repeat.reply_to_message) == (True, again.reply_to_message)


async def test_a_reply_stays_in_its_conversation(storage, people, send):
    direct, _ = await storage.conversations.create(people.ana.id, "direct", [people.ben.id])
    elsewhere = await send("over here", conversation_id=direct.id)
    for unknown in (elsewhere.id, NOBODY):
        with pytest.raises(NotFound, match="reply"):
            await send("to what?", reply_to_message_id=unknown)


async def test_read_by_names_the_others_who_have_read_so_far(storage, people, send):
    await send("one")
    await storage.conversations.mark_read(people.group.id, people.ben.id)
    await storage.conversations.mark_read(people.group.id, people.ana.id)
    await send("two")
    page = await storage.messages.page(people.group.id, people.ana.id, 10)
    assert [message.read_by for message in page.messages] == [(people.ben.id,), ()]


# ── Pages ────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def ids(send):
    """The ids of ten messages, oldest first."""
    return [message.id for message in await asyncio.gather(*(send(f"{n}") for n in range(10)))]


async def read(storage, people, *args, **kwargs):
    return await storage.messages.page(people.group.id, people.ben.id, *args, **kwargs)


async def test_the_first_page_is_the_newest_oldest_first(storage, people, ids):
    page = await read(storage, people, 4)
    assert [message.id for message in page.messages] == ids[6:]
    assert (page.has_more, page.next_cursor, page.total) == (True, ids[6], 10)


async def test_before_walks_back_to_the_first_message(storage, people, ids):
    page = await read(storage, people, 4)
    found = [page]
    while page.has_more:
        page = await read(storage, people, 4, before=page.next_cursor)
        found.append(page)
    assert [[m.id for m in page.messages] for page in found] == [ids[6:], ids[2:6], ids[:2]]
    assert found[-1].next_cursor is None


async def test_after_walks_up_to_the_newest_message(storage, people, ids):
    page = await read(storage, people, 4, after=ids[0])
    found = [page]
    while page.has_more:
        page = await read(storage, people, 4, after=page.next_cursor)
        found.append(page)
    assert [[m.id for m in page.messages] for page in found] == [ids[1:5], ids[5:9], ids[9:]]
    assert found[-1].next_cursor is None


async def test_after_the_newest_message_there_is_nothing(storage, people, ids):
    page = await read(storage, people, 4, after=ids[-1])
    assert (page.messages, page.has_more, page.next_cursor) == ((), False, None)


async def test_before_the_oldest_message_there_is_nothing(storage, people, ids):
    page = await read(storage, people, 4, before=ids[0])
    assert (page.messages, page.has_more, page.next_cursor, page.total) == ((), False, None, 10)


@pytest.mark.parametrize(
    ("page", "slice_", "has_more"),
    [(1, slice(6, 10), True), (2, slice(2, 6), True), (3, slice(0, 2), False), (4, slice(0, 0), False)],
)
async def test_pages_count_back_from_the_newest(storage, people, ids, page, slice_, has_more):
    found = await read(storage, people, 4, page=page)
    assert [message.id for message in found.messages] == ids[slice_]
    assert found.has_more is has_more


async def test_a_page_that_ends_at_the_first_message_has_no_more(storage, people, ids):
    page = await read(storage, people, 10)
    assert (len(page.messages), page.has_more, page.next_cursor) == (10, False, None)


async def test_before_and_after_together_give_what_lies_between(storage, people, ids):
    page = await read(storage, people, 20, after=ids[2], before=ids[6])
    assert [message.id for message in page.messages] == ids[3:6]
    assert not page.has_more


async def test_pages_upwards_can_be_counted_too(storage, people, ids):
    page = await read(storage, people, 4, page=2, after=ids[0])
    assert [message.id for message in page.messages] == ids[5:9]


async def test_an_empty_conversation_has_an_empty_page(storage, people):
    page = await read(storage, people, 4)
    assert (page.messages, page.has_more, page.next_cursor, page.total) == ((), False, None, 0)


async def test_who_may_not_read(storage, people, ids):
    with pytest.raises(NotAllowed):
        await storage.messages.page(people.group.id, people.cleo.id, 4)
    with pytest.raises(NotFound, match="Conversation"):
        await storage.messages.page(NOBODY, people.ana.id, 4)


@pytest.mark.parametrize("direction", ["before", "after"])
async def test_an_unknown_cursor_is_not_found(storage, people, ids, send, direction):
    direct, _ = await storage.conversations.create(people.ana.id, "direct", [people.ben.id])
    elsewhere = await storage.messages.send(NewMessage(direct.id, people.ana.id, "hi"))
    for cursor in (NOBODY, elsewhere.id):
        with pytest.raises(NotFound, match="Message"):
            await read(storage, people, 4, **{direction: cursor})
