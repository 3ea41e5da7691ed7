"""Finding a capture's conversations again at another server."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import uuid4

from tests.capture.replay.capturing import BOB, GENERAL, message, posted, said, subscribed
from tribe_ws.capture.replay.places import missing_here, recognise
from tribe_ws.capture.replay.remap import Renaming
from tribe_ws.capture.replay.world import World
from tribe_ws.client.results import Conversation, read_conversation

HELLO = message(1, "alice", "Hello")


def conversation(name: str | None, *usernames: str, **changes: Any) -> Conversation:
    people = [{"user_id": str(uuid4()), "username": one, "full_name": one.title()} for one in usernames]
    raw = {
        "id": str(uuid4()), "conversation_type": "group" if name else "direct", "name": name,
        "participants": people,
    }  # fmt: skip
    return read_conversation(raw | changes)


def test_a_group_is_found_by_the_label_its_viewer_knows() -> None:
    world, renaming = World((subscribed("bob"), said("bob", HELLO))), Renaming()
    design, general = conversation("design", "alice", "bob"), conversation("General", "alice", "bob")
    recognise(world, {"bob": (design, general)}, renaming)
    assert renaming.name(GENERAL) == general.id
    assert missing_here(world, renaming, ()) is None


def test_people_are_found_by_their_names_here() -> None:
    world, renaming = World((said("bob", HELLO),)), Renaming({"alice": "ana"})
    here = conversation("general", "ana", "bob")
    recognise(world, {"bob": (here,)}, renaming)
    assert renaming.name(HELLO["sender"]["id"]) == here.participants[0].user_id


def test_a_direct_conversation_is_found_by_the_other_one() -> None:
    world, renaming = World((said("bob", HELLO, conversation="alice"),)), Renaming({"alice": "ana"})
    group, direct = conversation("alice", "ana", "bob", "cara"), conversation(None, "ana", "bob")
    recognise(world, {"bob": (direct, group)}, renaming)
    assert renaming.name(GENERAL) == direct.id


def test_one_with_the_same_id_is_the_same() -> None:
    world, renaming = World((subscribed("bob"),)), Renaming()
    recognise(world, {"bob": (conversation("renamed", "bob", id=GENERAL),)}, renaming)
    assert renaming.knows(GENERAL)


def test_one_without_a_label_is_found_by_what_was_told_of_it() -> None:
    told = {
        "id": GENERAL, "conversation_type": "direct", "name": None,
        "participants": [{"user_id": BOB, "username": "bob"}, {"user_id": HELLO["id"], "username": "alice"}],
    }  # fmt: skip
    fetched = replace(posted("bob", HELLO), method="GET", event="GET conversations", frame=[told])
    world, renaming = World((fetched,)), Renaming()
    direct = conversation(None, "alice", "bob")
    recognise(world, {"bob": (conversation("x", "bob"), conversation(None, "bob", "cara"), direct)}, renaming)
    assert renaming.name(GENERAL) == direct.id


def test_one_that_is_not_here_is_named_with_the_command_that_makes_it() -> None:
    world, renaming = World((subscribed("bob"),)), Renaming({"bob": "ben"})
    recognise(world, {"bob": ()}, renaming)
    error = missing_here(world, renaming, ())
    assert str(error) == 'ben is in no conversation "general" here, and the capture plays in it'
    assert error is not None
    assert "conversations create general USER... --as ben" in error.hint
    assert missing_here(world, renaming, (GENERAL,)) is None
