"""How a server under test behaves as a child: says where it listens, and ends with its parent.

The one line on standard output is the sign of readiness. The end of standard input is the order to stop, and
it comes by itself when the parent dies, so that no server outlives its run.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import Callable

from benchmarks.servers.control import ControlProtocol, Publish


def local_socket() -> socket.socket:
    """Open a socket on a free loopback port."""
    # Only where the protocol is named does asyncio turn off Nagle's delay, which costs 40 ms an answer.
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.bind(("127.0.0.1", 0))
    return opened


def announce(listener: socket.socket, control: asyncio.Server) -> None:
    """Tell the parent that this server is ready, and its two ports."""
    ports = {"port": listener.getsockname()[1], "control_port": control.sockets[0].getsockname()[1]}
    print(json.dumps(ports), flush=True)


def when_parent_ends(stop: Callable[[], None]) -> None:
    """Call ``stop`` once, when standard input ends."""
    loop = asyncio.get_running_loop()

    def ended() -> None:
        loop.remove_reader(sys.stdin.fileno())
        stop()

    loop.add_reader(sys.stdin.fileno(), ended)


async def open_control(publish: Publish) -> asyncio.Server:
    """Listen for the driver's orders on a free port of its own, in the loop of the server under test."""
    return await asyncio.get_running_loop().create_server(lambda: ControlProtocol(publish), "127.0.0.1", 0)
