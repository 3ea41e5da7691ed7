"""Conversations and who takes part in them (contract 5)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.contract.harness import Person, RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"
CONVERSATION = (
    "id,conversation_type,name,image_url,is_group,participants,participants_count,last_message,unread_count,"
    "is_muted,is_archived,last_message_at,created_at"
)
PARTICIPANT = "user_id,username,full_name,profile_image_url,role,is_online,last_seen_at"


def roles(conversation: dict[str, Any]) -> dict[str, str]:
    return {participant["user_id"]: participant["role"] for participant in conversation["participants"]}


async def participants(server: RunningServer, viewer: Person, room: str) -> set[str]:
    return set(roles((await server.request(viewer, "GET", f"/conversations/{room}")).json()))


@pytest.mark.clause("conversations.create", "conversations.shape")
async def test_creating_a_group_makes_its_creator_admin(server: RunningServer):
    ana, ben, cem = await server.people("ana", "ben", "cem")
    body = {"conversation_type": "group", "participant_ids": [ben.id, cem.id.upper(), ben.id], "name": "Crew"}
    answer = await server.request(ana, "POST", "/conversations", json=body)
    assert answer.status_code == 201
    group = answer.json()
    assert ",".join(group) == CONVERSATION
    assert [",".join(participant) for participant in group["participants"]] == [PARTICIPANT] * 3
    assert roles(group)[ana.id] == "admin"
    assert roles(group)[ben.id] == roles(group)[cem.id] == "member"
    assert (group["conversation_type"], group["is_group"], group["name"]) == ("group", True, "Crew")
    assert (group["participants_count"], group["unread_count"], group["last_message"]) == (3, 0, None)
    assert group["created_at"].endswith("Z")


@pytest.mark.clause("conversations.direct-once", "conversations.create")
async def test_there_is_one_direct_conversation_between_two(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    created = await server.request(
        ana, "POST", "/conversations", json={"conversation_type": "direct", "participant_ids": [ben.id]}
    )
    assert created.status_code == 201
    assert created.json()["is_group"] is False
    for one, other in ((ana, ben), (ben, ana)):
        body = {"conversation_type": "direct", "participant_ids": [other.id]}
        again = await server.request(one, "POST", "/conversations", json=body)
        assert (again.status_code, again.json()["id"]) == (200, created.json()["id"])


@pytest.mark.clause("conversations.direct-once")
async def test_two_who_begin_at_the_same_moment_get_the_same(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    answers = await asyncio.gather(
        *(
            server.request(
                one,
                "POST",
                "/conversations",
                json={"conversation_type": "direct", "participant_ids": [other.id]},
            )
            for one, other in ((ana, ben), (ben, ana), (ana, ben))
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1


@pytest.mark.clause("conversations.create")
async def test_what_cannot_be_created_is_refused(server: RunningServer):
    ana, ben, cem = await server.people("ana", "ben", "cem")
    for body, status in (
        ({"conversation_type": "direct", "participant_ids": [ana.id]}, 422),
        ({"conversation_type": "direct", "participant_ids": [ben.id, cem.id]}, 422),
        ({"conversation_type": "direct", "participant_ids": []}, 422),
        ({"conversation_type": "crowd", "participant_ids": [ben.id]}, 422),
        ({"conversation_type": "group", "participant_ids": [UNKNOWN]}, 404),
    ):
        answer = await server.request(ana, "POST", "/conversations", json=body)
        assert answer.status_code == status, (body, answer.text)


@pytest.mark.clause("conversations.list", "conversations.newest-first")
async def test_the_list_is_a_page_with_the_newest_activity_first(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    rooms = []
    for _ in range(5):
        server.clock.advance(1)
        rooms.append(await server.group(ana, ben))
    server.clock.advance(1)
    await server.post(ben, rooms[1], "to the top")
    expected = [rooms[1], rooms[4], rooms[3], rooms[2], rooms[0]]

    answer = await server.request(ana, "GET", "/conversations")
    assert list(answer.json()) == ["conversations", "pagination"]
    assert answer.json()["pagination"] == {
        "page": 1, "limit": 20, "total": 5, "total_pages": 1, "has_more": False,
    }  # fmt: skip
    assert [room["id"] for room in answer.json()["conversations"]] == expected

    seen = []
    for page in (1, 2, 3):
        answer = await server.request(ana, "GET", f"/conversations?page={page}&limit=2")
        seen += [room["id"] for room in answer.json()["conversations"]]
        assert answer.json()["pagination"] == {
            "page": page, "limit": 2, "total": 5, "total_pages": 3, "has_more": page < 3,
        }  # fmt: skip
    assert seen == expected
    beyond = (await server.request(ana, "GET", "/conversations?page=9")).json()
    assert (beyond["conversations"], beyond["pagination"]["has_more"]) == ([], False)


@pytest.mark.clause("conversations.shape", "conversations.preview")
async def test_the_newest_message_shows_in_its_conversation(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    for content, shown in (("x" * 100, "x" * 100), ("😀" * 101, "😀" * 100 + "…")):
        message = await server.post(ana, room, content)
        answer = (await server.request(ben, "GET", f"/conversations/{room}")).json()
        last = answer["last_message"]
        assert list(last) == ["id", "sender", "content", "message_type", "created_at"]
        assert (last["id"], last["content"], last["sender"]["id"]) == (message["id"], shown, ana.id)
        assert last["created_at"] == answer["last_message_at"] == message["created_at"]
    assert (await server.request(ben, "GET", f"/conversations/{room}")).json()["unread_count"] == 2
    assert (await server.request(ana, "GET", f"/conversations/{room}")).json()["unread_count"] == 0


@pytest.mark.clause("conversations.denied", "conversations.unknown")
async def test_somebody_elses_conversation_is_denied_and_an_unknown_one_not_found(server: RunningServer):
    ana, eve = await server.people("ana", "eve")
    room = await server.group(ana)
    answer = await server.request(eve, "GET", f"/conversations/{room}")
    assert (answer.status_code, answer.json()) == (403, {"detail": "Access denied"})
    for unknown in (UNKNOWN, "general", room.replace("-", "")):
        answer = await server.request(ana, "GET", f"/conversations/{unknown}")
        assert (answer.status_code, answer.json()) == (404, {"detail": "Conversation not found"})
    assert (await server.request(ana, "GET", f"/conversations/{room.upper()}")).json()["id"] == room


@pytest.mark.clause("participants.add")
async def test_an_admin_adds_participants(server: RunningServer):
    ana, ben, cem = await server.people("ana", "ben", "cem")
    room = await server.group(ana)
    path = f"/conversations/{room}/participants"
    answer = await server.request(ana, "POST", path, json={"user_ids": [ben.id, cem.id, ben.id]})
    assert answer.status_code == 200
    assert ",".join(answer.json()) == CONVERSATION
    assert set(roles(answer.json())) == {ana.id, ben.id, cem.id}
    again = await server.request(ana, "POST", path, json={"user_ids": [ben.id]})
    assert (again.status_code, again.json()["participants_count"]) == (200, 3)
    unknown = await server.request(ana, "POST", path, json={"user_ids": [UNKNOWN]})
    assert unknown.status_code == 404


@pytest.mark.clause("participants.remove", "participants.leave")
async def test_an_admin_removes_and_anybody_leaves(server: RunningServer):
    ana, ben, cem = await server.people("ana", "ben", "cem")
    room = await server.group(ana, ben, cem)
    answer = await server.request(ana, "DELETE", f"/conversations/{room}/participants/{ben.id}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert await participants(server, ana, room) == {ana.id, cem.id}
    answer = await server.request(cem, "DELETE", f"/conversations/{room}/participants/{cem.id}")
    assert answer.status_code == 204
    assert await participants(server, ana, room) == {ana.id}
    assert (await server.request(cem, "GET", f"/conversations/{room}")).status_code == 403


@pytest.mark.clause("participants.admins-only")
async def test_nobody_else_adds_or_removes(server: RunningServer):
    ana, ben, cem, eve = await server.people("ana", "ben", "cem", "eve")
    room = await server.group(ana, ben, cem)
    for person in (ben, eve):
        path = f"/conversations/{room}/participants"
        assert (await server.request(person, "POST", path, json={"user_ids": [eve.id]})).status_code == 403
        assert (await server.request(person, "DELETE", f"{path}/{cem.id}")).status_code == 403
    assert await participants(server, ana, room) == {ana.id, ben.id, cem.id}


@pytest.mark.clause("participants.at-once")
async def test_whoever_was_removed_reads_and_sends_nothing_any_more(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    await server.post(ben, room, "still here")
    await server.request(ana, "DELETE", f"/conversations/{room}/participants/{ben.id}")
    path = f"/conversations/{room}/messages"
    assert (await server.request(ben, "POST", path, json={"content": "x"})).status_code == 403
    assert (await server.request(ben, "GET", path)).status_code == 403
    assert (await server.request(ben, "POST", f"/conversations/{room}/read")).status_code == 403
