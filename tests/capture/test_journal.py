"""The records of one session: what has a number, over which connection it came, and what is judged."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.capture.test_lint import CONNECTED, ROOM, SUBSCRIBE, message
from tribe_ws.capture.journal import Journal
from tribe_ws.capture.names import Names
from tribe_ws.client.events import Event, read_event
from tribe_ws.client.exchanges import Exchange, ExchangeLog
from tribe_ws.client.results import Conversation, Participant
from tribe_ws.clock import ManualClock

AT = ManualClock().now()
PEOPLE = tuple(Participant(f"id-{name}", name, name.title(), "member", None) for name in ("alice", "bob"))


@pytest.fixture
def journal() -> Journal:
    return Journal(
        Names([Conversation(ROOM, "group", "general", PEOPLE, None, 0, None)], "alice"), is_same_clock=True
    )


def event(frame: Any, connection: int = 1, **options: Any) -> Event:
    text = frame if isinstance(frame, str) else json.dumps(frame)
    return read_event(text, received_at=0, at=AT, connection=connection, **options)


def test_what_the_tool_sends_by_itself_is_kept_without_a_number(journal: Journal) -> None:
    journal.event(event(CONNECTED))
    own = journal.sent(json.dumps(SUBSCRIBE), is_own=True)
    said = journal.sent('{"event":"ping"}')
    assert (own.seq, own.as_user, own.connection, said.seq) == (0, "alice", "alice/1", 2)
    assert [record.event for record in journal.records()] == ["connected", "subscribe", "ping"]
    assert journal.find(0) is None


def test_a_frame_is_judged_by_what_came_before_it_on_its_connection(journal: Journal) -> None:
    journal.event(event(CONNECTED))
    journal.sent(json.dumps(SUBSCRIBE), is_own=True)
    assert journal.event(event(message(1))).violations == ()
    [repeated] = journal.event(event(message(1))).violations
    assert repeated.clause == "message.once"
    assert journal.counts["violation"] == 1
    assert [record.seq for record in journal.violations()] == [3]


def test_another_connection_begins_anew(journal: Journal) -> None:
    journal.event(event(CONNECTED))
    journal.sent(json.dumps(SUBSCRIBE))
    journal.event(event(message(5)))
    assert journal.event(event(CONNECTED, 2)).violations == ()
    journal.sent(json.dumps(SUBSCRIBE))
    assert journal.event(event(message(6), 2)).violations == ()
    assert journal.connection == "alice/2"


def test_another_stream_begins_anew_though_it_counts_from_one_again(journal: Journal) -> None:
    journal.event(event(CONNECTED))
    assert journal.event(event(CONNECTED)).violations
    journal.begin_anew()
    assert journal.event(event(CONNECTED)).violations == ()


def test_what_was_fetched_after_a_gap_is_not_judged_as_sent(journal: Journal) -> None:
    journal.event(event(CONNECTED))
    journal.sent(json.dumps(SUBSCRIBE))
    journal.event(event(message(5)))
    fetched = journal.event(event(message(4), 0, is_recovered=True))
    assert (fetched.violations, fetched.tags) == ((), frozenset({"gap"}))


def test_v2_is_judged_as_v2_where_it_was_selected(journal: Journal) -> None:
    welcome = {
        "connection_id": "c9", "user": {**message()["data"]["sender"]}, "server": "s", "epoch": "e",
        "heartbeat_interval": 30, "expires_at": "2026-11-23T01:22:00.000Z",
    }  # fmt: skip
    record = journal.event(event(CONNECTED | {"data": welcome}, is_v2=True))
    assert (record.violations, record.connection) == ((), "c9")
    [extra] = journal.event(event({"event": "pong", "extra": 1}, is_v2=True)).violations
    assert extra.clause == "document.server-pong"


def test_broken_client_frames_are_marked_but_not_counted_against_the_server(journal: Journal) -> None:
    [violation] = journal.sent("{broken").violations
    assert violation.clause == "frames.not-json"
    assert journal.counts["violation"] == 0


def test_ones_own_message_is_a_call_and_the_other_calls_have_no_number(journal: Journal) -> None:
    said = journal.posted(ROOM, "Hello", {"id": "m1"}, seconds=0.009)
    assert (said.event, said.text, said.status, said.conversation) == (
        "POST message",
        "Hello",
        201,
        "general",
    )
    assert (said.method, said.path) == ("POST", f"/api/v1/conversations/{ROOM}/messages")
    assert (said.request, said.frame, said.seq) == ({"content": "Hello"}, {"id": "m1"}, 1)
    listed = journal.called(Exchange(AT, "GET", "/api/v1/conversations?page=1", 200, 0.1, None, {}))
    assert (listed.event, listed.seq, listed.latency) == ("GET conversations", 0, 0.1)
    refused = journal.called(Exchange(AT, "POST", said.path, 403, 0.1, {"content": "x"}, {"detail": "no"}))
    assert (refused.seq, refused.status, refused.text) == (0, 403, "x")
    assert journal.counts["rest"] == 1


def test_a_frame_that_nests_beyond_all_bounds_is_shown_as_its_text(journal: Journal) -> None:
    journal.event(event(CONNECTED))
    text = '{"event":"x","data":' + "[" * 700 + "]" * 700 + "}"
    record = journal.event(event(text))
    assert record.text == text
    assert [one.clause for one in record.violations] == ["socket.text-frames"]
    assert json.dumps(record.as_json())


def test_tokens_never_get_into_a_record(journal: Journal) -> None:
    leaky = event({"event": "novel", "token": "eyJhbGciOiJIUzI1NiJ9.e30.x", "data": {"x": 1}})
    assert "eyJ" not in repr(journal.event(leaky))


def test_a_message_says_how_old_it_was(journal: Journal) -> None:
    journal.event(event(CONNECTED))
    old = replace(event(message(1)), latency=0.25)
    assert (journal.event(old).latency, journal.event(old).timing) == (0.25, "measured")


def test_exchanges_before_anybody_listens_are_kept_and_handed_over() -> None:
    log = ExchangeLog()
    heard: list[Exchange] = []
    for number in range(250):
        log.take(Exchange(AT, "GET", f"/{number}", 200, 0.0))
    log.listen(heard.append)
    log.take(Exchange(AT, "GET", "/last", 200, 0.0))
    assert len(heard) == 201
    assert (heard[0].path, heard[-1].path) == ("/50", "/last")
    assert "hunter2" not in repr(Exchange(AT, "POST", "/x", 200, 0.0, {"password": "hunter2"}))
