"""A stream over connections that fail in every way; the server is a script, the sockets are real."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.client.scripted_server import DESIGN, GENERAL, Peer, ScriptedServer, message_id, scripted, until
from tests.client.scripted_server import well_behaved as behaved
from tribe_ws.client.buffer import Overflow
from tribe_ws.client.events import (
    Dropped,
    Event,
    Lost,
    Opened,
    PongMissing,
    Reconnected,
    Reconnecting,
    Repeated,
    StreamItem,
    TokenRenewed,
    WireLine,
)
from tribe_ws.client.options import StreamOptions, Timeouts
from tribe_ws.client.stream import EventStream, StreamState
from tribe_ws.client.tokens import FixedToken, TokenKeeper, Tokens, TokenSource
from tribe_ws.errors import AuthenticationError, CannotConnect, ConnectionLost, TribeError, WaitedInVain
from tribe_ws.protocol.frames import Ping, Subscribe

FAST: dict[str, Any] = {
    "first_delay": 0.01, "longest_delay": 0.05, "heartbeat": None, "answer_timeout": 2.0,
    "timeouts": Timeouts(handshake=2.0, connected=1.0, close=0.5),
}  # fmt: skip


def stream_to(server: ScriptedServer, token: str | TokenSource = "token", **options: Any) -> EventStream:
    on_wire = options.pop("on_wire", None)
    return EventStream(server.url, token, options=StreamOptions(**{**FAST, **options}), on_wire=on_wire)


def closing(code: int, reason: str = "") -> Callable[[Peer], Awaitable[None]]:
    """Connect a client, answer its first frame, and close."""

    async def play(peer: Peer) -> None:
        await peer.connected()
        await peer.answer()
        await peer.close(code, reason)

    return play


async def read_until(stream: EventStream, kind: type, seconds: float = 5.0) -> list[StreamItem]:
    """Read up to and including the first item of a kind."""
    items: list[StreamItem] = []
    async with asyncio.timeout(seconds):
        async for item in stream:
            items.append(item)
            if isinstance(item, kind):
                break
    return items


async def read_all(stream: EventStream) -> tuple[list[StreamItem], TribeError | None]:
    items: list[StreamItem] = []
    try:
        async with asyncio.timeout(5):
            async for item in stream:
                items.append(item)  # noqa: PERF401 - what came before an error counts too
    except TribeError as error:
        return items, error
    return items, None


def names(items: Sequence[StreamItem]) -> list[str]:
    return [item.name if isinstance(item, Event) else type(item).__name__ for item in items]


# ── the ordinary life ───────────────────────────────────────────────────────────────────────────────────────


async def test_events_and_notices_come_in_one_iteration() -> None:
    async with scripted() as server, stream_to(server) as stream:
        assert stream.state is StreamState.OPEN
        assert await stream.subscribe(GENERAL) >= 0
        await server.peers[0].deliver(1)
        items = await read_until(stream, Event, 5)
        items += [await anext(stream), await anext(stream)]
    assert names(items) == ["Opened", "connected", "subscribed", "message.new"]
    opened, _, subscribed, message = items
    assert isinstance(opened, Opened)
    assert isinstance(subscribed, Event)
    assert isinstance(message, Event)
    assert opened.seconds > 0
    assert subscribed.latency is not None
    assert message.message_id == message_id(1)
    assert not message.is_recovered


async def test_closing_is_orderly_and_ends_the_iteration() -> None:
    async with scripted() as server:
        stream = stream_to(server)
        await stream.connect()
        await stream.close()
        items, error = await read_all(stream)
        assert (names(items), error, stream.state) == (["Opened", "connected"], None, StreamState.ENDED)
        await server.peers[0].websocket.wait_closed()
        assert server.peers[0].websocket.close_code == 1000
        await stream.close()
        with pytest.raises(ConnectionLost):
            await stream.send(Ping())
        with pytest.raises(ConnectionLost):
            await stream.subscribe(GENERAL)
        with pytest.raises(RuntimeError, match="connected once"):
            await stream.connect()


async def test_a_close_code_of_ones_own_reaches_the_server() -> None:
    async with scripted() as server:
        async with stream_to(server) as stream:
            await stream.close(4000, "done")
        await server.peers[0].websocket.wait_closed()
        assert (server.peers[0].websocket.close_code, server.peers[0].websocket.close_reason) == (
            4000,
            "done",
        )


async def test_a_stream_that_never_connected_closes_quietly() -> None:
    stream = EventStream("http://127.0.0.1:1", "token")
    with pytest.raises(ConnectionLost):
        await stream.ping()
    with pytest.raises(ConnectionLost):
        await stream.subscribe(GENERAL)
    assert stream.unanswered == 0
    await stream.close()
    assert await read_all(stream) == ([], None)


async def test_the_documented_client_frames_go_out_as_documented() -> None:
    async with scripted() as server, stream_to(server) as stream:
        await stream.subscribe(GENERAL)
        await stream.typing(GENERAL, True)
        await stream.presence("away")
        await stream.ping()
        await stream.unsubscribe(GENERAL)
        await until(lambda: len(server.received) == 5)
    assert server.received == [
        {"event": "subscribe", "channel": "conversation", "conversation_id": GENERAL},
        {"event": "typing", "conversation_id": GENERAL, "is_typing": True},
        {"event": "presence", "status": "away"},
        {"event": "ping"},
        {"event": "unsubscribe", "conversation_id": GENERAL},
    ]
    assert stream.subscriptions == ()


async def test_frames_sent_in_any_form_get_their_latency() -> None:
    async with scripted() as server, stream_to(server) as stream:
        await stream.send('{"event":"ping"}')
        await stream.send({"event": "ping"})
        await stream.send(Subscribe(conversation_id=GENERAL))
        assert stream.unanswered == 3
        await until(lambda: stream.unanswered == 0)
        assert stream.unread == 5
        items = [await anext(stream) for _ in range(5)]
    answers = [item for item in items if isinstance(item, Event) and item.name != "connected"]
    assert all(event.latency is not None and not event.is_heartbeat for event in answers)
    assert stream.subscriptions == (GENERAL,)


async def test_a_ping_without_a_pong_is_waited_for_in_vain() -> None:
    async def deaf(peer: Peer) -> None:
        await peer.connected()
        while True:
            await peer.receive()

    async with scripted(deaf) as server, stream_to(server) as stream:
        with pytest.raises(WaitedInVain, match="no pong came within"):
            await stream.ping(timeout=0.05)
        assert stream.unanswered == 0
        with pytest.raises(WaitedInVain, match="did not confirm the subscription") as raised:
            await stream.subscribe(GENERAL, timeout=0.05)
    assert "stays silent" in raised.value.hint
    assert stream.subscriptions == ()


async def test_a_late_answer_to_an_abandoned_ping_is_no_answer_to_the_next() -> None:
    async def slow(peer: Peer) -> None:
        await peer.connected()
        await peer.receive()
        await peer.receive()
        await peer.send({"event": "pong"})
        await peer.serve_on()

    async with scripted(slow) as server, stream_to(server) as stream:
        with pytest.raises(WaitedInVain):
            await stream.ping(timeout=0.05)
        assert await stream.ping() < 1.0


async def test_a_confirmation_nobody_asked_for_is_no_subscription() -> None:
    async def generous(peer: Peer) -> None:
        await peer.connected()
        await peer.send({"event": "subscribed", "conversation_id": DESIGN})
        await peer.serve_on()

    async with scripted(generous) as server, stream_to(server) as stream:
        await stream.ping()
    assert stream.subscriptions == ()


async def test_a_subscription_taken_away_by_the_server_is_no_longer_one() -> None:
    async def taking(peer: Peer) -> None:
        await peer.connected()
        await peer.answer()
        await peer.send({"event": "unsubscribed", "conversation_id": GENERAL, "data": {"reason": "removed"}})
        await peer.serve_on()

    async with scripted(taking) as server, stream_to(server) as stream:
        await stream.subscribe(GENERAL)
        await stream.ping()
        assert stream.subscriptions == ()


async def test_no_token_shows_in_the_stream_or_its_wire() -> None:
    lines: list[WireLine] = []
    async with scripted() as server, stream_to(server, "secret-token", on_wire=lines.append) as stream:
        await stream.ping()
        assert "secret" not in repr(stream)
    assert not any("secret" in line.text for line in lines)


async def test_unknown_events_and_broken_frames_do_not_disturb_a_stream() -> None:
    async def odd(peer: Peer) -> None:
        await peer.connected()
        for frame in ('{"event":"reaction","x":1}', "{broken", "[]", '{"event":"message.new"}', '"text"'):
            await peer.send(frame)
        await peer.send(b"\xff\x00")
        await peer.serve_on()

    async with scripted(odd) as server, stream_to(server) as stream:
        await stream.ping()
        items = [await anext(stream) for _ in range(9)]
    assert names(items)[2:] == ["reaction", "", "", "message.new", "", "", "pong"]
    events = [item for item in items if isinstance(item, Event)]
    assert [bool(event.complaint) for event in events] == [False, True, True, True, True, True, True, False]
    assert events[1].raw["x"] == 1


async def test_a_message_sent_twice_is_one_event_and_one_notice() -> None:
    async def stutter(peer: Peer) -> None:
        await peer.connected()
        for number in (1, 2, 1, 3):
            await peer.deliver(number)
        await peer.serve_on()

    async with scripted(stutter) as server, stream_to(server) as stream:
        await stream.ping()
        items = [await anext(stream) for _ in range(7)]
    assert names(items)[2:] == ["message.new", "message.new", "Repeated", "message.new", "pong"]
    repeated = items[4]
    assert isinstance(repeated, Repeated)
    assert repeated.event.message_id == message_id(1)


# ── waiting for an event ────────────────────────────────────────────────────────────────────────────────────


async def test_wait_for_reads_on_until_an_event_matches() -> None:
    async with scripted() as server, stream_to(server) as stream:
        await stream.subscribe(GENERAL)
        for number in (1, 2, 3):
            await server.peers[0].deliver(number)
        found = await stream.wait_for(lambda event: event.message_id == message_id(2), 2.0)
        assert found.data["content"] == "message 2"
        after = await anext(stream)
    assert isinstance(after, Event)
    assert after.message_id == message_id(3)


async def test_wait_for_says_what_it_saw_instead() -> None:
    async with scripted() as server, stream_to(server) as stream:
        await stream.ping()
        with pytest.raises(WaitedInVain) as raised:
            await stream.wait_for(lambda event: event.name == "typing", 0.1, what="bob's typing")
        assert str(raised.value) == "bob's typing did not come within 0.1 s (saw: connected 1, pong 1)"
        with pytest.raises(WaitedInVain, match="saw: nothing"):
            await stream.wait_for(lambda _: True, 0.05)
        assert raised.value.seconds == 0.1


async def test_wait_for_ends_with_the_stream() -> None:
    async with scripted(closing(1000)) as server, stream_to(server) as stream:
        await stream.send(Ping())
        with pytest.raises(ConnectionLost):
            await stream.wait_for(lambda _: False, 5.0)
    async with scripted(closing(4403)) as server, stream_to(server) as stream:
        await stream.send(Ping())
        with pytest.raises(AuthenticationError):
            await stream.wait_for(lambda _: False, 5.0)


# ── the first connection ────────────────────────────────────────────────────────────────────────────────────


async def test_whoever_begins_is_told_at_once_what_is_wrong() -> None:
    async with scripted() as server:
        pass
    stream = stream_to(server)
    with pytest.raises(CannotConnect, match="nothing is listening"):
        await stream.connect()
    assert stream.state is StreamState.ENDED
    await stream.close()


@pytest.mark.parametrize("refuse", [401, 403])
async def test_a_refused_first_token_is_renewed_once(refuse: int) -> None:
    async with scripted(refuse=(refuse,)) as server:
        source, renewals = renewing()
        async with stream_to(server, source) as stream:
            assert await stream.ping() >= 0
            assert isinstance(await anext(stream), TokenRenewed)
    assert [path.rpartition("=")[2] for path in server.paths] == ["first", "renewed-1"]
    assert renewals == ["refresh"]


async def test_a_refused_first_token_that_cannot_be_renewed_is_told_with_the_servers_reason() -> None:
    async with scripted(lambda peer: peer.close(4401, "token_invalid")) as server:
        with pytest.raises(AuthenticationError) as raised:
            await stream_to(server).connect()
        assert raised.value.close_code == 4401
        assert server.connections == 1


# ── losses ──────────────────────────────────────────────────────────────────────────────────────────────────


async def cut(peer: Peer) -> None:
    await peer.connected()
    await peer.answer()
    peer.cut()


async def cut_in_frame(peer: Peer) -> None:
    await peer.connected()
    await peer.answer()
    peer.write_raw(b"\x81\x7e\x01\x00half a fra")
    await asyncio.sleep(0)
    peer.cut()


@pytest.mark.parametrize(
    ("first", "code", "meaning"),
    [
        (cut, 1006, "no close frame"),
        (cut_in_frame, 1006, "no close frame"),
        (closing(1012, "restart"), 1012, "the server stops"),
        (closing(1001), 1001, "goes away"),
        (closing(4413, "slow_consumer"), 4413, "too slowly"),
        (closing(4999, "its own"), 4999, ""),
    ],
    ids=["cut", "cut-in-frame", "restart", "going-away", "slow", "unknown"],
)
async def test_after_a_loss_the_stream_comes_back_and_says_so(
    first: Callable[[Peer], Awaitable[None]], code: int, meaning: str
) -> None:
    async with scripted(first, behaved) as server, stream_to(server) as stream:
        await stream.subscribe(GENERAL)
        items = await read_until(stream, Reconnected)
        await stream.ping()
    told = [item for item in items if not isinstance(item, Event)]
    assert names(told) == ["Opened", "Lost", "Reconnecting", "Reconnected"]
    lost, again, back = told[1:]
    assert isinstance(lost, Lost)
    assert isinstance(again, Reconnecting)
    assert isinstance(back, Reconnected)
    assert lost.code == code
    assert meaning in lost.meaning
    assert (again.attempt, back.attempt) == (1, 1)
    assert (back.conversations, back.missed, back.unconfirmed) == ((GENERAL,), 0, ())
    assert back.gap > 0
    assert [frame["event"] for frame in server.received].count("subscribe") == 2


async def test_tries_go_on_while_nobody_answers() -> None:
    async with scripted(cut, behaved) as server, stream_to(server) as stream:
        await stream.subscribe(GENERAL)
        await server.stop()
        items = await read_until(stream, Reconnecting)
        items += await read_until(stream, Reconnecting)
        await server.start(server.port)
        items += await read_until(stream, Reconnected)
    tries = [item for item in items if isinstance(item, Reconnecting)]
    assert [item.attempt for item in tries] == sorted({item.attempt for item in tries})
    assert isinstance(tries[-1].error, CannotConnect)
    back = items[-1]
    assert isinstance(back, Reconnected)
    assert back.attempt == tries[-1].attempt


async def test_an_upgrade_refused_for_a_while_is_tried_again() -> None:
    async with scripted(cut, behaved) as server, stream_to(server) as stream:
        server.refuse = [503, 404]
        await stream.subscribe(GENERAL)
        items = await read_until(stream, Reconnected)
    assert max(item.attempt for item in items if isinstance(item, Reconnecting)) == 3


async def test_a_normal_close_by_the_server_ends_the_stream_without_an_error() -> None:
    async with scripted(closing(1000)) as server, stream_to(server) as stream:
        await stream.send(Ping())
        items, error = await read_all(stream)
    assert error is None
    assert names(items)[-1] == "Lost"
    assert server.connections == 1


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (4403, "account_disabled", AuthenticationError),
        (4401, "token_invalid", AuthenticationError),
        (1009, "", ConnectionLost),
        (1007, "", ConnectionLost),
    ],
)
async def test_a_final_close_is_not_tried_again(code: int, reason: str, kind: type[TribeError]) -> None:
    async with scripted(closing(code, reason)) as server, stream_to(server) as stream:
        await stream.send(Ping())
        items, error = await read_all(stream)
        assert isinstance(error, kind)
        assert names(items)[-1] == "Lost"
        assert server.connections == 1
        with pytest.raises(kind):
            await stream.send(Ping())


async def test_without_reconnecting_the_first_loss_is_the_error() -> None:
    async with scripted(cut, behaved) as server, stream_to(server, reconnect=False) as stream:
        await stream.send(Ping())
        _, error = await read_all(stream)
    assert isinstance(error, ConnectionLost)
    assert error.close_code == 1006
    assert server.connections == 1


async def test_tries_can_be_limited() -> None:
    async with scripted(cut) as server, stream_to(server, max_tries=2) as stream:
        await stream.subscribe(GENERAL)
        await server.stop()
        items, error = await read_all(stream)
    assert isinstance(error, CannotConnect)
    assert max(item.attempt for item in items if isinstance(item, Reconnecting)) == 2


async def test_whoever_waits_for_an_answer_hears_of_the_end() -> None:
    async def mean(peer: Peer) -> None:
        await peer.connected()
        await peer.receive()
        await peer.close(4403, "account_disabled")

    async with scripted(mean) as server, stream_to(server) as stream:
        with pytest.raises(AuthenticationError):
            await stream.ping()


async def test_a_subscribe_under_way_is_finished_by_the_next_connection() -> None:
    async def dies(peer: Peer) -> None:
        await peer.connected()
        await peer.receive()
        peer.cut()

    async with scripted(dies, behaved) as server, stream_to(server) as stream:
        assert await stream.subscribe(GENERAL) >= 0
        assert server.connections == 2
        await read_until(stream, Reconnected)


async def test_while_there_is_no_connection_sending_says_so_and_subscribing_waits() -> None:
    async with scripted(cut, behaved) as server, stream_to(server) as stream:
        await stream.subscribe(GENERAL)
        await server.stop()
        await until(lambda: stream.state is not StreamState.OPEN)
        with pytest.raises(ConnectionLost):
            await stream.send(Ping())
        subscribing = asyncio.create_task(stream.subscribe(DESIGN))
        await asyncio.sleep(0)
        await server.start(server.port)
        assert await subscribing >= 0
        assert set(stream.subscriptions) == {GENERAL, DESIGN}


async def test_closing_while_waiting_for_the_next_try_ends_at_once() -> None:
    options: dict[str, Any] = {"first_delay": 60.0, "longest_delay": 60.0}
    async with scripted(cut) as server, stream_to(server, **options) as stream:
        await stream.subscribe(GENERAL)
        await read_until(stream, Reconnecting)
        async with asyncio.timeout(1):
            await stream.close()
        assert await read_all(stream) == ([], None)


async def test_reconnect_now_does_not_wait() -> None:
    options: dict[str, Any] = {"first_delay": 1e6, "longest_delay": 1e6}
    async with scripted(cut, behaved) as server, stream_to(server, **options) as stream:
        await stream.subscribe(GENERAL)
        await read_until(stream, Reconnecting)
        stream.reconnect_now()
        await read_until(stream, Reconnected)


async def test_reconnect_now_replaces_an_open_connection_even_where_none_is_replaced_by_itself() -> None:
    async with scripted() as server, stream_to(server, reconnect=False) as stream:
        await stream.subscribe(GENERAL)
        stream.reconnect_now()
        items = await read_until(stream, Reconnected)
        assert server.connections == 2
    lost = next(item for item in items if isinstance(item, Lost))
    assert lost.reason == "reconnect asked for"


async def test_a_subscription_that_is_not_confirmed_again_is_told() -> None:
    async def forgetful(peer: Peer) -> None:
        await peer.connected()
        while True:
            await peer.receive()

    async with scripted(cut, forgetful) as server, stream_to(server, answer_timeout=0.1) as stream:
        await stream.subscribe(GENERAL)
        back = (await read_until(stream, Reconnected))[-1]
    assert isinstance(back, Reconnected)
    assert (back.conversations, back.unconfirmed) == ((), (GENERAL,))


async def test_a_connection_lost_while_restoring_is_restored_by_the_next() -> None:
    async def dies_early(peer: Peer) -> None:
        await peer.connected()
        await peer.receive()
        peer.cut()

    async with scripted(cut, dies_early, dies_early, behaved) as server, stream_to(server) as stream:
        await stream.subscribe(GENERAL)
        items = await read_until(stream, Reconnected)
    assert names(items).count("Lost") == 3
    assert names(items).count("Reconnected") == 1


# ── heartbeat ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_heartbeat_pongs_are_marked_and_keep_their_latency() -> None:
    async with scripted() as server, stream_to(server, heartbeat=(0.01, 0.02)) as stream:
        pong = await stream.wait_for(lambda event: event.name == "pong", 5.0)
    assert pong.is_heartbeat
    assert pong.latency is not None


async def test_a_dead_connection_is_found_and_replaced() -> None:
    async def dies_silently(peer: Peer) -> None:
        await peer.connected()
        await peer.answer()
        peer.websocket.transport.pause_reading()
        await peer.websocket.wait_closed()

    options: dict[str, Any] = {"heartbeat": (0.02, 0.03), "pong_timeout": 0.1}
    async with scripted(dies_silently, behaved) as server, stream_to(server, **options) as stream:
        await stream.subscribe(GENERAL)
        items = await read_until(stream, Reconnected)
        server.peers[0].cut()
    lost = next(item for item in items if isinstance(item, Lost))
    assert (lost.code, lost.reason) == (1006, "no sign of life for 0.1 s after a ping")


async def test_a_server_without_pongs_that_lives_is_kept_and_told_once() -> None:
    async def pongless(peer: Peer) -> None:
        await peer.connected()
        while True:
            await peer.receive()

    options: dict[str, Any] = {"heartbeat": (0.01, 0.01), "pong_timeout": 0.03}
    async with scripted(pongless) as server, stream_to(server, **options) as stream:
        await until(lambda: len(server.received) >= 4)
        items = [await anext(stream) for _ in range(stream.unread)]
    assert names(items) == ["Opened", "connected", "PongMissing"]
    missing = items[-1]
    assert isinstance(missing, PongMissing)
    assert missing.seconds == 0.03


async def test_a_server_that_talks_without_pongs_is_alive() -> None:
    async def talker(peer: Peer) -> None:
        await peer.connected()
        peer.websocket.transport.pause_reading()
        for number in range(1000):
            await peer.deliver(number)
            await asyncio.sleep(0.01)

    options: dict[str, Any] = {
        "heartbeat": (0.01, 0.01),
        "pong_timeout": 0.05,
        "timeouts": Timeouts(close=0.05),
    }
    async with scripted(talker) as server, stream_to(server, **options) as stream:
        items = await read_until(stream, PongMissing)
        server.peers[0].cut()
    assert "Lost" not in names(items)


# ── the reader is slow ──────────────────────────────────────────────────────────────────────────────────────


async def flood(peer: Peer) -> None:
    await peer.connected()
    for number in range(300):
        await peer.deliver(number)
    await peer.serve_on()


async def test_a_paused_reader_loses_nothing() -> None:
    async with scripted(flood) as server, stream_to(server, buffer=10, heartbeat=(0.01, 0.02)) as stream:
        await until(lambda: stream.unread == 10)
        seen: list[str | None] = []
        while len(seen) < 300:
            item = await anext(stream)
            assert stream.unread <= 10
            if isinstance(item, Event) and item.name == "message.new":
                seen.append(item.message_id)
    assert seen == [message_id(number) for number in range(300)]


async def test_a_reader_that_lets_the_oldest_go_is_told_how_many() -> None:
    options: dict[str, Any] = {"buffer": 10, "overflow": Overflow.DROP_OLDEST}
    async with scripted(flood) as server, stream_to(server, **options) as stream:
        await stream.ping()
        items = [await anext(stream) for _ in range(11)]
    dropped = items[0]
    assert isinstance(dropped, Dropped)
    assert dropped.count == 303 - 10
    assert names(items)[-1] == "pong"


async def test_a_stream_nobody_reads_closes_all_the_same() -> None:
    async with scripted(flood) as server:
        stream = stream_to(server, buffer=1)
        await stream.connect()
        async with asyncio.timeout(5):
            await stream.close()


async def test_two_readers_at_once_are_refused() -> None:
    async with scripted() as server, stream_to(server) as stream:
        await read_until(stream, Event)
        reading = asyncio.create_task(anext_of(stream))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="one reader at a time"):
            await stream.wait_for(lambda _: True, 1.0)
        reading.cancel()
        await asyncio.wait({reading})


async def anext_of(stream: EventStream) -> StreamItem:
    return await anext(stream)


# ── tokens ──────────────────────────────────────────────────────────────────────────────────────────────────


def renewing(
    tokens: Tokens | None = None, error: TribeError | None = None, life: float = 3600.0
) -> tuple[TokenKeeper, list[str]]:
    asked: list[str] = []

    async def refresh(refresh_token: str) -> Tokens:
        asked.append(refresh_token)
        if error is not None:
            raise error
        return Tokens(f"renewed-{len(asked)}", None, datetime.now(UTC) + timedelta(seconds=life))

    return TokenKeeper(tokens or Tokens("first", "refresh"), refresh), asked


async def test_an_expired_token_is_renewed_and_the_stream_goes_on_without_delay() -> None:
    async with scripted(closing(4401, "token_expired"), behaved) as server:
        source, _ = renewing()
        started = time.monotonic()
        options: dict[str, Any] = {"first_delay": 60.0, "longest_delay": 60.0}
        async with stream_to(server, source, **options) as stream:
            await stream.subscribe(GENERAL)
            items = await read_until(stream, Reconnected)
    assert time.monotonic() - started < 5
    assert "TokenRenewed" in names(items)
    assert [path.rpartition("=")[2] for path in server.paths] == ["first", "renewed-1"]


async def test_a_token_that_is_refused_even_when_new_ends_the_stream() -> None:
    async with scripted(closing(4401, "x"), lambda peer: peer.close(4401, "user_unknown")) as server:
        source, asked = renewing()
        async with stream_to(server, source) as stream:
            await stream.send(Ping())
            _, error = await read_all(stream)
    assert isinstance(error, AuthenticationError)
    assert error.reason == "user_unknown"
    assert (len(asked), server.connections) == (1, 2)


async def test_a_refused_renewal_ends_the_stream_with_its_reason() -> None:
    async with scripted(closing(4401, "token_revoked"), behaved) as server:
        source, _ = renewing(error=AuthenticationError("Refresh token revoked"))
        async with stream_to(server, source) as stream:
            await stream.send(Ping())
            _, error = await read_all(stream)
    assert str(error) == "Refresh token revoked"
    assert server.connections == 1


async def test_a_renewal_that_fails_for_the_network_is_tried_again() -> None:
    async with scripted(closing(4401, "token_revoked"), behaved) as server:
        troubles: list[TribeError] = [CannotConnect("nobody"), CannotConnect("nobody")]

        async def refresh(_: str) -> Tokens:
            if troubles:
                raise troubles.pop()
            return Tokens("renewed")

        async def refuse_the_old(peer: Peer) -> None:
            if server.paths[-1].endswith("first"):
                await peer.close(4401, "token_revoked")
            else:
                await behaved(peer)

        server.handlers = (server.handlers[0], refuse_the_old)
        async with stream_to(server, TokenKeeper(Tokens("first", "refresh"), refresh)) as stream:
            await stream.send(Ping())
            await read_until(stream, Reconnected)
    assert server.paths[-1].endswith("renewed")


async def test_a_token_is_renewed_before_it_ends_and_told() -> None:
    ends_soon = Tokens("first", "refresh", datetime.now(UTC) + timedelta(seconds=60.05))
    async with scripted() as server:
        source, asked = renewing(ends_soon)
        async with stream_to(server, source) as stream:
            items = await read_until(stream, TokenRenewed)
            await stream.ping()
    renewed = items[-1]
    assert isinstance(renewed, TokenRenewed)
    assert renewed.expires_at is not None
    assert asked == ["refresh"]
    assert server.connections == 1


async def test_an_early_renewal_that_fails_disturbs_nothing() -> None:
    ends_soon = Tokens("first", "refresh", datetime.now(UTC) + timedelta(seconds=60.02))
    async with scripted() as server:
        source, asked = renewing(ends_soon, CannotConnect("nobody"))
        async with stream_to(server, source) as stream:
            await until(lambda: bool(asked))
            await stream.ping()
            assert stream.state is StreamState.OPEN


async def test_the_last_word_on_a_token_comes_from_its_source() -> None:
    class Rotating(FixedToken):
        """A source of somebody else's making."""

        def __init__(self) -> None:
            super().__init__("")
            self.given = 0

        async def current(self) -> str:
            self.given += 1
            return f"given-{self.given}"

    async with scripted(cut, behaved) as server, stream_to(server, Rotating()) as stream:
        await stream.subscribe(GENERAL)
        await read_until(stream, Reconnected)
    assert [path.rpartition("=")[2] for path in server.paths] == ["given-1", "given-2"]


