"""``/conversations`` on a real socket (contract 5)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tribe_ws.clock import new_id

CONVERSATION = [
    "id", "conversation_type", "name", "image_url", "is_group", "participants", "participants_count",
    "last_message", "unread_count", "is_muted", "is_archived", "last_message_at", "created_at",
]  # fmt: skip
PARTICIPANT = ["user_id", "username", "full_name", "profile_image_url", "role", "is_online", "last_seen_at"]
PAGINATION = ["page", "limit", "total", "total_pages", "has_more"]


def direct(backend, person, *others):
    body = {"conversation_type": "direct", "participant_ids": [other.id for other in others]}
    return backend.post("/conversations", person, json=body)


def test_group_has_the_keys_of_the_contract_and_its_creator_as_admin(backend):
    ana, ben = backend.person(), backend.person()
    body = {"conversation_type": "group", "participant_ids": [ben.id.upper(), ben.id], "name": "Team"}
    answer = backend.post("/conversations", ana, json=body)
    assert answer.status_code == 201
    made = answer.json()
    assert list(made) == CONVERSATION
    assert [list(participant) for participant in made["participants"]] == [PARTICIPANT] * 2
    roles = {participant["user_id"]: participant["role"] for participant in made["participants"]}
    assert roles == {ana.id: "admin", ben.id: "member"}
    assert (made["is_group"], made["participants_count"], made["name"]) == (True, 2, "Team")
    assert (made["last_message"], made["unread_count"], made["last_message_at"]) == (None, 0, None)


def test_direct_conversation_exists_once(backend):
    ana, ben = backend.person(), backend.person()
    first, second, third = direct(backend, ana, ben), direct(backend, ana, ben), direct(backend, ben, ana)
    assert [answer.status_code for answer in (first, second, third)] == [201, 200, 200]
    assert first.json()["id"] == second.json()["id"] == third.json()["id"]
    assert first.json()["is_group"] is False


@pytest.mark.parametrize("count", [0, 2])
def test_direct_conversation_is_between_two(backend, count):
    ana = backend.person()
    answer = direct(backend, ana, *[backend.person() for _ in range(count)])
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "participant_ids"


def test_nobody_has_a_direct_conversation_with_oneself(backend):
    ana = backend.person()
    assert direct(backend, ana, ana).status_code == 422


@pytest.mark.parametrize(
    "change",
    [
        {"conversation_type": "party"}, {"participant_ids": "x"}, {"participant_ids": ["x"]},
        {"participant_ids": None}, {"name": ""}, {"name": "a\0"}, {"name": "x" * 101},
    ],
)  # fmt: skip
def test_unacceptable_conversation_is_422(backend, change):
    body = {"conversation_type": "group", "participant_ids": [new_id()], "name": "Team"} | change
    answer = backend.post("/conversations", backend.person(), json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].split(".")[0] == next(iter(change))


def test_conversation_with_nobody_known_is_404(backend):
    body = {"conversation_type": "group", "participant_ids": [new_id()], "name": "Team"}
    answer = backend.post("/conversations", backend.person(), json=body)
    assert (answer.status_code, answer.json()) == (404, {"detail": "User not found"})


def test_list_shows_the_newest_activity_first_in_pages(backend):
    ana, ben = backend.person(), backend.person()
    ids = [backend.group(ana, ben) for _ in range(3)]
    backend.say(ben, ids[0], "up with you")
    answer = backend.get("/conversations", ana, params={"limit": 2})
    assert answer.status_code == 200
    assert list(answer.json()) == ["conversations", "pagination"]
    assert [item["id"] for item in answer.json()["conversations"]] == [ids[0], ids[2]]
    assert list(answer.json()["pagination"]) == PAGINATION
    assert list(answer.json()["pagination"].values()) == [1, 2, 3, 2, True]
    rest = backend.get("/conversations", ana, params={"limit": 2, "page": 2}).json()
    assert [item["id"] for item in rest["conversations"]] == [ids[1]]
    assert rest["pagination"]["has_more"] is False


def test_list_of_somebody_without_conversations_is_empty(backend):
    found = backend.get("/conversations", backend.person()).json()
    assert found["conversations"] == []
    assert list(found["pagination"].values()) == [1, 20, 0, 0, False]


def test_last_message_is_shortened_to_100_characters(backend):
    ana, ben = backend.person(), backend.person()
    conversation_id = backend.group(ana, ben)
    backend.say(ana, conversation_id, "é" * 101)
    last = backend.get(f"/conversations/{conversation_id}", ben).json()["last_message"]
    assert list(last) == ["id", "sender", "content", "message_type", "created_at"]
    assert last["content"] == "é" * 100 + "…"
    assert last["sender"]["id"] == ana.id


def test_reading_brings_the_unread_count_to_zero(backend):
    ana, ben = backend.person(), backend.person()
    conversation_id = backend.group(ana, ben)
    backend.say(ana, conversation_id)
    backend.say(ana, conversation_id)
    assert backend.get(f"/conversations/{conversation_id}", ben).json()["unread_count"] == 2
    answer = backend.post(f"/conversations/{conversation_id}/read", ben)
    assert answer.status_code == 200
    assert list(answer.json()) == ["message", "success"]
    assert backend.get(f"/conversations/{conversation_id}", ben).json()["unread_count"] == 0


def test_id_is_understood_in_either_case(backend):
    ana = backend.person()
    conversation_id = backend.group(ana, backend.person())
    assert backend.get(f"/conversations/{conversation_id.upper()}", ana).json()["id"] == conversation_id


CALLS = [
    ("GET", "", None), ("POST", "/read", None), ("GET", "/messages", None),
    ("POST", "/messages", {"content": "hello"}), ("POST", "/participants", {"user_ids": [new_id()]}),
    ("DELETE", f"/participants/{new_id()}", None),
]  # fmt: skip
SPELLINGS: dict[str, Callable[[str], str]] = {
    "unknown": str,
    "word": lambda _: "general",
    "dashless": lambda text: text.replace("-", ""),
    "braces": lambda text: "{" + text + "}",
    "urn": lambda text: "urn:uuid:" + text,
    "nul": lambda text: text + "%00",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize(("method", "rest", "body"), CALLS, ids=[f"{m} {r[:9]}" for m, r, _ in CALLS])
def test_conversation_that_does_not_exist_is_404(backend, method, rest, body, spelling):
    conversation_id = SPELLINGS[spelling](new_id())
    answer = backend.request(method, f"/conversations/{conversation_id}{rest}", backend.person(), json=body)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Conversation not found"})


@pytest.mark.parametrize(("method", "rest", "body"), CALLS, ids=[f"{m} {r[:9]}" for m, r, _ in CALLS])
def test_conversation_of_others_is_403(backend, method, rest, body):
    conversation_id = backend.group(backend.person(), backend.person())
    answer = backend.request(method, f"/conversations/{conversation_id}{rest}", backend.person(), json=body)
    assert (answer.status_code, answer.json()) == (403, {"detail": "Access denied"})


@pytest.mark.parametrize(("method", "rest", "body"), CALLS, ids=[f"{m} {r[:9]}" for m, r, _ in CALLS])
def test_stranger_gets_401_whether_or_not_it_exists(backend, method, rest, body):
    answer = backend.request(method, f"/conversations/{new_id()}{rest}", json=body)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_admin_adds_and_removes(backend):
    ana, ben, cara = backend.person(), backend.person(), backend.person()
    conversation_id = backend.group(ana, ben)
    answer = backend.post(
        f"/conversations/{conversation_id}/participants", ana, json={"user_ids": [cara.id.upper(), ben.id]}
    )
    assert answer.status_code == 200
    assert answer.json()["participants_count"] == 3
    answer = backend.request("DELETE", f"/conversations/{conversation_id}/participants/{cara.id}", ana)
    assert (answer.status_code, answer.content) == (204, b"")
    assert backend.get(f"/conversations/{conversation_id}", cara).status_code == 403


def test_member_may_leave_but_neither_add_nor_remove(backend):
    ana, ben, cara = backend.person(), backend.person(), backend.person()
    conversation_id = backend.group(ana, ben)
    path = f"/conversations/{conversation_id}/participants"
    assert backend.post(path, ben, json={"user_ids": [cara.id]}).status_code == 403
    assert backend.request("DELETE", f"{path}/{ana.id}", ben).status_code == 403
    assert backend.request("DELETE", f"{path}/{ben.id}", ben).status_code == 204


@pytest.mark.parametrize("user_id", [new_id(), "nobody"], ids=["unknown", "no id"])
def test_removing_who_is_not_there_is_404(backend, user_id):
    ana = backend.person()
    conversation_id = backend.group(ana, backend.person())
    answer = backend.request("DELETE", f"/conversations/{conversation_id}/participants/{user_id}", ana)
    assert answer.status_code == 404


def test_adding_who_does_not_exist_is_404_or_422(backend):
    ana = backend.person()
    path = f"/conversations/{backend.group(ana, backend.person())}/participants"
    assert backend.post(path, ana, json={"user_ids": [new_id()]}).status_code == 404
    assert backend.post(path, ana, json={"user_ids": ["nobody"]}).status_code == 422
    assert backend.post(path, ana, json={"user_ids": []}).status_code == 422


def test_direct_conversation_keeps_its_two(backend):
    ana, ben = backend.person(), backend.person()
    conversation_id = direct(backend, ana, ben).json()["id"]
    path = f"/conversations/{conversation_id}/participants"
    assert backend.post(path, ana, json={"user_ids": [backend.person().id]}).status_code == 403
    assert backend.request("DELETE", f"{path}/{ana.id}", ana).status_code == 403


def test_removed_user_gets_nothing_more_at_once(backend):
    ana, ben, cara = backend.person(), backend.person(), backend.person()
    conversation_id = backend.group(ana, ben, cara)
    with backend.socket(ben, conversation_id) as removed, backend.socket(cara, conversation_id) as staying:
        backend.say(ana, conversation_id, "before")
        assert removed.next()["data"]["content"] == "before"
        backend.request("DELETE", f"/conversations/{conversation_id}/participants/{ben.id}", ana)
        backend.say(ana, conversation_id, "after")
        assert [staying.next()["data"]["content"] for _ in range(2)] == ["before", "after"]
        assert removed.events_until_pong() == []
