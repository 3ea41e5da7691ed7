"""A packet is one finished text frame, and a batch is nothing but several of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from tribe_ws.hub.packet import Batch, make_packet, text_frame


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65535, 65536, 70000])
def test_a_frame_is_what_an_independent_library_writes(size: int) -> None:
    payload = b"x" * size
    assert text_frame(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=5))
def test_a_batch_is_its_packets_one_after_the_other(payloads: list[bytes]) -> None:
    batch = Batch([make_packet(payload) for payload in payloads])
    assert batch.wire == b"".join(map(text_frame, payloads))
    assert batch.size == len(batch.wire)
    assert len(batch) == len(payloads)
    assert [packet.payload for packet in batch.packets] == payloads


def test_a_packet_knows_the_name_of_its_event() -> None:
    assert make_packet(b"{}", "pong").event == "pong"
