"""When a stream ends by itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tribe_ws.capture.filter import parse_filter
from tribe_ws.capture.record import Direction, Record
from tribe_ws_cli.bounds import Bounds


def record(event: str = "pong", direction: Direction = "in") -> Record:
    return Record(1, datetime.now(UTC), direction, event)


def test_without_bounds_nothing_ends() -> None:
    bounds = Bounds()
    bounds.take(record(), is_shown=True)
    assert not bounds.is_bounded
    assert not bounds.is_reached


def test_count_counts_what_came_in_and_was_shown() -> None:
    bounds = Bounds(count=2)
    bounds.take(record(), is_shown=True)
    bounds.take(record(), is_shown=False)
    bounds.take(record(direction="out"), is_shown=True)
    bounds.take(record(direction="note"), is_shown=True)
    assert not bounds.is_reached
    bounds.take(record(), is_shown=True)
    assert bounds.is_reached


def test_until_counts_what_matches_shown_or_not() -> None:
    bounds = Bounds(until=parse_filter("event:message.new"))
    bounds.take(record(), is_shown=True)
    assert not bounds.is_reached
    bounds.take(record("message.new"), is_shown=False)
    assert bounds.is_reached


def test_until_and_count_together_want_so_many_matches() -> None:
    bounds = Bounds(count=2, until=parse_filter("event:pong"))
    bounds.take(record(), is_shown=True)
    bounds.take(record("typing"), is_shown=True)
    assert not bounds.is_reached
    bounds.take(record(), is_shown=True)
    assert bounds.is_reached


def test_the_tools_own_words_never_match() -> None:
    assert not Bounds(until=parse_filter("event:*")).matches(record("note", "note"))


@pytest.mark.parametrize(
    ("bounds", "sentence"),
    [
        (Bounds(2, None, parse_filter("event:x")), "no event matched 'event:x' in 2 s (saw: pong 3)"),
        (Bounds(2.5, 4, parse_filter("event:x")), "0 of 4 events matched 'event:x' in 2.5 s (saw: pong 3)"),
        (Bounds(300, 4), "0 of 4 events came in 5 min (saw: pong 3)"),
    ],
)
def test_time_spent_in_vain_is_told(bounds: Bounds, sentence: str) -> None:
    error = bounds.in_vain("pong 3")
    assert error is not None
    assert str(error) == sentence
    assert error.seconds == bounds.seconds


def test_time_alone_is_never_spent_in_vain() -> None:
    assert Bounds(2).in_vain("") is None
    reached = Bounds(2, 1)
    reached.take(record(), is_shown=True)
    assert reached.in_vain("") is None
