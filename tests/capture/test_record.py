"""The JSON form of a record."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribe_ws.capture.record import Record, Timing
from tribe_ws.capture.violation import Violation

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


def test_what_is_known_besides_follows_after() -> None:
    record = Record(
        3, AT, "rest", "POST message", text="hi", frame={"id": "m1"}, as_user="bob", conversation_id="c1",
        conversation="general", sender="bob", latency=0.0121, status=201, tags=frozenset({"b", "a"}),
        connection="x", method="POST", path="/api/v1/conversations/c1/messages", request={"content": "hi"},
        violations=(Violation("messages.shape", "id", "is missing"),),
    )  # fmt: skip
    form = record.as_json()
    assert list(form)[10:] == ["conv_id", "from", "connection", "status", "method", "path", "request", "tags"]
    assert form["violations"] == [{"clause": "messages.shape", "path": "id", "message": "is missing"}]
    assert (form["latency_ms"], form["tags"]) == (12.1, ["a", "b"])
    assert Record.from_json(form) == replace(record, latency=0.0121)


texts = st.text(st.characters(codec="utf-8"), max_size=12)
frames = st.one_of(
    st.none(), st.dictionaries(texts, st.one_of(texts, st.integers(), st.none(), st.lists(texts)), min_size=1)
)


@given(
    st.builds(
        Record,
        seq=st.integers(min_value=0),
        at=st.datetimes(min_value=datetime(1990, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001
            lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
        ),
        direction=st.sampled_from(["in", "out", "rest", "note"]),
        event=texts,
        text=texts,
        frame=frames,
        as_user=texts,
        conversation_id=st.one_of(st.none(), texts.filter(bool)),
        conversation=texts,
        sender=texts,
        latency=st.one_of(st.none(), st.integers(0, 10**6).map(lambda tenths: tenths / 10_000)),
        timing=st.sampled_from(["measured", "stamped", "guessed"]),
        status=st.one_of(st.none(), st.integers(100, 599)),
        connection=texts,
        method=texts,
        path=texts,
    )
)
def test_a_record_comes_back_from_its_json(record: Record) -> None:
    form = json.loads(json.dumps(record.as_json()))
    back = Record.from_json(form)
    assert back.as_json() == form
    kept = replace(
        record,
        timing=record.timing if record.latency is not None else "measured",
        conversation="" if record.conversation == record.conversation_id else record.conversation,
        text=back.text if not record.text else record.text,
        latency=back.latency,
    )
    assert back == kept
    assert (back.latency is None) == (record.latency is None)


def test_a_violation_of_an_older_capture_is_a_text() -> None:
    form = Record(1, AT, "in", "pong").as_json() | {"violations": ["pong: extra"]}
    assert [str(one) for one in Record.from_json(form).violations] == ["pong: extra"]


def test_a_text_that_is_not_the_compact_frame_is_kept_beside_it() -> None:
    spaced = Record(1, AT, "in", "pong", text='{"event": "pong"}', frame={"event": "pong"})
    assert spaced.as_json()["raw"] == '{"event": "pong"}'
    assert "raw" not in replace(spaced, text='{"event":"pong"}').as_json()
