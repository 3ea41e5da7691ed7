"""Typing: who sees it, and every way in which it ends (contract 3.2)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.harness import Person, RunningServer, Socket

pytestmark = pytest.mark.asyncio(loop_scope="module")


def typing(conversation_id: str, person: Person, is_typing: bool) -> dict[str, Any]:
    data = {"user_id": person.id, "user_name": person.full_name, "is_typing": is_typing}
    return {"event": "typing", "conversation_id": conversation_id, "data": data}


async def begin(typist: Socket, room: str, listener: Socket) -> None:
    await typist.say("typing", conversation_id=room, is_typing=True)
    assert (await listener.hear("typing"))["data"]["is_typing"] is True


@pytest.mark.clause("typing.relayed", "typing.full-name", "document.typing", "document.client-typing")
@pytest.mark.clause("document.server-typing")
async def test_typing_start_and_stop_reach_every_subscriber_with_the_full_name(server: RunningServer):
    ana, ben, cem = [await server.person("ana", "Ana Ng"), *await server.people("ben", "cem")]
    room = await server.group(ana, ben, cem)
    async with server.connect(ana) as typist, server.connect(ben) as first, server.connect(cem) as second:
        await first.subscribe(room)
        await second.subscribe(room)
        for is_typing in (True, False):
            await typist.send(
                f'{{"event": "typing", "conversation_id": "{room}", "is_typing": {str(is_typing).lower()}}}'
            )
            expected = (
                f'{{"event":"typing","conversation_id":"{room}","data":{{"user_id":"{ana.id}",'
                f'"user_name":"Ana Ng","is_typing":{str(is_typing).lower()}}}}}'
            )
            assert await first.hear_text() == expected
            assert await second.hear_text() == expected


@pytest.mark.clause("typing.not-to-oneself")
async def test_no_socket_of_the_typist_gets_it(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ana) as typist, server.connect(ana) as own, server.connect(ben) as other:
        for socket in (typist, own, other):
            await socket.subscribe(room)
        await begin(typist, room, other)
        assert await typist.hears_nothing()
        assert await own.hears_nothing()


@pytest.mark.clause("typing.without-subscription")
async def test_the_typist_need_not_be_subscribed(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ana) as typist, server.connect(ben) as listener:
        await listener.subscribe(room)
        await begin(typist, room, listener)


@pytest.mark.clause("typing.participants-only")
async def test_a_stranger_gets_no_typing_through(server: RunningServer):
    ana, ben, eve = await server.people("ana", "ben", "eve")
    room = await server.group(ana, ben)
    async with server.connect(eve) as stranger, server.connect(ben) as listener:
        await listener.subscribe(room)
        await stranger.say("typing", conversation_id=room, is_typing=True)
        assert await stranger.hears_nothing()
        assert await listener.hears_nothing()


@pytest.mark.clause("typing.coalesced")
async def test_repeats_within_a_second_are_one(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ana) as typist, server.connect(ben) as listener:
        await listener.subscribe(room)
        for _ in range(3):
            await typist.say("typing", conversation_id=room, is_typing=True)
        await typist.settle()
        assert await listener.settle() == [typing(room, ana, True)]


@pytest.mark.clause("typing.lapse")
async def test_typing_lapses_after_six_seconds(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ana) as typist, server.connect(ben) as listener:
        await listener.subscribe(room)
        await begin(typist, room, listener)
        server.clock.advance(5.9)
        assert await listener.hears_nothing()
        server.clock.advance(0.2)
        assert await listener.hear() == typing(room, ana, False)
        server.clock.advance(20)
        assert await listener.hears_nothing()


@pytest.mark.clause("typing.lapse")
async def test_typing_that_goes_on_does_not_lapse(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ana) as typist, server.connect(ben) as listener:
        await listener.subscribe(room)
        await begin(typist, room, listener)
        for _ in range(4):
            server.clock.advance(3)
            await typist.say("typing", conversation_id=room, is_typing=True)
            await typist.settle()
        frames = await listener.settle()
        assert all(frame["data"]["is_typing"] for frame in frames), frames


@pytest.mark.clause("typing.ends-on-unsubscribe")
async def test_unsubscribing_ends_typing_once(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ana) as typist, server.connect(ben) as listener:
        await typist.subscribe(room)
        await listener.subscribe(room)
        await begin(typist, room, listener)
        await typist.say("unsubscribe", conversation_id=room)
        assert await listener.hear() == typing(room, ana, False)
        server.clock.advance(10)
        await typist.settle()
        assert await listener.hears_nothing()


@pytest.mark.clause("typing.ends-on-disconnect")
@pytest.mark.parametrize("is_clean", [True, False], ids=["close frame", "cut"])
async def test_disconnecting_ends_typing_once(server: RunningServer, is_clean: bool):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ben) as listener:
        await listener.subscribe(room)
        async with server.connect(ana) as typist:
            await begin(typist, room, listener)
            if not is_clean:
                typist.connection.transport.abort()
        assert await listener.hear() == typing(room, ana, False)
        server.clock.advance(10)
        assert await listener.hears_nothing()


@pytest.mark.clause("typing.ends-on-message")
async def test_a_message_of_the_typist_ends_typing_once_and_before_it(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ana) as typist, server.connect(ben) as listener:
        await listener.subscribe(room)
        await begin(typist, room, listener)
        await server.post(ana, room, "done")
        assert await listener.hear() == typing(room, ana, False)
        await listener.hear("message.new")
        server.clock.advance(10)
        assert await listener.hears_nothing()


@pytest.mark.clause("typing.false-once")
async def test_nothing_is_emitted_for_typing_that_never_began(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ben) as listener:
        await listener.subscribe(room)
        async with server.connect(ana) as typist:
            await typist.say("unsubscribe", conversation_id=room)
            await typist.settle()
            await server.post(ana, room, "hello")
            await listener.hear("message.new")
        await listener.settle()
        server.clock.advance(10)
        assert await listener.hears_nothing()


@pytest.mark.clause("typing.participants-only", "participants.at-once")
async def test_a_removed_typist_stops_typing(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ben) as typist, server.connect(ana) as listener:
        await listener.subscribe(room)
        await begin(typist, room, listener)
        answer = await server.request(ana, "DELETE", f"/conversations/{room}/participants/{ben.id}")
        assert answer.status_code == 204
        assert await listener.hear() == typing(room, ben, False)
        await typist.say("typing", conversation_id=room, is_typing=True)
        await typist.settle()
        assert await listener.hears_nothing()
