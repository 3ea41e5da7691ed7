"""Moments survive the database to the millisecond."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from tribe_ws.storage.milliseconds import from_milliseconds, maybe_moment, to_milliseconds

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.integers(0, 253_370_764_800_000_000).map(lambda us: EPOCH + timedelta(microseconds=us)))
def test_a_moment_comes_back_cut_to_the_millisecond(moment):
    back = from_milliseconds(to_milliseconds(moment))
    assert back == moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert back.tzinfo is UTC


def test_the_zone_of_a_moment_does_not_matter():
    moment = datetime(2026, 11, 23, 3, 0, 0, 1999, tzinfo=UTC)
    elsewhere = moment.astimezone(timezone(timedelta(hours=9)))
    assert to_milliseconds(elsewhere) == to_milliseconds(moment)


def test_a_missing_moment_stays_missing():
    assert maybe_moment(None) is None
    assert maybe_moment(1500) == datetime(1970, 1, 1, 0, 0, 1, 500_000, tzinfo=UTC)
