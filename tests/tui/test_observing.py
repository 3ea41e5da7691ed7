"""What becomes of a connection is said in the stream, in words; screens hear of it, but not of each event."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from textual.message import Message

from tests.tui.fake_session import GENERAL, START, demo_conversations, user_id
from tribe_ws.client.connection import HANDSHAKE_DONE
from tribe_ws.client.events import (
    CatchUpFailed,
    Dropped,
    Lost,
    Notice,
    PongMissing,
    Reconnected,
    Reconnecting,
    Repeated,
    TokenRenewed,
    WireLine,
    read_event,
)
from tribe_ws.client.exchanges import Exchange
from tribe_ws.clock import ManualClock
from tribe_ws.errors import CannotConnect
from tribe_ws_tui.inspection import Inspection
from tribe_ws_tui.messages import SessionMoved
from tribe_ws_tui.observing import TELL_EVERY, Observer
from tribe_ws_tui.state import LinkKind

MESSAGE = read_event(
    '{"event":"message.new","conversation_id":"c","data":{"id":"m-1"}}', received_at=0.0, at=START
)


class Stage:
    def __init__(self) -> None:
        self.clock = ManualClock(START)
        self.posted: list[Message] = []
        self.inspection = Inspection()
        self.observer = Observer(
            "A", "alice", self.inspection, self.posted.append, self.clock, is_same_clock=True
        )
        self.observer.fetched(demo_conversations(), user_id("alice"))

    def notes(self) -> list[str]:
        return [f"{record.event}: {record.text}" for record in self.inspection.store.records()]


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.mark.parametrize(
    ("notice", "words"),
    [
        (
            Reconnecting(START, 2, 4.0, CannotConnect("no one")),
            "reconnect: no one; trying again in 4.0 s (try 2)",
        ),
        (PongMissing(START, 5.0), "note: the server did not answer a ping in 5.0 s"),
        (Dropped(START, 7), "gap: we read too slowly: 7 events were thrown away"),
        (
            CatchUpFailed(START, GENERAL, CannotConnect("no one")),
            "gap: what was missed in #general cannot be fetched: no one",
        ),
        (TokenRenewed(START, None), "token: the token was renewed"),
        (Repeated(START, MESSAGE), "repeated: the server sent message m-1 twice (message.once)"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Notice) else "",
)
def test_each_notice_is_said(stage: Stage, notice: Notice, words: str) -> None:
    stage.observer.take(notice, waiting=0)
    assert stage.notes()[-1] == words


def test_a_renewed_token_says_until_when_it_is_good(stage: Stage) -> None:
    until = datetime(2026, 11, 23, 2, 30, tzinfo=UTC)
    stage.observer.take(TokenRenewed(START, until), waiting=0)
    assert stage.notes() == [f"token: the token was renewed, good until {until.astimezone():%H:%M}"]


def test_a_loss_and_the_way_back_are_told_with_the_gap_between_them(stage: Stage) -> None:
    for notice in (
        Lost(START, 1006, "", "no close frame"),
        Reconnecting(START, 1, 0.5),
        Reconnected(START, 6.2, 1, 2, (GENERAL,), ("gone",)),
    ):
        stage.observer.take(notice, waiting=0)
    assert stage.notes() == [
        "closed: 1006, no close frame; trying again in 500 ms (try 1)",
        "gap: gap 6.2 s: 2 missed messages fetched, typing and presence in it are lost",
        "reconnected: back after 6.2 s, re-subscribed to 1; gone was not confirmed again",
    ]


def test_what_is_sent_on_a_new_connection_stands_below_its_connected(stage: Stage) -> None:
    subscribe = WireLine("out", f'{{"event":"subscribe","conversation_id":"{GENERAL}"}}')
    connected = read_event('{"event":"connected"}', received_at=0.0, at=START)
    stage.observer.hear_wire(WireLine("note", HANDSHAKE_DONE))
    stage.observer.hear_wire(subscribe)
    stage.observer.take(connected, waiting=0)
    stage.observer.hear_wire(subscribe)
    events = [record.event for record in stage.inspection.store.records()]
    assert events == ["connected", "subscribe", "subscribe"]


def test_what_was_sent_is_held_also_where_the_new_connection_is_lost_at_once(stage: Stage) -> None:
    stage.observer.hear_wire(WireLine("note", HANDSHAKE_DONE))
    stage.observer.hear_wire(WireLine("out", '{"event":"ping"}'))
    stage.observer.take(Lost(START, 1006, "", "no close frame"), waiting=0)
    assert [record.event for record in stage.inspection.store.records()] == ["ping"]


def test_the_steps_of_dialling_are_known_also_of_a_retry_which_says_why_when_it_fails(stage: Stage) -> None:
    kinds = []
    dials = WireLine("note", "connecting to ws://x?token=***")
    handshaken = WireLine("note", HANDSHAKE_DONE)
    for happened in (dials, handshaken, Lost(START, 1012, "restart", ""), Reconnecting(START, 1, 0.5)):
        hear(stage, happened)
        kinds.append(stage.observer.state.link.kind)
    assert kinds == [LinkKind.DIALLING, LinkKind.HANDSHAKEN, LinkKind.RESTARTING, LinkKind.RESTARTING]
    hear(stage, dials)
    kinds.append(stage.observer.state.link.kind)
    hear(stage, Reconnecting(START, 2, 1.0, CannotConnect("nothing listens")))
    link = stage.observer.state.link
    assert (link.kind, link.code) == (LinkKind.RESTARTING, 1012), "why it was lost is not forgotten"
    for happened in (dials, handshaken):
        hear(stage, happened)
    kinds.append(stage.observer.state.link.kind)
    assert kinds[4:] == [LinkKind.DIALLING, LinkKind.HANDSHAKEN]
    hear(stage, Reconnected(START, 6.2, 2, 0, ()))
    assert stage.observer.state.link.is_open


def hear(stage: Stage, happened: WireLine | Notice) -> None:
    if isinstance(happened, WireLine):
        stage.observer.hear_wire(happened)
    else:
        stage.observer.take(happened, waiting=0)


def test_a_change_of_the_link_is_told_at_once_and_others_soon(stage: Stage) -> None:
    stage.clock.advance(10)
    stage.posted.clear()
    for _ in range(100):
        stage.observer.take(MESSAGE, waiting=0)
    assert not stage.posted
    stage.clock.advance(TELL_EVERY)
    [moved] = stage.posted
    assert isinstance(moved, SessionMoved)
    assert moved.can_replace(SessionMoved("A"))
    assert not moved.can_replace(SessionMoved("B"))
    stage.observer.take(Lost(START, 1006, "", ""), waiting=0)
    assert len(stage.posted) == 2
    stage.observer.take(MESSAGE, waiting=0)
    stage.observer.close()
    stage.clock.advance(TELL_EVERY)
    assert len(stage.posted) == 2


def test_calls_that_only_ask_are_no_events_and_the_first_message_is_explained(stage: Stage) -> None:
    def call(method: str, path: str, status: int = 201) -> None:
        message = {"id": "m", "sender": {"id": "u", "username": "alice"}, "content": "hi"}
        stage.observer.hear_call(
            Exchange(START, method, f"/api/v1{path}", status, 0.009, {"content": "hi"}, message)
        )

    call("GET", "/conversations", 200)
    call("POST", "/auth/refresh", 200)
    assert stage.notes() == []
    call("POST", f"/conversations/{GENERAL}/messages", 403)
    call("POST", f"/conversations/{GENERAL}/messages")
    call("POST", f"/conversations/{GENERAL}/messages")
    said = [note for note in stage.notes() if note.startswith("note:")]
    assert said == ["note: you sent this: the endpoint never echoes it to you"]


def test_somebody_who_fell_silent_is_dropped_when_the_screens_are_told(stage: Stage) -> None:
    typing = read_event(
        f'{{"event":"typing","conversation_id":"{GENERAL}",'
        '"data":{"user_id":"u","user_name":"Bob","is_typing":true}}',
        received_at=0.0,
        at=START,
    )
    stage.observer.take(typing, waiting=0)
    assert stage.observer.state.typing
    stage.clock.advance(60)
    told: Callable[[], None] = stage.observer._tell
    told()
    assert not stage.observer.state.typing
