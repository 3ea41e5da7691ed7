"""The JSON form of a record."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tribe_ws.capture.record import Record, Timing

AT = datetime(2026, 11, 23, 1, 22, 24, 902_000, tzinfo=UTC)


def test_json_form_is_versioned_and_ordered() -> None:
    record = Record(
        3, AT, "in", "message.new", frame={"event": "message.new"}, as_user="bob", conversation="general"
    )
    assert list(record.as_json().items()) == [
        ("v", 1),
        ("t", "2026-11-23T01:22:24.902Z"),
        ("as", "bob"),
        ("dir", "in"),
        ("seq", 3),
        ("event", "message.new"),
        ("conv", "general"),
        ("latency_ms", None),
        ("violations", []),
        ("frame", {"event": "message.new"}),
    ]


@pytest.mark.parametrize(("timing", "expected"), [("measured", 12.3), ("stamped", None), ("guessed", None)])
def test_only_a_measured_latency_is_data(timing: Timing, expected: float | None) -> None:
    assert Record(1, AT, "in", "pong", latency=0.01234, timing=timing).as_json()["latency_ms"] == expected


def test_a_status_is_told_where_there_is_one() -> None:
    assert Record(1, AT, "rest", "POST message", status=201).as_json()["status"] == 201
    assert "status" not in Record(1, AT, "in", "pong").as_json()


def test_a_text_that_is_no_frame_stays_a_text() -> None:
    assert Record(1, AT, "out", "raw", text="{nonsense").as_json()["frame"] == "{nonsense"


def test_an_unknown_conversation_is_told_by_its_id() -> None:
    assert Record(1, AT, "in", "typing", conversation_id="c1").as_json()["conv"] == "c1"
