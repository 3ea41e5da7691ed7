"""An app that lives a recorded evening: over real sockets, with the SDK and with nothing but a WebSocket."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.capture.replay.capturing import evening
from tribe_ws.capture.replay import guest as guests
from tribe_ws.capture.replay.as_server import ClientReplayOptions, ReplayServer
from tribe_ws.capture.replay.evening import Evening
from tribe_ws.capture.replay.guest import Guest
from tribe_ws.capture.replay.remap import is_id
from tribe_ws.client.client import TribeClient
from tribe_ws.client.events import Event
from tribe_ws.client.rest import RestClient
from tribe_ws.errors import ApiError, AuthenticationError, ConfigurationError

DEADLINE = 20.0
FAST = ClientReplayOptions(port=0, speed=20)
AT_ONCE = ClientReplayOptions(port=0, speed=0)


@asynccontextmanager
async def playing(options: ClientReplayOptions = AT_ONCE, **more: Any) -> AsyncIterator[ReplayServer]:
    async with asyncio.timeout(DEADLINE), ReplayServer(evening(), options, **more) as server:
        yield server


@asynccontextmanager
async def logged_in(server: ReplayServer, user: str = "bob") -> AsyncIterator[RestClient]:
    async with RestClient(server.address) as rest:
        await rest.login(f"{user}@tribe.test", "whatever")
        yield rest


@asynccontextmanager
async def socket_of(server: ReplayServer, rest: RestClient) -> AsyncIterator[ClientConnection]:
    assert rest.tokens is not None
    async with connect(f"{server.ws_url}?token={rest.tokens.access_token}", proxy=None) as opened:
        yield opened


async def frame(opened: ClientConnection) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await opened.recv())
    return found


async def general(rest: RestClient) -> str:
    return next(one.id for one in await rest.all_conversations() if one.name == "general")


def test_the_sdk_lives_the_evening() -> None:
    async def main() -> list[str]:
        seen: list[str] = []
        async with playing(FAST) as server, TribeClient.login(server.url, "bob", "whatever") as client:
            await client.subscribe(await general(client.rest))
            async for item in client.stream:
                if isinstance(item, Event) and item.name == "message.new":
                    assert not item.complaint
                    seen.append(item.data["content"])
                if len(seen) == 2:
                    break
        return seen

    assert asyncio.run(main()) == ["Hello Bob", "again"]


def test_the_flow_of_the_app_works() -> None:
    """Login, me, conversations, messages, socket, subscribe twice, ping, typing, presence, unsubscribe."""

    async def main() -> None:
        async with playing(FAST) as server, logged_in(server) as rest:
            assert (await rest.me()).email == "bob@tribe.test"
            conversation = await general(rest)
            past = await rest.messages(conversation)
            assert past.messages
            assert is_id(conversation)
            async with socket_of(server, rest) as opened:
                assert await frame(opened) == {
                    "event": "connected", "message": "WebSocket connection established",
                }  # fmt: skip
                subscribe = {"event": "subscribe", "channel": "conversation", "conversation_id": conversation}
                for _ in range(2):
                    await opened.send(json.dumps(subscribe))
                    while (told := await frame(opened))["event"] == "presence":
                        pass
                    assert told == {"event": "subscribed", "conversation_id": conversation}
                for ignored in (
                    "{",
                    "[1]",
                    '{"event":"typing"}',
                    '{"event":"subscribe","conversation_id":7}',
                ):
                    await opened.send(ignored)
                await opened.send(b"\x00")
                await opened.send('{"event":"presence","status":"online"}')
                told = await frame(opened)
                while told["event"] != "message.new":
                    assert told["event"] in {"typing", "presence"}
                    told = await frame(opened)
                now = datetime.now(UTC)
                created = datetime.fromisoformat(told["data"]["created_at"])
                assert abs((now - created).total_seconds()) < 5
                await opened.send(json.dumps({"event": "unsubscribe", "conversation_id": conversation}))
                await opened.send('{"event":"ping"}')
                while (told := await frame(opened))["event"] != "pong":
                    assert told["event"] != "error"

    asyncio.run(main())


def test_what_was_said_can_be_read_in_pages_with_the_ids_of_the_socket() -> None:
    async def main() -> None:
        async with playing() as server, logged_in(server) as rest, socket_of(server, rest) as opened:
            conversation = await general(rest)
            await opened.send(json.dumps({"event": "subscribe", "conversation_id": conversation}))
            while (told := await frame(opened))["event"] != "message.new":
                pass
            everything = (await rest.messages(conversation)).messages
            ids = [message.id for message in everything]
            assert told["data"]["id"] in ids
            times = [message.created_at for message in everything]
            assert times == sorted(times, key=str)
            newest = await rest.messages(conversation, limit=2)
            assert [one.id for one in newest.messages] == ids[-2:]
            assert newest.has_more
            before = await rest.messages(conversation, limit=2, before=ids[-2])
            assert [one.id for one in before.messages] == ids[-4:-2]
            assert [one.id for one in (await rest.messages(conversation, limit=2, page=2)).messages] == ids[
                -4:-2
            ]
            after = await rest.messages(conversation, after=ids[-3])
            assert [one.id for one in after.messages] == ids[-2:]
            last = next(one for one in await rest.all_conversations() if one.id == conversation).last_message
            assert last is not None
            assert last.id == ids[-1]

    asyncio.run(main())


def test_a_guest_can_speak_and_another_hears_it() -> None:
    async def main() -> None:
        async with (
            playing() as server, logged_in(server) as bob, logged_in(server, "cara") as cara,
            socket_of(server, cara) as opened,
        ):  # fmt: skip
            conversation = await general(bob)
            await opened.send(json.dumps({"event": "subscribe", "conversation_id": conversation}))
            sent = await bob.send_message(conversation, "from bob now")
            while (told := await frame(opened))["event"] != "message.new" or told["data"][
                "id"
            ] != sent.message.id:
                pass
            assert told["data"]["content"] == "from bob now"
            assert told["data"]["sender"]["username"] == "bob"
            assert list(told["data"]) == [
                "id", "conversation_id", "sender", "content", "message_type", "created_at",
            ]  # fmt: skip
            await bob.mark_read(conversation)
            with pytest.raises(ApiError, match="422"):
                await bob.send_message(conversation, "   ")

    asyncio.run(main())


def test_tokens_are_checked_and_can_be_renewed() -> None:
    async def main() -> None:
        async with playing() as server, logged_in(server) as rest:
            assert rest.tokens is not None
            assert rest.source is not None
            renewed = await rest.source.renew(rest.tokens.access_token)
            assert rest.tokens.access_token == renewed
            await rest.me()
            for token, reason in (("", "token_missing"), ("a.b.c", "token_invalid")):
                with pytest.raises(ConnectionClosed) as closed:
                    async with connect(f"{server.ws_url}?token={token}", proxy=None) as opened:
                        await opened.recv()
                assert closed.value.rcvd is not None
                assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4401, reason)
            async with RestClient(server.address, "a.b.c") as stranger:
                with pytest.raises(AuthenticationError):
                    await stranger.me()

    asyncio.run(main())


def test_what_a_capture_cannot_answer_is_refused_in_words() -> None:
    async def main() -> None:
        async with playing() as server, logged_in(server, "nobody") as rest:
            assert (await rest.me()).username == "bob"
            assert (await rest.health()).version == "replay"
            found = await rest.call("GET", "/search/users", query={"q": "car"})
            assert [one["username"] for one in found.body] == ["cara"]
            assert (await rest.call("GET", f"/users/{found.body[0]['id']}")).object["is_online"] is False
            one = (await rest.call("GET", f"/conversations/{await general(rest)}")).object
            assert one["participants_count"] == 4
            await rest.call("POST", "/auth/logout", body={})
            with pytest.raises(ApiError, match="recorded evening"):
                await rest.call("POST", "/auth/register", body={})
            for path in (f"/conversations/{found.body[0]['id']}", "/users/x", "/nothing"):
                with pytest.raises(ApiError, match="404"):
                    await rest.call("GET", path)
            with pytest.raises(ApiError, match="413"):
                await rest.send_message(await general(rest), "x" * 1_100_000)
            unseen = await rest.call(
                "GET", f"/conversations/{await general(rest)}/messages", query={"limit": "x"}
            )
            assert len(unseen.object["messages"]) == 2
            with pytest.raises(ApiError, match="Message not found"):
                await rest.messages(await general(rest), before=found.body[0]["id"])

    asyncio.run(main())


def test_somebody_elses_conversation_is_denied() -> None:
    async def main() -> None:
        async with playing() as server, logged_in(server, "alice") as alice, logged_in(server) as bob:
            design = next(one.id for one in await alice.all_conversations() if one.name == "design")
            with pytest.raises(ApiError, match="Access denied"):
                await bob.messages(design)

    asyncio.run(main())


def test_nothing_is_played_before_somebody_subscribes_and_all_hear_of_the_end() -> None:
    async def main() -> None:
        news: list[str] = []
        gone = asyncio.Event()

        def hear(words: str) -> None:
            news.append(words)
            if words.endswith("has gone"):
                gone.set()

        async with playing(on_news=hear) as server, logged_in(server) as rest:
            async with socket_of(server, rest) as opened:
                await frame(opened)
                await opened.send('{"event":"ping"}')
                assert await frame(opened) == {"event": "pong"}
                assert news == ["bob has connected"]
                subscribe = {"event": "subscribe", "conversation_id": await general(rest)}
                await opened.send(json.dumps(subscribe))
                while len(news) < 2:
                    await frame(opened)
            await gone.wait()
        assert news == [
            "bob has connected", "the evening is over; what was said can still be read", "bob has gone",
        ]  # fmt: skip

    asyncio.run(main())


def test_the_end_of_the_server_is_told_to_every_socket() -> None:
    async def main() -> int:
        async with playing() as server, logged_in(server) as rest:
            assert rest.tokens is not None
            opened = await connect(f"{server.ws_url}?token={rest.tokens.access_token}", proxy=None)
            await frame(opened)
        with pytest.raises(ConnectionClosed) as closed:
            await opened.recv()
        assert closed.value.rcvd is not None
        return closed.value.rcvd.code

    assert asyncio.run(main()) == 1012


def test_a_port_that_is_taken_is_said_with_another_one() -> None:
    async def main(port: int) -> None:
        async with ReplayServer(evening(), ClientReplayOptions(port=port)):
            raise AssertionError

    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(ConfigurationError, match="is in use") as caught:
            asyncio.run(main(other.getsockname()[1]))
        assert caught.value.hint == "tribe-ws replay FILE --as server --port 0 picks a free one"


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.1"])
def test_an_address_that_is_not_ours_is_refused(host: str) -> None:
    async def main() -> None:
        async with ReplayServer(evening(), ClientReplayOptions(host=host, port=0)):
            raise AssertionError

    with pytest.raises(ConfigurationError, match="cannot listen on"):
        asyncio.run(main())


def test_a_client_that_does_not_read_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> list[dict[str, Any]]:
        monkeypatch.setattr(guests, "MOST_WAITING", 3)
        replayed = Evening(evening(), now=datetime.now(UTC))
        bob = replayed.world.person("bob")
        assert bob is not None
        guest = Guest(bob, replayed, lambda: None)
        for _ in range(5):
            guest.offer("{}")
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Any) -> None:
            sent.append(dict(message))

        async with asyncio.timeout(DEADLINE):
            await guest.live(receive, send)
        return sent

    assert asyncio.run(main())[-1] == {"type": "websocket.close", "code": 4413, "reason": "slow_consumer"}
