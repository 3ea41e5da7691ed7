from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from tribe_ws.clock import ManualClock, SeededIds, SystemClock, format_timestamp, new_id


def test_ids_are_uuid7_in_hyphenated_lower_case():
    made = new_id()
    assert str(UUID(made)) == made
    assert UUID(made).version == 7


def test_ids_are_ordered_by_the_time_of_their_making():
    made = [new_id() for _ in range(1000)]
    assert made == sorted(set(made))


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_timestamp_is_utc_with_milliseconds_and_z(moment: datetime):
    text = format_timestamp(moment)
    assert len(text) == len("2024-01-01T12:00:00.000Z")
    assert datetime.fromisoformat(text) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def test_a_timestamp_of_another_zone_is_converted():
    moment = datetime(2024, 1, 1, 14, 0, tzinfo=timezone(timedelta(hours=2)))
    assert format_timestamp(moment) == "2024-01-01T12:00:00.000Z"


def test_the_system_clock_tells_utc_and_never_runs_backwards():
    clock = SystemClock()
    assert clock.now().utcoffset() == timedelta(0)
    assert clock.monotonic() <= clock.monotonic()


async def test_the_system_clock_sleeps_and_calls_later():
    clock = SystemClock()
    called = asyncio.Event()
    clock.call_later(0, called.set)
    await clock.sleep(0)
    await asyncio.wait_for(called.wait(), 5)


def test_a_manual_clock_stands_still_until_it_is_advanced():
    clock = ManualClock()
    before = clock.now()
    assert clock.now() == before
    clock.advance(2.5)
    assert clock.now() - before == timedelta(seconds=2.5)
    assert clock.monotonic() == 2.5


def test_calls_fall_due_in_order_and_see_their_own_time():
    clock = ManualClock()
    seen: list[tuple[str, float]] = []
    clock.call_later(2, lambda: seen.append(("second", clock.monotonic())))
    clock.call_later(1, lambda: seen.append(("first", clock.monotonic())))
    clock.call_later(2, lambda: seen.append(("third", clock.monotonic())))
    clock.advance(1.5)
    assert seen == [("first", 1.0)]
    clock.advance(1)
    assert seen == [("first", 1.0), ("second", 2.0), ("third", 2.0)]


def test_a_call_may_arrange_the_next_one_within_the_same_advance():
    clock = ManualClock()
    seen: list[float] = []

    def again() -> None:
        seen.append(clock.monotonic())
        if len(seen) < 3:
            clock.call_later(1, again)

    clock.call_later(1, again)
    clock.advance(10)
    assert seen == [1.0, 2.0, 3.0]


def test_a_cancelled_call_does_not_happen():
    clock = ManualClock()
    seen: list[int] = []
    timer = clock.call_later(1, lambda: seen.append(1))
    timer.cancel()
    timer.cancel()
    clock.advance(2)
    assert seen == []


async def test_sleep_ends_when_the_clock_was_advanced_far_enough():
    clock = ManualClock()
    sleeper = asyncio.ensure_future(clock.sleep(5))
    await asyncio.sleep(0)
    clock.advance(4)
    await asyncio.sleep(0)
    assert not sleeper.done()
    clock.advance(1)
    await asyncio.wait_for(sleeper, 5)


async def test_a_cancelled_sleep_leaves_no_call_behind():
    clock = ManualClock()
    sleeper = asyncio.ensure_future(clock.sleep(5))
    await asyncio.sleep(0)
    sleeper.cancel()
    await asyncio.wait([sleeper])
    clock.advance(10)
    assert sleeper.cancelled()


def test_seeded_ids_repeat_and_keep_their_order():
    first, second = SeededIds("7"), SeededIds("7")
    made = [first("message") for _ in range(1000)]
    assert made == [second("message") for _ in range(1000)]
    assert made == sorted(made)
    assert len(set(made)) == 1000


def test_seeded_ids_are_uuids_of_version_7():
    made = UUID(SeededIds("7")("message"))
    assert (made.version, made.variant) == (7, RFC_4122)


def test_seeded_ids_of_one_kind_do_not_depend_on_another():
    mixed, alone = SeededIds("7"), SeededIds("7")
    mixed("user")
    assert mixed("message") == alone("message")
    assert mixed("connection") != mixed("message")
