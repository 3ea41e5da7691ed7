"""Worlds are checked to the line before anything is stored, and the demo world is what transcripts say."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tribe_ws.demo_accounts import DEMO_PASSWORD, DEMO_USERNAMES, fixture_id
from tribe_ws.errors import ConfigurationError
from tribe_ws.storage.world import load_world, parse_world

USERS = """\
users:
  - {username: ana, full_name: Ana}
  - {username: ben, full_name: Ben}
"""


def test_the_demo_world_is_the_one_of_the_transcripts():
    world = load_world("demo")
    assert tuple(user.username for user in world.users) == DEMO_USERNAMES
    assert [(user.full_name, user.email) for user in world.users][:2] == [
        ("Alice Ames", "alice@tribe.test"),
        ("Bob Stone", "bob@tribe.test"),
    ]
    assert {user.password for user in world.users} == {DEMO_PASSWORD}
    assert [(c.summary().label, c.participants) for c in world.conversations] == [
        ("#general", DEMO_USERNAMES),
        ("#design", ("alice", "cara")),
        ("alice+bob", ("alice", "bob")),
    ]
    assert all(c.messages for c in world.conversations)
    assert world.users[0].id == fixture_id("user:alice")
    assert world.conversations[0].id == fixture_id("conversation:general")


def test_no_world_is_a_world_too():
    world = load_world("none")
    assert (world.users, world.conversations) == ((), ())


def test_a_world_is_read_from_a_file(tmp_path):
    path = tmp_path / "small.yaml"
    path.write_text(
        USERS + "conversations:\n"
        "  - alias: chat\n    participants: [ana, ben]\n    messages:\n"
        "      - {from: ana, ago: 2h, text: 'no: on'}\n      - {from: ben, text: 2026-01-01 is a day,"
        " reply_to: 1}\n",
        encoding="utf-8",
    )
    world = load_world(str(path))
    [chat] = world.conversations
    assert (world.name, chat.conversation_type) == ("small", "direct")
    assert [(m.text, m.age, m.reply_to) for m in chat.messages] == [
        ("no: on", timedelta(hours=2), None),
        ("2026-01-01 is a day", timedelta(0), 1),
    ]


def test_users_may_have_their_own_details():
    world = parse_world(
        "users:\n  - {username: ana, full_name: Ana, email: ana@here.example, password: Own-1, bio: Hi,"
        " photos_shared: 3, is_verified: yes}\n".replace("yes", "true"),
        "w",
        "w.yaml",
    )
    [ana] = world.users
    assert (ana.email, ana.password) == ("ana@here.example", "Own-1")
    assert ana.details == {"bio": "Hi", "photos_shared": 3, "is_verified": True}


def chat(messages: str = "", participants: str = "[ana, ben]", more: str = "") -> str:
    text = f"{USERS}conversations:\n  - alias: chat\n    participants: {participants}\n{more}"
    return text + (f"    messages:\n{messages}" if messages else "")


FAULTS = {
    "not-a-mapping": ("- a\n- b\n", 1, "mapping"),
    "empty": ("", 1, "mapping"),
    "unknown-key": (USERS + "convos: []\n", 4, "no 'convos'"),
    "not-yaml": ("users: [\n", 2, "expected"),
    "key-twice": ("users: []\nusers: []\n", 2, "duplicate key"),
    "tab": ("users:\n\t- a\n", 2, "cannot start any token"),
    "control": ("users: \x01\n", 1, "special characters"),
    "users-no-list": ("users: ana\n", 1, "a list"),
    "user-no-mapping": ("users:\n  - {username: ana, full_name: Ana}\n  - ben\n", 3, "mapping"),
    "no-username": ("users:\n  - full_name: Ana\n", 2, "'username' is missing"),
    "number-as-name": ("users:\n  - username: 12\n    full_name: Ana\n", 2, "must be text"),
    "blank-name": ("users:\n  - username: ana\n    full_name: ' '\n", 3, "must not be empty"),
    "user-key": ("users:\n  - username: ana\n    full_name: Ana\n    shoe: 44\n", 4, "no 'shoe'"),
    "flag": ("users:\n  - {username: ana, full_name: Ana, is_verified: 1}\n", 2, "true or false"),
    "number": ("users:\n  - {username: ana, full_name: Ana, photos_shared: true}\n", 2, "whole number"),
    "negative": ("users:\n  - {username: ana, full_name: Ana, photos_shared: -1}\n", 2, "negative"),
    "user-twice": (USERS + "  - {username: ANA, full_name: A, email: a@x.y}\n", 4, "username 'ana'"),
    "address-twice": (USERS + "  - {username: c, full_name: C, email: Ana@Tribe.test}\n", 4, "email"),
    "stranger": (chat(participants="[ana, zoe]"), 6, "no user 'zoe'"),
    "participant-twice": (chat(participants="[ana, ana]"), 6, "twice"),
    "nobody": (chat(participants="[ana]"), 6, "two participants"),
    "conversation-key": (chat(more="    colour: red\n"), 7, "no 'colour'"),
    "alias-twice": (chat() + "  - {alias: chat, name: x, participants: [ana]}\n", 7, "alias 'chat'"),
    "pair-twice": (chat() + "  - {alias: other, participants: [ben, ana]}\n", 7, "direct pair"),
    "message-key": (chat("      - {from: ana, txt: hi}\n"), 8, "no 'txt'"),
    "no-text": (chat("      - {from: ana}\n"), 8, "'text' is missing"),
    "sender": (chat("      - {from: zoe, text: hi}\n"), 8, "no participant"),
    "ago": (chat("      - {from: ana, text: hi, ago: soon}\n"), 8, "not a duration"),
    "order": (
        chat("      - {from: ana, text: a, ago: 1h}\n      - {from: ana, text: b, ago: 2h}\n"), 9, "oldest"
    ),
    "reply": (chat("      - {from: ana, text: hi, reply_to: 1}\n"), 8, "no earlier message number 1"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "line", "what"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_with_its_line(text, line, what):
    with pytest.raises(ConfigurationError) as caught:
        parse_world(text, "w", "w.yaml")
    message = str(caught.value)
    assert message.startswith(f"w.yaml:{line}: ")
    assert what in message
    assert "\n" not in message


def test_a_world_that_is_not_there_names_those_that_are(tmp_path):
    with pytest.raises(ConfigurationError, match="no world 'mars'") as caught:
        load_world("mars")
    assert "demo, none" in caught.value.hint


def test_a_file_that_is_no_text_is_refused(tmp_path):
    path = tmp_path / "w.yaml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        load_world(str(path))
