"""Our own server breaks no clause that the linter knows, at any level, also over a lost connection."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from tribe_ws.capture.journal import Journal
from tribe_ws.capture.names import Names
from tribe_ws.client.control import ControlClient
from tribe_ws.client.events import Event, Reconnected, WireLine
from tribe_ws.client.options import StreamOptions
from tribe_ws.client.rest import RestClient
from tribe_ws.client.stream import EventStream
from tribe_ws.demo_accounts import DEMO_PASSWORD, demo_email, fixture_id
from tribe_ws.server.local import LocalServer, local_settings

GENERAL = fixture_id("conversation:general")
DESIGN = fixture_id("conversation:design")


@pytest.mark.parametrize("offers_v2", [False, True], ids=["documented", "v2"])
@pytest.mark.parametrize("profile", ["documented", "app"])
async def test_an_evening_with_a_lost_connection_keeps_every_clause(profile: str, offers_v2: bool) -> None:
    with LocalServer(local_settings(profile=profile)) as server:
        async with RestClient(server.url) as alice, RestClient(server.url) as cara:
            await alice.login(demo_email("alice"), DEMO_PASSWORD)
            await cara.login(demo_email("cara"), DEMO_PASSWORD)
            names = Names(await alice.all_conversations(), "alice")
            journal = Journal(names, is_same_clock=True, level="app" if profile == "app" else "documented")
            assert alice.source is not None
            async with EventStream(
                server.url,
                alice.source,
                options=StreamOptions(offers_v2=offers_v2, first_delay=0.01),
                history=alice,
                user_id=fixture_id("user:alice"),
                on_wire=partial(_hear, journal),
            ) as stream:
                await _live_through(stream, journal, alice, cara, server)
            told = [(r.direction, r.event, [str(one) for one in r.violations]) for r in journal.records()]
            assert [line for line in told if line[2]] == []
            assert journal.seen["connected"] == 2
            assert journal.seen["message.new"] >= 3


def _hear(journal: Journal, line: WireLine) -> None:
    if line.direction == "out":
        journal.sent(line.text)


async def _live_through(
    stream: EventStream, journal: Journal, alice: RestClient, cara: RestClient, server: LocalServer
) -> None:
    back, came = asyncio.Event(), asyncio.Event()

    async def read() -> None:
        async for item in stream:
            if isinstance(item, Event):
                journal.event(item)
                came.set() if item.data.get("content") == "the end" else None
            elif isinstance(item, Reconnected):
                back.set()

    reading = asyncio.create_task(read())
    async with asyncio.timeout(30):
        for conversation_id in (GENERAL, DESIGN):
            await stream.subscribe(conversation_id)
        await stream.typing(GENERAL, True)
        await cara.send_message(GENERAL, "one")
        await alice.send_message(GENERAL, "mine")
        await stream.presence("away")
        await stream.ping()
        await stream.unsubscribe(DESIGN)
        await stream.ping()
        await cara.send_message(DESIGN, "unheard")
        await stream.ping()
        async with ControlClient(server.url, server.control_key) as control:
            await control.disconnect("alice", code=1012, reason="restart")
        await cara.send_message(GENERAL, "missed")
        await back.wait()
        await cara.send_message(GENERAL, "the end")
        await came.wait()
    await stream.close()
    await reading
