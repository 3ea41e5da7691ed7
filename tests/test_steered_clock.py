"""A clock that runs, stands, hurries and jumps, and takes along whoever waits on it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribe_ws.clock import ManualClock
from tribe_ws.steered_clock import FASTEST, LONGEST_JUMP, SteeredClock, format_mode, parse_mode


def steered(mode="system"):
    real = ManualClock()
    return SteeredClock(mode, base=real), real


@pytest.mark.parametrize(
    ("text", "speed"), [("system", 1.0), ("frozen", 0.0), ("x60", 60.0), ("x0.5", 0.5), ("x1", 1.0)]
)
def test_a_mode_is_a_speed(text, speed):
    assert parse_mode(text) == speed
    assert parse_mode(format_mode(speed)) == speed


@pytest.mark.parametrize("text", ["", "fast", "x", "x0", "x-1", "xinf", "xnan", "60", f"x{FASTEST + 1}"])
def test_anything_else_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match="expected system, frozen or xN"):
        SteeredClock(text)


def test_unsteered_it_is_the_clock_below():
    clock, real = steered()
    real.advance(5)
    assert (clock.now(), clock.monotonic(), clock.ahead) == (real.now(), 5.0, 0.0)


def test_frozen_it_stands_and_only_jumps_move_it():
    clock, real = steered("frozen")
    start = clock.now()
    real.advance(100)
    assert (clock.now(), clock.monotonic()) == (start, 0.0)
    clock.advance(3)
    assert (clock.now() - start, clock.monotonic()) == (timedelta(seconds=3), 3.0)


def test_it_hurries():
    clock, real = steered("x60")
    start = clock.now()
    real.advance(2)
    assert (clock.now() - start, clock.monotonic()) == (timedelta(minutes=2), 120.0)


def test_time_is_continuous_where_the_speed_changes():
    clock, real = steered("x10")
    real.advance(6)
    clock.set_mode("frozen")
    real.advance(1000)
    clock.set_mode("system")
    real.advance(4)
    assert clock.monotonic() == pytest.approx(64)
    assert clock.ahead == pytest.approx(64 - 1010)
    assert clock.mode == "system"


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), LONGEST_JUMP * 2])
def test_a_jump_backwards_or_out_of_the_calendar_is_refused(seconds):
    clock, _ = steered()
    with pytest.raises(ValueError, match="seconds"):
        clock.advance(seconds)


def test_a_jump_makes_the_calls_on_its_way_in_order_and_each_at_its_moment():
    clock, _ = steered("frozen")
    heard = []
    clock.call_later(5, lambda: heard.append(("second", clock.monotonic())))
    clock.call_later(2, lambda: heard.append(("first", clock.monotonic())))
    clock.call_later(2, lambda: clock.call_later(1, lambda: heard.append(("then", clock.monotonic()))))
    clock.call_later(100, lambda: heard.append(("late", clock.monotonic())))
    clock.advance(10)
    assert heard == [("first", 2.0), ("then", 3.0), ("second", 5.0)]
    assert clock.monotonic() == 10.0


def test_a_timer_follows_a_change_of_speed():
    clock, real = steered()
    heard = []
    clock.call_later(100, lambda: heard.append("now"))
    real.advance(10)
    clock.set_mode("x9")
    real.advance(9.9)
    assert heard == []
    real.advance(0.2)
    assert heard == ["now"]


def test_a_frozen_timer_waits_and_goes_on_when_time_does():
    clock, real = steered("frozen")
    heard = []
    clock.call_later(1, lambda: heard.append("now"))
    real.advance(1000)
    assert heard == []
    clock.set_mode("system")
    real.advance(1)
    assert heard == ["now"]


def test_a_timer_of_weeks_rings_in_its_time():
    clock, real = steered()
    heard = []
    clock.call_later(30 * 86400, lambda: heard.append("now"))
    real.advance(30 * 86400 - 1)
    assert heard == []
    real.advance(1)
    assert heard == ["now"]


def test_a_cancelled_call_does_not_happen_and_nothing_of_it_is_kept():
    clock, _ = steered("frozen")
    timers = [clock.call_later(3600, lambda: pytest.fail("was cancelled")) for _ in range(1000)]
    for timer in timers:
        timer.cancel()
        timer.cancel()
    assert len(clock._agenda) < 200
    clock.advance(4000)


def test_what_a_call_raises_stops_nobody_else():
    clock, real = steered()
    heard = []
    clock.call_later(1, lambda: 1 / 0)
    clock.call_later(1, lambda: heard.append("after"))
    with pytest.raises(ZeroDivisionError):
        real.advance(1)
    real.advance(1)
    assert heard == ["after"]


async def test_a_sleeper_wakes_at_a_jump():
    clock = SteeredClock("frozen")
    sleeper = asyncio.create_task(clock.sleep(3600))
    await asyncio.sleep(0)
    clock.advance(3599)
    await asyncio.sleep(0)
    assert not sleeper.done()
    clock.advance(1)
    await asyncio.wait_for(sleeper, 5)


async def test_it_rings_on_a_real_loop():
    clock = SteeredClock("x100000")
    await asyncio.wait_for(clock.sleep(3600), 5)


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("mode"), st.sampled_from(["system", "frozen", "x7", "x0.25"])),
            st.tuples(st.just("advance"), st.floats(0, 1e4)),
            st.tuples(st.just("real"), st.floats(0, 1e4)),
            st.tuples(st.just("timer"), st.floats(0, 1e4)),
        )
    )
)
def test_whatever_is_done_time_never_runs_back_and_no_call_comes_early_or_out_of_order(steps):
    clock, real = steered()
    due, heard, last = [], [], clock.monotonic()
    for what, value in steps:
        if what == "mode":
            clock.set_mode(value)
        elif what == "advance":
            clock.advance(value)
        elif what == "real":
            real.advance(value)
        else:
            moment = clock.monotonic() + value
            due.append(moment)
            clock.call_later(value, lambda moment=moment: heard.append((moment, clock.monotonic())))
        assert clock.monotonic() >= last
        last = clock.monotonic()
    assert all(now >= moment - 1e-3 for moment, now in heard)
    assert [moment for moment, _ in heard] == sorted(moment for moment, _ in heard)
    assert sorted(moment for moment, _ in heard) == pytest.approx(
        sorted(moment for moment in due if moment <= last)[: len(heard)]
    )