# ── cancellation and bugs ───────────────────────────────────────────────────────────────────────────────────


async def test_cancelling_the_user_of_a_stream_closes_it() -> None:
    async with scripted() as server:

        async def use() -> None:
            async with stream_to(server) as stream:
                await stream.subscribe(GENERAL)
                async for _ in stream:
                    pass

        using = asyncio.create_task(use())
        await until(lambda: len(server.received) == 1)
        using.cancel()
        with pytest.raises(asyncio.CancelledError):
            await using
        async with asyncio.timeout(2):
            await server.peers[0].websocket.wait_closed()
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "tribe-ws event stream"]


async def test_cancelling_a_close_leaves_nothing_behind() -> None:
    async def stubborn(peer: Peer) -> None:
        await peer.connected()
        peer.websocket.transport.pause_reading()
        await peer.websocket.wait_closed()

    async with scripted(stubborn) as server:
        stream = stream_to(server, timeouts=Timeouts(close=30.0))
        await stream.connect()
        closing_it = asyncio.create_task(stream.close())
        await asyncio.sleep(0.01)
        closing_it.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing_it
        assert stream.state is StreamState.ENDED
        server.peers[0].cut()
    assert await read_all(stream) is not None


async def test_a_bug_in_a_hook_reaches_the_reader() -> None:
    def broken(line: WireLine) -> None:
        if line.direction == "in" and "pong" in line.text:
            raise ZeroDivisionError

    async with scripted() as server, stream_to(server, on_wire=broken) as stream:
        await stream.send(Ping())
        with pytest.raises((ZeroDivisionError, ExceptionGroup)):
            await read_until(stream, Lost)
