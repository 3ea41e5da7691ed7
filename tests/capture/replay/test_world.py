"""What a capture tells of the server it was recorded at."""

from __future__ import annotations

from dataclasses import replace

from tests.capture.replay.capturing import (
    ALICE,
    BOB,
    GENERAL,
    came,
    evening,
    message,
    posted,
    said,
    subscribed,
    typed,
)
from tribe_ws.capture.replay.world import World

HELLO = message(1, "alice", "Hello")


def test_a_real_capture_tells_the_whole_demo_world() -> None:
    world = World(evening())
    assert list(world.viewers) == ["bob", "alice"]
    assert {person.username for person in world.people.values()} == {"alice", "bob", "cara", "dan"}
    names = {talk.name for talk in world.talks.values() if talk.is_group}
    assert names == {"general", "design"}
    alice = world.person("Alice")
    assert alice is not None
    assert {talk.is_group for talk in world.talks_of(alice)} == {True, False}


def test_single_frames_are_put_together() -> None:
    world = World((subscribed("bob"), typed("bob", "alice", on=True), said("bob", HELLO)))
    assert {person.username: person.full_name for person in world.people.values()} == {
        "alice": "Alice",
        "bob": "Bob",
    }
    talk = world.talks[GENERAL]
    assert (talk.name, talk.is_group, talk.labels) == ("general", True, {"bob": "general"})
    assert ALICE in talk.members
    assert "bob" in talk.members


def test_a_viewer_whose_id_nobody_tells_is_there_all_the_same() -> None:
    bob = World((subscribed("bob"),)).person("bob")
    assert bob is not None
    assert (bob.id, bob.full_name) == ("bob", "Bob")


def test_two_who_see_each_others_names_talk_directly() -> None:
    world = World(
        (
            said("bob", HELLO, conversation="alice"),
            posted("bob", message(2, "bob", "Hi"), conversation="alice"),
        )
    )
    assert world.talks[GENERAL].is_group is False
    assert set(world.talks[GENERAL].members) == {ALICE, BOB}


def test_a_message_is_of_the_moment_only_where_it_was_not_fetched() -> None:
    old, new = message(1, "alice", "Old"), message(2, "alice", "New")
    fetched = replace(
        posted("bob", old),
        method="GET",
        event="GET messages",
        frame={"messages": [old]},
        text="",
        request=None,
    )
    world = World((fetched, said("bob", new, at=5)))
    assert world.messages[old["id"]].at is None
    assert world.messages[new["id"]].at == said("bob", new, at=5).at


def test_the_shortened_last_message_of_a_conversation_is_no_message() -> None:
    conversation = {
        "id": GENERAL, "conversation_type": "group", "name": "general", "last_message": HELLO,
        "participants": [{"user_id": ALICE, "username": "alice", "full_name": "Alice"}, "nonsense"],
    }  # fmt: skip
    fetched = replace(posted("bob", HELLO), method="GET", event="GET conversations", frame=[conversation])
    assert World((fetched,)).messages == {}


def test_nonsense_is_left_alone() -> None:
    odd = (
        came("bob", "message.new", frame={"data": {"sender": {}, "content": "x", "conversation_id": ""}}),
        came("bob", "x", frame={"data": {"conversation_type": "group", "participants": []}}),
        came("bob", "x", frame={"data": {"username": "nobody"}}),
    )
    world = World(odd)
    assert (world.talks, world.messages) == ({}, {})


def test_somebody_without_a_username_gets_one() -> None:
    nameless = replace(typed("bob", "alice", on=True), sender="")
    assert {person.username for person in World((nameless,)).people.values()} == {"alice", "bob"}
    person = came("bob", "typing", frame={"data": {"user_id": ALICE}}, conversation_id=GENERAL)
    assert "user_00000a" in {one.username for one in World((person,)).people.values()}
