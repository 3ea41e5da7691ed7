"""What differs between what was recorded and what comes now."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.capture.replay.capturing import ALICE, GENERAL, came, message, said, typed
from tribe_ws.capture.replay.difference import Difference, compare_bodies, compare_frames, quoted, what
from tribe_ws.capture.replay.remap import Renaming

HERE = str(uuid4())


def changes(recorded: Any, got: Any, renaming: Renaming | None = None) -> list[str]:
    return [str(change) for change in compare_frames(recorded, got, renaming or Renaming())]


def test_other_ids_and_times_are_no_difference() -> None:
    told = message(1, "alice", "Hello")
    here = told | {"id": str(uuid4()), "conversation_id": HERE, "created_at": "2027-01-01T00:00:00.999Z"}
    here["sender"] = told["sender"] | {"id": str(uuid4())}
    assert not changes({"event": "message.new", "data": told}, {"event": "message.new", "data": here})


def test_an_id_must_be_the_same_new_one_everywhere() -> None:
    renaming = Renaming()
    assert not changes({"conversation_id": GENERAL}, {"conversation_id": HERE}, renaming)
    other = str(uuid4())
    assert changes({"conversation_id": GENERAL}, {"conversation_id": other}, renaming) == [
        f'conversation_id: recorded "{HERE}", got "{other}"'
    ]
    assert changes({"id": ALICE}, {"id": HERE}, renaming)


def test_a_frame_that_differs_teaches_nothing() -> None:
    renaming = Renaming()
    assert changes({"id": GENERAL, "x": 1}, {"id": HERE, "x": 2}, renaming)
    assert not renaming.knows(GENERAL)


@pytest.mark.parametrize(
    ("recorded", "got", "expected"),
    [
        ({"a": 1}, {}, "a: recorded 1, got nothing"),
        ({}, {"a": 1}, "a: recorded nothing, got 1"),
        ({"a": {"b": "x"}}, {"a": {"b": "y"}}, 'a.b: recorded "x", got "y"'),
        ({"a": [1, 2]}, {"a": [1]}, "a: recorded [1, 2], got [1]"),
        ({"a": [1, 2]}, {"a": [1, 3]}, "a.1: recorded 2, got 3"),
        ({"a": True}, {"a": 1}, "a: recorded true, got 1"),
        ({"a": None}, {"a": "x"}, 'a: recorded null, got "x"'),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, "recorded the keys a, b, got b, a"),
        ({"at": "2026-01-01T00:00:00Z"}, {"at": "2026-01-01T00:00:00"}, "at: recorded"),
        ({"at": "2026-01-01T00:00:00Z"}, {"at": "2026-01-01T00:00:00+00:00"}, "at: recorded"),
        ({"at": "2026-01-01T00:00:00Z"}, {"at": "soon"}, "at: recorded"),
        ({"id": GENERAL}, {"id": "7"}, "id: recorded"),
    ],
)
def test_every_other_difference_is_told_with_its_place(recorded: Any, got: Any, expected: str) -> None:
    told = changes(recorded, got)
    assert len(told) == 1
    assert told[0].startswith(expected)


def test_a_secret_that_was_taken_out_is_any_secret() -> None:
    assert not changes({"token": "***"}, {"token": "abc"})


def test_what_a_server_says_of_itself_is_not_compared() -> None:
    assert not changes({"data": {"server": "1", "online": []}}, {"data": {"server": "2"}})


def test_numbers_of_messages_may_have_a_lead_that_stays() -> None:
    renaming = Renaming()
    first = {"conversation_id": GENERAL, "data": {"seq": 3}}
    assert not changes(first, {"conversation_id": HERE, "data": {"seq": 8}}, renaming)
    second = {"conversation_id": GENERAL, "data": {"seq": 4}}
    assert not changes(second, {"conversation_id": HERE, "data": {"seq": 9}}, renaming)
    assert changes(second, {"conversation_id": HERE, "data": {"seq": 10}}, renaming)


def test_words_that_name_a_run_are_bound_like_ids() -> None:
    renaming = Renaming()
    assert not changes({"epoch": "one"}, {"epoch": "two"}, renaming)
    assert changes({"epoch": "one"}, {"epoch": "three"}, renaming)


def test_a_user_played_by_another_has_that_ones_name() -> None:
    renaming = Renaming({"alice": "ana"})
    recorded = {"username": "alice", "full_name": "Alice Ames", "is_verified": True}
    assert not changes(recorded, {"username": "ana", "full_name": "Ana", "is_verified": False}, renaming)
    assert changes(recorded, {"username": "alice", "full_name": "Ana", "is_verified": True}, renaming) == [
        'username: recorded "ana", got "alice"'
    ]
    assert changes({"full_name": "Alice"}, {"full_name": "Ana"})


def test_the_order_of_keys_counts_on_the_socket_and_not_in_answers() -> None:
    renaming = Renaming()
    assert not compare_bodies({"a": 1, "b": 2}, {"b": 2, "a": 1}, renaming)
    assert not compare_bodies(
        {"is_online": True, "read_by": []}, {"is_online": False, "read_by": [1]}, renaming
    )


def test_a_difference_names_its_line_in_words_and_in_json() -> None:
    one = Difference("missing", 7, "bob", "pong", "pong did not come")
    assert str(one) == "line 7: bob: pong did not come"
    assert one.as_json() == {
        "v": 1, "difference": "missing", "line": 7, "as": "bob", "event": "pong",
        "words": "pong did not come", "changes": [],
    }  # fmt: skip


def test_long_values_are_cut() -> None:
    assert len(quoted("x" * 500)) == 60


def test_an_event_is_named_by_what_it_tells() -> None:
    assert what(said("bob", message(1, "alice", "Hello"))) == 'message.new "Hello"'
    assert what(typed("bob", "alice", on=True)) == "typing on of Alice"
    presence = {"data": {"user_id": ALICE, "status": "away"}}
    assert what(came("bob", "presence", frame=presence, sender="alice")) == "presence away of alice"
    assert what(came("bob", "subscribed", conversation="general")) == "subscribed #general"
    assert what(came("bob", "pong")) == "pong"
