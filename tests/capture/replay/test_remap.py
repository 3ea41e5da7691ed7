"""New ids and times for old ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from tribe_ws.capture.replay.remap import Reissue, Renaming, TimeShift, is_id, is_time, map_ids

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
IDS = st.uuids().map(str)
TEXTS = st.text(alphabet="ab -0é", max_size=8)
LEAVES = st.none() | st.booleans() | st.integers(-9, 9) | TEXTS | IDS
KEYS = st.sampled_from(["id", "user_id", "conversation_id", "content", "data", "x"])
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def test_an_id_is_a_hyphenated_uuid_in_either_case() -> None:
    assert is_id(str(uuid4()).upper())
    assert not is_id(uuid4().hex)
    assert not is_id(f"{uuid4()}-1")
    assert not is_id(7)


def test_a_time_is_one_with_or_without_a_zone() -> None:
    assert is_time("2026-11-23T20:00:00Z")
    assert is_time("2026-11-23 20:00:00.123456+01:00")
    assert not is_time("2026-11-23")
    assert not is_time("on 2026-11-23T20:00:00Z")


def test_ids_are_replaced_in_paths_and_left_alone_in_what_people_wrote() -> None:
    old = str(uuid4())
    value = {"path": f"/conversations/{old}/messages", "content": old, "data": {"id": old}}
    assert map_ids(value, lambda _old: "new") == {
        "path": "/conversations/new/messages",
        "content": old,
        "data": {"id": "new"},
    }


@given(JSON)
def test_reissuing_is_the_same_everywhere_and_one_to_one(value: object) -> None:
    ids = Reissue(UUID(int=7))
    once, again = ids.apply(value), ids.apply(value)
    assert once == again
    assert _shape(once) == _shape(value) or _odd_ids(value)


@given(st.lists(IDS, unique=True, max_size=20))
def test_every_new_id_is_a_uuid_of_its_own_and_leads_back(old: list[str]) -> None:
    ids = Reissue()
    new = [ids.id(one) for one in old]
    assert all(map(is_id, new))
    assert len(set(new)) == len(old)
    assert not set(new) & set(old)
    assert [ids.old(one.upper()) for one in new] == old


def test_every_run_gives_other_ids() -> None:
    old = str(uuid4())
    assert Reissue().id(old) != Reissue().id(old)


def test_an_id_that_is_no_uuid_becomes_one_where_its_key_says_that_it_is_an_id() -> None:
    ids = Reissue()
    told = ids.apply({"id": 7, "user_id": "u7", "seq": 7, "ref_id": "", "is_id": True})
    assert is_id(told["id"])
    assert is_id(told["user_id"])
    assert (told["seq"], told["ref_id"], told["is_id"]) == (7, "", True)


@given(st.lists(st.tuples(IDS, IDS), max_size=30))
def test_a_renaming_stays_one_to_one_whatever_it_is_told(pairs: list[tuple[str, str]]) -> None:
    renaming = Renaming()
    taken = {old: new for old, new in pairs if renaming.bind(old, new)}
    assert len(set(taken.values())) == len(taken)
    assert all(renaming.name(old.upper()) == new for old, new in taken.items())
    assert all(renaming.old_name(new) == old for old, new in taken.items())


def test_a_trial_learns_by_itself_until_it_is_kept() -> None:
    renaming, old, new = Renaming(), str(uuid4()), str(uuid4())
    trial = renaming.trial()
    assert trial.bind(old, new)
    assert not renaming.knows(old)
    renaming.keep(trial)
    assert renaming.name(old) == new
    assert not renaming.bind(old, str(uuid4()))
    assert not renaming.bind(str(uuid4()), new)


def test_a_counter_keeps_its_lead() -> None:
    renaming = Renaming()
    assert renaming.number("general", 4) == 4
    assert renaming.bind_number("general", 4, 14)
    assert renaming.bind_number("general", 5, 15)
    assert not renaming.bind_number("general", 6, 6)
    assert renaming.number("general", 7) == 17


def test_users_are_renamed_where_a_key_says_that_it_is_a_username() -> None:
    renaming = Renaming({"alice": "ana"})
    told = renaming.apply({"people": [{"username": "alice"}, {"username": "bob"}], "content": "alice"})
    assert told == {"people": [{"username": "ana"}, {"username": "bob"}], "content": "alice"}


@given(st.lists(st.integers(-100_000, 100_000), min_size=2, max_size=20), st.floats(0.1, 64))
def test_times_keep_their_order_when_they_are_moved(seconds: list[int], speed: float) -> None:
    shift = TimeShift(NOW - timedelta(days=300), NOW, speed=speed)
    moments = sorted(NOW - timedelta(days=300) + timedelta(seconds=one) for one in seconds)
    moved = [shift.move(moment) for moment in moments]
    assert moved == sorted(moved)


def test_what_lies_before_keeps_its_distance_and_what_comes_goes_faster() -> None:
    recorded = NOW - timedelta(days=300)
    shift = TimeShift(recorded, NOW, speed=4)
    assert shift.move(recorded - timedelta(hours=1)) == NOW - timedelta(hours=1)
    assert shift.move(recorded + timedelta(seconds=8)) == NOW + timedelta(seconds=2)


def test_a_time_that_was_moved_stays_there() -> None:
    shift = TimeShift(NOW, NOW + timedelta(days=1))
    first = shift.move(NOW)
    shift.anchor(NOW, NOW + timedelta(days=2))
    assert shift.move(NOW) == first
    assert shift.move(NOW - timedelta(seconds=1)) == NOW + timedelta(days=2, seconds=-1)


def test_times_keep_the_form_of_their_zone() -> None:
    shift = TimeShift(datetime(2026, 11, 23, 20, tzinfo=UTC), NOW)
    told = shift.apply(
        {
            "a": "2026-11-23T20:00:00Z",
            "b": "2026-11-23T21:00:00.5+01:00",
            "c": "2026-11-23T20:00:00",
            "content": "2026-11-23T20:00:00Z",
            "d": "2026-99-99T20:00:00Z",
        }
    )
    assert told == {
        "a": "2026-11-24T09:00:00.000Z",
        "b": "2026-11-24T10:00:00.500+01:00",
        "c": "2026-11-24T09:00:00.000",
        "content": "2026-11-23T20:00:00Z",
        "d": "2026-99-99T20:00:00Z",
    }


def _shape(value: object) -> object:
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shape(item) for item in value]
    return "id" if is_id(value) else value


def _odd_ids(value: object) -> bool:
    """Tell whether some key says that it is an id, and holds something else."""
    if isinstance(value, dict):
        return any(
            (key.endswith("id") and isinstance(item, str | int) and not is_id(item)) or _odd_ids(item)
            for key, item in value.items()
        )
    return any(map(_odd_ids, value)) if isinstance(value, list) else False
