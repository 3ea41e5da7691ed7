"""Probes of conversations as REST shows them (contract 5, conversations)."""

from __future__ import annotations

import asyncio
import math
from typing import Any

from tribe_ws.check.frames import keys
from tribe_ws.check.probe import Need, probe
from tribe_ws.check.rest_answers import NOBODY, exact_keys, found, granted, refused, sequence
from tribe_ws.check.stage import Stage
from tribe_ws.check.verdict import CannotTell, Skipped
from tribe_ws.protocol.models import (
    PREVIEW_LENGTH,
    ConversationList,
    ConversationOut,
    LastMessage,
    Pagination,
    ParticipantOut,
)

_TWO = (Need.SECOND, Need.WRITE)
_THREE = (Need.SECOND, Need.THIRD, Need.WRITE)
_MOST_PAGES = 5
_A_MOMENT = 0.05
"""Seconds between two events that must not fall on the same moment."""
_LONGEST_PAGE = 100


@probe("conversations.list", advice="answer {conversations, pagination}; pagination counts pages from 1")
async def conversations_come_in_pages(stage: Stage) -> None:
    """Read a small page, and look whether its figures agree."""
    query = {"page": 1, "limit": 2}
    said = granted(
        stage, await stage.call(stage.first, "GET", "/conversations", query=query), 200, of="the list"
    )
    stage.same("the keys of the list", list(said), list(ConversationList.model_fields))
    exact_keys(stage, said["pagination"], Pagination, of="pagination")
    paging, shown = said["pagination"], sequence(said, "conversations")
    stage.same("page and limit", [paging["page"], paging["limit"]], [1, 2])
    stage.check(type(paging["total"]) is int, f"total is no number: {paging['total']!r}")
    stage.same("how many of them are shown", len(shown), min(2, paging["total"]))
    stage.same("total_pages", paging["total_pages"], math.ceil(paging["total"] / 2))
    stage.same("has_more", paging["has_more"], paging["total_pages"] > 1)


@probe(
    "conversations.newest-first",
    needs=_TWO,
    advice="sort conversations by their newest message, newest first",
)
async def the_newest_activity_comes_first(stage: Stage) -> None:
    """Send into two conversations in turn, and see them change places."""
    rooms = [await stage.room(), await stage.room()]
    for last, other in (rooms, rooms[::-1]):
        await asyncio.sleep(_A_MOMENT)
        await stage.send(stage.first, last)
        query = {"page": 1, "limit": _LONGEST_PAGE}
        said = found(
            stage, await stage.call(stage.first, "GET", "/conversations", query=query), of="the list"
        )
        ids = [one.get("id") for one in sequence(said, "conversations")]
        stage.require(last in ids and other in ids, "two conversations made just now are not in the list")
        stage.check(
            ids.index(last) < ids.index(other),
            "the conversation with the newest message stands below another one",
        )


@probe("conversations.shape", advice="answer a conversation with the documented keys, in their order")
async def a_conversation_has_its_keys(stage: Stage) -> None:
    """Read a conversation with a message in it, of the probe's own where it may write."""
    if stage.visit.consent.write and len(stage.visit.people) > 1:
        room = await stage.room()
        await stage.send(stage.first, room)
        answer = await stage.call(stage.first, "GET", f"/conversations/{room}")
        shown = granted(stage, answer, 200, of="a conversation")
    else:
        said = found(stage, await stage.call(stage.first, "GET", "/conversations"), of="the list")
        stage.require(sequence(said, "conversations"), f"{stage.first.username} has no conversation")
        shown = sequence(said, "conversations")[0]
    exact_keys(stage, shown, ConversationOut, of="a conversation")
    for participant in sequence(shown, "participants"):
        exact_keys(stage, participant, ParticipantOut, of="a participant")
    stage.same("participants_count", shown["participants_count"], len(sequence(shown, "participants")))
    if shown["last_message"] is not None:
        exact_keys(stage, shown["last_message"], LastMessage, of="last_message")


