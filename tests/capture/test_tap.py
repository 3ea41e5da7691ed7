"""What a server says of all its connections, as records of each."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tribe_ws.capture import tap
from tribe_ws.capture.journal import Journal
from tribe_ws.capture.names import Names
from tribe_ws.capture.tap import REASONS, TapReader, records_of, verdicts_of
from tribe_ws.client.events import read_time
from tribe_ws.client.exchanges import Exchange
from tribe_ws.client.results import Conversation
from tribe_ws.hub.journal import Verdict

ROOM = "7b25f672-2ae0-56a2-a264-7f656e1c1c68"
ALICE = {"user": "alice", "user_id": "id-alice"}
BOB = {"user": "bob", "user_id": "id-bob"}
SENDER = {"id": "id-alice", "username": "alice", "full_name": "Alice Ames", "profile_image_url": None}
MESSAGE = {
    "event": "message.new",
    "conversation_id": ROOM,
    "data": {
        "id": "m1", "conversation_id": ROOM, "sender": SENDER, "content": "Hello", "message_type": "text",
        "created_at": "2026-11-23T01:22:31.000Z",
    },
}  # fmt: skip


def event(direction: str, name: str, frame: Any = None, **more: Any) -> dict[str, Any]:
    return {"n": 1, "t": "2026-11-23T01:22:31.000Z", "dir": direction, "event": name, "frame": frame} | more


def row(connection_id: str, verdict: str, who: dict[str, str], profile: str = "documented") -> dict[str, Any]:
    return {"connection_id": connection_id, "verdict": verdict, "profile": profile} | who


def opened(connection_id: str, who: dict[str, str], profile: str = "documented") -> dict[str, Any]:
    return event("note", "opened", {"profile": profile}, connection_id=connection_id) | who


def published(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    return event("out", "message.new", MESSAGE, conversation_id=ROOM, verdicts=list(rows), **ALICE, **more)


@pytest.fixture
def reader() -> TapReader:
    found = TapReader(lambda conversation_id: "general" if conversation_id == ROOM else "")
    for connection_id, who in (("c1", ALICE), ("c2", BOB)):
        found.records_of(opened(connection_id, who))
        welcome = {"event": "connected", "message": "WebSocket connection established"}
        found.records_of(
            event("out", "connected", welcome, verdicts=[row(connection_id, "delivered", who)], **who)
        )
        subscribe = {"event": "subscribe", "channel": "conversation", "conversation_id": ROOM}
        found.records_of(event("in", "subscribe", subscribe, connection_id=connection_id, **who))
    return found


def test_directions_are_those_of_the_client() -> None:
    [sent] = records_of(event("in", "ping", {"event": "ping"}, connection_id="c2", **BOB))
    assert (sent.direction, sent.as_user, sent.sender, sent.connection) == ("out", "bob", "bob", "c2")
    [got] = records_of(event("out", "pong", {"event": "pong"}, verdicts=[row("c2", "delivered", BOB)]))
    assert (got.direction, got.as_user, got.event) == ("in", "bob", "pong")
    assert json.loads(got.text) == {"event": "pong"}


def test_each_connection_that_gets_a_frame_has_a_record_of_it(reader: TapReader) -> None:
    records = reader.records_of(published(row("c1", "own_message", ALICE), row("c2", "delivered", BOB)))
    [record] = records
    assert (record.as_user, record.sender, record.conversation) == ("bob", "alice", "general")
    assert record.violations == ()


def test_who_did_not_get_it_is_told_with_the_reason(reader: TapReader) -> None:
    note = reader.delivery_of(published(row("c1", "own_message", ALICE), row("c2", "delivered", BOB)))
    assert note is not None
    assert (note.direction, note.event) == ("note", "delivery")
    assert note.text == "message.new: alice 1 not sent: it is the user's own; bob 1 delivered"
    assert reader.delivery_of(published(row("c2", "delivered", BOB))) is None
    assert reader.delivery_of(event("in", "ping", {"event": "ping"})) is None


def test_every_verdict_of_the_hub_has_its_words() -> None:
    assert REASONS.keys() == {verdict.value for verdict in Verdict}
    [verdict] = verdicts_of({"verdicts": [row("c", "some_new_reason", BOB)]})
    assert (verdict.recipient, verdict.connection, verdict.reason) == ("bob", "c", "some new reason")
    assert not verdict.is_delivered
    assert verdicts_of({}) == verdicts_of({"verdicts": "x"}) == []


def test_a_broken_promise_of_the_server_is_a_violation(reader: TapReader) -> None:
    [echo] = reader.records_of(published(row("c1", "delivered", ALICE)))
    assert [one.clause for one in echo.violations] == ["message.not-to-sender"]


def test_a_v2_connection_got_two_keys_more() -> None:
    reader = TapReader()
    reader.records_of(opened("c9", BOB, "v2"))
    line = published(
        row("c9", "delivered", BOB, "v2"),
        row("c2", "delivered", BOB),
        v2={"seq": 4, "client_message_id": None},
    )
    wide, narrow = reader.records_of(line)
    assert wide.frame["data"]["seq"] == 4
    assert "seq" not in narrow.frame["data"]
    assert "message.keys" not in {one.clause for one in (*wide.violations, *narrow.violations)}


def test_a_connection_open_before_we_looked_is_judged_mildly() -> None:
    assert TapReader().records_of(published(row("c7", "delivered", BOB)))[0].violations == ()
    expiring = {"event": "token.expiring", "data": {"expires_at": "2026-11-23T01:22:31.000Z"}}
    line = event("out", "token.expiring", expiring, verdicts=[row("c8", "delivered", BOB, "v2")])
    assert TapReader().records_of(line)[0].violations == ()


def test_a_frame_held_back_by_a_fault_is_marked(reader: TapReader) -> None:
    [record] = reader.records_of(published(row("c2", "fault_delayed", BOB)))
    assert record.tags == {"delayed"}


def called(method: str, path: str, status: int, request: Any = None, answer: Any = None) -> dict[str, Any]:
    return {
        "method": method,
        "path": path,
        "status": status,
        "seconds": 0.25,
        "request": request,
        "answer": answer,
    }


def test_a_call_is_written_as_the_client_s_own_session_writes_it() -> None:
    path, body = f"/api/v1/conversations/{ROOM}/messages", {"content": "Hello"}
    at = read_time("2026-11-23T01:22:31.000Z")
    assert at is not None
    names = Names([Conversation(ROOM, "group", "general", (), None, 0, None)], "alice")
    own = Journal(names, is_same_clock=True).called(
        Exchange(at, "POST", path, 201, 0.25, body, MESSAGE["data"])
    )
    line = event(
        "rest", "call", called("POST", path, 201, body, MESSAGE["data"]), conversation_id=ROOM, **ALICE
    )
    [record] = TapReader(lambda conversation_id: "general" if conversation_id else "").records_of(line)
    assert record.as_json() == own.as_json()
    assert (record.event, record.text, record.latency) == ("POST message", "Hello", 0.25)


def test_calls_that_fail_and_calls_of_nobody_are_told() -> None:
    [record] = records_of(
        event("rest", "call", called("POST", "/api/v1/auth/login", 401, {}, {"detail": "No"}))
    )
    assert (record.event, record.as_user, record.status) == ("POST login", "", 401)
    assert record.frame == {"detail": "No"}
    [record] = records_of(event("rest", "call", called("GET", "/x?token=abc", 200, None, "(9 bytes)")))
    assert (record.frame, record.text, record.path) == (None, "(9 bytes)", "/x?token=***")
    [record] = records_of(
        event("rest", "call", called("GET", "/api/v1/search/users?q=a", 200, None, [ALICE]))
    )
    assert record.frame == [ALICE]


def test_a_conversation_is_called_what_the_server_calls_it_where_we_do_not_know() -> None:
    line = event("rest", "call", called("GET", "/x", 200), conversation_id=ROOM, conversation="Team Rocket")
    assert records_of(line)[0].conversation == "team-rocket"
    assert TapReader(lambda _id: "mine").records_of(line)[0].conversation == "mine"


def test_what_was_no_frame_is_shown_as_it_came() -> None:
    [record] = records_of(event("in", "", "{broken", connection_id="c1", **ALICE))
    assert (record.event, record.text, record.frame) == ("raw", "{broken", None)
    assert [one.clause for one in record.violations] == ["frames.not-json"]


def test_lanes_are_named_by_user_and_number(reader: TapReader) -> None:
    reader.records_of(opened("c3", BOB))
    assert [reader.label_of(one) for one in ("c1", "c2", "c3", "none")] == ["alice 1", "bob 1", "bob 2", ""]
    [note] = reader.records_of(
        event("note", "closed", {"code": 1000, "reason": ""}, connection_id="c3", **BOB)
    )
    assert (note.event, note.text) == ("closed", "bob 2 code 1000")
    assert reader.label_of("c3") == ""


def test_notes_of_the_stream_itself() -> None:
    assert records_of({"dir": "note", "event": "watching"})[0].text == "from here on nothing is missing"
    [missed] = records_of({"dir": "note", "event": "missed", "frame": {"records": 7}})
    assert missed.text == "we read too slowly: records 7"


def test_who_typed_is_known_by_then(reader: TapReader) -> None:
    typing = {
        "event": "typing",
        "conversation_id": ROOM,
        "data": {"user_id": "id-alice", "user_name": "Alice Ames", "is_typing": True},
    }
    line = event("out", "typing", typing, conversation_id=ROOM, verdicts=[row("c2", "delivered", BOB)])
    assert reader.records_of(line)[0].sender == "alice"


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tap, "MOST_LANES", 5)
    reader = TapReader()
    for number in range(20):
        reader.records_of(opened(f"c{number}", BOB))
    assert len(reader._lanes) == 5


def test_a_line_that_says_nothing_breaks_nothing() -> None:
    bad_call = {"dir": "rest", "frame": {"status": "x", "seconds": True, "path": 7, "request": [{}]}}
    for line in (
        {},
        {"dir": "out"},
        {"dir": "in"},
        {"dir": "rest", "frame": []},
        bad_call,
        {"dir": 7, "t": 5},
    ):
        for record in TapReader().records_of(line):
            assert json.dumps(record.as_json())
