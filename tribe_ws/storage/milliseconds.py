"""Moments as the database keeps them: whole milliseconds since 1970, the same integers in every dialect."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_milliseconds(moment: datetime) -> int:
    """Count the whole milliseconds of an aware moment; what is finer is cut off, never rounded up."""
    return (moment - _EPOCH) // _MILLISECOND


def from_milliseconds(count: int) -> datetime:
    """Give the aware UTC moment of a count."""
    return _EPOCH + timedelta(milliseconds=count)


def maybe_moment(count: int | None) -> datetime | None:
    """Give the moment of a count that may be missing."""
    return None if count is None else from_milliseconds(count)
