"""A real server inside a test, a demo or a tool: real sockets, a free port, a thread and a loop of its own.

By default its database is in memory, its secret random, its port free, and it logs nothing; nothing of it
is left when it is stopped. Its parts live in its own thread: reach them through ``run`` and ``call``.
"""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Coroutine
from contextlib import suppress
from io import StringIO
from types import TracebackType
from typing import Any, Self, TextIO, TypeVar

from tribe_ws.clock import Clock
from tribe_ws.listening import base_url, bound_port, listen
from tribe_ws.protocol.urls import ServerAddress
from tribe_ws.server.app import TribeApp, create_app
from tribe_ws.server.runner import Runner
from tribe_ws.server.secrets import random_secret
from tribe_ws.server.serve import loop_factory
from tribe_ws.server.services import Services
from tribe_ws.settings import ServerSettings

T = TypeVar("T")


def local_settings(**changes: Any) -> ServerSettings:
    """Make the settings of a throw-away server: in memory, a free port, a random secret, quick to go."""
    defaults: dict[str, Any] = {
        "host": "127.0.0.1",
        "port": 0,
        "db": ":memory:",
        "secret": random_secret(),
        "stop_timeout": 5.0,
    }
    return ServerSettings(**(defaults | changes))


class LocalServer:
    """A server in a thread; a context manager, with ``with`` or ``async with``."""

    def __init__(
        self,
        settings: ServerSettings | None = None,
        *,
        clock: Clock | None = None,
        log_stream: TextIO | None = None,
    ) -> None:
        self.settings = settings or local_settings()
        self.log_stream = log_stream or StringIO()
        self.app: TribeApp = create_app(self.settings, clock=clock, log_stream=self.log_stream)
        self.url = ""
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._runner: Runner | None = None
        self._failure: BaseException | None = None

    @classmethod
    def in_thread(cls, settings: ServerSettings | None = None, **options: Any) -> Self:
        """Make a server that runs in a thread of its own as long as the ``with`` lasts."""
        return cls(settings, **options)

    @property
    def address(self) -> ServerAddress:
        """The server's address; known once it runs."""
        return ServerAddress(self.url)

    @property
    def ws_url(self) -> str:
        """The address of the socket endpoint, without a token."""
        return self.address.socket_url

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self.address.port

    @property
    def pid(self) -> int:
        """The process it runs in: this one."""
        return os.getpid()

    @property
    def control_key(self) -> str:
        """The key that opens its control API; empty where that is off."""
        return str(self.app.state.control_key)

    @property
    def services(self) -> Services:
        """The server's parts; they belong to its own thread, so use ``run`` and ``call``."""
        services: Services = self.app.state.services
        return services

    def start(self) -> Self:
        """Start, and return when connections are accepted; raises what keeps it from starting."""
        self._listener = listen(self.settings.host, self.settings.port)
        self.url = base_url(self.settings.host, bound_port(self._listener))
        self._thread = threading.Thread(target=self._main, name="tribe-ws server", daemon=True)
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        return self

    def stop(self) -> None:
        """Stop as ``serve`` does, and return when the thread has ended; a second call does nothing."""
        if self._thread is None or not self._thread.is_alive():
            return
        assert self._runner is not None
        with suppress(RuntimeError):  # It ended by itself a moment ago.
            self._runner.stop_from_outside()
        self._thread.join()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the server's loop and wait for what it returns."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def call(self, function: Callable[[], T]) -> T:
        """Call a function in the server's thread and wait for what it returns."""

        async def in_loop() -> T:
            return function()

        return self.run(in_loop())

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await asyncio.to_thread(self.start)

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self.stop)

    def _main(self) -> None:
        try:
            with asyncio.Runner(loop_factory=loop_factory()) as loop:
                loop.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - the thread that started us must hear it
            self._failure = error
        finally:
            assert self._listener is not None
            self._listener.close()
            self._ready.set()

    async def _serve(self) -> None:
        assert self._listener is not None
        self._loop = asyncio.get_running_loop()
        self._runner = Runner(self.app)
        await self._runner.run_on(self._listener, self._ready.set)
