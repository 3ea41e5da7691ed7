"""The bytes that driver and servers under test exchange."""

from __future__ import annotations

import json

import pytest
from websockets.frames import Frame, Opcode
from websockets.protocol import CLIENT, SERVER, Protocol

from benchmarks import wire


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_server_frame_is_read_by_another_implementation(size):
    payload = b"x" * size
    client = Protocol(CLIENT, max_size=None)
    client.receive_data(wire.server_frame(payload))
    (frame,) = client.events_received()
    assert isinstance(frame, Frame)
    assert (frame.opcode, bytes(frame.data), frame.fin) == (Opcode.TEXT, payload, True)


def test_client_frame_is_read_by_another_implementation():
    server = Protocol(SERVER)
    server.receive_data(wire.client_frame(wire.subscribe(wire.CONVERSATION)))
    (frame,) = server.events_received()
    assert isinstance(frame, Frame)
    assert json.loads(bytes(frame.data))["event"] == "subscribe"


def test_event_has_the_keys_and_about_the_size_of_a_real_one():
    event = wire.event_of(wire.content_of(1, wire.MIN_CONTENT))
    assert list(json.loads(event)["data"]) == [
        "id", "conversation_id", "sender", "content", "message_type", "created_at",
    ]  # fmt: skip
    assert 350 < len(event) < 450


def test_stamp_is_found_where_the_content_begins():
    event = wire.event_of(wire.content_of(123456789, 100))
    at = event.find(wire.STAMP_MARK) + len(wire.STAMP_MARK)
    assert int(event[at : at + wire.STAMP_DIGITS]) == 123456789


def test_orders_survive_any_cut():
    sent = wire.publish_order(1, 21) + wire.publish_order(2, 4000)
    for cut in range(len(sent)):
        first, rest = wire.read_orders(sent[:cut])
        second, left = wire.read_orders(rest + sent[cut:])
        assert [*first, *second] == [(1, 21), (2, 4000)]
        assert left == b""


def test_header_is_found_whatever_its_case():
    head = b"HTTP/1.1 201 Created\r\nContent-Type: a/b\r\nContent-Length: 12"
    assert wire.header(head, b"content-length") == b"12"
    assert wire.header(head, b"content-type") == b"a/b"
    assert wire.header(head, b"date") == b""
