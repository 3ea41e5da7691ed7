"""Probes of what one sees of oneself and of others (contract 5, accounts)."""

from __future__ import annotations

from typing import Any

from tribe_ws.check.probe import Need, probe
from tribe_ws.check.rest_answers import NOBODY, exact_keys, granted, objects, refused, register
from tribe_ws.check.stage import Stage
from tribe_ws.protocol.models import PublicUser, UserOut

# What of a user changes by an update only, and not because the user lives meanwhile.
_STEADY = frozenset(UserOut.model_fields) - {"last_seen_at"}


@probe("me.shape", advice="answer auth/me and users/me with the documented keys of a user, in their order")
async def one_sees_oneself(stage: Stage) -> None:
    """Read the first person's own account in both ways."""
    for path in ("/auth/me", "/users/me"):
        me = granted(stage, await stage.call(stage.first, "GET", path), 200, of=path)
        exact_keys(stage, me, UserOut, of=path)
        stage.same(f"the id in {path}", me["id"], stage.first.id)


@probe(
    "me.update",
    needs=[Need.REGISTER],
    advice="change the fields that were sent, and leave all others as they are",
)
async def an_update_changes_what_was_sent(stage: Stage) -> None:
    """Change the bio and then the name of an account of the probe's own."""
    person = await register(stage)
    before = granted(stage, await stage.call(person, "GET", "/users/me"), 200, of="users/me")
    for change in ({"bio": "Checks contracts. 🏃"}, {"full_name": "Contract Check II"}, {"bio": None}):
        answer = await stage.call(person, "PUT", "/users/me", body=change)
        after = granted(stage, answer, 200, of=f"an update of {next(iter(change))}")
        stage.same("the updated user", _steady(after), _steady(before | change))
        again = granted(stage, await stage.call(person, "GET", "/users/me"), 200, of="users/me")
        stage.same("the stored user", _steady(again), _steady(after))
        before = after


@probe(
    "user.public",
    advice="answer users/{id} with the keys of the public part, in their order, and 404 for nobody",
)
async def everybody_sees_the_public_part(stage: Stage) -> None:
    """Read another person, or oneself, as everybody can."""
    person = stage.second if len(stage.visit.people) > 1 else stage.first
    answer = await stage.call(stage.first, "GET", f"/users/{person.id}")
    user = granted(stage, answer, 200, of="users/{id}")
    exact_keys(stage, user, PublicUser, of="users/{id}")
    stage.same("the id", user["id"], person.id)
    stage.check(isinstance(user["is_online"], bool), f"is_online is no boolean: {answer}")
    unknown = await stage.call(stage.first, "GET", f"/users/{NOBODY}")
    refused(stage, unknown, 404, of="a user who does not exist")


@probe(
    "search.users", advice="answer search/users with a list of public users, as many to a page as limit says"
)
async def search_finds_users_page_by_page(stage: Stage) -> None:
    """Look for a person by a part of the username, and turn a page."""
    person = stage.second if len(stage.visit.people) > 1 else stage.first
    found = await _search(stage, q=person.username[:-1] or person.username, limit=100)
    stage.check(
        person.id in [user.get("id") for user in found] or len(found) == 100,
        f"a search for a part of {person.username} did not find them",
    )
    for user in found:
        missing = set(PublicUser.model_fields) - set(user)
        stage.check(not missing, f"a user that was found lacks {', '.join(sorted(missing))}")
    pages = [await _search(stage, q=person.username[:1], page=page, limit=1) for page in (1, 2)]
    ids = [user.get("id") for page in pages for user in page]
    stage.check(len(pages[0]) == 1 and len(pages[1]) <= 1, f"limit=1 gave {len(pages[0])}, {len(pages[1])}")
    stage.check(len(set(ids)) == len(ids), "the second page shows whom the first one showed")


async def _search(stage: Stage, **query: Any) -> list[dict[str, Any]]:
    answer = await stage.call(stage.first, "GET", "/search/users", query=query)
    stage.check(answer.status == 200, f"a search: wanted HTTP 200, got {answer}")
    stage.check(isinstance(answer.value, list), f"a search: wanted a list of users, got {answer}")
    return objects(answer.value)


def _steady(user: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in user.items() if key in _STEADY}
