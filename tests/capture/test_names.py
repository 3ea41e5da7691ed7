"""From the names people use to ids, and back."""

from __future__ import annotations

import pytest

from tribe_ws.capture.names import Names, short_id, slug
from tribe_ws.client.results import Conversation, Participant
from tribe_ws.errors import NotFound

GENERAL = "7b25f672-2ae0-56a2-a264-7f656e1c1c68"
DESIGN = "7b25f6ff-0000-56a2-a264-7f656e1c1c68"
DIRECT = "20f5a7d2-396f-584a-a29f-8f7ebc43ee1d"


def conversation(conversation_id: str, name: str | None, *people: str) -> Conversation:
    participants = tuple(Participant(f"id-{one}", one, one.title(), "member", None) for one in people)
    kind = "direct" if name is None else "group"
    return Conversation(conversation_id, kind, name, participants, None, 0, None)


@pytest.fixture
def names() -> Names:
    return Names(
        [
            conversation(GENERAL, "general", "alice", "bob", "cara"),
            conversation(DESIGN, "Design Team", "alice", "cara"),
            conversation(DIRECT, None, "alice", "bob"),
        ],
        "alice",
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("general", GENERAL),
        ("#general", GENERAL),
        ("#GENERAL", GENERAL),
        (" general ", GENERAL),
        ("design-team", DESIGN),
        ("Design Team", DESIGN),
        ("@bob", DIRECT),
        ("bob", DIRECT),
        ("alice+bob", DIRECT),
        ("bob+alice", DIRECT),
        (GENERAL, GENERAL),
        (GENERAL.upper(), GENERAL),
        ("20f5a7", DIRECT),
        ("7b25f672", GENERAL),
        ("00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-000000000000"),
    ],
)
def test_a_conversation_answers_to_all_its_names(names: Names, text: str, expected: str) -> None:
    assert names.find(text) == expected


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("generl", "did you mean #general?              all: tribe-ws conversations list"),
        ("@bbo", "did you mean @bob?"),
        ("#xyzzy", "all: tribe-ws conversations list"),
        ("@cara", "all: tribe-ws conversations list"),
        ("alice+dan", "all:"),
        ("20f5a", "all:"),
    ],
)
def test_an_unknown_name_says_what_was_meant(names: Names, text: str, hint: str) -> None:
    with pytest.raises(NotFound, match="no conversation") as caught:
        names.find(text)
    assert hint in caught.value.hint


def test_an_ambiguous_beginning_lists_what_it_could_be(names: Names) -> None:
    with pytest.raises(NotFound, match="could be 2 conversations") as caught:
        names.find("7b25f6")
    assert GENERAL in caught.value.hint


def test_labels(names: Names) -> None:
    assert names.aliases() == ("#general", "#design-team", "@bob")
    assert names.label(None) == ""
    assert names.label("deadbeef-1234") == "deadbeef…"
    assert names.label("short") == "short"
    assert names.short(DIRECT) == "bob"
    assert names.short("unknown") == ""


def test_a_direct_conversation_with_oneself_has_a_name() -> None:
    assert Names([conversation(DIRECT, None, "alice")], "alice").aliases() == ("@alice",)


def test_people(names: Names) -> None:
    assert names.usernames == ("alice", "bob", "cara")
    assert names.username("id-bob") == "bob"
    assert names.username("id-nobody") == ""
    assert names.username(None) == ""
    assert names.user_names(GENERAL) == ("alice", "bob", "cara")
    assert names.user_names("unknown") == ()


def test_a_conversation_made_meanwhile_is_learnt(names: Names) -> None:
    names.learn(conversation("11111111-0000-0000-0000-000000000000", "new", "alice", "dan"))
    assert names.find("new") == "11111111-0000-0000-0000-000000000000"
    assert "dan" in names.usernames


def test_slugs_and_short_ids() -> None:
    assert slug("#Design  Team") == "design-team"
    assert short_id("01a2069d-bcbe-7363-bf3b-a11c5bec8411") == "ec8411"


@pytest.mark.parametrize(
    ("names_of_groups", "expected"),
    [((), "#general"), (("zeta", "alpha"), "#alpha"), (("alpha", "general"), "#general")],
)
def test_examples_are_groups_and_always_the_same(names_of_groups: tuple[str, ...], expected: str) -> None:
    groups = [conversation(f"id-{name}", name, "alice") for name in names_of_groups]
    assert Names(groups, "alice").example() == expected
    assert Names([conversation(DIRECT, None, "alice", "bob")], "alice").example() == "@bob"
