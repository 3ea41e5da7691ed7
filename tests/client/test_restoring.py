"""Catching up after a gap: what was missed, what comes live meanwhile, and servers that make it hard."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.client.scripted_server import (
    ALICE,
    BOB,
    DESIGN,
    GENERAL,
    Peer,
    ScriptedServer,
    message_id,
    scripted,
    until,
)
from tests.client.scripted_server import well_behaved as behaved
from tests.client.test_stream import FAST, names, read_until
from tribe_ws.client.events import CatchUpFailed, Event, Reconnected, StreamItem
from tribe_ws.client.options import StreamOptions
from tribe_ws.client.rest import RestClient
from tribe_ws.client.stream import EventStream, StreamState
from tribe_ws.errors import ApiError


class Meeting:
    """A stream with history at a scripted server; ``async with`` opens and closes both sides of it."""

    def __init__(self, server: ScriptedServer, **options: Any) -> None:
        self.rest = RestClient(server.url, "token", transport=server.transport)
        chosen = StreamOptions(**{**FAST, **options})
        self.stream = EventStream(server.url, "token", options=chosen, history=self.rest, user_id=ALICE)

    async def __aenter__(self) -> EventStream:
        await self.stream.connect()
        return self.stream

    async def __aexit__(self, *_: object) -> None:
        await self.stream.close()
        await self.rest.close()


def message_numbers(items: list[StreamItem], conversation_id: str = GENERAL) -> list[int]:
    return [
        int(str(item.message_id)[-12:])
        for item in items
        if isinstance(item, Event) and item.name == "message.new" and item.conversation_id == conversation_id
    ]


def losing_after(*numbers: int, missed: tuple[int, ...] = ()) -> Any:
    """Confirm one subscription, deliver messages, be cut; ``missed`` are stored meanwhile."""

    async def play(peer: Peer) -> None:
        await peer.connected()
        await peer.answer()
        for number in numbers:
            peer.server.store(number)
            await peer.deliver(number)
        peer.server.store(*missed)
        await peer.close(1012, "restart")

    return play


async def test_what_was_missed_is_fetched_after_the_last_message_seen() -> None:
    async with scripted(losing_after(1, 2, missed=(3, 4)), behaved) as server:
        server.store(0)
        async with Meeting(server) as stream:
            await stream.subscribe(GENERAL)
            items = await read_until(stream, Reconnected)
    assert message_numbers(items) == [1, 2, 3, 4]
    fetched = [item for item in items if isinstance(item, Event) and item.is_recovered]
    assert [event.data["content"] for event in fetched] == ["message 3", "message 4"]
    assert all(event.frame is not None and not event.complaint for event in fetched)
    back = items[-1]
    assert isinstance(back, Reconnected)
    assert back.missed == 2


async def test_nothing_from_before_the_subscription_is_handed_out() -> None:
    async with scripted(losing_after(missed=(3,)), behaved) as server:
        server.store(1, 2)
        async with Meeting(server) as stream:
            await stream.subscribe(GENERAL)
            items = await read_until(stream, Reconnected)
    assert message_numbers(items) == [3]


async def test_a_conversation_that_was_empty_is_caught_up_from_its_beginning() -> None:
    async with scripted(losing_after(missed=(1, 2)), behaved) as server, Meeting(server) as stream:
        await stream.send({"event": "subscribe", "conversation_id": GENERAL})
        items = await read_until(stream, Reconnected)
    assert message_numbers(items) == [1, 2]


async def test_many_missed_messages_come_in_order_over_many_pages() -> None:
    async with (
        scripted(losing_after(1, missed=tuple(range(2, 230))), behaved) as server,
        Meeting(server, buffer=10) as stream,
    ):
        await stream.subscribe(GENERAL)
        items = await read_until(stream, Reconnected)
    assert message_numbers(items) == list(range(1, 230))


async def test_messages_that_arrive_live_while_fetching_follow_what_was_missed() -> None:
    async def live_at_once(peer: Peer) -> None:
        await peer.connected()
        await peer.answer()
        for number in (5, 6, 7):
            await peer.deliver(number)
        peer.server.store(5, 6, 7)
        await peer.send({"event": "typing", "conversation_id": GENERAL, "data": {}})
        await peer.serve_on()

    def slowly(request: httpx.Request) -> httpx.Response | None:
        # The live messages are on their way before the first page is answered, and are in it as well.
        if "after" in request.url.params and not server.stored[GENERAL][-1]["id"].endswith("7"):
            return httpx.Response(503, json={"detail": "not yet"})
        return None

    async with (
        scripted(losing_after(1, 2, missed=(3, 4)), live_at_once, rest=slowly) as server,
        Meeting(server) as stream,
    ):
        await stream.subscribe(GENERAL)
        items = await read_until(stream, Reconnected)
        await stream.ping()
        items += await read_until(stream, Event)
    assert message_numbers(items) == [1, 2, 3, 4, 5, 6, 7]
    assert "Repeated" not in names(items)


async def test_more_live_messages_than_can_be_held_are_fetched_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tribe_ws.client.catch_up.MOST_HELD", 5)
    flooded = asyncio.Event()

    async def flood(peer: Peer) -> None:
        await peer.connected()
        await peer.answer()
        for number in range(3, 40):
            peer.server.store(number)
            await peer.deliver(number)
        flooded.set()
        await peer.serve_on()

    def slowly(request: httpx.Request) -> httpx.Response | None:
        late = "after" in request.url.params and not flooded.is_set()
        return httpx.Response(503, json={"detail": "not yet"}) if late else None

    scripts = (losing_after(1, missed=(2,)), flood)
    async with scripted(*scripts, rest=slowly) as server, Meeting(server) as stream:
        await stream.subscribe(GENERAL)
        items = await read_until(stream, Reconnected)
        await stream.ping()
        await server.peers[1].deliver(40)
        items.append(await stream.wait_for(lambda event: event.message_id == message_id(40), 5.0))
    assert message_numbers(items) == list(range(1, 41))


async def test_live_messages_not_in_history_yet_are_handed_out_after_it() -> None:
    async def ahead(peer: Peer) -> None:
        await peer.connected()
        await peer.answer()
        await peer.deliver(8)
        await peer.deliver(8)
        await peer.deliver(9)
        await peer.serve_on()

    async with scripted(losing_after(1, missed=(7,)), ahead) as server, Meeting(server) as stream:
        await stream.subscribe(GENERAL)
        items = await read_until(stream, Reconnected)
        await stream.ping()
        items += await read_until(stream, Event)
    assert message_numbers(items) == [1, 7, 8, 9]
    assert names(items).count("Repeated") == 1


@pytest.mark.parametrize("history_fails", [False, True])
async def test_a_subscription_made_while_the_server_was_away_has_missed_nothing(history_fails: bool) -> None:
    down = [False]

    def answer(request: httpx.Request) -> httpx.Response | None:
        if down[0]:
            raise httpx.ConnectError("away")
        return httpx.Response(404, json={}) if history_fails and DESIGN in request.url.path else None

    async with scripted(losing_after(1), behaved, rest=answer) as server, Meeting(server) as stream:
        await stream.subscribe(GENERAL)
        await server.stop()
        await until(lambda: stream.state is not StreamState.OPEN)
        down[0] = True
        server.store(11, 12, conversation_id=DESIGN)
        subscribing = asyncio.create_task(stream.subscribe(DESIGN))
        await asyncio.sleep(0.01)
        down[0] = False
        await server.start(server.port)
        await subscribing
        items = await read_until(stream, Reconnected)
    assert message_numbers(items, DESIGN) == []
    assert "CatchUpFailed" not in names(items)


async def test_ones_own_messages_are_not_handed_out_after_a_gap_either() -> None:
    async with scripted(losing_after(1), behaved) as server, Meeting(server) as stream:
        await stream.subscribe(GENERAL)
        server.store(2, sender_id=ALICE)
        server.store(3, sender_id=BOB)
        items = await read_until(stream, Reconnected)
    assert message_numbers(items) == [1, 3]
    back = items[-1]
    assert isinstance(back, Reconnected)
    assert back.missed == 1


async def test_a_message_delivered_out_of_order_before_the_loss_hides_none() -> None:
    async def disordered(peer: Peer) -> None:
        await peer.connected()
        await peer.answer()
        peer.server.store(1, 2, 3)
        await peer.deliver(1)
        await peer.deliver(3)
        peer.cut()

    async with scripted(disordered, behaved) as server, Meeting(server) as stream:
        await stream.subscribe(GENERAL)
        items = await read_until(stream, Reconnected)
    assert sorted(message_numbers(items)) == [1, 2, 3]


async def test_each_conversation_is_caught_up_by_itself() -> None:
    async def both(peer: Peer) -> None:
        await peer.connected()
        await peer.answer()
        await peer.answer()
        await peer.close(1012)

    async with scripted(both, behaved) as server:
        server.store(1)
        server.store(11, conversation_id=DESIGN)
        async with Meeting(server) as stream:
            await stream.subscribe(GENERAL)
            await stream.subscribe(DESIGN)
            server.store(2, 3)
            server.store(12, conversation_id=DESIGN)
            items = await read_until(stream, Reconnected)
    assert message_numbers(items) == [2, 3]
    assert message_numbers(items, DESIGN) == [12]
    back = items[-1]
    assert isinstance(back, Reconnected)
    assert set(back.conversations) == {GENERAL, DESIGN}


async def test_an_unsubscribed_conversation_is_not_restored() -> None:
    async def play(peer: Peer) -> None:
        await peer.connected()
        for _ in range(3):
            await peer.answer()
        await peer.close(1012)

    async with scripted(play, behaved) as server, Meeting(server) as stream:
        await stream.subscribe(GENERAL)
        await stream.unsubscribe(GENERAL)
        await stream.ping()
        server.store(1)
        items = await read_until(stream, Reconnected)
    assert message_numbers(items) == []
    back = items[-1]
    assert isinstance(back, Reconnected)
    assert back.conversations == ()


async def test_losses_in_a_row_neither_lose_nor_double() -> None:
    """Each connection dies at another point of the catching up."""

    def dying(number: int) -> Any:
        async def play(peer: Peer) -> None:
            peer.server.store(number)
            await peer.connected()
            if number % 3 == 0:
                peer.cut()
                return
            await peer.answer()
            await peer.deliver(number)
            if number % 3 == 1:
                await asyncio.sleep(0.003)
            peer.cut()

        return play

    async def settled(peer: Peer) -> None:
        await behaved(peer)

    scripts = [losing_after(1), *(dying(number) for number in range(2, 30)), settled]
    async with scripted(*scripts) as server, Meeting(server, buffer=3) as stream:
        await stream.subscribe(GENERAL)
        items: list[StreamItem] = []
        while server.connections < len(scripts) or names(items)[-1] != "Reconnected":
            items += await read_until(stream, Reconnected)
    assert message_numbers(items) == list(range(1, 30))


# ── servers that make it hard ───────────────────────────────────────────────────────────────────────────────


def failing(status: int, times: int = 10**6, *, only: str = "after") -> Any:
    left = [times]

    def answer(request: httpx.Request) -> httpx.Response | None:
        if (
            request.url.path.endswith("/messages")
            and (not only or only in request.url.params)
            and left[0] > 0
        ):
            left[0] -= 1
            return httpx.Response(status, json={"detail": "no"}, headers={"Retry-After": "0.01"})
        return None

    return answer


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_history_that_fails_for_a_moment_is_asked_again(status: int) -> None:
    rest = failing(status, 2)
    async with scripted(losing_after(1, missed=(2,)), behaved, rest=rest) as server:
        server.store(0)
        async with Meeting(server) as stream:
            await stream.subscribe(GENERAL)
            items = await read_until(stream, Reconnected)
    assert message_numbers(items) == [1, 2]


async def test_a_history_that_stays_away_is_told_and_live_messages_go_on() -> None:
    async def live(peer: Peer) -> None:
        await peer.connected()
        await peer.answer()
        await peer.deliver(3)
        await peer.serve_on()

    async with scripted(losing_after(1, missed=(2,)), live, rest=failing(403)) as server:
        server.store(0)
        async with Meeting(server) as stream:
            await stream.subscribe(GENERAL)
            items = await read_until(stream, Reconnected)
            assert stream.subscriptions == (GENERAL,)
    assert message_numbers(items) == [1, 3]
    failed = next(item for item in items if isinstance(item, CatchUpFailed))
    assert failed.conversation_id == GENERAL
    assert isinstance(failed.error, ApiError)
    assert names(items)[-1] == "Reconnected"


async def test_patience_with_a_broken_history_has_an_end() -> None:
    async with scripted(losing_after(1, missed=(2,)), behaved, rest=failing(500)) as server:
        server.store(0)
        async with Meeting(server) as stream:
            await stream.subscribe(GENERAL)
            items = await read_until(stream, Reconnected, 20)
    assert "CatchUpFailed" in names(items)


async def test_whoever_is_no_participant_any_more_is_told_and_not_subscribed_again() -> None:
    async def forgetful(peer: Peer) -> None:
        await peer.connected()
        while True:
            await peer.receive()

    async with scripted(losing_after(1), forgetful, rest=failing(403)) as server:
        server.store(0)
        async with Meeting(server, answer_timeout=0.1) as stream:
            await stream.subscribe(GENERAL, timeout=2.0)
            items = await read_until(stream, Reconnected)
            assert stream.subscriptions == ()
    back = items[-1]
    assert isinstance(back, Reconnected)
    assert back.unconfirmed == (GENERAL,)


async def test_where_nothing_is_known_of_the_past_the_gap_is_told_and_the_next_one_closed() -> None:
    rest = failing(404, 1, only="")
    async with scripted(losing_after(), behaved, rest=rest) as server, Meeting(server) as stream:
        await stream.subscribe(GENERAL)
        items = await read_until(stream, Reconnected)
        assert "CatchUpFailed" in names(items)
        server.store(2)
        await server.peers[1].close(1012)
        items = await read_until(stream, Reconnected)
    assert message_numbers(items) == [2]
    assert "CatchUpFailed" not in names(items)


async def test_a_history_that_never_answers_does_not_hold_up_a_subscription() -> None:
    class Hanging:
        async def messages(self, *_: object, **__: object) -> Any:
            await asyncio.sleep(3600)

    async with scripted() as server:
        options = StreamOptions(**{**FAST, "answer_timeout": 0.2})
        async with EventStream(server.url, "token", options=options, history=Hanging()) as stream:
            assert await stream.subscribe(GENERAL) >= 0


async def test_a_fetched_message_of_a_server_with_other_fields_is_an_event_all_the_same() -> None:
    async with scripted(losing_after(1), behaved) as server:
        server.store(0)
        async with Meeting(server) as stream:
            await stream.subscribe(GENERAL)
            server.stored[GENERAL].append({"id": message_id(2), "content": "bare \ud800", "sender": "bob"})
            items = await read_until(stream, Reconnected)
    assert message_numbers(items) == [1, 2]
    bare = next(item for item in items if isinstance(item, Event) and item.is_recovered)
    assert bare.complaint
    assert bare.data["content"] == "bare \ud800"
