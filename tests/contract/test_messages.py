"""``message.new``: to whom it goes, what it holds, and in which order (contract 3.3)."""

from __future__ import annotations

import asyncio
import itertools
import json
from contextlib import AsyncExitStack
from datetime import datetime

import pytest

from tests.contract.harness import RunningServer

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.clause("message.every-subscriber", "document.real-time", "document.message-broadcast")
async def test_two_sockets_of_one_user_both_get_a_message(server: RunningServer):
    ana, ben, cem = await server.people("ana", "ben", "cem")
    room = await server.group(ana, ben, cem)
    async with server.connect(ben) as first, server.connect(ben) as second, server.connect(cem) as third:
        for socket in (first, second, third):
            await socket.subscribe(room)
        await server.post(ana, room, "hi")
        for socket in (first, second, third):
            assert (await socket.hear("message.new"))["data"]["content"] == "hi"


@pytest.mark.clause("message.not-to-sender", "document.sender-excluded")
async def test_no_socket_of_the_sender_gets_the_message(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ana) as first, server.connect(ana) as second, server.connect(ben) as other:
        for socket in (first, second, other):
            await socket.subscribe(room)
        await server.post(ana, room, "mine")
        await other.hear("message.new")
        assert await first.hears_nothing()
        assert await second.hears_nothing()


@pytest.mark.clause("message.keys", "document.server-message-new", "message.timestamp")
async def test_the_frame_is_the_documents_to_the_byte(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ben) as socket:
        await socket.subscribe(room)
        message = await server.post(ana, room, 'Héllo \\ "you" 😀\n</script>\x1b[0m')
        text = await socket.hear_text()
    sender = {"id": ana.id, "username": ana.username, "full_name": ana.full_name, "profile_image_url": None}
    frame = {
        "event": "message.new",
        "conversation_id": room,
        "data": {
            "id": message["id"],
            "conversation_id": room,
            "sender": sender,
            "content": 'Héllo \\ "you" 😀\n</script>\x1b[0m',
            "message_type": "text",
            "created_at": message["created_at"],
        },
    }
    assert json.loads(text) == frame
    assert text == json.dumps(frame, separators=(",", ":"), ensure_ascii=False)
    assert len(message["created_at"]) == len("2024-01-01T12:00:00.000Z")
    assert message["created_at"].endswith("Z")


@pytest.mark.clause("message.in-order", "message.once", "message.increasing")
async def test_every_connection_sees_all_messages_once_and_in_the_order_of_their_commit(
    server: RunningServer,
):
    ana, ben, cem, dan = await server.people("ana", "ben", "cem", "dan")
    room = await server.group(ana, ben, cem, dan)
    async with AsyncExitStack() as stack:
        listeners = [await stack.enter_async_context(server.connect(dan)) for _ in range(3)]
        for listener in listeners:
            await listener.subscribe(room)
        posts = [server.post(person, room, f"{number}") for number in range(30) for person in (ana, ben, cem)]
        await asyncio.gather(*posts)
        heard = [[frame["data"] for frame in await listener.settle()] for listener in listeners]
    history = await server.request(dan, "GET", f"/conversations/{room}/messages?limit=200")
    stored = [(message["id"], message["created_at"]) for message in history.json()["messages"]]
    assert len(stored) == 90
    for messages in heard:
        assert [(message["id"], message["created_at"]) for message in messages] == stored
    times = [datetime.fromisoformat(created_at) for _, created_at in stored]
    assert all(earlier < later for earlier, later in itertools.pairwise(times))


@pytest.mark.clause("message.after-commit", "document.message-saved")
async def test_whoever_hears_of_a_message_finds_it_stored(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ben) as socket:
        await socket.subscribe(room)
        for number in range(10):
            post = asyncio.create_task(server.post(ana, room, f"{number}"))
            heard = (await socket.hear("message.new"))["data"]["id"]
            history = await server.request(ben, "GET", f"/conversations/{room}/messages?limit=1")
            assert history.json()["messages"][-1]["id"] == heard
            assert (await post)["id"] == heard


@pytest.mark.clause("message.once")
async def test_a_message_that_was_refused_is_heard_by_nobody(server: RunningServer):
    ana, ben, eve = await server.people("ana", "ben", "eve")
    room = await server.group(ana, ben)
    async with server.connect(ben) as socket:
        await socket.subscribe(room)
        for person, body in ((eve, {"content": "psst"}), (ana, {"content": " "}), (ana, {"content": "\0"})):
            answer = await server.request(person, "POST", f"/conversations/{room}/messages", json=body)
            assert answer.status_code in (403, 422)
        assert await socket.hears_nothing()


@pytest.mark.clause("message.participants-only")
async def test_a_stranger_hears_nothing(server: RunningServer):
    ana, ben, eve = await server.people("ana", "ben", "eve")
    room = await server.group(ana, ben)
    async with server.connect(eve) as stranger, server.connect(ben) as listener:
        await listener.subscribe(room)
        await stranger.say("subscribe", conversation_id=room)
        await stranger.settle()
        await server.post(ana, room, "secret")
        await listener.hear("message.new")
        assert await stranger.hears_nothing()


@pytest.mark.clause("document.test-flow")
async def test_the_documents_testing_flow(server: RunningServer):
    """Register and log in by REST alone, as a person with curl would."""
    tokens = []
    for name in ("flowana", "flowben"):
        body = {
            "email": f"{name}@tribe.test",
            "username": name,
            "full_name": name,
            "password": "Secret-77",
            "confirm_password": "Secret-77",
        }
        await server.http.post("/api/v1/auth/register", json=body)
        login = {"email": f"{name}@tribe.test", "password": "Secret-77"}
        answer = (await server.http.post("/api/v1/auth/login", json=login)).json()
        tokens.append((answer["access_token"], answer["user"]["id"]))
    (ana_token, _), (ben_token, ben_id) = tokens
    headers = {"Authorization": f"Bearer {ana_token}"}
    direct = {"conversation_type": "direct", "participant_ids": [ben_id]}
    room = (await server.http.post("/api/v1/conversations", json=direct, headers=headers)).json()["id"]
    async with server.dial(ben_token) as socket:
        await socket.hear("connected")
        await socket.send(f'{{"event": "subscribe", "channel": "conversation", "conversation_id": "{room}"}}')
        await socket.hear("subscribed")
        await server.http.post(
            f"/api/v1/conversations/{room}/messages", json={"content": "Hello"}, headers=headers
        )
        assert (await socket.hear("message.new"))["data"]["content"] == "Hello"
