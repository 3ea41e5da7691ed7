"""Matching frames: by as little as possible, so that one wrong key fails one clause."""

from __future__ import annotations

import json

import pytest

from tribe_ws.check.frames import Frame, describe, keys, matcher, message, typing


def frame(value: object) -> Frame:
    return Frame(value if isinstance(value, str) else json.dumps(value), None, 0.0)


def test_a_message_is_known_by_its_content_whatever_its_keys() -> None:
    assert message("hi é")(frame({"event": "message.new", "data": {"content": "hi é"}}))
    assert message("hi é")(frame('{"event":"message.new","text":"hi é"}'))
    assert not message("hi")(frame({"event": "message.new", "data": {"content": "ho"}}))
    assert not message("hi")(frame({"event": "typing", "data": {"content": "hi"}}))


def test_typing_is_known_by_its_state_and_typist() -> None:
    typed = frame({"event": "typing", "data": {"user_id": "u1", "is_typing": True}})
    assert typing()(typed)
    assert typing(True)(typed)
    assert typing(True, user_id="u1")(typed)
    assert not typing(False)(typed)
    assert not typing(user_id="u2")(typed)


def test_anything_but_chatter_is_meant_where_nothing_is_said() -> None:
    assert matcher(None)(frame({"event": "pong"}))
    assert not matcher(None)(frame({"event": "presence"}))
    assert matcher("presence")(frame({"event": "presence"}))


@pytest.mark.parametrize("text", ["", "no JSON", "[1]", "null", "[" * 100_000])
def test_what_is_no_object_has_no_event(text: str) -> None:
    assert (frame(text).event, frame(text).inner) == ("", {})


def test_an_event_that_is_no_text_is_none() -> None:
    assert frame({"event": 7, "data": 7}).event == ""
    assert frame({"event": 7, "data": 7}).inner == {}


def test_keys_are_told_in_order() -> None:
    assert keys({"b": 1, "a": 2}) == ["b", "a"]
    assert keys(7) == []


def test_what_is_meant_can_be_said() -> None:
    assert describe("pong") == '"pong"'
    assert describe(typing()) == "a certain frame"
    assert describe(None) == "a frame"
