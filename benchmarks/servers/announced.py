"""Runs a uvicorn configuration as a server under test: announced when it accepts, ended with its parent."""

from __future__ import annotations

import socket

import uvicorn

from benchmarks.servers.child import announce, local_socket, open_control, when_parent_ends
from benchmarks.servers.control import Publish


class AnnouncedServer(uvicorn.Server):
    """A uvicorn server that tells its parent where it listens."""

    def __init__(self, config: uvicorn.Config, publish: Publish) -> None:
        super().__init__(config)
        self._publish = publish

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        if self.started and sockets:
            when_parent_ends(self.stop)
            announce(sockets[0], await open_control(self._publish))

    def stop(self) -> None:
        """End soon."""
        self.should_exit = True


async def serve_announced(config: uvicorn.Config, publish: Publish) -> None:
    """Serve on a free loopback port until the parent ends."""
    await AnnouncedServer(config, publish).serve(sockets=[local_socket()])