@probe(
    "conversations.preview",
    needs=_TWO,
    advice="show the newest message in last_message: its first 100 characters, and … if there are more",
)
async def the_newest_message_is_previewed(stage: Stage) -> None:
    """Send messages of 100 and of 101 characters, and read the conversation after each."""
    room = await stage.room()
    for content, shown in (
        ("x" * PREVIEW_LENGTH, "x" * PREVIEW_LENGTH),
        ("😀" * (PREVIEW_LENGTH + 1), "😀" * PREVIEW_LENGTH + "…"),
        ("short", "short"),
    ):
        await stage.send(stage.first, room, content)
        said = found(stage, await stage.call(stage.second, "GET", f"/conversations/{room}"), of="it")
        last = said.get("last_message") if isinstance(said, dict) else None
        got = last.get("content") if isinstance(last, dict) else None
        stage.same(f"last_message after {len(content)} characters", got, shown)


@probe(
    "conversations.create",
    needs=_TWO,
    advice="answer 201 with the conversation; its creator is admin of a group",
)
async def creating_answers_201(stage: Stage) -> None:
    """Make a group of two."""
    body = {
        "conversation_type": "group",
        "participant_ids": [stage.second.id],
        "name": f"{stage.visit.name} made",
    }
    answer = await stage.call(stage.first, "POST", "/conversations", body=body)
    room = answer.object.get("id")
    if isinstance(room, str):
        stage.visit.rooms[room] = (stage.second, stage.first)
    said = granted(stage, answer, 201, of="creating a conversation")
    roles = {one.get("user_id"): one.get("role") for one in sequence(said, "participants")}
    stage.same("who takes part", set(roles), {stage.first.id, stage.second.id})
    stage.same("the role of the creator", roles[stage.first.id], "admin")
    stage.same("the name", said.get("name"), body["name"])


@probe(
    "conversations.direct-once",
    needs=_TWO,
    advice="give the direct conversation of two people back with 200 where they have one",
)
async def there_is_one_direct_conversation(stage: Stage) -> None:
    """Ask for the direct conversation that both people have already, from either side."""
    room = await _direct(stage)
    if room is None:
        if not stage.visit.consent.register:
            raise Skipped("they have no direct conversation, and one that is made cannot be taken away again")
        body = {"conversation_type": "direct", "participant_ids": [stage.second.id]}
        made = await stage.call(stage.first, "POST", "/conversations", body=body)
        room = str(made.object.get("id"))
        stage.require(made.status in {200, 201}, f"no direct conversation could be made: {made}")
    for one, other in ((stage.first, stage.second), (stage.second, stage.first)):
        body = {"conversation_type": "direct", "participant_ids": [other.id]}
        answer = await stage.call(one, "POST", "/conversations", body=body)
        said = granted(stage, answer, 200, of="asking for a direct conversation that exists")
        stage.same("its id", said.get("id"), room)


@probe(
    "conversations.denied",
    needs=_THREE,
    advice="answer 403 with detail Access denied to whoever is no participant",
)
async def a_foreign_conversation_gets_403(stage: Stage) -> None:
    """Read a conversation as somebody who is not in it."""
    room = await stage.room()
    answer = await stage.call(stage.third, "GET", f"/conversations/{room}")
    refused(stage, answer, 403, of="a foreign conversation", detail="Access denied")


@probe("conversations.unknown", advice="answer 404 with detail Conversation not found")
async def an_unknown_conversation_gets_404(stage: Stage) -> None:
    """Read a conversation that does not exist."""
    answer = await stage.call(stage.first, "GET", f"/conversations/{NOBODY}")
    refused(stage, answer, 404, of="an unknown conversation", detail="Conversation not found")


@probe("participants.add", needs=_THREE, advice="answer 200 with the conversation, the new participant in it")
async def an_admin_adds_participants(stage: Stage) -> None:
    """Take the third person in."""
    room = await stage.room()
    stage.visit.rooms[room] = (stage.third, *stage.visit.rooms[room])
    body = {"user_ids": [stage.third.id]}
    answer = await stage.call(stage.first, "POST", f"/conversations/{room}/participants", body=body)
    said = granted(stage, answer, 200, of="adding a participant")
    stage.check(stage.third.id in _members(said), f"the new participant is not in the answer: {answer}")
    stage.check(stage.third.id in await _read_members(stage, room), "the new participant is not stored")


