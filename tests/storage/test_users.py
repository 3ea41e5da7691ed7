"""Accounts keep what they promise on every database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from tribe_ws.errors import ConflictError, NotFound
from tribe_ws.storage.users import insert_user, new_user


async def test_a_new_user_is_found_by_id_as_it_was_made(storage, clock):
    made = await storage.users.create("Zoe@Tribe.Test", "Zoe_1", "Zoë Ångström", "secret hash")
    found = await storage.users.by_id(made.id)
    assert found == made
    assert (found.email, found.username, found.full_name) == ("Zoe@Tribe.Test", "Zoe_1", "Zoë Ångström")
    assert (found.is_active, found.is_verified, found.status) == (True, False, "offline")
    assert found.last_seen_at is None
    assert found.created_at == clock.now()
    assert found.created_at.utcoffset() == timedelta(0)


async def test_an_unknown_id_finds_nobody(storage):
    assert await storage.users.by_id("11111111-1111-4111-8111-111111111111") is None


@pytest.mark.parametrize("login", ["ana@tribe.test", "ANA@tribe.test", "ana", "Ana", " ana "])
async def test_login_is_by_address_or_username_in_any_case(storage, people, login):
    found = await storage.users.by_login(login)
    assert found.id == people.ana.id
    assert found.password_hash == "hash of ana"


@pytest.mark.parametrize("login", ["", "nobody", "ana@", "ana\0"])
async def test_an_unknown_login_finds_nobody(storage, people, login):
    assert await storage.users.by_login(login) is None


async def test_an_address_wins_over_a_username_that_looks_like_it(storage):
    owner = await storage.users.create("kim@tribe.test", "kim", "Kim", "h")
    await storage.users.create("other@tribe.test", "kim@tribe.test", "Impostor", "h")
    assert (await storage.users.by_login("kim@tribe.test")).id == owner.id


async def test_the_password_hash_leaves_for_a_login_only(storage, people):
    assert (await storage.users.by_id(people.ana.id)).password_hash == ""
    assert "hash of ana" not in repr(await storage.users.by_login("ana"))


@pytest.mark.parametrize(
    ("email", "username", "field"),
    [
        ("ANA@tribe.test", "fresh", "email"),
        ("fresh@tribe.test", "ANA", "username"),
        ("ana@tribe.test", "ana", "email"),
    ],
    ids=["email", "username", "both"],
)
async def test_a_taken_name_is_refused_in_any_case(storage, people, email, username, field):
    with pytest.raises(ConflictError) as caught:
        await storage.users.create(email, username, "Somebody Else", "h")
    assert caught.value.field == field


async def test_a_refused_row_whose_names_are_free_is_a_bug_and_stays_one(storage, people):
    row = new_user(people.ana.id, "fresh@tribe.test", "fresh", "Fresh", "h", 0)
    with pytest.raises(IntegrityError):
        await storage._database.write(lambda connection: insert_user(connection, row))


async def test_an_update_changes_what_is_named_and_nothing_else(storage, people):
    changed = await storage.users.update(people.ana.id, {"full_name": "Ana Maria", "bio": "Hi 👋"})
    assert (changed.full_name, changed.bio, changed.username) == ("Ana Maria", "Hi 👋", "ana")
    assert changed == await storage.users.by_id(people.ana.id)
    assert [user.id for user in await storage.users.search("maria", 0, 5)] == [people.ana.id]
    assert (await storage.users.update(people.ana.id, {"bio": None})).bio is None


async def test_an_update_can_disable_an_account_and_change_its_password(storage, people):
    await storage.users.update(people.ana.id, {"is_active": False, "password_hash": "new"})
    found = await storage.users.by_login("ana")
    assert (found.is_active, found.password_hash) == (False, "new")


async def test_an_update_to_a_taken_name_is_refused_and_changes_nothing(storage, people):
    with pytest.raises(ConflictError) as caught:
        await storage.users.update(people.ana.id, {"username": "BEN", "bio": "lost"})
    assert caught.value.field == "username"
    assert (await storage.users.by_id(people.ana.id)).bio is None


async def test_a_user_may_change_the_case_of_the_own_name(storage, people):
    assert (await storage.users.update(people.ana.id, {"username": "ANA"})).username == "ANA"


async def test_an_update_of_nobody_is_not_found(storage):
    with pytest.raises(NotFound):
        await storage.users.update("11111111-1111-4111-8111-111111111111", {"bio": "x"})


async def test_an_update_refuses_fields_that_users_do_not_have(storage, people):
    with pytest.raises(TypeError, match="id, shoe_size"):
        await storage.users.update(people.ana.id, {"shoe_size": 44, "id": "x"})


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("AN", ["ana"]),
        ("tester", ["ana", "ben", "cleo"]),
        ("", ["ana", "ben", "cleo"]),
        ("%", []),
        ("_", []),
        ("tribe.test", []),
        ("a\0", []),
    ],
    ids=["case", "full-name", "all", "percent", "underscore", "address-is-private", "nul"],
)
async def test_search_looks_at_names_to_the_letter(storage, people, text, found):
    assert [user.username for user in await storage.users.search(text, 0, 10)] == found


async def test_search_knows_case_beyond_ascii(storage):
    await storage.users.create("e@tribe.test", "elo", "ÉLODIE Straße", "h")
    assert len(await storage.users.search("élodie STRASSE", 0, 10)) == 1


async def test_search_gives_pages_in_order(storage, people):
    pages = [await storage.users.search("tester", offset, 2) for offset in (0, 2, 4)]
    assert [[user.username for user in page] for page in pages] == [["ana", "ben"], ["cleo"], []]


async def test_search_does_not_find_disabled_accounts(storage, people):
    await storage.users.update(people.ben.id, {"is_active": False})
    assert [user.username for user in await storage.users.search("", 0, 10)] == ["ana", "cleo"]


async def test_touch_notes_when_a_user_was_seen(storage, people, clock):
    await storage.users.touch(people.ana.id)
    seen = await storage.users.by_id(people.ana.id)
    assert (seen.last_seen_at, seen.status) == (clock.now(), "offline")
    moment = datetime(2031, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
    await storage.users.touch(people.ana.id, "away", moment)
    seen = await storage.users.by_id(people.ana.id)
    assert (seen.last_seen_at, seen.status) == (moment.replace(microsecond=123000), "away")


async def test_contacts_are_those_who_share_a_conversation(storage, people):
    assert await storage.users.contacts_of(people.ana.id) == {people.ben.id}
    await storage.conversations.create(people.ana.id, "direct", [people.cleo.id])
    assert await storage.users.contacts_of(people.ana.id) == {people.ben.id, people.cleo.id}
    assert await storage.users.contacts_of(people.cleo.id) == {people.ana.id}
