"""Applying what a session saw leaves the same as fetching it anew; nothing is known that was not seen."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tui.fake_session import DESIGN, GENERAL, demo_conversations, user_id
from tests.tui.records import BROKEN, START, at, incoming, outgoing
from tests.tui.waiting import until
from tribe_ws.capture.names import Names
from tribe_ws.capture.record import Record
from tribe_ws.client.events import Lost, Opened, PongMissing, Reconnected, Reconnecting
from tribe_ws.client.rest import RestClient
from tribe_ws.demo_accounts import DEMO_PASSWORD, demo_email
from tribe_ws.errors import CannotConnect
from tribe_ws.server.local import LocalServer
from tribe_ws_tui.inspection import Inspection
from tribe_ws_tui.live import LiveSession
from tribe_ws_tui.state import LinkKind, SessionState
from tribe_ws_tui.store import Backlog, Fetched, Item, LinkMoved, MarkedRead, apply, forget_silent

PEOPLE = ("alice", "bob", "cara", "dan")


def opened() -> SessionState:
    state = SessionState(me="alice")
    fetched = Fetched(demo_conversations(), Names(demo_conversations(), "alice"), user_id("alice"))
    return told(state, fetched, Opened(START, 0.04))


def told(state: SessionState, *items: Item, now: float = 0.0) -> SessionState:
    for item in items:
        state = apply(state, item, now)
    return state


def said(number: int, sender: str, where: str = GENERAL, **changes: Any) -> Record:
    data = {
        "id": f"9b1d0000-0000-7000-8000-{number:012d}",
        "sender": {"id": user_id(sender), "username": sender},
        "content": f"message {number}",
        "created_at": at(number).isoformat(),
    }
    if sender == "alice":
        post = Record(0, at(number), "rest", "POST message", frame=data, conversation_id=where)
        return replace(post, **changes)
    return incoming("message.new", number, data=data, conversation_id=where, sender=sender, **changes)


def types(name: str, is_typing: bool) -> Record:
    data = {"user_id": user_id(name), "user_name": name, "is_typing": is_typing}
    return incoming("typing", data=data, sender=name, conversation_id=GENERAL)


# ── the same as a fresh fetch ─────────────────────────────────────────────────────────────────────────────

acts = st.one_of(
    st.tuples(st.just("say"), st.sampled_from(PEOPLE), st.sampled_from([GENERAL, DESIGN])),
    st.tuples(st.just("read"), st.just("alice"), st.sampled_from([GENERAL, DESIGN])),
)


@given(st.lists(acts, max_size=30), st.randoms(use_true_random=False))
def test_any_history_leaves_what_a_server_would_answer(story: list[tuple[str, str, str]], rng: Any) -> None:
    """Messages may arrive in another order than they were stored in, and reads in between."""
    newest: dict[str, int] = {}
    unread = {GENERAL: 0, DESIGN: 0}
    batch: list[Record] = []
    state = opened()
    for number, (act, who, where) in enumerate(story, 1):
        if act == "read":
            rng.shuffle(batch)
            state, batch = told(told(state, *batch), MarkedRead(where)), []
            unread[where] = 0
            continue
        batch.append(said(number, who, where))
        newest[where] = number
        unread[where] += who != "alice"
    rng.shuffle(batch)
    state = told(state, *batch)
    for where in (GENERAL, DESIGN):
        conversation = state.conversations[where]
        assert conversation.unread == unread[where]
        last = conversation.last_message
        assert (last.content if last else None) == (f"message {newest[where]}" if where in newest else None)
    order = sorted(newest, key=newest.__getitem__, reverse=True)
    assert [one.id for one in state.in_order][: len(order)] == order


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    with LocalServer() as running:
        yield running


class Cast:
    """Alice watched by the inspector, and everybody with a client of REST."""

    def __init__(self, server: LocalServer) -> None:
        self.server = server
        self.rests: dict[str, RestClient] = {}
        self.inspection = Inspection()
        self.expected = 0

    async def log_in(self, username: str, _password: str | None) -> RestClient:
        rest = RestClient(self.server.address)
        await rest.login(demo_email(username), DEMO_PASSWORD)
        return rest

    async def begin(self) -> None:
        self.alice = LiveSession(
            "A", "alice", self.log_in, self.server.address, self.inspection, lambda _message: None
        )
        self.alice.start()
        await until(lambda: self.alice.state.link.is_open)
        self.rests = {name: await self.log_in(name, None) for name in PEOPLE}
        self.where = [self.alice.names.find(name) for name in ("#general", "#design", "@bob")]
        for one in self.where:
            self.alice.subscribe(one)
        await until(lambda: len(self.alice.state.subscribed) == len(self.where))

    async def act(self, verb: str, who: str, place: int) -> None:
        where = self.where[place]
        if not any(one.username == who for one in self.alice.state.conversations[where].participants):
            return
        if verb == "read":
            # What was said before must have been heard, or the order of the two is nobody's to tell.
            await self.heard()
            before = self.alice.state.conversations[where].unread
            self.alice.mark_read(where)
            await until(lambda: not before or self.alice.state.conversations[where].unread == 0)
        elif who == "alice":
            self.expected += 1
            self.alice.say(where, f"message {self.expected}")
            await self.heard()
        else:
            self.expected += 1
            await self.rests[who].send_message(where, f"message {self.expected}")

    async def heard(self) -> None:
        await until(lambda: self.count() == self.expected)

    def count(self) -> int:
        kinds = [self.inspection.store.kind(number) for number in self.inspection.store.numbers]
        return sum(kind.event in ("message.new", "POST message") for kind in kinds)

    async def compare(self) -> None:
        await self.heard()
        fresh = told(
            SessionState(me="alice"),
            Fetched(await self.rests["alice"].all_conversations(), self.alice.names),
        )
        for known, found in zip(self.alice.state.in_order, fresh.in_order, strict=True):
            assert replace(known, is_subscribed=False) == found

    async def end(self) -> None:
        await self.alice.stop()
        for rest in self.rests.values():
            await rest.close()


@pytest.fixture(scope="module")
def stage(server: LocalServer) -> Iterator[tuple[asyncio.Runner, Cast]]:
    with asyncio.Runner() as runner:
        cast = Cast(server)
        runner.run(cast.begin())
        yield runner, cast
        runner.run(cast.end())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from(["say", "say", "read"]), st.sampled_from(PEOPLE), st.integers(0, 2)),
        max_size=8,
    )
)
def test_all_frames_applied_are_a_fresh_fetch(
    stage: tuple[asyncio.Runner, Cast], story: list[tuple[str, str, int]]
) -> None:
    runner, cast = stage

    async def play() -> None:
        for act in story:
            await cast.act(*act)
        await cast.compare()

    runner.run(play())


# ── conversations ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_message_that_comes_twice_is_counted_once() -> None:
    state = told(opened(), said(1, "bob"), said(1, "bob"))
    assert state.conversations[GENERAL].unread == 1


def test_subscriptions_are_what_the_server_confirmed() -> None:
    state = told(opened(), incoming("subscribed", conversation_id=GENERAL))
    assert state.subscribed == (GENERAL,)
    assert not told(state, outgoing("unsubscribe", conversation_id=GENERAL)).subscribed
    assert not told(state, incoming("unsubscribed", conversation_id=GENERAL)).subscribed
    again = told(state, Fetched(demo_conversations(), Names(demo_conversations(), "alice")))
    assert again.subscribed == (GENERAL,)


def test_what_one_read_elsewhere_is_read_here() -> None:
    state = told(opened(), said(1, "bob"))
    by_bob = incoming("message.read", data={"user_id": user_id("bob")}, conversation_id=GENERAL)
    assert told(state, by_bob).conversations[GENERAL].unread == 1
    by_me = incoming("message.read", data={"user_id": user_id("alice")}, conversation_id=GENERAL)
    assert told(state, by_me).conversations[GENERAL].unread == 0


def test_frames_about_nothing_known_change_no_conversation() -> None:
    state = opened()
    for odd in (
        incoming("message.new", data={"id": "x"}, conversation_id="elsewhere"),
        incoming("message.new", data={}),
        incoming("message.new", data=None),
        incoming("typing", data={}),
        incoming("presence", data={"user_id": "x"}),
        incoming("whatever", data={}),
        replace(incoming("message.new"), frame=None),
        Record(0, START, "rest", "GET conversations", frame=[]),
        Record(0, START, "rest", "POST message", frame={}),
    ):
        changed = told(state, odd)
        assert (changed.conversations, changed.typing, changed.presence) == (state.conversations, {}, {})


# ── people ────────────────────────────────────────────────────────────────────────────────────────────────


def test_presence_is_not_known_until_it_is_seen() -> None:
    state = opened()
    assert {one.username: one.presence for one in state.people(GENERAL, 0)} == {
        "alice": "online",  # oneself, over an open connection
        "bob": "",
        "cara": "",
        "dan": "",
    }
    seen = told(
        state,
        incoming("presence", data={"user_id": user_id("bob"), "status": "away"}),
        incoming("presence", data={"user_id": user_id("cara"), "is_online": True}),
        incoming("presence", data={"user_id": user_id("dan"), "is_online": False}),
    )
    assert [one.presence for one in seen.people(GENERAL, 0)] == ["online", "away", "online", "offline"]
    lost = told(seen, Lost(START, 1006, "", ""))
    assert {one.presence for one in lost.people(GENERAL, 0)} == {""}
    assert state.people("elsewhere", 0) == ()


def test_typing_lasts_until_it_ends_or_is_not_renewed_or_the_message_comes() -> None:
    state = told(opened(), types("bob", True), now=10.0)
    assert [one.typing_seconds for one in state.people(GENERAL, 13.2)] == [None, 3, None, None]
    assert not told(state, types("bob", False)).typing
    assert not told(state, said(1, "bob")).typing
    assert told(state, said(1, "cara")).typing
    renewed = told(state, types("bob", True), now=15.0)
    [typist] = renewed.typists(GENERAL)
    assert (typist.is_current(20.9), typist.is_current(21.0), typist.seconds(18.0)) == (True, False, 8)
    assert (typist.is_fading(20.9), typist.is_fading(21.0), typist.is_fading(24.0)) == (False, True, False)
    assert forget_silent(renewed, 23.9) is renewed
    assert not forget_silent(renewed, 24.0).typing
    begun_anew = told(renewed, types("bob", True), now=30.0)
    assert begun_anew.typists(GENERAL)[0].seconds(31.0) == 1


# ── the link ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("code", "reason", "kind"),
    [
        (1006, "", LinkKind.RECONNECTING),
        (1001, "", LinkKind.RESTARTING),
        (1012, "restart", LinkKind.RESTARTING),
        (1013, "", LinkKind.CUT_OFF),
        (4413, "slow_consumer", LinkKind.CUT_OFF),
        (4401, "token_expired", LinkKind.RENEWING),
    ],
)
def test_a_loss_says_what_kind_it_is_until_the_connection_is_back(
    code: int, reason: str, kind: LinkKind
) -> None:
    state = told(opened(), incoming("subscribed", conversation_id=GENERAL), types("bob", True))
    lost = told(state, Lost(START, code, reason, "why"), Reconnecting(START, 2, 4.0), now=100.0)
    assert (lost.link.kind, lost.link.code, lost.link.until, lost.link.attempt) == (kind, code, 104.0, 2)
    assert (lost.subscribed, lost.typing, lost.rtt) == ((), {}, None)
    back = told(lost, incoming("connected"), Reconnected(START, 6.2, 2, 0, ()), now=106.2)
    assert back.link.is_open
    assert back.link.since == 106.2
    assert back.opened == 2


def test_a_renewal_says_when_the_token_ended() -> None:
    lost = told(opened(), Lost(START, 4401, "token_expired", ""))
    assert lost.link.words == f"token expired {START.astimezone():%H:%M}, renewing…"


def test_a_try_that_failed_is_followed_by_the_next() -> None:
    state = told(SessionState(me="alice"), Reconnecting(START, 1, 2.0, CannotConnect("no")), now=1.0)
    assert state.link.kind is LinkKind.RECONNECTING
    assert told(state, PongMissing(START, 5.0)) == state


def test_moves_of_the_session_itself_are_taken_over() -> None:
    state = told(opened(), LinkMoved(replace(opened().link, kind=LinkKind.REFUSED, code=4401)))
    assert state.link.kind is LinkKind.REFUSED


# ── figures ───────────────────────────────────────────────────────────────────────────────────────────────


def test_only_measured_latencies_count() -> None:
    state = told(
        opened(),
        *(said(number, "bob", latency=number / 1000) for number in range(1, 101)),
        said(200, "bob", latency=9.0, timing="guessed"),
        incoming("pong", latency=0.002),
        incoming("pong"),
    )
    assert state.percentile(0.5) == 0.05
    assert state.percentile(0.95) == 0.095
    assert state.rtt == 0.002
    assert opened().percentile(0.5) is None


def test_violations_events_and_waiting_frames_are_counted() -> None:
    state = told(opened(), said(1, "bob", violations=(BROKEN, BROKEN)), said(2, "bob"), Backlog(3))
    assert (state.violations, state.events, state.waiting) == (1, 2, 3)
    assert told(state, Backlog(3)) is state


@given(st.lists(st.floats(0, 200), max_size=80))
def test_the_rate_counts_every_event_of_the_last_minute(moments: list[float]) -> None:
    state = opened()
    for moment in sorted(moments):
        state = told(state, incoming("pong"), now=moment)
    end = max(moments, default=0.0)
    assert sum(state.rate.at(end)) == sum(int(end) - int(moment) < 60 for moment in moments)
    assert len(state.rate.at(end + 7)) == 60
    assert sum(state.rate.at(end + 1000)) == 0


def test_the_rate_per_second_is_that_of_whole_seconds() -> None:
    state = opened()
    for number in range(50):
        state = told(state, incoming("pong"), now=10 + number / 10)
    assert state.rate.per_second(15.0) == 10.0


def test_notes_are_no_events() -> None:
    state = opened()
    assert told(state, Record(0, START + timedelta(1), "note", "note", text="well")) is state
