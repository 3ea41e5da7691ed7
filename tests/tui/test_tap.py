"""The tap of a local server: a lane for each connection, and for each message who got it and who did not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from textual.message import Message

from tests.tui.stage import screen_text
from tests.tui.waiting import until
from tribe_ws.client.control import ControlClient
from tribe_ws.client.rest import RestClient
from tribe_ws.client.stream import EventStream
from tribe_ws.demo_accounts import DEMO_PASSWORD, demo_email
from tribe_ws.protocol.urls import ServerAddress, parse_address
from tribe_ws.server.local import LocalServer, local_settings
from tribe_ws_tui.app import InspectorApp
from tribe_ws_tui.inspection import Inspection
from tribe_ws_tui.messages import TapMoved
from tribe_ws_tui.opening import make_app
from tribe_ws_tui.setup import InspectorSetup
from tribe_ws_tui.tap import Tap


class Watch:
    """A tap and what it posted."""

    def __init__(self, server: LocalServer) -> None:
        self.inspection = Inspection()
        self.posted: list[Message] = []
        self.tap = Tap(ControlClient(server.address, server.control_key), self.inspection, self.posted.append)

    def find(self, event: str) -> int:
        """Give the number of the newest event of that name; 0 where there is none."""
        store = self.inspection.store
        return next((n for n in reversed(store.numbers) if store.kind(n).event == event), 0)


@asynccontextmanager
async def tapped(server: LocalServer) -> AsyncIterator[Watch]:
    watch = Watch(server)
    watch.tap.start()
    watch.tap.start()
    try:
        await until(lambda: bool(watch.posted))
        yield watch
    finally:
        await watch.tap.stop()
        await watch.tap.stop()


@asynccontextmanager
async def connected(server: LocalServer, name: str) -> AsyncIterator[tuple[RestClient, EventStream]]:
    async with RestClient(server.address) as rest:
        await rest.login(demo_email(name), DEMO_PASSWORD)
        assert rest.source is not None
        async with EventStream(server.address, rest.source) as stream:
            yield rest, stream


async def general_of(rest: RestClient) -> str:
    return next(one.id for one in await rest.all_conversations() if one.name == "general")


async def test_each_connection_has_a_lane_and_each_message_its_verdicts() -> None:
    with LocalServer(local_settings(stop_timeout=0.5)) as server:
        async with tapped(server) as watch, connected(server, "alice") as (alice, alices):
            async with connected(server, "bob") as (_, bobs), connected(server, "cara"):
                general = await general_of(alice)
                await alices.subscribe(general)
                await bobs.subscribe(general)
                await alice.send_message(general, "Did it land?")
                await until(lambda: watch.find("message.new") > 0)
                assert set(watch.tap.lanes) >= {"alice 1", "bob 1", "cara 1"}
                number = watch.find("message.new")
                reasons = {one.connection: one.reason for one in watch.tap.verdicts(number)}
                assert reasons["bob 1"] == "delivered"
                assert "own" in reasons["alice 1"]
                assert "did not subscribe" in reasons["cara 1"]
                await until(lambda: watch.find("POST message") > 0)
                assert watch.tap.verdicts(watch.find("POST message")) == watch.tap.verdicts(number)
                assert watch.inspection.store.kind(number).connection == "bob 1"
            await until(lambda: watch.find("closed") > 0)
            assert watch.tap.verdicts(watch.find("closed")) == ()


async def test_the_tap_outlives_its_server_and_says_so() -> None:
    with LocalServer(local_settings(stop_timeout=0.5)) as server:
        watch = Watch(server)
        watch.tap.start()
        await until(lambda: bool(watch.posted))
    try:
        await until(lambda: any(isinstance(one, TapMoved) and one.words for one in watch.posted))
        with LocalServer(local_settings(port=server.port, stop_timeout=0.5)):
            count = len(watch.posted)
            await until(lambda: len(watch.posted) > count)
    finally:
        await watch.tap.stop()


class SlowControl(ControlClient):
    """A local server that takes its time until it watches."""

    def __init__(self, address: ServerAddress) -> None:
        super().__init__(address, "key")
        self.watches = asyncio.Event()

    async def info(self) -> dict[str, Any]:
        return {}

    async def faults(self) -> list[dict[str, Any]]:
        return []

    async def events(self, **_: Any) -> AsyncGenerator[dict[str, Any], None]:
        await self.watches.wait()
        yield {"event": "watching"}
        await asyncio.Event().wait()


async def test_it_says_that_it_taps_only_when_the_server_watches() -> None:
    async def log_in(_username: str, _password: str | None) -> RestClient:
        raise AssertionError("a tap logs nobody in")

    address = parse_address("http://127.0.0.1:8000")
    control = SlowControl(address)
    app = make_app(InspectorSetup(address, log_in, control=control, is_tapping=True))
    async with app.run_test(size=(140, 40)):
        await until(lambda: "▷ waiting to tap 127.0.0.1:8000" in screen_text(app))
        assert "▷ tapping" not in screen_text(app)
        control.watches.set()
        await until(lambda: "▷ tapping 127.0.0.1:8000" in screen_text(app))


async def test_the_inspector_shows_the_table_of_who_got_a_message() -> None:
    async def log_in(_username: str, _password: str | None) -> RestClient:
        raise AssertionError("a tap logs nobody in")

    with LocalServer(local_settings(stop_timeout=0.5)) as server:
        control = ControlClient(server.address, server.control_key)
        app = make_app(InspectorSetup(server.address, log_in, control=control, is_tapping=True))
        store = app.inspector.inspection.store
        async with app.run_test(size=(140, 40)) as pilot:
            await until(lambda: "▷ tapping" in screen_text(app))
            assert app.inspector.tap is not None
            assert app.inspector.tap.is_watching
            async with (
                connected(server, "alice") as (alice, alices),
                connected(server, "bob") as (_, bobs),
                connected(server, "cara"),
            ):
                general = await general_of(alice)
                await alices.subscribe(general)
                await bobs.subscribe(general)
                await alice.send_message(general, "Did it land?")
                await until(lambda: any(store.kind(one).event == "message.new" for one in store.numbers))
                number = next(one for one in store.numbers if store.kind(one).event == "message.new")
                app.inspector.log_view.select(number)
                await pilot.press("enter")
                await until(lambda: "Delivered to" in screen_text(app))
                shown = " ".join(screen_text(app).split())
                assert "● bob 1 delivered" in shown
                assert "○ cara 1 not sent: this connection" in shown
        await control.close()


async def test_a_user_who_acts_under_a_tap_is_shown_in_one_lane_only() -> None:
    async def log_in(username: str, _password: str | None) -> RestClient:
        rest = RestClient(server.address)
        await rest.login(demo_email(username), DEMO_PASSWORD)
        return rest

    with LocalServer(local_settings(stop_timeout=0.5)) as server:
        control = ControlClient(server.address, server.control_key)
        setup = InspectorSetup(server.address, log_in, users=("alice",), control=control, is_tapping=True)
        app = make_app(setup)
        store = app.inspector.inspection.store
        async with app.run_test(size=(140, 40)) as pilot:
            await until(lambda: app.inspector.tap is not None and app.inspector.tap.is_watching)
            await until(lambda: app.inspector.session.state.link.is_open)
            session = app.inspector.session
            async with connected(server, "bob") as (bob, _):
                general = await general_of(bob)
                session.subscribe(general)
                await until(lambda: general in session.state.subscribed)
                await bob.send_message(general, "Do you see it twice?")
                await until(lambda: "message.new" in wire(app))
                session.say(general, "No, once")
                await until(lambda: wire(app).count("POST message") == 2)
            await pilot.pause()
            assert wire(app).count("message.new") == 1
            assert wire(app).count("subscribed") == 1
            lanes = {store.kind(one).connection for one in store.numbers}
            assert "A" not in {
                store.kind(one).connection for one in store.numbers if store.kind(one).direction != "note"
            }
            assert "alice 1" in lanes
            assert session.state.events > 0, "the session itself still hears everything"
            message = next(one for one in store.numbers if store.kind(one).event == "message.new")
            held = store.record(message)
            assert held is not None
            assert held.conversation.lstrip("#") == "general"
            app.inspector.set_filter("conv:general event:message.new")
            assert len(app.inspector.log_view.view) == 1
        await control.close()


def wire(app: InspectorApp) -> list[str]:
    """Give the names of all events in the store, notes left out."""
    store = app.inspector.inspection.store
    kinds = [store.kind(one) for one in store.numbers]
    return [kind.event for kind in kinds if kind.direction != "note"]
