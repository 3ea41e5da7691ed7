"""A recorded evening that is lived again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.capture.replay.capturing import (
    ALICE,
    GENERAL,
    START,
    came,
    evening,
    message,
    posted,
    said,
    subscribed,
    typed,
)
from tribe_ws.capture.record import Record
from tribe_ws.capture.replay.evening import Evening, Push
from tribe_ws.capture.replay.remap import is_id
from tribe_ws.client.events import read_time

NOW = datetime(2030, 1, 1, 12, 0, tzinfo=UTC)


def told(number: int, content: str, at: float) -> dict[str, Any]:
    created = (START + timedelta(seconds=at)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return message(number, "alice", content, created_at=created)


def spoken(*, viewers: tuple[str, ...] = ("bob",), **options: Any) -> Evening:
    """Alice says three things, at once, after one second, and after ten."""
    records: list[Record] = []
    for viewer in viewers:
        records += [came(viewer, "connected"), subscribed(viewer)]
        records += [
            said(viewer, told(number, str(number), at), at=at) for number, at in ((1, 0), (2, 1), (3, 10))
        ]
    return Evening(records, now=NOW, **options)


def contents(pushes: tuple[Push, ...]) -> list[str]:
    return [push.frame["data"]["content"] for push in pushes if push.to]


def test_it_begins_with_the_first_subscription_and_goes_on_in_its_time() -> None:
    one = spoken()
    assert contents(one.begin(NOW)) == ["1"]
    assert contents(one.due(1.0, NOW + timedelta(seconds=1))) == ["2"]
    assert one.timeline.until_next() == 9.0
    assert contents(one.due(9.0, NOW + timedelta(seconds=10))) == ["3"]


def test_ids_are_new_ones_and_the_same_in_frames_and_in_what_is_read() -> None:
    one = spoken()
    frame = one.begin(NOW)[0].frame
    (talk,) = one.world.talks.values()
    assert is_id(frame["data"]["id"])
    assert frame["data"]["id"] != told(1, "1", 0)["id"]
    assert one.told(one.said(talk)[0].raw) == frame["data"]
    assert one.talk(frame["conversation_id"]) is talk
    sender = one.person(frame["data"]["sender"]["id"])
    assert sender is not None
    assert sender.id == ALICE


@pytest.mark.parametrize("speed", [0, 1, 4, 64])
def test_times_are_those_of_now_never_in_the_future_and_strictly_in_order(speed: float) -> None:
    one = spoken(speed=speed)
    pushes = [*one.begin(NOW)]
    now = NOW
    while (wait := one.timeline.until_next()) is not None:
        now += timedelta(seconds=wait)
        pushes += one.due(wait, now)
    times = [read_time(push.frame["data"]["created_at"]) for push in pushes]
    found = [moment for moment in times if moment is not None]
    assert len(found) == 3
    assert found == sorted(set(found))
    assert found[-1] <= now
    assert found[0] >= NOW - timedelta(seconds=11)


def test_times_can_be_kept() -> None:
    one = spoken(keeps_times=True)
    assert one.begin(NOW)[0].frame["data"]["created_at"] == "2026-11-23T20:00:00.000Z"


def test_a_pause_moves_what_comes_after_it() -> None:
    one = spoken()
    one.begin(NOW)
    (push,) = one.due(1.0, NOW + timedelta(hours=1))
    assert push.frame["data"]["created_at"] == "2030-01-01T13:00:00.000Z"


def test_messages_made_in_one_moment_stay_in_order() -> None:
    same = [said("bob", told(number, str(number), 1), at=1 + number / 1000) for number in (1, 2, 3)]
    one = Evening([subscribed("bob"), *same], now=NOW, speed=0)
    times = [push.frame["data"]["created_at"] for push in one.begin(NOW) + one.due(0, NOW)]
    assert len(times) == 3
    assert times == sorted(set(times))


def test_a_server_with_another_clock_does_not_speak_from_the_future() -> None:
    ahead = said("bob", told(1, "1", 7200), at=0.1)
    one = Evening([subscribed("bob"), ahead], now=NOW)
    one.begin(NOW)
    (push,) = one.due(0.1, NOW + timedelta(seconds=0.1))
    created = read_time(push.frame["data"]["created_at"])
    assert created is not None
    assert abs((created - NOW).total_seconds()) < 1


def test_two_connections_that_saw_the_same_are_one() -> None:
    twice = [said("bob", told(1, "1", 0), at=0.1, connection=name) for name in ("c1", "c2")]
    types = [typed("bob", "alice", on=True, at=0.2, connection=name) for name in ("c1", "c2")]
    again = [typed("bob", "alice", on=True, at=5, connection="c1")]
    one = Evening([subscribed("bob"), *twice, *types, *again], now=NOW, speed=0)
    one.begin(NOW)
    pushes = [push for push in one.due(0, NOW) if push.to]
    assert [push.frame["event"] for push in pushes] == ["message.new", "typing", "typing"]


def test_somebody_who_was_not_recorded_gets_what_the_others_got_but_not_their_own() -> None:
    one = spoken(viewers=("bob", "cara"))
    one.begin(NOW)
    assert {user for audience in one._audiences for user in audience} == {"bob", "cara"}
    mixed = [subscribed("bob"), said("bob", told(1, "1", 1), at=1)]
    from_dan = message(2, "bob", "from bob")
    mixed += [posted("bob", from_dan, at=2), typed("bob", "alice", on=False, at=3)]
    two = Evening(mixed, now=NOW, speed=0)
    assert {user for audience in two._audiences for user in audience} == {"bob"}


def test_what_only_the_newer_protocol_has_is_left_out() -> None:
    newer = said("bob", told(1, "1", 0) | {"seq": 4, "client_message_id": None}, at=0.1)
    error = came("bob", "error", at=0.2, frame={"data": {"code": "not_found"}})
    one = Evening([subscribed("bob"), newer, error], now=NOW, speed=0)
    one.begin(NOW)
    pushes = [push for push in one.due(0, NOW) if push.to]
    assert len(pushes) == 1
    assert list(pushes[0].frame["data"]) == list(told(1, "1", 0))


def test_a_frame_that_is_no_json_is_sent_as_it_was() -> None:
    odd = replace(came("bob", "?", at=0.1), frame=None, text="{oops")
    one = Evening([subscribed("bob"), odd], now=NOW, speed=0)
    one.begin(NOW)
    assert [push.frame for push in one.due(0, NOW) if push.to] == ["{oops"]


def test_what_somebody_says_now_comes_after_all_that_was_said() -> None:
    one = spoken()
    one.begin(NOW)
    talk, alice = one.world.talks[GENERAL], one.world.people[ALICE]
    said_now = one.post(alice, talk, "now", "text", NOW)
    moved = one.told(said_now.raw)
    assert is_id(moved["id"])
    assert moved["created_at"] > one.told(one.said(talk)[0].raw)["created_at"]
    assert one.said(talk)[-1] is said_now


def test_an_evening_without_a_subscription_begins_with_its_first_record() -> None:
    one = Evening([said("bob", told(1, "1", 0))], now=NOW)
    assert contents(one.begin(NOW)) == ["1"]
    assert Evening([], now=NOW).begin(NOW) == ()


def test_a_real_capture_is_lived_by_both_of_its_users() -> None:
    one = Evening(evening(), now=NOW, speed=0)
    pushes = one.begin(NOW) + one.due(0, NOW)
    said_to: dict[str, list[str]] = {}
    for push in pushes:
        for user in push.to:
            if push.frame["event"] == "message.new":
                said_to.setdefault(user, []).append(push.frame["data"]["content"])
    assert (said_to["bob"], said_to["alice"]) == (["Hello Bob", "again"], ["Hi Alice é"])
    assert said_to["dan"] == ["Hello Bob", "Hi Alice é", "again"]