@probe("participants.remove", needs=_TWO, advice="answer 204, and the participant is out")
async def an_admin_removes_a_participant(stage: Stage) -> None:
    """Take the second person out."""
    room = await stage.room()
    answer = await stage.call(stage.first, "DELETE", f"/conversations/{room}/participants/{stage.second.id}")
    stage.check(answer.status == 204, f"removing a participant: wanted HTTP 204, got {answer}")
    stage.check(stage.second.id not in await _read_members(stage, room), "who was removed is still there")


@probe("participants.leave", needs=_TWO, advice="let anybody remove oneself, and answer 204")
async def anybody_may_leave(stage: Stage) -> None:
    """Let the second person leave by themselves."""
    room = await stage.room()
    answer = await stage.call(stage.second, "DELETE", f"/conversations/{room}/participants/{stage.second.id}")
    stage.check(answer.status == 204, f"leaving: wanted HTTP 204, got {answer}")
    stage.check(stage.second.id not in await _read_members(stage, room), "who left is still there")


@probe("participants.admins-only", needs=_THREE, advice="answer 403 to whoever is no admin of the group")
async def nobody_else_adds_or_removes(stage: Stage) -> None:
    """Let a member, and then a stranger, try to add and to remove."""
    room = await stage.room()
    stage.visit.rooms[room] = (stage.third, *stage.visit.rooms[room])
    path = f"/conversations/{room}/participants"
    for person in (stage.second, stage.third):
        added = await stage.call(person, "POST", path, body={"user_ids": [stage.third.id]})
        refused(stage, added, 403, of=f"adding by {person.username}, who is no admin")
        removed = await stage.call(person, "DELETE", f"{path}/{stage.first.id}")
        refused(stage, removed, 403, of=f"removing by {person.username}, who is no admin")


@probe(
    "participants.at-once",
    needs=_TWO,
    advice="end the subscriptions of whoever is removed, in the same breath",
)
async def a_removed_participant_hears_nothing_more(stage: Stage) -> None:
    """Remove a subscriber, then send: the message must not reach them."""
    room = await stage.room()
    socket = await stage.open(stage.second)
    await socket.subscribe(room)
    answer = await stage.call(stage.first, "DELETE", f"/conversations/{room}/participants/{stage.second.id}")
    stage.require(answer.status in {200, 204}, f"the second person could not be removed: {answer}")
    sent = await stage.send(stage.first, room)
    content = str(sent["content"])
    await socket.silence(lambda frame: content in frame.text, what="nothing of where they were removed")
    path = f"/conversations/{room}/messages"
    for method in ("GET", "POST"):
        body = {"content": stage.words()} if method == "POST" else None
        denied = await stage.call(stage.second, method, path, body=body)
        stage.check(
            denied.status in {403, 404}, f"{method} by who was removed: wanted HTTP 403, got {denied}"
        )


def _members(conversation: Any) -> list[Any]:
    said = conversation if isinstance(conversation, dict) else {}
    return [one.get("user_id") for one in sequence(said, "participants")]


async def _read_members(stage: Stage, room: str) -> list[Any]:
    return _members(found(stage, await stage.call(stage.first, "GET", f"/conversations/{room}"), of="it"))


async def _direct(stage: Stage) -> str | None:
    """Find the direct conversation of the first two people, or tell that they have none."""
    for page in range(1, _MOST_PAGES + 1):
        query = {"page": page, "limit": _LONGEST_PAGE}
        said = found(
            stage, await stage.call(stage.first, "GET", "/conversations", query=query), of="the list"
        )
        shown = sequence(said, "conversations") if keys(said) else []
        for one in shown:
            if one.get("conversation_type") == "direct" and stage.second.id in _members(one):
                return str(one.get("id"))
        if len(shown) < _LONGEST_PAGE:
            return None
    raise CannotTell(f"{stage.first.username} has more conversations than are looked through")
