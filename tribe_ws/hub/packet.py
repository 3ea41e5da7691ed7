"""What goes on the wire, built once however many sockets it goes to.

A ``Packet`` is one server frame as JSON and as a finished RFC 6455 text frame; a ``Batch`` is several packets
in one piece of bytes. Both are shared between all connections that get them and never change.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

_FINAL_TEXT = 0x81
_SHORT = 126
_MEDIUM = 65536


class Packet:
    """One server frame for both kinds of transport: ``payload`` is its JSON, ``wire`` the framed bytes."""

    __slots__ = ("event", "payload", "wire")

    def __init__(self, payload: bytes, event: str = "") -> None:
        self.payload = payload
        self.wire = text_frame(payload)
        self.event = event


class Batch:
    """Packets that go out together, in order; ``wire`` is one piece of bytes for one write."""

    __slots__ = ("packets", "size", "wire")

    def __init__(self, packets: Sequence[Packet]) -> None:
        self.packets = tuple(packets)
        self.wire = b"".join([packet.wire for packet in self.packets])
        self.size = len(self.wire)

    def __len__(self) -> int:
        return len(self.packets)


def make_packet(payload: bytes, event: str = "") -> Packet:
    """Frame a JSON payload once, for every socket it will go to; ``event`` is its name for the metrics."""
    return Packet(payload, event)


def text_frame(payload: bytes) -> bytes:
    """Put a payload into one final, unmasked, uncompressed text frame (RFC 6455, 5.2)."""
    size = len(payload)
    if size < _SHORT:
        return struct.pack("!BB", _FINAL_TEXT, size) + payload
    if size < _MEDIUM:
        return struct.pack("!BBH", _FINAL_TEXT, 126, size) + payload
    return struct.pack("!BBQ", _FINAL_TEXT, 127, size) + payload
