"""Probes of reading messages by REST, page by page (contract 5, messages)."""

from __future__ import annotations

from typing import Any

from tribe_ws.check.accounts import Person
from tribe_ws.check.probe import Need, probe
from tribe_ws.check.rest_answers import NOBODY, exact_keys, found, granted, refused, sequence
from tribe_ws.check.stage import Stage
from tribe_ws.protocol.models import MessageList, MessageOut, Pagination, PublicUser, SuccessResponse

_TWO = (Need.SECOND, Need.WRITE)
_THREE = (Need.SECOND, Need.THIRD, Need.WRITE)


@probe("messages.page", needs=_TWO, advice="answer {messages, has_more, next_cursor, pagination}")
async def a_page_tells_whether_there_is_more(stage: Stage) -> None:
    """Read the newest two of three messages, and then all of them."""
    room, _ = await _filled(stage, 3)
    for limit, has_more in ((2, True), (50, False)):
        answer = await stage.call(
            stage.first, "GET", f"/conversations/{room}/messages", query={"limit": limit}
        )
        page = granted(stage, answer, 200, of="messages")
        stage.same("the keys of a page", list(page), list(MessageList.model_fields))
        exact_keys(stage, page["pagination"], Pagination, of="pagination")
        stage.same("how many messages are shown", len(sequence(page, "messages")), min(limit, 3))
        stage.same("has_more", page["has_more"], has_more)
        has_cursor = isinstance(page["next_cursor"], str)
        stage.check(has_cursor or not has_more, f"there is more, and next_cursor is {page['next_cursor']!r}")
        counted = [page["pagination"][key] for key in ("page", "limit", "total")]
        stage.same("page, limit and total", counted, [1, limit, 3])


@probe(
    "messages.order",
    needs=_TWO,
    advice="give the newest page first, older ones with page=2 and on, and inside a page oldest to newest",
)
async def pages_run_backwards_and_messages_forwards(stage: Stage) -> None:
    """Read five messages in pages of two."""
    room, sent = await _filled(stage, 5)
    for page, wanted in ((1, sent[3:]), (2, sent[1:3]), (3, sent[:1])):
        got = await _contents(stage, stage.first, room, page=page, limit=2)
        stage.same(f"page {page} of five messages", got, [one["content"] for one in wanted])


@probe(
    "messages.before", needs=_TWO, advice="before=ID gives the messages just before that one, oldest first"
)
async def before_gives_what_came_before(stage: Stage) -> None:
    """Read what stands before the fourth of five messages, and before the first."""
    room, sent = await _filled(stage, 5)
    got = await _contents(stage, stage.first, room, before=sent[3]["id"], limit=2)
    stage.same("two messages before the fourth", got, [one["content"] for one in sent[1:3]])
    got = await _contents(stage, stage.first, room, before=sent[0]["id"])
    stage.same("the messages before the first", got, [])


@probe(
    "messages.after", needs=_TWO, advice="after=ID runs upwards from the message after that one, to catch up"
)
async def after_runs_upwards(stage: Stage) -> None:
    """Read what stands after the first of five messages, and after the last."""
    room, sent = await _filled(stage, 5)
    got = await _contents(stage, stage.second, room, after=sent[0]["id"], limit=2)
    stage.same("two messages after the first", got, [one["content"] for one in sent[1:3]])
    got = await _contents(stage, stage.second, room, after=sent[-1]["id"])
    stage.same("the messages after the last", got, [])


@probe("messages.shape", needs=_TWO, advice="answer a message with the documented keys, in their order")
async def a_message_has_its_keys(stage: Stage) -> None:
    """Look at a message as its sender gets it and as a reader does."""
    room = await stage.room()
    body = {"content": stage.words()}
    answer = await stage.call(stage.first, "POST", f"/conversations/{room}/messages", body=body)
    stage.require(answer.status in {200, 201}, f"a message could not be sent: {answer}")
    read = await _read(stage, stage.second, room)
    for name, message in (
        ("a message that was sent", answer.object),
        *(("a message that is read", one) for one in read),
    ):
        exact_keys(stage, message, MessageOut, of=name)
        exact_keys(stage, message["sender"], PublicUser, of=f"the sender of {name}")


@probe(
    "messages.denied", needs=_THREE, advice="answer 403 to whoever is no participant, 404 for no conversation"
)
async def a_stranger_neither_reads_nor_sends(stage: Stage) -> None:
    """Read, send and mark as read where one is not, and where nothing is."""
    room = await stage.room()
    for place, status in ((room, 403), (NOBODY, 404)):
        for method, path, body in (
            ("GET", "messages", None),
            ("POST", "messages", {"content": stage.words()}),
            ("POST", "read", None),
        ):
            answer = await stage.call(stage.third, method, f"/conversations/{place}/{path}", body=body)
            where = "a foreign conversation" if status == 403 else "an unknown conversation"
            refused(stage, answer, status, of=f"{method} {path} of {where}")


@probe("messages.read", needs=_TWO, advice="answer {message, success}, and count nothing as unread any more")
async def reading_takes_the_unread_away(stage: Stage) -> None:
    """Let two messages become unread, read them, and let one more come."""
    room, _ = await _filled(stage, 2)
    stage.same("unread_count after two messages", await _unread(stage, room), 2)
    answer = await stage.call(stage.second, "POST", f"/conversations/{room}/read")
    said = granted(stage, answer, 200, of="read")
    stage.same("the keys of read", list(said), list(SuccessResponse.model_fields))
    stage.same("unread_count after reading", await _unread(stage, room), 0)
    await stage.send(stage.first, room)
    stage.same("unread_count after one more message", await _unread(stage, room), 1)


async def _filled(stage: Stage, count: int) -> tuple[str, list[dict[str, Any]]]:
    """Make a conversation in which the first person has sent so many messages."""
    room = await stage.room()
    sent = [await stage.send(stage.first, room) for _ in range(count)]
    stage.require(all("id" in one for one in sent), "a sent message is answered without its id")
    return room, sent


async def _read(stage: Stage, person: Person, room: str, **query: Any) -> list[dict[str, Any]]:
    answer = await stage.call(person, "GET", f"/conversations/{room}/messages", query=query)
    said = granted(stage, answer, 200, of=f"messages with {query}" if query else "messages")
    return sequence(said, "messages")


async def _contents(stage: Stage, person: Person, room: str, **query: Any) -> list[Any]:
    return [one.get("content") for one in await _read(stage, person, room, **query)]


async def _unread(stage: Stage, room: str) -> Any:
    said = found(stage, await stage.call(stage.second, "GET", f"/conversations/{room}"), of="it")
    return said.get("unread_count") if isinstance(said, dict) else None
