"""A stream where the server speaks ``tribe.v2``: a script that keeps contract 3.5, or not quite."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.client.scripted_server import ALICE, DESIGN, GENERAL, Peer, ScriptedServer, message_id, scripted
from tests.client.test_stream import FAST, names, read_until
from tribe_ws.client.client import TribeClient
from tribe_ws.client.events import CatchUpFailed, Event, Reconnected, TokenRenewed
from tribe_ws.client.options import StreamOptions
from tribe_ws.client.rest import RestClient
from tribe_ws.client.stream import EventStream
from tribe_ws.client.tokens import TokenKeeper, Tokens
from tribe_ws.errors import WaitedInVain
from tribe_ws.protocol.frames_v2 import ConnectedV2, ErrorFrame, MessageNewV2

EPOCH = "epoch one"
END = "2030-01-01T00:00:00.000Z"


class PeerV2:
    """The server's end of a connection in v2; ``epoch`` and ``head`` are what it answers a subscribe with."""

    def __init__(self, peer: Peer, *, epoch: str = EPOCH, head: int = 0) -> None:
        self.peer = peer
        self.epoch = epoch
        self.head = head

    async def connected(self) -> None:
        user = {"id": ALICE, "username": "alice", "full_name": "Alice", "profile_image_url": None}
        data = {
            "connection_id": f"connection {self.peer.number}", "user": user, "server": "script",
            "epoch": self.epoch, "heartbeat_interval": 30, "expires_at": END,
        }  # fmt: skip
        await self.peer.send({"event": "connected", "message": "hello", "data": data})

    async def answer(self) -> dict[str, Any]:
        frame = await self.peer.receive()
        ref = {"ref": frame["ref"]} if "ref" in frame else {}
        if frame["event"] == "ping":
            await self.peer.send({"event": "pong", **ref})
        elif frame["event"] == "auth":
            await self.peer.send({"event": "authenticated", "data": {"expires_at": END}, **ref})
        elif frame["event"] == "subscribe":
            await self._subscribed(frame, ref)
        return frame

    async def _subscribed(self, frame: dict[str, Any], ref: dict[str, str]) -> None:
        after, data = frame.get("after_seq"), {"seq": self.head, "epoch": self.epoch, "online": []}
        if after is not None:
            data["recovered"] = frame.get("epoch") == self.epoch
        about = frame["conversation_id"]
        await self.peer.send({"event": "subscribed", "conversation_id": about, "data": data, **ref})
        if after is not None and data["recovered"]:
            for number in range(after + 1, self.head + 1):
                await self.deliver(number)

    async def deliver(self, number: int) -> None:
        frame = self.peer.server.message_new(number, seq=number, client_message_id=None)
        await self.peer.send(frame)

    async def refuse(self, frame: dict[str, Any], code: str, *, retryable: bool = False) -> None:
        data = {"code": code, "message": "no such conversation", "retryable": retryable}
        await self.peer.send(
            {
                "event": "error",
                "conversation_id": frame["conversation_id"],
                "data": data,
                "ref": frame["ref"],
            }
        )

    async def serve_on(self) -> None:
        while True:
            await self.answer()


Play = Callable[[PeerV2], Awaitable[None]]


def v2(play: Play | None = None, **settings: Any) -> Callable[[Peer], Awaitable[None]]:
    async def handle(peer: Peer) -> None:
        two = PeerV2(peer, **settings)
        await two.connected()
        await (play(two) if play else two.serve_on())

    return handle


async def deliver_three_and_cut(two: PeerV2) -> None:
    await two.answer()
    for number in (1, 2, 3):
        await two.deliver(number)
    two.peer.cut()


def served(*handlers: Any, **options: Any) -> Any:
    return scripted(*handlers, **{"subprotocols": ["tribe.v2"], **options})


def stream_to(server: ScriptedServer, **options: Any) -> EventStream:
    token = options.pop("token", "token")
    rest = RestClient(server.url, token, transport=server.transport)
    return EventStream(
        server.url, token, options=StreamOptions(**{**FAST, **options}), history=rest, user_id=ALICE
    )


def messages(items: list[Any]) -> list[str]:
    return [item.message_id for item in items if isinstance(item, Event) and item.message_id]


