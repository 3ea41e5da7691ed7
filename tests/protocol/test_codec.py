from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribe_ws.errors import ProtocolViolation
from tribe_ws.protocol.codec import (
    MAX_DEPTH,
    decode_client_frame,
    decode_server_frame,
    encode,
    explain_server_frame,
    object_in,
    parse_json,
)
from tribe_ws.protocol.frames import Connected, MessageNew, NewMessage, Ping, Sender, Subscribe

TEXT = st.text(st.characters(codec="utf-8"))
NUMBERS = st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


def violation_of(text: str) -> str:
    with pytest.raises(ProtocolViolation) as caught:
        decode_client_frame(text)
    return caught.value.violation


@given(st.text())
def test_any_text_is_a_frame_or_a_violation(text: str):
    with suppress(ProtocolViolation):
        decode_client_frame(text)


@given(st.lists(st.sampled_from([*'[]{}",:\\ue', "\ud800", "1e9", "null", '"event"', '"ping"'])))
def test_any_rubble_of_json_is_a_frame_or_a_violation(parts: list[str]):
    with suppress(ProtocolViolation):
        decode_client_frame("".join(parts))


@given(JSON)
def test_what_json_can_say_is_read_as_it_was_said(value: Any):
    assert parse_json(json.dumps(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "NaN",
        "[Infinity]",
        "-Infinity",
        "1e999",
        "[-1e999]",
        "9" * 5000,
        '{"a":1,"a":2}',
        '{"a":{"b":1,"b":1}}',
        r'"\ud800"',
        r'{"\udfff":1}',
        '"\ud800"',
        "[" * 100_000,
        "[" * 100_000 + "]" * 100_000,
        '{"a":' * 50_000,
        "\x00",
        "\ufeff{}",
    ],
    ids=lambda text: repr(text[:20]),
)
def test_json_that_breaks_parsers_is_refused(text: str):
    with pytest.raises(ProtocolViolation) as caught:
        parse_json(text)
    assert caught.value.violation == "invalid_json"


@pytest.mark.parametrize("text", ["", "{", "[1]", "7", "[" * 100_000, '{"a":' * 100_000, b"\xff"])
def test_what_holds_no_object_is_looked_at_as_an_empty_one(text: str | bytes):
    assert object_in(text) == {}


def test_an_object_is_looked_at_however_strange_it_is():
    assert object_in('{"a": NaN, "b": 1, "b": 2}')["b"] == 2


def test_a_surrogate_pair_is_one_character():
    assert parse_json(r'"\ud83d\ude00"') == "😀"


def test_depth_counts_brackets_and_not_text():
    assert parse_json("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    with pytest.raises(ProtocolViolation, match="deeper than 32"):
        parse_json("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))
    assert parse_json(json.dumps("[" * 1000)) == "[" * 1000
    assert parse_json(json.dumps('"[' * 1000)) == '"[' * 1000
    assert parse_json(json.dumps([[]] * 1000)) == [[]] * 1000


@pytest.mark.parametrize(
    "text", ["[]", "null", "1", "1.5", "true", '"ping"', "{}", '{"event":1}', '{"event":null}']
)
def test_what_is_no_object_with_an_event_is_no_frame(text: str):
    assert violation_of(text) == "invalid_frame"


def test_an_unknown_event_is_named_with_its_conversation():
    with pytest.raises(ProtocolViolation, match="unknown event 'dance'") as caught:
        decode_client_frame('{"event":"dance","conversation_id":"c"}')
    assert (caught.value.violation, caught.value.conversation_id) == ("unknown_event", "c")


def test_a_server_event_from_a_client_is_unknown():
    assert violation_of('{"event":"message.new","conversation_id":"c","data":{}}') == "unknown_event"


def test_a_bad_field_is_named_and_not_quoted():
    with pytest.raises(ProtocolViolation) as caught:
        decode_client_frame('{"event":"typing","conversation_id":"c","is_typing":"hunter2"}')
    assert str(caught.value) == "typing: is_typing: Input should be a valid boolean"
    assert caught.value.violation == "invalid_payload"


def test_unknown_fields_are_ignored():
    assert decode_client_frame('{"event":"ping","ref":"7","more":[1]}') == Ping()


def test_a_missing_channel_counts_as_conversation():
    assert decode_client_frame('{"event":"subscribe","conversation_id":"c"}') == Subscribe(
        conversation_id="c"
    )


@given(st.dictionaries(st.text(), JSON) | st.just({"event": "connected"}))
def test_any_object_of_a_server_is_a_frame_or_is_explained(value: dict[str, Any]):
    frame = decode_server_frame(value)
    assert (frame is None) == bool(explain_server_frame(value))


def test_a_foreign_frame_is_explained_by_its_first_fault():
    value = {"event": "message.new", "conversation_id": "c", "data": {"id": 7}}
    assert explain_server_frame(value).startswith("data.id: ")


def test_a_frame_is_written_compactly_in_utf8_and_in_the_order_of_the_document():
    sender = Sender(id="u", username="ana", full_name="Ana 😀", profile_image_url=None)
    data = NewMessage(
        id="m", conversation_id="c", sender=sender, content='é"\n', message_type="text", created_at="t"
    )
    assert encode(MessageNew(conversation_id="c", data=data)).decode() == (
        '{"event":"message.new","conversation_id":"c","data":{"id":"m","conversation_id":"c","sender":'
        '{"id":"u","username":"ana","full_name":"Ana 😀","profile_image_url":null},"content":"é\\"\\n",'
        '"message_type":"text","created_at":"t"}}'
    )
    assert encode(Connected()) == b'{"event":"connected","message":"WebSocket connection established"}'
