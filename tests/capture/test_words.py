"""What a record says in words."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest

from tribe_ws.capture.record import Record
from tribe_ws.capture.words import body_of, latency_text, timing_of

AT = datetime(2026, 11, 23, 1, 22, 24, tzinfo=UTC)
NEW = Record(1, AT, "in", "message.new", frame={"data": {"content": "Morning!"}}, sender="bob")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0004, "0.4 ms"), (0.0094, "9 ms"), (0.25, "250 ms"), (1.44, "1.4 s")]
)
def test_latencies(seconds: float, text: str) -> None:
    assert latency_text(seconds) == text


def test_a_message_is_told_with_its_sender() -> None:
    assert body_of(NEW) == "bob: Morning!"


def test_a_guess_is_marked_as_one() -> None:
    guessed = dataclasses.replace(NEW, latency=0.4, timing="guessed")
    assert timing_of(guessed) == "~1 s"


def test_a_call_is_told_with_its_status() -> None:
    posted = dataclasses.replace(NEW, direction="rest", status=201, latency=0.009)
    assert timing_of(posted) == "201  9 ms"


def test_nothing_is_told_of_a_frame_without_a_time() -> None:
    assert timing_of(NEW) == ""
