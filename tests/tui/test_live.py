"""A session against a real server: it opens, talks, is refused, and comes back after a kill."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
from textual.message import Message

from tests.tui.waiting import DEADLINE, until
from tribe_ws.client.options import StreamOptions
from tribe_ws.client.rest import RestClient
from tribe_ws.demo_accounts import DEMO_PASSWORD, demo_email
from tribe_ws.errors import AuthenticationError
from tribe_ws.protocol.urls import ServerAddress
from tribe_ws.server.local import LocalServer, local_settings
from tribe_ws_tui.inspection import Inspection
from tribe_ws_tui.live import LiveSession
from tribe_ws_tui.messages import LoginWanted, NotSent, Said, SessionMoved
from tribe_ws_tui.state import LinkKind

QUICK = StreamOptions(first_delay=0.05, longest_delay=0.3, offers_v2=False)


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer() as running:
        yield running


class Desk:
    """What the screens would be: it remembers what was posted."""

    def __init__(self, address: ServerAddress) -> None:
        self.address = address
        self.inspection = Inspection()
        self.posted: list[Message] = []
        self.token = ""

    async def log_in(self, username: str, password: str | None) -> RestClient:
        if self.token:
            return RestClient(self.address, self.token)
        rest = RestClient(self.address)
        await rest.login(demo_email(username), password or DEMO_PASSWORD)
        return rest

    def said(self, kind: type[Message]) -> list[Message]:
        return [message for message in self.posted if isinstance(message, kind)]

    @asynccontextmanager
    async def session(self, username: str, label: str = "A") -> AsyncIterator[LiveSession]:
        session = LiveSession(
            label, username, self.log_in, self.address, self.inspection, self.posted.append, options=QUICK
        )
        session.start()
        try:
            yield session
        finally:
            await session.stop()

    def events(self, label: str = "A") -> list[str]:
        """Give direction and name of what a session saw."""
        kinds = [self.inspection.store.kind(number) for number in self.inspection.store.numbers]
        return [f"{kind.direction} {kind.event}" for kind in kinds if kind.connection == label]


async def test_it_opens_and_knows_the_conversations(server: LocalServer) -> None:
    desk = Desk(server.address)
    async with desk.session("alice") as alice:
        await until(lambda: alice.state.link.is_open)
        assert {one.label for one in alice.state.in_order} >= {"#general", "#design", "@bob"}
        assert not alice.state.subscribed
        assert desk.events() == ["in connected"]
        assert desk.said(SessionMoved)


async def test_a_message_is_measured_from_its_post_to_the_other_session(server: LocalServer) -> None:
    desk = Desk(server.address)
    async with desk.session("alice") as alice, desk.session("bob", "B") as bob:
        await until(lambda: alice.state.link.is_open and bob.state.link.is_open)
        general = alice.names.find("#general")
        bob.subscribe(general)
        await until(lambda: bob.state.subscribed == (general,))
        before = bob.state.conversations[general].unread
        alice.say(general, "Morning!")
        await until(lambda: "in message.new" in desk.events("B") and "rest POST message" in desk.events("A"))
        store = desk.inspection.store
        posted = next(n for n in store.numbers if store.kind(n).event == "POST message")
        [delivery] = desk.inspection.deliveries(posted)
        assert (delivery.lane, delivery.username) == ("B", "bob")
        assert delivery.latency is not None
        assert 0 < delivery.latency < DEADLINE
        assert store.kind(delivery.number).timing == "measured"
        assert bob.state.conversations[general].unread == before + 1
        last = alice.state.conversations[general].last_message
        assert last is not None
        assert last.content == "Morning!"
        bob.mark_read(general)
        await until(lambda: bob.state.conversations[general].unread == 0)


async def test_keys_in_the_composer_are_told_to_the_others_until_the_message_is_sent(
    server: LocalServer,
) -> None:
    desk = Desk(server.address)
    async with desk.session("alice") as alice, desk.session("bob", "B") as bob:
        await until(lambda: alice.state.link.is_open and bob.state.link.is_open)
        general = alice.names.find("#general")
        for session in (alice, bob):
            session.subscribe(general)
        await until(lambda: bool(alice.state.subscribed and bob.state.subscribed))
        alice.key_pressed(general)
        alice.key_pressed(general)
        await until(lambda: bool(bob.state.typists(general)))
        alice.say(general, "done")
        await until(lambda: not bob.state.typists(general))
        assert desk.events("A").count("out typing") == 2


async def test_pings_presence_raw_frames_and_a_close_of_ones_own(server: LocalServer) -> None:
    desk = Desk(server.address)
    async with desk.session("alice") as alice:
        await until(lambda: alice.state.link.is_open)
        alice.ping(2)
        await until(lambda: desk.events().count("in pong") == 2)
        assert alice.state.rtt is not None
        alice.set_presence("away")
        alice.send_raw('{"event":')
        await until(lambda: "out raw" in desk.events() and "out presence" in desk.events())
        alice.close_with(4000, "enough")
        await until(lambda: alice.state.link.kind is LinkKind.DISCONNECTED and alice.state.link.code == 4000)
        alice.reconnect()
        await until(lambda: alice.state.link.is_open)


async def test_connecting_anew_by_hand_is_no_violation(server: LocalServer) -> None:
    desk = Desk(server.address)
    async with desk.session("alice") as alice:
        await until(lambda: alice.state.link.is_open)
        alice.disconnect()
        await until(lambda: alice.state.link.kind is LinkKind.DISCONNECTED)
        alice.reconnect()
        await until(lambda: desk.events().count("in connected") == 2)
        records = [desk.inspection.store.record(number) for number in desk.inspection.store.numbers]
        assert [record.violations for record in records if record is not None and record.violations] == []


async def test_what_cannot_be_sent_comes_back(server: LocalServer) -> None:
    desk = Desk(server.address)
    async with desk.session("alice") as alice:
        await until(lambda: alice.state.link.is_open)
        alice.say("00000000-0000-7000-8000-000000000000", "to nobody")
        await until(lambda: bool(desk.said(NotSent)))
        [refused] = desk.said(NotSent)
        assert isinstance(refused, NotSent)
        assert refused.text == "to nobody"
        alice.disconnect()
        await until(lambda: alice.state.link.kind is LinkKind.DISCONNECTED)
        alice.ping()
        await until(lambda: bool(desk.said(Said)))


async def test_a_refused_token_is_refused_once_and_a_login_opens(server: LocalServer) -> None:
    desk = Desk(server.address)
    desk.token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.bm90IG91cnM"
    async with desk.session("alice") as alice:
        await until(lambda: alice.state.link.kind in (LinkKind.REFUSED, LinkKind.LOGIN_NEEDED))
        seen = len(desk.events())
        desk.token = ""
        alice.log_in(await desk.log_in("alice", None))
        await until(lambda: alice.state.link.is_open)
        assert desk.events()[:seen].count("note closed") == 1


async def test_who_cannot_log_in_is_asked_for_a_password(server: LocalServer) -> None:
    desk = Desk(server.address)

    async def refuse(username: str, password: str | None) -> RestClient:
        raise AuthenticationError("not logged in", reason="not_logged_in")

    session = LiveSession("A", "alice", refuse, server.address, desk.inspection, desk.posted.append)
    session.start()
    try:
        await until(lambda: bool(desk.said(LoginWanted)))
        assert session.state.link.kind is LinkKind.LOGIN_NEEDED
    finally:
        await session.stop()


async def test_a_server_that_is_started_later_is_found_without_a_key() -> None:
    with LocalServer(local_settings(stop_timeout=0.5)) as first:
        address = first.address
    desk = Desk(address)
    async with desk.session("alice") as alice:
        await until(lambda: alice.state.link.kind is LinkKind.UNREACHABLE)
        assert "nothing is listening" in alice.state.link.words
        with LocalServer(local_settings(port=address.port)):
            await until(lambda: alice.state.link.is_open)


async def test_a_server_that_is_killed_and_restarted_leaves_a_gap_that_is_told() -> None:
    secret = "the same secret before and after the restart"
    with LocalServer(local_settings(secret=secret, stop_timeout=0.5)) as first:
        address = first.address
        desk = Desk(address)
        session = LiveSession(
            "A", "alice", desk.log_in, address, desk.inspection, desk.posted.append, options=QUICK
        )
        session.start()
        await until(lambda: session.state.link.is_open)
        general = session.names.find("#general")
        session.subscribe(general)
        await until(lambda: session.state.subscribed == (general,))
    try:
        waiting = (LinkKind.RECONNECTING, LinkKind.RESTARTING)
        await until(lambda: session.state.link.kind in waiting and session.state.link.attempt > 0)
        assert not session.state.subscribed
        with LocalServer(local_settings(port=address.port, secret=secret)):
            await until(lambda: "note gap" in desk.events())
            assert session.state.link.is_open
            assert session.state.subscribed == (general,)
            assert "note closed" in desk.events()
            assert session.state.opened == 2
    finally:
        await session.stop()


async def test_a_token_is_renewed_and_the_connection_made_anew(server: LocalServer) -> None:
    desk = Desk(server.address)
    async with desk.session("alice") as alice:
        await until(lambda: alice.state.link.is_open)
        general = alice.names.find("#general")
        alice.subscribe(general)
        await until(lambda: alice.state.subscribed == (general,))
        alice.unsubscribe(general)
        await until(lambda: not alice.state.subscribed)
        alice.renew_token()
        await until(lambda: alice.state.opened == 2 and alice.state.link.is_open)
        assert any(isinstance(one, Said) and "renewed" in one.words for one in desk.posted)
        alice.send_typing_events(False)
        alice.key_pressed(general)
        assert not alice.sends_typing
        alice.say_note("hello")
        assert "out typing" not in desk.events()
        assert desk.events()[-1] == "note note"


async def test_before_it_is_open_nothing_can_be_sent_and_that_is_said(server: LocalServer) -> None:
    desk = Desk(server.address)
    session = LiveSession("A", "alice", desk.log_in, server.address, desk.inspection, desk.posted.append)
    session.set_presence("away")
    session.typing("x", True)
    session.unsubscribe("x")
    session.say("x", "too early")
    session.renew_token()
    session.refetch()
    await until(lambda: bool(desk.said(NotSent)) and len(desk.said(Said)) == 2)
    await session.stop()
