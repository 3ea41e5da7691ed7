"""What the linter finds in a frame, under which clause, and what it leaves in peace."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tribe_ws.capture.lint import Level, Linter
from tribe_ws.client.events import binary_event, read_event
from tribe_ws.clock import ManualClock
from tribe_ws.protocol.contract import clause
from tribe_ws.protocol.examples import EXAMPLES
from tribe_ws.protocol.frames import DOCUMENTED_FRAMES
from tribe_ws.protocol.frames_v2 import V2_FRAMES

ROOM = "7b25f672-2ae0-56a2-a264-7f656e1c1c68"
CONNECTED = {"event": "connected", "message": "WebSocket connection established"}
SUBSCRIBE = {"event": "subscribe", "channel": "conversation", "conversation_id": ROOM}
BOB = {"id": "id-bob", "username": "bob", "full_name": "Bob Stone", "profile_image_url": None}


def message(number: int = 1, **data: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "id": f"m{number}",
        "conversation_id": ROOM,
        "sender": BOB,
        "content": "Hello",
        "message_type": "text",
        "created_at": f"2026-11-23T01:22:{number:02}.000Z",
    }
    return {"event": "message.new", "conversation_id": ROOM, "data": values | data}


def opened(level: Level = "documented", **options: Any) -> Linter:
    """Give a linter that has seen a connection open and subscribe."""
    linter = Linter(level, **({"user_id": "id-alice", "username": "alice"} | options))
    linter.incoming(json.dumps(CONNECTED))
    linter.outgoing(json.dumps(SUBSCRIBE))
    return linter


def found(linter: Linter, frame: Any) -> list[str]:
    text = frame if isinstance(frame, str) else json.dumps(frame)
    return [violation.clause for violation in linter.incoming(text)]


@pytest.mark.parametrize("kind", [kind for kind in DOCUMENTED_FRAMES if kind.__name__ != "Connected"])
def test_the_documents_own_frames_keep_the_contract(kind: Any) -> None:
    for example in EXAMPLES[kind]:
        linter = Linter("documented")
        assert found(linter, CONNECTED) == []
        linter.outgoing(json.dumps(SUBSCRIBE | {"conversation_id": example.get("conversation_id", ROOM)}))
        assert found(linter, example) == []


@pytest.mark.parametrize("kind", V2_FRAMES)
def test_v2_frames_are_allowed_where_v2_was_selected(kind: Any) -> None:
    for example in EXAMPLES[kind]:
        linter = Linter("v2", is_open=True)
        about = example.get("conversation_id") or ROOM
        linter.outgoing(json.dumps(SUBSCRIBE | {"conversation_id": about, "echo": True}))
        assert found(linter, example) == []


BROKEN: list[tuple[str, Any, list[str]]] = [
    ("not JSON", "{", ["socket.text-frames"]),
    ("no object", "[1]", ["socket.text-frames"]),
    ("a key twice", '{"event":"pong","event":"pong"}', ["socket.text-frames"]),
    ("no event", {"message": "x"}, ["socket.text-frames"]),
    ("an event that is no text", {"event": 7}, ["socket.text-frames"]),
    ("an unknown event", {"event": "novel"}, ["profile.documented"]),
    ("a v2 event", {"event": "error", "conversation_id": None, "data": {}}, ["profile.documented"]),
    (
        "an event of the app's",
        {
            "event": "presence",
            "data": {"user_id": "u", "is_online": True, "status": "online", "last_seen_at": None},
        },
        ["profile.documented"],
    ),
    ("an extra key", {"event": "pong", "ref": "a"}, ["document.server-pong"]),
    ("an extra key of v2", message(seq=4), ["message.keys"]),
    ("a missing key", {"event": "subscribed"}, ["document.server-subscribed"]),
    ("a wrong type", message(content=7), ["message.keys"]),
    ("a sender that is a text", message(sender="bob"), ["message.keys"]),
    (
        "keys in another order",
        {"conversation_id": ROOM, "event": "subscribed"},
        ["document.server-subscribed"],
    ),
    (
        "is_typing as a number",
        {
            "event": "typing",
            "conversation_id": ROOM,
            "data": {"user_id": "u", "user_name": "U", "is_typing": 1},
        },
        ["document.server-typing"],
    ),
    ("time without Z", message(created_at="2026-11-23T01:22:00.000"), ["message.timestamp"]),
    ("time with an offset", message(created_at="2026-11-23T01:22:00.000+00:00"), ["message.timestamp"]),
    ("time in another form", message(created_at="2026-11-23 01:22Z"), ["message.timestamp"]),
    (
        "an id in capitals",
        message() | {"conversation_id": ROOM.upper()},
        ["subscribe.either-case", "message.keys"],
    ),
    (
        "another conversation",
        {"event": "subscribed", "conversation_id": ROOM.upper()},
        ["subscribe.either-case"],
    ),
    ("connected again", CONNECTED, ["connect.connected-first"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("frame", "clauses"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN]
)
def test_what_is_wrong_is_named_by_its_clause(frame: Any, clauses: list[str]) -> None:
    assert found(opened(), frame) == clauses
    assert all(clause(one) for one in clauses)


def test_a_violation_says_where_what_came_and_what_was_wanted() -> None:
    [violation] = opened().incoming(json.dumps(message(created_at="2026-11-23 01:22")))
    assert (violation.path, violation.got) == ("data.created_at", '"2026-11-23 01:22"')
    assert violation.want == "2024-01-01T12:00:00Z"
    assert str(violation) == (
        'data.created_at: "2026-11-23 01:22" is not an RFC 3339 UTC time (message.timestamp)'
    )


def test_misplaced_keys_are_told_in_both_orders() -> None:
    frame = message()
    frame["data"] = {"content": "x"} | frame["data"]
    [violation] = opened().incoming(json.dumps(frame))
    assert (violation.clause, violation.path) == ("message.keys", "data")
    assert violation.got.startswith("content, id")
    assert violation.want.startswith("id, conversation_id")


def test_several_faults_of_one_frame_are_all_told() -> None:
    frame = message(created_at="yesterday")
    del frame["data"]["sender"]
    frame["data"]["mood"] = "good"
    assert found(opened(), frame) == ["message.keys", "message.keys", "message.timestamp"]


def test_the_app_profile_has_two_events_more() -> None:
    read: dict[str, Any] = {
        "event": "message.read",
        "conversation_id": ROOM,
        "data": {"user_id": "u", "read_at": "2026-11-23T01:22:00Z", "last_read_message_id": None},
    }
    assert found(opened("app"), read) == []
    assert found(opened("app"), read | {"data": read["data"] | {"read_at": "now"}}) == ["read.shape"]
    assert found(opened("documented"), read) == ["profile.documented"]


def test_what_comes_before_connected_is_too_early() -> None:
    linter = Linter()
    assert found(linter, {"event": "pong"}) == ["connect.connected-first"]
    assert found(linter, CONNECTED) == []
    assert found(linter, {"event": "pong"}) == []


def test_who_joins_late_misses_neither_connected_nor_subscriptions() -> None:
    linter = Linter("documented", is_open=True)
    assert found(linter, message()) == []
    assert found(linter, CONNECTED) == []


def test_a_binary_frame_is_no_text_frame() -> None:
    event = binary_event(b"\x00\xff", received_at=0, at=ManualClock().now())
    [violation] = opened().incoming(event)
    assert violation.clause == "socket.text-frames"
    assert "binary frame of 2 bytes" in violation.message


def test_an_event_is_judged_as_its_text_is() -> None:
    text = json.dumps({"event": "pong", "extra": 1})
    event = read_event(text, received_at=0, at=ManualClock().now())
    assert opened().incoming(event) == opened().incoming(text) != ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{nonsense", "frames.not-json"),
        ("[]", "frames.not-object"),
        ('{"event":"sing"}', "frames.unknown-event"),
        ('{"event":"typing","conversation_id":"x"}', "frames.bad-field"),
        (b"\x01", "frames.binary"),
    ],
)
def test_what_the_client_says_is_judged_too(text: str | bytes, expected: str) -> None:
    [violation] = opened().outgoing(text)
    assert violation.clause == expected
    assert "ignores it" in violation.message
    [in_v2] = opened("v2").outgoing(text)
    assert in_v2.clause == "v2.error"


def test_unknown_fields_of_a_client_are_no_violation() -> None:
    assert opened().outgoing('{"event":"unsubscribe","channel":"conversation","conversation_id":"x"}') == ()
