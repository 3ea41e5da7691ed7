"""Presence and reads: stored for everybody, passed on in the profile ``app`` (contract 3.2, 3.4)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from tests.contract.harness import Person, RunningServer, Socket, running_server, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(fan_out: str) -> AsyncIterator[RunningServer]:
    """A server whose clients get the profile ``app``."""
    async with running_server(fan_out=fan_out, profile="app") as running:
        yield running


async def profile_of(server: RunningServer, viewer: Person, person: Person) -> dict[str, Any]:
    return dict((await server.request(viewer, "GET", f"/users/{person.id}")).json())


async def leave(server: RunningServer, person: Person) -> None:
    """Wait until the server has noticed that the person's sockets are gone."""
    await until(lambda: all(connection.user_id != person.id for connection in server.hub.connections))


async def presence(socket: Socket) -> tuple[str, bool, str]:
    data = (await socket.hear("presence"))["data"]
    return data["user_id"], data["is_online"], data["status"]


@pytest.mark.clause("presence.stored", "document.presence", "document.client-presence")
@pytest.mark.parametrize("status", ["online", "away", "offline"])
async def test_presence_updates_status_and_last_seen(server: RunningServer, status: str):
    ana = await server.person()
    async with server.connect(ana) as socket:
        server.clock.advance(60)
        await socket.send(f'{{"event": "presence", "status": "{status}"}}')
        assert await socket.hears_nothing()
        user = await server.services.storage.users.by_id(ana.id)
        assert user is not None
        assert user.status == status
        assert user.last_seen_at == server.clock.now()


@pytest.mark.clause("profile.documented")
async def test_a_documented_connection_gets_neither_presence_nor_reads(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ben) as listener:
        await listener.subscribe(room)
        async with server.connect(ana) as socket:
            await socket.say("presence", status="away")
            await socket.settle()
            await server.request(ana, "POST", f"/conversations/{room}/read")
        await leave(server, ana)
        server.clock.advance(10)
        assert await listener.hears_nothing()


@pytest.mark.clause("presence.shape", "presence.first-socket", "presence.shared")
async def test_the_first_socket_is_told_to_those_who_share_a_conversation(app: RunningServer):
    ana, ben, eve = await app.people("ana", "ben", "eve")
    await app.group(ana, ben)
    async with app.connect(ben) as friend, app.connect(eve) as stranger:
        async with app.connect(ana):
            frame = await friend.hear("presence")
            assert list(frame) == ["event", "data"]
            assert list(frame["data"]) == ["user_id", "is_online", "status", "last_seen_at"]
            assert (frame["data"]["user_id"], frame["data"]["is_online"]) == (ana.id, True)
            assert frame["data"]["last_seen_at"].endswith("Z")
            async with app.connect(ana):
                assert await friend.hears_nothing()
        assert await stranger.hears_nothing()


@pytest.mark.clause("presence.not-to-oneself")
async def test_nobody_is_told_of_oneself(app: RunningServer):
    ana, ben = await app.people("ana", "ben")
    await app.group(ana, ben)
    async with app.connect(ben) as friend, app.connect(ana) as first:
        await friend.hear("presence")
        async with app.connect(ana) as second:
            await second.say("presence", status="away")
            await friend.hear("presence")
            frames = [*await first.settle(), *await second.settle()]
            assert ana.id not in [frame["data"]["user_id"] for frame in frames]


@pytest.mark.clause("presence.last-socket")
async def test_the_end_of_the_last_socket_is_told_three_seconds_later(app: RunningServer):
    ana, ben = await app.people("ana", "ben")
    await app.group(ana, ben)
    async with app.connect(ben) as friend:
        async with app.connect(ana):
            assert await presence(friend) == (ana.id, True, "online")
        await leave(app, ana)
        app.clock.advance(2.9)
        assert await friend.hears_nothing()
        assert (await profile_of(app, ben, ana))["is_online"] is True
        app.clock.advance(0.2)
        assert await presence(friend) == (ana.id, False, "offline")
        assert (await profile_of(app, ben, ana))["is_online"] is False


@pytest.mark.clause("presence.returning")
async def test_whoever_comes_back_in_time_was_never_offline(app: RunningServer):
    ana, ben = await app.people("ana", "ben")
    await app.group(ana, ben)
    async with app.connect(ben) as friend:
        async with app.connect(ana):
            await friend.hear("presence")
        await leave(app, ana)
        app.clock.advance(2)
        async with app.connect(ana):
            app.clock.advance(10)
            assert await friend.hears_nothing()


@pytest.mark.clause("presence.said")
async def test_what_a_client_says_is_told(app: RunningServer):
    ana, ben = await app.people("ana", "ben")
    await app.group(ana, ben)
    async with app.connect(ben) as friend, app.connect(ana) as socket:
        await friend.hear("presence")
        await socket.say("presence", status="away")
        assert await presence(friend) == (ana.id, True, "away")
        await socket.say("presence", status="offline")
        assert await presence(friend) == (ana.id, False, "offline")
        await socket.say("presence", status="online")
        assert await presence(friend) == (ana.id, True, "online")


@pytest.mark.clause("read.shape")
async def test_a_read_is_told_to_the_subscribers_but_not_to_the_reader(app: RunningServer):
    ana, ben = await app.people("ana", "ben")
    room = await app.group(ana, ben)
    message = await app.post(ana, room, "read me")
    async with app.connect(ana) as author, app.connect(ben) as reader:
        await author.subscribe(room)
        await reader.subscribe(room)
        await app.request(ben, "POST", f"/conversations/{room}/read")
        frame = await author.skip_to("message.read")
        assert list(frame) == ["event", "conversation_id", "data"]
        assert list(frame["data"]) == ["user_id", "read_at", "last_read_message_id"]
        assert (frame["conversation_id"], frame["data"]["user_id"]) == (room, ben.id)
        assert frame["data"]["last_read_message_id"] == message["id"]
        assert frame["data"]["read_at"].endswith("Z")
        assert "message.read" not in [frame["event"] for frame in await reader.settle()]
