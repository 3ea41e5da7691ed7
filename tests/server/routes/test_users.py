"""``/users`` and ``/search/users`` on a real socket (contract 5)."""

from __future__ import annotations

import pytest

from tests.server.routes.test_auth import ME
from tribe_ws.clock import new_id

PUBLIC = [
    "id", "username", "full_name", "bio", "profile_image_url", "is_verified", "goals_achieved",
    "photos_shared", "is_online", "last_seen_at",
]  # fmt: skip


def test_own_profile_has_the_keys_of_the_contract_in_their_order(backend):
    person = backend.person()
    answer = backend.get("/users/me", person)
    assert answer.status_code == 200
    assert list(answer.json()) == ME
    assert answer.json()["id"] == person.id
    assert answer.json()["created_at"].endswith("Z")


def test_changing_the_profile_changes_what_was_sent_and_nothing_else(backend):
    person = backend.person()
    answer = backend.request("PUT", "/users/me", person, json={"bio": "Climbs.", "email": "other@x.test"})
    assert answer.status_code == 200
    assert answer.json()["bio"] == "Climbs."
    assert answer.json()["email"] == person.email
    answer = backend.request("PUT", "/users/me", person, json={"full_name": "Ana Stone"})
    assert (answer.json()["full_name"], answer.json()["bio"]) == ("Ana Stone", "Climbs.")
    assert backend.request("PUT", "/users/me", person, json={}).json() == answer.json()
    assert backend.get("/users/me", person).json() == answer.json()


def test_new_name_is_on_the_next_message(backend):
    person = backend.person()
    conversation_id = backend.group(person, backend.person())
    assert backend.say(person, conversation_id).json()["sender"]["full_name"] == person.full_name
    backend.request("PUT", "/users/me", person, json={"full_name": "Ana Stone"})
    assert backend.say(person, conversation_id).json()["sender"]["full_name"] == "Ana Stone"


@pytest.mark.parametrize("body", [{"full_name": " "}, {"bio": "x" * 501}, {"bio": 5}, [], "text", None])
def test_unacceptable_profile_is_422(backend, body):
    answer = backend.request("PUT", "/users/me", backend.person(), json=body)
    assert answer.status_code == 422
    assert list(answer.json()) == ["detail", "errors"]


def test_others_see_the_public_part(backend):
    person, other = backend.person(), backend.person()
    answer = backend.get(f"/users/{other.id.upper()}", person)
    assert answer.status_code == 200
    assert list(answer.json()) == PUBLIC
    assert answer.json()["is_online"] is False
    with backend.socket(other):
        assert backend.get(f"/users/{other.id}", person).json()["is_online"] is True


@pytest.mark.parametrize(
    "user_id",
    [new_id(), "nobody", "{" + new_id() + "}", new_id().replace("-", "")],
    ids=["unknown", "no id", "in braces", "without hyphens"],
)
def test_unknown_user_is_404(backend, user_id):
    answer = backend.get(f"/users/{user_id}", backend.person())
    assert (answer.status_code, answer.json()) == (404, {"detail": "User not found"})


def test_search_finds_by_a_part_of_the_name(backend):
    person, other = backend.person(), backend.person()
    answer = backend.get("/search/users", person, params={"q": other.username[2:-2].upper()})
    assert answer.status_code == 200
    assert [found["id"] for found in answer.json()] == [other.id]
    assert list(answer.json()[0]) == PUBLIC


def test_search_is_read_in_pages(backend):
    people = [backend.person() for _ in range(3)]
    pages = [
        backend.get("/search/users", people[0], params={"q": "user", "page": page, "limit": 1}).json()
        for page in (1, 2)
    ]
    assert len(pages[0]) == len(pages[1]) == 1
    assert pages[0] != pages[1]


@pytest.mark.parametrize(
    "params",
    [
        {"q": "a\x00b"},
        {"q": "x" * 101},
        {"page": 0},
        {"page": 10**30},
        {"page": "1" * 5000},
        {"limit": 0},
        {"limit": 101},
        {"page": "x"},
    ],
    ids=lambda params: next(iter(params)),
)
def test_search_that_makes_no_sense_is_422(backend, params):
    answer = backend.get("/search/users", backend.person(), params=params)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == next(iter(params))


@pytest.mark.parametrize("query", ["q=%ED%A0%80", "q=%ff%fe", "q=%", "q[]=1", "&&&", "q=%25%5f"])
def test_strange_queries_find_nothing_and_break_nothing(backend, query):
    answer = backend.get(f"/search/users?{query}", backend.person())
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/users/me", "/users/x", "/search/users"])
def test_strangers_see_nobody(backend, path):
    assert backend.get(path).status_code == 401
