from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribe_ws.client.events import Event, binary_event, is_utc_time, read_event, read_time
from tribe_ws.protocol.frames import MessageNew, Pong

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MESSAGE = (
    '{"event":"message.new","conversation_id":"c1","data":{"id":"m1","conversation_id":"c1","sender":'
    '{"id":"u1","username":"bob","full_name":"Bob","profile_image_url":null},"content":"hi",'
    '"message_type":"text","created_at":"2024-01-01T12:00:00Z"}}'
)


def read(text: str) -> Event:
    return read_event(text, received_at=1.0, at=NOW)


def test_a_documented_frame_comes_out_typed_and_without_complaint() -> None:
    event = read(MESSAGE)
    assert isinstance(event.frame, MessageNew)
    assert (event.name, event.conversation_id, event.message_id) == ("message.new", "c1", "m1")
    assert (event.complaint, event.text, event.received_at, event.at) == ("", MESSAGE, 1.0, NOW)
    assert event.data["content"] == "hi"
    assert isinstance(read('{"event":"pong"}').frame, Pong)


def test_unknown_fields_pass_through_raw() -> None:
    event = read('{"event":"pong","new_field":{"deep":[1]}}')
    assert isinstance(event.frame, Pong)
    assert event.raw["new_field"] == {"deep": [1]}
    assert event.complaint == ""


def test_an_unknown_event_passes_through_raw_with_a_complaint() -> None:
    event = read('{"event":"reaction.added","data":{"conversation_id":"c9","emoji":"x"}}')
    assert (event.name, event.frame, event.conversation_id) == ("reaction.added", None, "c9")
    assert event.raw["data"]["emoji"] == "x"
    assert event.complaint


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[1]", "expected a JSON object"),
        ("null", "expected a JSON object"),
        ("[" * 50_000, "nests deeper"),
        ('{"event":1}', ""),
        ("{}", ""),
    ],
)
def test_broken_frames_become_events_with_a_complaint(text: str, complaint: str) -> None:
    event = read(text)
    assert (event.name, event.frame, event.raw.get("event", 1)) == ("", None, 1)
    assert complaint in event.complaint
    assert event.complaint
    assert event.text == text


def test_a_frame_that_only_a_lenient_parser_takes_can_still_be_looked_into() -> None:
    event = read('{"event":"pong","event":"pong","n":NaN}')
    assert event.name == "pong"
    assert event.complaint
    assert event.frame is None


def test_a_time_without_zone_in_a_message_is_a_violation() -> None:
    event = read(MESSAGE.replace("2024-01-01T12:00:00Z", "2024-01-01 12:00"))
    assert event.complaint == 'data.created_at: "2024-01-01 12:00" is not an RFC 3339 UTC time'
    assert isinstance(event.frame, MessageNew)


@pytest.mark.parametrize("raw", ['{"event":"message.new"}', '{"event":"message.new","data":{"id":7}}'])
def test_a_message_without_an_id_has_none(raw: str) -> None:
    event = read(raw)
    assert event.message_id is None
    assert event.complaint


def test_only_messages_have_a_message_id() -> None:
    assert read('{"event":"typing","data":{"id":"x"}}').message_id is None


def test_a_binary_frame_is_an_event_with_a_complaint() -> None:
    event = binary_event(b"\xff\x00ok", received_at=1.0, at=NOW)
    assert "binary frame of 4 bytes" in event.complaint
    assert event.text == "\\xff\x00ok"


def test_an_event_shows_no_raw_text_in_its_repr() -> None:
    assert "text=" not in repr(read('{"event":"pong"}'))


@given(st.text())
def test_reading_never_raises(text: str) -> None:
    assert read(text).text == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-01T12:00:00Z", True),
        ("2024-01-01T12:00:00.123+00:00", True),
        ("2024-01-01T12:00:00+02:00", False),
        ("2024-01-01T12:00:00", False),
        ("2024-01-01 12:00:00Z", False),
        ("now", False),
    ],
)
def test_rfc_3339_utc_is_told_from_the_rest(text: str, expected: bool) -> None:
    assert is_utc_time(text) is expected


def test_times_of_foreign_servers_are_read_as_far_as_they_can_be() -> None:
    noon = datetime(2024, 1, 1, 12, tzinfo=UTC)
    assert read_time("2024-01-01T12:00:00Z") == noon
    assert read_time("2024-01-01T12:00:00") == noon
    assert read_time("2024-01-01T14:00:00+02:00") == noon.astimezone(timezone(timedelta(hours=2)))
    assert read_time("soon") is None
    assert read_time(None) is None
    assert read_time(1704110400) is None
