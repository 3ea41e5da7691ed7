"""Subscribing and unsubscribing: per connection, checked each time, gone at once (contract 3.2)."""

from __future__ import annotations

import json
from uuid import UUID, uuid4

import pytest

from tests.contract.harness import RunningServer, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.clause("subscribe.acknowledged", "document.client-subscribe", "document.server-subscribed")
@pytest.mark.clause("document.subscriptions")
async def test_a_participant_is_subscribed_and_told_so(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ben) as socket:
        await socket.send(f'{{"event": "subscribe", "channel": "conversation", "conversation_id": "{room}"}}')
        assert await socket.hear_text() == f'{{"event":"subscribed","conversation_id":"{room}"}}'
        await server.post(ana, room, "hi")
        await socket.hear("message.new")


@pytest.mark.clause("subscribe.each-acknowledged", "subscribe.idempotent")
async def test_every_subscribe_is_acknowledged_and_a_message_comes_once(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ben) as socket:
        for _ in range(3):
            await socket.subscribe(room)
        await server.post(ana, room, "once")
        assert [frame["event"] for frame in await socket.settle()] == ["message.new"]


@pytest.mark.clause("subscribe.checked-each-time", "document.verified")
async def test_participation_is_looked_up_each_time(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana)
    async with server.connect(ben) as socket:
        await socket.say("subscribe", conversation_id=room)
        assert await socket.hears_nothing()
        await server.services.storage.conversations.add_participants(room, ana.id, [ben.id])
        await socket.subscribe(room)
        # Past the server's own use case, so that only the database knows.
        await server.services.storage.conversations.remove_participant(room, ana.id, ben.id)
        await socket.say("subscribe", conversation_id=room)
        assert await socket.hears_nothing()
        await server.post(ana, room, "hi")
        assert await socket.hears_nothing()


@pytest.mark.clause("subscribe.either-case")
async def test_an_id_in_capitals_is_answered_in_lower_case(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ben) as socket:
        await socket.say("subscribe", conversation_id=room.upper())
        assert await socket.hear() == {"event": "subscribed", "conversation_id": room}
        await server.post(ana, room.upper(), "hi")
        assert (await socket.hear("message.new"))["conversation_id"] == room
        await socket.say("unsubscribe", conversation_id=room.upper())
        await socket.settle()
        await server.post(ana, room, "hi")
        assert await socket.hears_nothing()


@pytest.mark.clause("subscribe.one-spelling")
@pytest.mark.parametrize("spelling", ["{0.hex}", "{{{0}}}", "urn:uuid:{0}", " {0}", "{0} "])
async def test_another_spelling_of_an_id_is_ignored(server: RunningServer, spelling: str):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ben) as socket:
        await socket.say("subscribe", conversation_id=spelling.format(UUID(room)))
        assert await socket.hears_nothing()
        await server.post(ana, room, "hi")
        assert await socket.hears_nothing()


@pytest.mark.clause("subscribe.foreign")
async def test_an_unknown_or_foreign_conversation_is_met_with_silence(server: RunningServer):
    ana, eve = await server.people("ana", "eve")
    room = await server.group(ana)
    async with server.connect(eve) as socket:
        for conversation_id in (room, str(uuid4())):
            await socket.say("subscribe", conversation_id=conversation_id)
        assert await socket.hears_nothing()
        await server.post(ana, room, "secret")
        assert await socket.hears_nothing()


@pytest.mark.clause("subscribe.default-channel")
async def test_a_missing_channel_counts_as_conversation(server: RunningServer):
    ana = await server.person()
    room = await server.group(ana)
    async with server.connect(ana) as socket:
        await socket.say("subscribe", conversation_id=room)
        assert await socket.hear() == {"event": "subscribed", "conversation_id": room}
        await socket.say("subscribe", conversation_id=room, channel="user")
        assert await socket.hears_nothing()


@pytest.mark.clause("subscribe.per-connection")
async def test_a_subscription_of_one_socket_dies_with_it_and_leaves_the_others(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ben) as lasting, server.connect(ben) as unsubscribed:
        await lasting.subscribe(room)
        async with server.connect(ben) as passing:
            await passing.subscribe(room)
        await until(lambda: server.hub.recipients(room) == 1)
        await server.post(ana, room, "hi")
        await lasting.hear("message.new")
        assert await unsubscribed.hears_nothing()
    async with server.connect(ben) as fresh:
        await server.post(ana, room, "again")
        assert await fresh.hears_nothing()


@pytest.mark.clause("unsubscribe.ends", "unsubscribe.silent", "document.client-unsubscribe")
async def test_unsubscribe_ends_it_without_an_answer(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room, other = await server.group(ana, ben), await server.group(ana, ben)
    async with server.connect(ben) as socket, server.connect(ben) as second:
        for subscriber in (socket, second):
            await subscriber.subscribe(room)
        await socket.subscribe(other)
        await socket.send(json.dumps({"event": "unsubscribe", "conversation_id": room}))
        assert await socket.hears_nothing()
        await server.post(ana, room, "hi")
        assert await socket.hears_nothing()
        await second.hear("message.new")
        await server.post(ana, other, "hi")
        assert (await socket.hear("message.new"))["conversation_id"] == other


@pytest.mark.clause("frames.unknown-field")
async def test_unknown_fields_are_ignored(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ben) as socket:
        await socket.say("subscribe", conversation_id=room, ref="1", after_seq=7, more={"a": [1]})
        assert await socket.hear() == {"event": "subscribed", "conversation_id": room}
        await socket.say("unsubscribe", channel="conversation", conversation_id=room)
        await socket.say("ping", ref="2", data=None)
        assert await socket.hear() == {"event": "pong"}
        await server.post(ana, room, "hi", more=1)
        assert await socket.hears_nothing()


@pytest.mark.clause("participants.at-once", "message.participants-only")
async def test_a_removed_participant_stops_receiving_at_once(server: RunningServer):
    ana, ben, cem = await server.people("ana", "ben", "cem")
    room = await server.group(ana, ben, cem)
    async with server.connect(ben) as removed, server.connect(ben) as too, server.connect(cem) as staying:
        for socket in (removed, too, staying):
            await socket.subscribe(room)
        answer = await server.request(ana, "DELETE", f"/conversations/{room}/participants/{ben.id}")
        assert answer.status_code == 204
        await server.post(ana, room, "without you")
        await staying.hear("message.new")
        assert await removed.hears_nothing()
        assert await too.hears_nothing()
        await removed.say("subscribe", conversation_id=room)
        assert await removed.hears_nothing()


@pytest.mark.clause("message.participants-only")
async def test_whoever_leaves_and_comes_back_subscribes_anew(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ben) as socket:
        await socket.subscribe(room)
        await server.request(ben, "DELETE", f"/conversations/{room}/participants/{ben.id}")
        await server.request(ana, "POST", f"/conversations/{room}/participants", json={"user_ids": [ben.id]})
        await server.post(ana, room, "back?")
        assert await socket.hears_nothing()
        await socket.subscribe(room)
        await server.post(ana, room, "back!")
        assert (await socket.hear("message.new"))["data"]["content"] == "back!"
