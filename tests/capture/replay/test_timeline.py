"""The place in a capture that is played."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribe_ws.capture.record import Record
from tribe_ws.capture.replay.timeline import SPEEDS, Timeline

START = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)


def records_at(*seconds: float) -> tuple[Record, ...]:
    return tuple(
        Record(number, START + timedelta(seconds=second), "in", "pong")
        for number, second in enumerate(seconds, 1)
    )


def numbers(records: tuple[Record, ...]) -> list[int]:
    return [record.seq for record in records]


def test_the_first_record_is_due_at_once() -> None:
    timeline = Timeline(records_at(5, 6))
    assert numbers(timeline.due(0)) == [1]
    assert timeline.until_next() == 1.0


def test_records_come_due_as_time_goes_by() -> None:
    timeline = Timeline(records_at(0, 1, 1, 3))
    assert numbers(timeline.due(0.5)) == [1]
    assert numbers(timeline.due(0.5)) == [2, 3]
    assert numbers(timeline.due(1)) == []
    assert numbers(timeline.due(1)) == [4]
    assert timeline.is_at_end
    assert timeline.until_next() is None
    assert timeline.position == timeline.duration == 3.0


def test_a_speed_makes_time_go_faster() -> None:
    timeline = Timeline(records_at(0, 8), speed=4)
    timeline.due(0)
    assert timeline.until_next() == 2.0
    assert numbers(timeline.due(2)) == [2]


def test_at_speed_zero_everything_is_due_at_once() -> None:
    timeline = Timeline(records_at(0, 3600), speed=0)
    assert timeline.until_next() == 0.0
    assert numbers(timeline.due(0)) == [1, 2]


def test_a_long_pause_is_cut() -> None:
    timeline = Timeline(records_at(0, 1, 601, 602), max_pause=5)
    assert timeline.duration == 7.0
    assert [timeline.offset(index) for index in range(4)] == [0, 1, 6, 7]


def test_a_time_that_went_back_counts_as_the_same_moment() -> None:
    timeline = Timeline(records_at(0, 10, 4, 12))
    assert [timeline.offset(index) for index in range(4)] == [0, 10, 10, 12]


def test_steps_go_one_record_forward_and_back() -> None:
    timeline = Timeline(records_at(0, 2, 5))
    assert timeline.current is None
    forward = [timeline.step(), timeline.step(), timeline.step(), timeline.step()]
    assert [record and record.seq for record in forward] == [1, 2, 3, None]
    back = [timeline.step_back(), timeline.step_back(), timeline.step_back(), timeline.step_back()]
    assert [record and record.seq for record in back] == [2, 1, None, None]
    assert timeline.position == 0.0


def test_play_goes_on_from_where_one_stepped_to() -> None:
    timeline = Timeline(records_at(0, 2, 5))
    timeline.step()
    timeline.step()
    assert timeline.position == 2.0
    assert numbers(timeline.due(3)) == [3]


def test_seeking_gives_all_that_lies_behind_and_goes_both_ways() -> None:
    timeline = Timeline(records_at(0, 2, 5))
    assert numbers(timeline.seek(2.5)) == [1, 2]
    assert timeline.until_next() == 2.5
    assert numbers(timeline.seek(99)) == [1, 2, 3]
    assert timeline.position == 5.0
    assert numbers(timeline.seek(0)) == [1]


def test_faster_and_slower_stay_within_the_known_speeds() -> None:
    timeline = Timeline(())
    assert [timeline.faster() for _ in range(7)][-2:] == [SPEEDS[-1], SPEEDS[-1]]
    assert [timeline.slower() for _ in range(9)][-2:] == [SPEEDS[0], SPEEDS[0]]
    timeline.speed = 0
    assert timeline.faster() == 0
    assert timeline.slower() == SPEEDS[-1]


@pytest.mark.parametrize("speed", [-1, float("inf"), float("nan")])
def test_a_speed_that_means_nothing_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="a speed is 0"):
        Timeline((), speed=speed)


def test_a_negative_pause_is_refused() -> None:
    with pytest.raises(ValueError, match="a pause"):
        Timeline((), max_pause=-1)


def test_an_empty_capture_is_over_at_once() -> None:
    timeline = Timeline(())
    assert timeline.is_at_end
    assert timeline.duration == 0.0
    assert timeline.due(10) == ()


PAUSES = st.lists(st.floats(-10, 100, allow_nan=False), max_size=30)


@given(PAUSES, st.lists(st.floats(0, 50), min_size=1, max_size=30), st.sampled_from(SPEEDS))
def test_whatever_the_portions_of_time_each_record_comes_once_in_order(
    pauses: list[float], portions: list[float], speed: float
) -> None:
    seconds = [sum(pauses[:number]) for number in range(len(pauses))]
    timeline = Timeline(records_at(*seconds), speed=speed)
    given_out = [record.seq for portion in portions for record in timeline.due(portion)]
    given_out += numbers(timeline.due(1_000_000))
    assert given_out == list(range(1, len(pauses) + 1))


@given(PAUSES, st.floats(0.1, 20))
def test_waiting_until_the_next_record_always_brings_one(pauses: list[float], speed: float) -> None:
    seconds = [sum(pauses[:number]) for number in range(len(pauses))]
    timeline = Timeline(records_at(*seconds), speed=speed)
    for _ in range(len(pauses)):
        wait = timeline.until_next()
        if wait is None:
            break
        # A clock wakes its sleeper a moment late rather than early.
        assert timeline.due(wait + 1e-6)
    assert timeline.is_at_end


@given(PAUSES, st.floats(-5, 1000, allow_nan=False))
def test_seeking_is_the_same_as_having_played_to_there(pauses: list[float], position: float) -> None:
    seconds = [sum(pauses[:number]) for number in range(len(pauses))]
    sought, played = Timeline(records_at(*seconds)), Timeline(records_at(*seconds))
    sought.seek(position)
    if position >= 0:
        played.due(position)
    assert sought.shown == played.shown
