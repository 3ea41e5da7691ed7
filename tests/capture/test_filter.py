"""The filter language: what passes, and where exactly a mistake stands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribe_ws.capture.filter import FIELDS, FilterError, parse_filter
from tribe_ws.capture.record import Record

NOW = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


def record(**changes: Any) -> Record:
    values: dict[str, Any] = {
        "seq": 1,
        "at": NOW,
        "direction": "in",
        "event": "message.new",
        "text": '{"event":"message.new","data":{"content":"The deploy landed"}}',
        "frame": {
            "event": "message.new",
            "data": {
                "content": "The deploy landed",
                "message_type": "text",
                "sender": {"profile_image_url": None, "username": "bob"},
                "tags": ["a", "b"],
            },
        },
        "as_user": "alice",
        "conversation_id": "7b25f672-2ae0-56a2-a264-7f656e1c1c68",
        "conversation": "general",
        "sender": "bob",
        "latency": 0.06,
    }
    return Record(**(values | changes))


PASSES = [
    "",
    "   ",
    "event:message.new",
    "event:MESSAGE.new",
    "event:message.*",
    "event:*",
    "event:ping,message.new",
    "dir:in",
    "dir:out,in",
    "from:bob",
    "from:@bob",
    "from:b*",
    "conv:general",
    "conv:#general",
    "conv:gen*",
    "conv:7b25f6",
    "conv:7b25f672-2ae0-56a2-a264-7f656e1c1c68",
    "as:alice",
    "latency>50ms",
    "latency>=0.06",
    "latency<1s",
    "latency=60ms",
    "size>10",
    "size<1kb",
    "size<=2mb",
    "since:5m",
    "data.content~deploy",
    "data.content~DEPLOY",
    'data.content~"deploy landed"',
    "data.content~/deploy\\s+l/",
    "data.message_type=text",
    "data.message_type!=image",
    "data.tags.1=b",
    "has:data.sender.username",
    "deploy",
    "LANDED",
    '"deploy landed"',
    "/depl.y/",
    "/DEPLOY LANDED/i",
    "!event:ping",
    "!!event:message.new",
    "event:ping | from:bob",
    "(event:ping | event:message.new) from:bob",
    "event:message.new from:bob deploy",
    '"with \\" quote" | from:bob',
]
FAILS = [
    "event:ping",
    "event:message",
    "dir:out",
    "from:alice",
    "conv:design",
    "conv:7b25f",
    "as:bob",
    "is:violation",
    "is:control",
    "is:own",
    "is:gap",
    "is:marked",
    "is:error",
    "latency>60ms",
    "latency<50ms",
    "size>1kb",
    "data.content~rollback",
    "data.message_type=image",
    "data.message_type=Text",
    "data.nothing~x",
    "data.tags.7=b",
    "has:data.sender.profile_image_url",
    "has:data.nothing",
    "rollback",
    "/DEPLOY/",
    "!event:message.new",
    "event:message.new from:alice",
    "event:ping | from:alice",
    "!(event:ping | from:bob)",
]


@pytest.mark.parametrize("text", PASSES)
def test_passes(text: str) -> None:
    assert parse_filter(text).matches(record(), NOW)


@pytest.mark.parametrize("text", FAILS)
def test_does_not_pass(text: str) -> None:
    assert not parse_filter(text).matches(record(), NOW)


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("is:violation", {"violations": ("data.created_at: wrong",)}),
        ("is:control", {"event": "pong"}),
        ("is:own", {"direction": "out"}),
        ("is:own", {"direction": "rest"}),
        ("is:own", {"sender": "alice"}),
        ("is:gap", {"tags": frozenset({"gap"})}),
        ("is:marked", {"tags": frozenset({"marked"})}),
        ("is:error", {"event": "error"}),
        ("is:error", {"status": 500}),
        ("is:error", {"tags": frozenset({"error"})}),
    ],
)
def test_kinds_of_records(text: str, changes: dict[str, Any]) -> None:
    assert parse_filter(text).matches(record(**changes), NOW)


def test_a_record_without_a_latency_is_neither_slow_nor_fast() -> None:
    unknown = record(latency=None)
    assert not parse_filter("latency>0").matches(unknown)
    assert not parse_filter("latency<10s").matches(unknown)


def test_since_counts_back_from_now() -> None:
    recent = parse_filter("since:5m")
    assert recent.matches(record(at=NOW - timedelta(minutes=4)), NOW)
    assert not recent.matches(record(at=NOW - timedelta(minutes=6)), NOW)


def test_without_a_moment_now_is_now() -> None:
    assert parse_filter("since:5m").matches(record(at=datetime.now(UTC)))


@pytest.mark.parametrize(
    ("text", "clock", "passes"),
    [
        ("at:01:22..01:25", "01:22:00", True),
        ("at:01:22..01:25", "01:25:59", True),
        ("at:01:22..01:25", "01:26:00", False),
        ("at:01:22..01:25", "01:21:59", False),
        ("at:01:22", "01:22:59", True),
        ("at:01:22", "01:23:00", False),
        ("at:01:22:30", "01:22:30", True),
        ("at:01:22:30", "01:22:31", False),
        ("at:23:50..00:10", "00:05:00", True),
        ("at:23:50..00:10", "23:55:00", True),
        ("at:23:50..00:10", "12:00:00", False),
    ],
)
def test_time_of_day_is_the_readers_own(text: str, clock: str, passes: bool) -> None:
    hour, minute, second = map(int, clock.split(":"))
    local = datetime.now().astimezone().replace(hour=hour, minute=minute, second=second, microsecond=0)
    assert parse_filter(text).matches(record(at=local)) is passes


@pytest.mark.parametrize(
    ("text", "column", "length", "suggestion", "complaint"),
    [
        ("event:message.new form:bob", 18, 4, "from", 'unknown field "form"'),
        ("is:violaton", 3, 8, "violation", "is: takes"),
        ("dir:int", 4, 3, "in", "dir is one of"),
        ("latency:5", 0, 8, "latency>", "compared"),
        ("latency>5x", 8, 2, "", "not a duration"),
        ("size>1tb", 5, 3, "", "not a size"),
        ("at:25:00", 3, 5, "", "not a time of day"),
        ("since:soon", 6, 4, "", "not a duration"),
        ("(event:ping", 0, 1, "", "never closed"),
        ("event:ping)", 10, 1, "", "opens this bracket"),
        ("event:ping |", 12, 1, "", "missing"),
        ("!", 1, 1, "", "must follow"),
        ('"open', 0, 1, "", "never closed"),
        ('from:"open', 5, 1, "", "never closed"),
        ("event:", 6, 1, "", "needs a value"),
        ("event:a,", 8, 1, "", "needs a value"),
        ("/(/", 0, 3, "", "not a regular expression"),
        ("data.a~/(/", 7, 3, "", "not a regular expression"),
        ("data.a=/x/", 7, 3, "data.a~/x/", "goes with ~"),
        ("(" * 60, 51, 1, "", "too many brackets"),
    ],
)
def test_a_mistake_is_pointed_at(
    text: str, column: int, length: int, suggestion: str, complaint: str
) -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter(text)
    error = caught.value
    assert complaint in str(error)
    assert (error.column, error.length, error.suggestion) == (column, length, suggestion)


def test_the_hint_shows_the_place_under_the_text() -> None:
    with pytest.raises(FilterError) as caught:
        parse_filter("event:message.new form:bob")
    assert caught.value.hint.splitlines() == [
        "event:message.new form:bob",
        '                  ^^^^ did you mean "from"?',
    ]
    assert caught.value.pointed == 'column 19. did you mean "from"?'


def test_every_field_is_explained() -> None:
    assert {"event", "dir", "from", "conv", "as", "is", "latency", "size", "since", "at", "has"} == set(
        FIELDS
    )


def outcome(text: str) -> int | None:
    """Give the column of the mistake in a filter, ``None`` if there is none."""
    try:
        parse_filter(text).matches(record(), NOW)
    except FilterError as error:
        return error.column
    return None


@given(st.text(max_size=60) | st.text(alphabet='abc:!|()"/~=.,* >0m', max_size=30))
def test_any_text_is_a_filter_or_a_mistake_with_a_place(text: str) -> None:
    column = outcome(text)
    assert column is None or 0 <= column <= len(text)