def fetches(server: ScriptedServer) -> list[Any]:
    return [request for request in server.requests if "after" in request.url.params]


async def test_the_frames_of_v2_are_read_as_such() -> None:
    async def play(two: PeerV2) -> None:
        await two.answer()
        await two.deliver(1)
        await two.serve_on()

    async with served(v2(play)) as server, stream_to(server) as stream:
        await stream.subscribe(GENERAL)
        message = await stream.wait_for(lambda event: event.name == "message.new", 5)
        assert isinstance(message.frame, MessageNewV2)
        assert (message.seq, message.complaint) == (1, "")
        assert stream.connection_id == "connection 1"
        assert await stream.ping() >= 0
        assert stream.unanswered == 0


async def test_the_connection_tells_who_one_is() -> None:
    async with served(v2()) as server, stream_to(server) as stream:
        connected = await stream.wait_for(lambda event: event.name == "connected", 5)
        assert isinstance(connected.frame, ConnectedV2)


async def test_a_server_that_selects_nothing_gets_the_documented_frames_only() -> None:
    async with scripted() as server, stream_to(server) as stream:
        await stream.subscribe(GENERAL)
        await stream.ping()
        assert stream.connection_id is None
    assert server.received == [
        {"event": "subscribe", "channel": "conversation", "conversation_id": GENERAL},
        {"event": "ping"},
    ]


async def test_v2_is_not_offered_where_it_is_not_wanted() -> None:
    async with served() as server, stream_to(server, offers_v2=False) as stream:
        assert server.peers[0].websocket.subprotocol is None
        await stream.subscribe(GENERAL)
    assert "ref" not in server.received[0]


async def test_what_was_missed_is_replayed_from_the_last_message_handed_out() -> None:
    async with (
        served(v2(deliver_three_and_cut), v2(head=5)) as server,
        stream_to(server) as stream,
    ):
        await stream.subscribe(GENERAL)
        items = await read_until(stream, Reconnected)
    assert messages(items) == [message_id(number) for number in range(1, 6)]
    back = items[-1]
    assert isinstance(back, Reconnected)
    assert (back.missed, back.conversations, back.unconfirmed) == (2, (GENERAL,), ())
    assert [item.is_recovered for item in items if isinstance(item, Event) and item.message_id] == [
        False, False, False, True, True,
    ]  # fmt: skip
    subscribe = [frame for frame in server.received if frame["event"] == "subscribe"][1]
    assert (subscribe["after_seq"], subscribe["epoch"]) == (3, EPOCH)
    assert fetches(server) == []


@pytest.mark.parametrize("second", ["another epoch", "no v2"])
async def test_where_nothing_is_replayed_it_is_fetched(second: str) -> None:
    async def documented(peer: Peer) -> None:
        await peer.connected()
        await peer.serve_on()

    later = v2(epoch="epoch two", head=1) if second == "another epoch" else documented
    async with served(v2(deliver_three_and_cut), later) as server:
        server.store(1, 2, 3, 4, 5)
        stream = stream_to(server)
        # What is stored already is not missed: the subscription begins before it.
        server.stored[GENERAL], stored = [], server.stored[GENERAL]
        async with stream:
            await stream.subscribe(GENERAL)
            server.stored[GENERAL] = stored
            items = await read_until(stream, Reconnected)
    assert messages(items) == [message_id(number) for number in range(1, 6)]
    assert not [item for item in items if isinstance(item, CatchUpFailed)]


async def test_a_refused_subscription_is_told_at_once_and_as_an_event() -> None:
    async def play(two: PeerV2) -> None:
        await two.refuse(await two.peer.receive(), "not_found")
        await two.serve_on()

    async with served(v2(play)) as server, stream_to(server, answer_timeout=60.0) as stream:
        with pytest.raises(WaitedInVain, match=r"refused.*not_found"):
            await stream.subscribe(DESIGN)
        error = await stream.wait_for(lambda event: event.name == "error", 5)
        assert isinstance(error.frame, ErrorFrame)
        assert (stream.unanswered, stream.subscriptions) == (0, ())


