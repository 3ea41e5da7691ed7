"""Conversations, their participants, and what each of them sees."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tribe_ws.errors import ConflictError, NotAllowed, NotFound
from tribe_ws.storage.records import NewMessage

NOBODY = "11111111-1111-4111-8111-111111111111"


async def test_the_creator_of_a_group_is_its_admin(storage, people, clock):
    group, is_new = await storage.conversations.create(
        people.ana.id, "group", [people.ben.id, people.cleo.id, people.ben.id, people.ana.id], "hikers"
    )
    assert is_new
    assert (group.conversation_type, group.name, group.last_seq) == ("group", "hikers", 0)
    assert {p.username: p.role for p in group.participants} == {
        "ana": "admin",
        "ben": "member",
        "cleo": "member",
    }
    assert (group.last_message, group.unread_count, group.last_message_at) == (None, 0, None)
    assert group.created_at == clock.now()
    assert group == await storage.conversations.get(group.id, people.ana.id)


async def test_two_people_have_one_direct_conversation(storage, people):
    first, is_new = await storage.conversations.create(people.ana.id, "direct", [people.ben.id])
    again, is_new_again = await storage.conversations.create(people.ben.id, "direct", [people.ana.id])
    assert (is_new, is_new_again) == (True, False)
    assert first.id == again.id
    assert {p.role for p in first.participants} == {"member"}


async def test_two_who_ask_at_the_same_moment_get_the_same_direct_conversation(storage, people):
    made = await asyncio.gather(
        *(
            storage.conversations.create(one.id, "direct", [other.id])
            for one, other in [(people.ana, people.cleo), (people.cleo, people.ana)] * 5
        )
    )
    assert len({conversation.id for conversation, _ in made}) == 1
    assert [is_new for _, is_new in made].count(True) == 1


async def test_a_direct_conversation_is_between_two_different_users(storage, people):
    for others in ([people.ana.id], [people.ben.id, people.cleo.id], []):
        with pytest.raises(ConflictError) as caught:
            await storage.conversations.create(people.ana.id, "direct", others)
        assert caught.value.field == "participant_ids"


async def test_nobody_talks_to_users_that_do_not_exist(storage, people):
    for kind in ("direct", "group"):
        with pytest.raises(NotFound, match="User not found"):
            await storage.conversations.create(people.ana.id, kind, [NOBODY])


async def test_only_participants_see_a_conversation(storage, people):
    with pytest.raises(NotAllowed, match="Access denied"):
        await storage.conversations.get(people.group.id, people.cleo.id)
    with pytest.raises(NotFound, match="Conversation not found"):
        await storage.conversations.get(NOBODY, people.ana.id)


async def test_is_participant_tells_who_takes_part(storage, people):
    assert await storage.conversations.is_participant(people.group.id, people.ben.id)
    assert not await storage.conversations.is_participant(people.group.id, people.cleo.id)
    assert not await storage.conversations.is_participant(NOBODY, people.ben.id)


async def test_the_list_shows_the_newest_activity_first(storage, people, clock, send):
    clock.advance(10)
    direct, _ = await storage.conversations.create(people.ana.id, "direct", [people.cleo.id])
    clock.advance(10)
    listed = await storage.conversations.list(people.ana.id, 0, 10)
    assert [c.id for c in listed.items] == [direct.id, people.group.id]
    await send("I am newer")
    listed = await storage.conversations.list(people.ana.id, 0, 10)
    assert [c.id for c in listed.items] == [people.group.id, direct.id]
    assert listed.total == 2
    assert listed.items[0].last_message.content == "I am newer"
    assert listed.items[0].last_message_at == clock.now()
    assert [p.username for p in listed.items[1].participants] == ["ana", "cleo"]


async def test_the_list_comes_in_pages(storage, people):
    for name in "abc":
        await storage.conversations.create(people.ana.id, "group", [people.ben.id], name)
    pages = [await storage.conversations.list(people.ana.id, offset, 3) for offset in (0, 3, 6)]
    assert [len(page.items) for page in pages] == [3, 1, 0]
    assert {page.total for page in pages} == {4}
    assert (await storage.conversations.list(people.cleo.id, 0, 3)).total == 0


async def test_unread_are_the_messages_of_others_after_the_last_read_one(storage, people, send):
    for number in range(3):
        await send(f"from ana {number}")
    await send("from ben", by=people.ben)
    unread = {
        user.username: (await storage.conversations.get(people.group.id, user.id)).unread_count
        for user in (people.ana, people.ben)
    }
    assert unread == {"ana": 1, "ben": 3}
    await storage.conversations.mark_read(people.group.id, people.ben.id)
    assert (await storage.conversations.get(people.group.id, people.ben.id)).unread_count == 0
    await send("one more")
    assert (await storage.conversations.list(people.ben.id, 0, 1)).items[0].unread_count == 1


async def test_mark_read_tells_the_newest_message(storage, people, send, clock):
    empty = await storage.conversations.mark_read(people.group.id, people.ben.id)
    assert (empty.last_read_message_id, empty.read_at) == (None, clock.now())
    newest = [await send(text) for text in ("one", "two")][-1]
    read = await storage.conversations.mark_read(people.group.id, people.ben.id)
    assert (read.last_read_message_id, read.user_id) == (newest.id, people.ben.id)
    assert read.conversation_id == people.group.id


async def test_mark_read_is_for_participants(storage, people):
    with pytest.raises(NotAllowed):
        await storage.conversations.mark_read(people.group.id, people.cleo.id)
    with pytest.raises(NotFound):
        await storage.conversations.mark_read(NOBODY, people.ana.id)


async def test_an_admin_adds_participants_and_repeats_do_nothing(storage, people):
    wanted = [people.cleo.id, people.ben.id, people.cleo.id]
    await storage.conversations.add_participants(people.group.id, people.ana.id, wanted)
    group = await storage.conversations.add_participants(people.group.id, people.ana.id, wanted)
    assert {p.username: p.role for p in group.participants} == {
        "ana": "admin",
        "ben": "member",
        "cleo": "member",
    }


async def test_who_may_not_add_participants(storage, people):
    add = storage.conversations.add_participants
    with pytest.raises(NotAllowed, match="Only an admin"):
        await add(people.group.id, people.ben.id, [people.cleo.id])
    with pytest.raises(NotAllowed, match="Access denied"):
        await add(people.group.id, people.cleo.id, [people.cleo.id])
    with pytest.raises(NotFound, match="User"):
        await add(people.group.id, people.ana.id, [NOBODY])
    with pytest.raises(NotFound, match="Conversation"):
        await add(NOBODY, people.ana.id, [people.cleo.id])


async def test_an_admin_removes_and_everybody_may_leave(storage, people):
    await storage.conversations.add_participants(people.group.id, people.ana.id, [people.cleo.id])
    await storage.conversations.remove_participant(people.group.id, people.ana.id, people.cleo.id)
    await storage.conversations.remove_participant(people.group.id, people.ben.id, people.ben.id)
    group = await storage.conversations.get(people.group.id, people.ana.id)
    assert [p.username for p in group.participants] == ["ana"]


async def test_who_may_not_remove_participants(storage, people):
    remove = storage.conversations.remove_participant
    with pytest.raises(NotAllowed, match="Only an admin"):
        await remove(people.group.id, people.ben.id, people.ana.id)
    with pytest.raises(NotAllowed, match="Access denied"):
        await remove(people.group.id, people.cleo.id, people.ana.id)
    with pytest.raises(NotFound, match="Participant"):
        await remove(people.group.id, people.ana.id, people.cleo.id)
    with pytest.raises(NotFound, match="Conversation"):
        await remove(NOBODY, people.ana.id, people.ana.id)


async def test_a_group_that_loses_its_admin_gets_another(storage, people):
    await storage.conversations.remove_participant(people.group.id, people.ana.id, people.ana.id)
    group = await storage.conversations.get(people.group.id, people.ben.id)
    assert [(p.username, p.role) for p in group.participants] == [("ben", "admin")]
    await storage.conversations.remove_participant(people.group.id, people.ben.id, people.ben.id)
    assert not await storage.conversations.is_participant(people.group.id, people.ben.id)


async def test_a_direct_conversation_keeps_its_two_participants(storage, people):
    direct, _ = await storage.conversations.create(people.ana.id, "direct", [people.ben.id])
    with pytest.raises(NotAllowed, match="direct"):
        await storage.conversations.remove_participant(direct.id, people.ana.id, people.ana.id)
    with pytest.raises(NotAllowed, match="direct"):
        await storage.conversations.add_participants(direct.id, people.ana.id, [people.cleo.id])


async def test_a_removed_participant_cannot_slip_a_message_in(storage, people, send):
    sends = [send("before", by=people.ben)]
    removal = storage.conversations.remove_participant(people.group.id, people.ana.id, people.ben.id)
    later = [send("after", by=people.ben)]
    # One turn of the loop, hence one batch: they are carried out in the order of their coming.
    results: Any = await asyncio.gather(*sends, removal, *later, return_exceptions=True)
    before, _, after = results
    assert before.seq == 1
    assert isinstance(after, NotAllowed)
    group = await storage.conversations.get(people.group.id, people.ana.id)
    assert group.last_seq == 1


async def test_a_member_who_returns_finds_the_conversation_again(storage, people):
    await storage.conversations.remove_participant(people.group.id, people.ben.id, people.ben.id)
    await storage.conversations.add_participants(people.group.id, people.ana.id, [people.ben.id])
    sent = await storage.messages.send(NewMessage(people.group.id, people.ben.id, "back again"))
    assert sent.seq == 1
