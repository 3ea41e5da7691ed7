"""The kernel's door to a client, past the event loop's transport: one ``send`` and no buffer.

A delivery is one system call; what the loop's transport does around it costs a tenth of that again, and
uvloop's ``write`` takes the longer way through the kernel. The descriptor stays the transport's: it is never
closed here, and must be given back before the transport closes it, since its number may be another client's
after that.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from typing import Protocol


class DirectSocket(Protocol):
    """What a frame is sent through when nothing waits."""

    def send(self, data: bytes, /) -> int:
        """Send what the kernel takes now and tell how much; raises ``OSError`` if it takes nothing."""
        ...

    def detach(self) -> int:
        """Give the descriptor back."""
        ...


def direct_socket(transport: asyncio.Transport) -> DirectSocket:
    """Reach through a transport to its socket, or, where that cannot be, write through the transport."""
    owned = transport.get_extra_info("socket")
    if owned is None or transport.get_extra_info("sslcontext") is not None or sys.platform == "win32":
        return _ThroughTransport(transport)
    # The bare type: unlike ``socket.socket`` it is never part of a reference cycle, so that nothing but its
    # owner decides when it goes.
    borrowed = socket.SocketType(owned.family, owned.type, owned.proto, owned.fileno())
    borrowed.setblocking(False)
    return borrowed


def reset_on_close(transport: asyncio.Transport) -> None:
    """Make the close of a transport a TCP reset: nothing that waits is sent, the client reads an error."""
    owned = transport.get_extra_info("socket")
    if owned is None:
        return
    # uvloop's stand-in for the socket takes no options.
    borrowed = socket.SocketType(owned.family, owned.type, owned.proto, owned.fileno())
    try:
        borrowed.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    finally:
        borrowed.detach()


class _ThroughTransport:
    """Takes everything, as a transport does."""

    __slots__ = ("_transport",)

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport

    def send(self, data: bytes, /) -> int:
        self._transport.write(data)
        return len(data)

    def detach(self) -> int:
        return -1
