"""Runs an application on a listener until it is told to stop, and then stops in time, whatever clients do.

The same for ``serve`` in the foreground and ``LocalServer`` in a thread. uvicorn's own way of stopping does
not do: it takes over signals and raises them again at the end, and waits without end for a client that does
not read.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn

from tribe_ws.protocol.close_codes import RESTART
from tribe_ws.server.app import TribeApp
from tribe_ws.server.uvicorn_config import uvicorn_config

TICK = 1.0
"""Seconds between two looks at the clock for the ``Date`` header."""
PATIENCE = 0.7
"""The share of a stop's time that clients get; then they are cut off, so that commits can be finished."""


class Runner(uvicorn.Server):
    """One run of an application."""

    def __init__(self, app: TribeApp) -> None:
        settings = app.state.settings
        super().__init__(uvicorn_config(settings, app, lifespan="off"))
        self._app = app
        self._patience = settings.stop_timeout * PATIENCE
        self._stopping = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._failure: BaseException | None = None

    async def run_on(
        self,
        listener: socket.socket,
        on_ready: Callable[[], None],
        on_served: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        """Open the application, serve, and close it; ``on_ready`` is called when connections are accepted.

        ``on_served`` is awaited when the last of them is gone and nothing is closed yet. Raises what
        ``TribeApp.running`` raises, before anything is accepted.
        """
        self._on_ready = on_ready
        async with self._app.running():
            await self.serve(sockets=[listener])
            self._app.state.services.hub.journal.close()
            if on_served is not None:
                await on_served()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Begin to stop; a second call cuts off whoever is still there. For the thread of the loop."""
        if self.should_exit:
            self._cut_off()
        self.should_exit = True
        self._stopping.set()

    def stop_from_outside(self) -> None:
        """Begin to stop, from any thread."""
        self._loop.call_soon_threadsafe(self.stop)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to whoever runs us."""
        yield

    async def main_loop(self) -> None:
        """Tick until told to stop, and then at once; what ``on_ready`` raises ends the run in order, too."""
        try:
            self._on_ready()
        except BaseException as error:  # noqa: BLE001 - raised again by run_on, after the shutdown
            self._failure = error
            return
        tenths = 0
        while not await self.on_tick(tenths):
            tenths += 10
            try:
                async with asyncio.timeout(TICK):
                    await self._stopping.wait()
            except TimeoutError:
                continue

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell every socket, let requests finish, and cut off who does not go."""
        for server in self.servers:
            server.close()
        hub = self._app.state.services.hub
        hub.close_all(RESTART)
        # Whoever reads by HTTP would keep us from stopping; the others hear how every socket ends.
        hub.journal.close(wholly=False)
        async with self._limited():
            await super().shutdown(sockets)

    @asynccontextmanager
    async def _limited(self) -> AsyncIterator[None]:
        deadline = self._loop.call_later(self._patience, self._cut_off)
        try:
            yield
        finally:
            deadline.cancel()

    def _cut_off(self) -> None:
        """Drop the connections; requests that do not notice it are cancelled a moment later."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        self._loop.call_later(self._patience / 10, self._cancel)

    def _cancel(self) -> None:
        for task in list(self.server_state.tasks):
            task.cancel()