async def test_a_subscription_that_may_be_restored_later_is_tried_again() -> None:
    async def refuse(two: PeerV2) -> None:
        await two.refuse(await two.peer.receive(), "internal", retryable=True)
        await two.serve_on()

    handlers = (v2(deliver_three_and_cut), v2(refuse), v2(head=4))
    async with served(*handlers) as server, stream_to(server) as stream:
        await stream.subscribe(GENERAL)
        items = await read_until(stream, Reconnected)
    assert messages(items) == [message_id(number) for number in range(1, 5)]
    assert server.connections == 3


async def test_a_conversation_that_one_was_removed_from_is_not_restored() -> None:
    async def remove(two: PeerV2) -> None:
        await two.answer()
        frame = {"event": "unsubscribed", "conversation_id": GENERAL, "data": {"reason": "removed"}}
        await two.peer.send(frame)
        two.peer.cut()

    async with served(v2(remove), v2()) as server, stream_to(server) as stream:
        await stream.subscribe(GENERAL)
        items = await read_until(stream, Reconnected)
    assert "unsubscribed" in names(items)
    assert stream.subscriptions == ()


class Keys:
    """A refresh that gives numbered tokens of which the first ends at once."""

    def __init__(self) -> None:
        self.given = 0

    async def __call__(self, _refresh: str) -> Tokens:
        self.given += 1
        return Tokens(f"token {self.given}", "refresh")


async def test_a_renewed_token_is_told_on_the_open_socket() -> None:
    keys = Keys()
    keeper = TokenKeeper(Tokens("first", "refresh"), keys)
    due = [0.0]
    keeper.renewal_due = lambda: due.pop() if due else None if keys.given else 100.0  # type: ignore[method-assign]

    async def current() -> str:
        return await keeper.renew("first") if stream.connection_id else keeper.tokens.access_token

    keeper.current = current  # type: ignore[method-assign]
    async with served(v2()) as server:
        stream = stream_to(server, token=keeper)
        async with stream:
            items = await read_until(stream, TokenRenewed)
            assert "Lost" not in names(items)
    (auth,) = [frame for frame in server.received if frame["event"] == "auth"]
    assert auth["token"] == "token 1"
    assert server.connections == 1


async def test_the_word_of_the_server_that_the_token_ends_counts_once_it_has_settled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def play(two: PeerV2) -> None:
        await two.peer.send({"event": "token.expiring", "data": {"expires_at": END}})
        await two.serve_on()

    keys = Keys()
    keeper = TokenKeeper(Tokens("first", "refresh"), keys)
    monkeypatch.setattr(keeper, "renewal_due", lambda: 100.0)
    monkeypatch.setattr("tribe_ws.client.renewing.SETTLED_AFTER", 0.0)
    async with served(v2(play)) as server, stream_to(server, token=keeper) as stream:
        await read_until(stream, TokenRenewed)
        assert keys.given == 1
        assert [frame["event"] for frame in server.received] == ["auth"]


async def test_a_send_names_the_connection_that_needs_no_echo() -> None:
    def rest(request: Any) -> Any:
        import httpx

        if request.method != "POST":
            return None
        return httpx.Response(201, json=ScriptedServer().message_new(1)["data"])

    async with served(v2(), rest=rest) as server:
        client = TribeClient.with_tokens(server.url, "token", transport=server.transport)
        async with client as tribe:
            await tribe.send(GENERAL, "hello")
        (post,) = [request for request in server.requests if request.method == "POST"]
        assert post.headers["X-Connection-Id"] == "connection 1"


async def test_a_replay_that_is_cut_off_is_taken_up_where_it_ended() -> None:
    async def replay_one_and_cut(two: PeerV2) -> None:
        two.head = 4
        await two.answer()
        two.peer.cut()

    handlers = (v2(deliver_three_and_cut), v2(replay_one_and_cut), v2(head=6))
    async with served(*handlers) as server, stream_to(server) as stream:
        await stream.subscribe(GENERAL)
        items: list[Any] = []
        async with asyncio.timeout(5):
            while message_id(6) not in messages(items):
                items.append(await anext(stream))
    assert messages(items) == [message_id(number) for number in range(1, 7)]
