"""Sending and reading messages by REST (contract 5)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.contract.harness import Person, RunningServer, running_server

pytestmark = pytest.mark.asyncio(loop_scope="module")

UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"
MESSAGE = (
    "id,conversation_id,sender,content,message_type,media_url,media_thumbnail_url,metadata,reply_to_message,"
    "is_edited,is_deleted,read_by,created_at,time_ago"
)
PUBLIC = (
    "id,username,full_name,bio,profile_image_url,is_verified,goals_achieved,photos_shared,"
    "is_online,last_seen_at"
)


async def send(server: RunningServer, person: Person, room: str, body: Any, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await server.request(person, "POST", f"/conversations/{room}/messages", json=body, headers=named)


async def read(server: RunningServer, person: Person, room: str, query: str = "") -> dict[str, Any]:
    answer = await server.request(person, "GET", f"/conversations/{room}/messages{query}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def contents(server: RunningServer, person: Person, room: str, query: str = "") -> list[str]:
    return [message["content"] for message in (await read(server, person, room, query))["messages"]]


@pytest.mark.clause("messages.created", "messages.shape", "document.message-saved")
async def test_sending_answers_201_with_the_stored_message(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    answer = await send(server, ana, room, {"content": "Hello"})
    assert answer.status_code == 201
    message = answer.json()
    assert ",".join(message) == MESSAGE
    assert ",".join(message["sender"]) == PUBLIC
    assert (message["conversation_id"], message["sender"]["id"]) == (room, ana.id)
    assert (message["content"], message["message_type"], message["reply_to_message"]) == (
        "Hello",
        "text",
        None,
    )
    assert (message["is_edited"], message["is_deleted"]) == (False, False)
    (stored,) = (await read(server, ben, room))["messages"]
    assert ",".join(stored) == MESSAGE
    assert stored == message | {"read_by": stored["read_by"]}


@pytest.mark.clause("messages.to-the-letter")
@pytest.mark.parametrize(
    "content",
    [
        " spaces kept \n",
        "😀👩‍👩‍👧 é e\u0301",
        "\x1b]0;title\x07\x9b31m",
        "<script>alert(1)</script>",
        "a\u202eb\u2066c",
        "\x01\x7f\ufeff\ufffe",
        "'; drop table messages; --",
        "[/nope] [@click=app.quit]x[/]",
        "x" * 5000,
        "😀" * 5000,
        "\u200b",
    ],
    ids=lambda content: ascii(content[:12]),
)
async def test_content_is_kept_to_the_letter(server: RunningServer, content: str):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ben) as socket:
        await socket.subscribe(room)
        assert (await server.post(ana, room, content))["content"] == content
        assert (await socket.hear("message.new"))["data"]["content"] == content
    assert await contents(server, ben, room) == [content]


@pytest.mark.clause("messages.length")
@pytest.mark.parametrize("content", ["", " ", "\n\t\u3000\u2003", "x" * 5001, None, 7, ["x"], {}], ids=ascii)
async def test_content_that_says_nothing_or_too_much_gets_422(server: RunningServer, content: Any):
    ana = await server.person()
    room = await server.group(ana)
    answer = await send(server, ana, room, {"content": content})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "content"
    assert (await send(server, ana, room, {})).status_code == 422
    assert await contents(server, ana, room) == []


@pytest.mark.clause("messages.unstorable")
async def test_a_nul_gets_422(server: RunningServer):
    ana = await server.person()
    room = await server.group(ana)
    for body in ({"content": "a\0b"}, {"content": "x", "client_message_id": "\0"}):
        assert (await send(server, ana, room, body)).status_code == 422


@pytest.mark.clause("messages.type")
async def test_the_five_types_and_no_other(server: RunningServer):
    ana = await server.person()
    room = await server.group(ana)
    for message_type in ("text", "image", "video", "audio", "file"):
        answer = await send(server, ana, room, {"content": "x", "message_type": message_type})
        assert (answer.status_code, answer.json()["message_type"]) == (201, message_type)
    for other in ("poem", "", None, 1):
        assert (await send(server, ana, room, {"content": "x", "message_type": other})).status_code == 422


@pytest.mark.clause("messages.reply")
async def test_a_reply_shows_what_it_answers(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room, other = await server.group(ana, ben), await server.group(ana, ben)
    first = await server.post(ana, room, "question")
    answer = await send(server, ben, room, {"content": "answer", "reply_to_message_id": first["id"].upper()})
    assert answer.status_code == 201
    reply = answer.json()["reply_to_message"]
    assert (reply["id"], reply["content"], reply["sender"]["id"]) == (first["id"], "question", ana.id)
    stored = (await read(server, ana, room))["messages"][-1]
    assert stored["reply_to_message"]["id"] == first["id"]
    elsewhere = await server.post(ana, other, "elsewhere")
    for bad in (UNKNOWN, elsewhere["id"], "first"):
        answer = await send(server, ben, room, {"content": "x", "reply_to_message_id": bad})
        assert answer.status_code in (404, 422), answer.text


# ── Repeats ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clause("messages.replayed")
async def test_a_repeat_under_the_same_key_changes_nothing(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ben) as socket:
        await socket.subscribe(room)
        first = await send(server, ana, room, {"content": "once"}, Idempotency_Key="k-1")
        assert first.status_code == 201
        assert "Idempotency-Replayed" not in first.headers
        again = await send(server, ana, room, {"content": "once"}, Idempotency_Key="k-1")
        assert again.status_code == 200
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.json() == first.json()
        assert [frame["event"] for frame in await socket.settle()] == ["message.new"]
    assert await contents(server, ben, room) == ["once"]


@pytest.mark.clause("messages.replayed")
async def test_repeats_at_the_same_moment_store_one_message(server: RunningServer):
    ana = await server.person()
    room = await server.group(ana)
    answers = await asyncio.gather(
        *(send(server, ana, room, {"content": "once"}, Idempotency_Key="same") for _ in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await contents(server, ana, room) == ["once"]


@pytest.mark.clause("messages.client-id")
async def test_a_client_message_id_is_a_key_per_sender_and_conversation(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room, other = await server.group(ana, ben), await server.group(ana, ben)
    body = {"content": "x", "client_message_id": "c-1"}
    assert (await send(server, ana, room, body)).status_code == 201
    again = await send(server, ana, room, body)
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert (await send(server, ben, room, body)).status_code == 201
    assert (await send(server, ana, other, body)).status_code == 201


@pytest.mark.clause("messages.key-conflict")
async def test_the_same_key_with_another_body_gets_409(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ben) as socket:
        await socket.subscribe(room)
        await send(server, ana, room, {"content": "one"}, Idempotency_Key="k-2")
        for body in ({"content": "two"}, {"content": "one", "message_type": "file"}):
            answer = await send(server, ana, room, body, Idempotency_Key="k-2")
            assert answer.status_code == 409
            assert list(answer.json()) == ["detail"]
        assert len(await socket.settle()) == 1
    assert await contents(server, ana, room) == ["one"]


@pytest.mark.clause("messages.replayed", "messages.client-id")
async def test_a_key_is_kept_for_24_hours(fan_out: str):
    async with running_server(fan_out=fan_out, access_ttl="30d") as server:
        ana = await server.person()
        room = await server.group(ana)

        async def statuses() -> list[int]:
            by_header = await send(server, ana, room, {"content": "x"}, Idempotency_Key="k")
            by_body = await send(server, ana, room, {"content": "y", "client_message_id": "c"})
            return [by_header.status_code, by_body.status_code]

        assert await statuses() == [201, 201]
        server.clock.advance(23.9 * 3600)
        assert await statuses() == [200, 200]
        server.clock.advance(0.2 * 3600)
        assert await statuses() == [201, 201]


@pytest.mark.clause("messages.replayed")
@pytest.mark.parametrize("key", ["", "x" * 129, "a b"])
async def test_a_bad_key_gets_422(server: RunningServer, key: str):
    ana = await server.person()
    room = await server.group(ana)
    answer = await send(server, ana, room, {"content": "x"}, Idempotency_Key=key)
    assert answer.status_code == 422


@pytest.mark.clause("messages.denied")
async def test_a_stranger_neither_sends_nor_reads(server: RunningServer):
    ana, eve = await server.people("ana", "eve")
    room = await server.group(ana)
    for method in ("GET", "POST"):
        for conversation_id, status in ((room, 403), (UNKNOWN, 404), ("general", 404)):
            path = f"/conversations/{conversation_id}/messages"
            answer = await server.request(eve, method, path, json={"content": "x"})
            assert answer.status_code == status
    assert (await server.request(eve, "POST", f"/conversations/{room}/read")).status_code == 403
    assert (await server.request(eve, "POST", f"/conversations/{UNKNOWN}/read")).status_code == 404


# ── Reading ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.clause("messages.page", "messages.order")
async def test_pages_run_backwards_and_messages_forwards(server: RunningServer):
    ana = await server.person()
    room = await server.group(ana)
    for number in range(1, 8):
        await server.post(ana, room, f"{number}")
    page = await read(server, ana, room)
    assert list(page) == ["messages", "has_more", "next_cursor", "pagination"]
    assert [message["content"] for message in page["messages"]] == list("1234567")
    assert (page["has_more"], page["pagination"]["total"], page["pagination"]["limit"]) == (False, 7, 50)
    assert await contents(server, ana, room, "?limit=3") == list("567")
    assert await contents(server, ana, room, "?limit=3&page=2") == list("234")
    assert await contents(server, ana, room, "?limit=3&page=3") == list("1")
    first = await read(server, ana, room, "?limit=3")
    assert first["has_more"] is True
    assert first["pagination"]["total_pages"] == 3


@pytest.mark.clause("messages.before")
async def test_before_gives_what_came_before(server: RunningServer):
    ana = await server.person()
    room = await server.group(ana)
    ids = [(await server.post(ana, room, f"{number}"))["id"] for number in range(1, 8)]
    assert await contents(server, ana, room, f"?before={ids[4]}&limit=3") == list("234")
    assert await contents(server, ana, room, f"?before={ids[0]}") == []
    seen: list[str] = []
    cursor = ""
    while True:
        page = await read(server, ana, room, f"?limit=2{cursor}")
        seen = [message["content"] for message in page["messages"]] + seen
        if not page["has_more"]:
            break
        cursor = f"&before={page['next_cursor']}"
    assert seen == list("1234567")


@pytest.mark.clause("messages.after")
async def test_after_runs_upwards_to_catch_up(server: RunningServer):
    ana = await server.person()
    room = await server.group(ana)
    ids = [(await server.post(ana, room, f"{number}"))["id"] for number in range(1, 8)]
    assert await contents(server, ana, room, f"?after={ids[1]}&limit=3") == list("345")
    assert await contents(server, ana, room, f"?after={ids[6]}") == []
    seen, cursor = [], ids[0]
    while True:
        page = await read(server, ana, room, f"?limit=2&after={cursor.upper()}")
        seen += [message["content"] for message in page["messages"]]
        if not page["has_more"]:
            break
        cursor = page["next_cursor"]
    assert seen == list("234567")


@pytest.mark.clause("messages.after", "messages.before")
async def test_a_cursor_that_is_no_message_of_the_conversation_is_not_found(server: RunningServer):
    ana = await server.person()
    room, other = await server.group(ana), await server.group(ana)
    elsewhere = (await server.post(ana, other, "x"))["id"]
    for parameter in ("before", "after"):
        for cursor in (UNKNOWN, elsewhere, "x"):
            path = f"/conversations/{room}/messages?{parameter}={cursor}"
            assert (await server.request(ana, "GET", path)).status_code == 404


@pytest.mark.clause("messages.read")
async def test_reading_takes_the_unread_away(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    for number in range(3):
        await server.post(ana, room, f"{number}")
    answer = await server.request(ben, "POST", f"/conversations/{room}/read")
    assert answer.status_code == 200
    assert list(answer.json()) == ["message", "success"]
    assert answer.json()["success"] is True
    assert (await server.request(ben, "GET", f"/conversations/{room}")).json()["unread_count"] == 0
    await server.post(ana, room, "one more")
    assert (await server.request(ben, "GET", f"/conversations/{room}")).json()["unread_count"] == 1
    messages = (await read(server, ana, room))["messages"]
    assert [ben.id in message["read_by"] for message in messages] == [True, True, True, False]
