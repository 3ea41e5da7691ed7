from __future__ import annotations

from typing import Any

import pytest

from tribe_ws.client.outgoing import Outgoing, read_outgoing
from tribe_ws.protocol.frames import Ping, SetTyping


def test_a_typed_frame_is_written_as_the_document_has_it() -> None:
    assert read_outgoing(Ping()) == Outgoing('{"event":"ping"}', "ping")
    typing = read_outgoing(SetTyping(conversation_id="c", is_typing=True))
    assert typing.text == '{"event":"typing","conversation_id":"c","is_typing":true}'


def test_an_object_is_written_as_it_is() -> None:
    assert read_outgoing({"event": "new", "ä": 1}) == Outgoing('{"event":"new","ä":1}', "new")


@pytest.mark.parametrize("text", ["", "nonsense", "[1]", "{", '{"event":7}', "[" * 100_000])
def test_raw_text_goes_out_to_the_letter_right_or_wrong(text: str) -> None:
    assert read_outgoing(text) == Outgoing(text)


def test_raw_text_is_recognised_all_the_same() -> None:
    text = ' {"conversation_id":"c" , "event":"subscribe"}'
    assert read_outgoing(text) == Outgoing(text, "subscribe", "c")


def test_bytes_go_out_as_a_binary_frame() -> None:
    frame: Any = read_outgoing(b'{"event":"ping"}')
    assert (frame.text, frame.event) == (b'{"event":"ping"}', "")
