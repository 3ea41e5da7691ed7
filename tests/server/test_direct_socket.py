"""The way past the transport shares its descriptor, and never closes it or goes around encryption."""

from __future__ import annotations

import asyncio
import gc
import socket
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from tests.server.socket_stage import LOOPS
from tribe_ws.server.direct_socket import DirectSocket, direct_socket

LOOP_FACTORIES = LOOPS


class Pair:
    """A transport and the socket at its other end."""

    def __init__(self, transport: asyncio.Transport, peer: socket.socket) -> None:
        self.transport = transport
        self.peer = peer


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    ours, peer = socket.socketpair()
    peer.settimeout(5)
    transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, sock=ours)
    yield Pair(transport, peer)
    transport.abort()
    peer.close()
    await asyncio.sleep(0)


async def test_what_is_sent_arrives_at_once_in_order_with_what_the_transport_writes(pair: Pair) -> None:
    direct = direct_socket(pair.transport)
    assert direct.send(b"one ") == 4
    pair.transport.write(b"two ")
    await asyncio.sleep(0.01)
    assert direct.send(b"three") == 5
    assert pair.peer.recv(100) == b"one two three"
    direct.detach()


async def test_a_kernel_that_is_full_takes_a_part_and_then_nothing(pair: Pair) -> None:
    direct = direct_socket(pair.transport)
    data = b"x" * (8 << 20)
    assert 0 < direct.send(data) < len(data)
    with pytest.raises(BlockingIOError):
        send_for_ever(direct, data)
    direct.detach()


async def test_giving_the_descriptor_back_leaves_the_connection_open(pair: Pair) -> None:
    direct = direct_socket(pair.transport)
    direct.detach()
    del direct
    gc.collect()
    pair.transport.write(b"still here")
    await asyncio.sleep(0.01)
    assert pair.peer.recv(100) == b"still here"


@pytest.mark.parametrize("secret", [True, False])
async def test_encryption_is_never_gone_around(secret: bool) -> None:
    class Transport:
        written = b""

        def get_extra_info(self, name: str) -> object:
            return object() if secret or name == "sslcontext" else None

        def write(self, data: bytes) -> None:
            self.written += data

    transport = Transport()
    direct = direct_socket(cast("Any", transport))
    assert direct.send(b"data") == 4
    assert direct.detach() == -1
    assert transport.written == b"data"


def send_for_ever(direct: DirectSocket, data: bytes) -> None:
    while True:
        direct.send(data)
