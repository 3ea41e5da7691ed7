"""``serve`` in the foreground: from the taken port to exit code 0, with whoever watches kept informed.

A running server leaves two notes and takes both away: the record of ``tribe_ws.running``, and the ready file.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, aclosing, contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import Any

from tribe_ws import __version__, running
from tribe_ws.hub.journal import Watcher
from tribe_ws.listening import base_url, bound_port, listen
from tribe_ws.protocol.urls import ServerAddress
from tribe_ws.running import RunningServer
from tribe_ws.server.app import TribeApp, create_app
from tribe_ws.server.control.events import told
from tribe_ws.server.logging import route_library_logs
from tribe_ws.server.runner import Runner
from tribe_ws.settings import ServerSettings
from tribe_ws.storage.records import WorldSummary
from tribe_ws.storage.storage import Storage

FOLLOWERS_TIME = 3.0
"""Seconds that a reader of the journal gets after the end."""
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Ready:
    """What a server that accepts connections can say of itself; ``seconds`` is how long that took."""

    server: RunningServer
    world: WorldSummary
    profile: str
    seconds: float


def run_server(
    settings: ServerSettings,
    on_ready: Callable[[Ready], None] | None = None,
    *,
    ready_file: Path | None = None,
    on_record: Callable[[dict[str, Any]], None] | None = None,
) -> int:
    """Serve until SIGINT or SIGTERM, then stop within ``stop_timeout``; returns the exit code, 0.

    ``on_record`` hears every frame of any connection and every REST call, up to the last, in the form of the
    control API's ``events``.
    Raises ``CannotListen``, ``DatabaseRefused`` or ``ConfigurationError`` where no start is possible.
    """
    started = monotonic()
    listener = listen(settings.host, settings.port)
    with ExitStack() as stack:
        stack.callback(listener.close)
        app = create_app(settings)
        route_library_logs(app.state.log)

        def announce() -> None:
            ready = _describe(app, listener, monotonic() - started)
            stack.enter_context(_notes(ready.server, ready_file))
            if on_ready is not None:
                on_ready(ready)
            stack.enter_context(start_left_uncollected())

        with asyncio.Runner(loop_factory=loop_factory()) as loop:
            loop.run(_serve(app, listener, announce, on_record))
    return 0


@contextmanager
def start_left_uncollected() -> Iterator[None]:
    """Spare the garbage collector what the start has made, for as long as the process serves.

    It stays until the end anyway, and each look through it would stop every client for a tenth of a second.
    """
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Tell how to make the event loop: uvloop's where it is installed, else Python's own."""
    if sys.platform == "win32" or find_spec("uvloop") is None:
        return None
    import uvloop

    return uvloop.new_event_loop


async def _serve(
    app: TribeApp,
    listener: socket.socket,
    announce: Callable[[], None],
    on_record: Callable[[dict[str, Any]], None] | None,
) -> None:
    runner = Runner(app)
    followers: list[asyncio.Task[None]] = []

    def ready() -> None:
        if on_record is not None:
            services = app.state.services
            watcher = services.hub.journal.watch(outlasts=True)
            followers.append(asyncio.create_task(_follow(services.storage, watcher, on_record)))
        announce()

    with _signals(runner):
        await runner.run_on(listener, ready, lambda: _let_finish(followers))


async def _follow(storage: Storage, watcher: Watcher, on_record: Callable[[dict[str, Any]], None]) -> None:
    async with aclosing(told(storage, watcher)) as records:
        async for record in records:
            on_record(record)


async def _let_finish(followers: list[asyncio.Task[None]]) -> None:
    """Wait for those who read the journal to have told its end; it is closed by now."""
    for follower in followers:
        _, late = await asyncio.wait({follower}, timeout=FOLLOWERS_TIME)
        for task in late:
            task.cancel()
    await asyncio.gather(*followers, return_exceptions=True)


@contextmanager
def _signals(runner: Runner) -> Iterator[None]:
    """Stop on the first signal, cut off on the second, and leave the signals as they were found."""
    before: dict[signal.Signals, Any] = {}
    for number in STOP_SIGNALS:
        before[number] = signal.signal(number, lambda *_: runner.stop_from_outside())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _notes(server: RunningServer, ready_file: Path | None) -> Iterator[None]:
    running.announce(server)
    if ready_file is not None:
        running.write_private(ready_file, json.dumps(_ready_note(server)) + "\n")
    try:
        yield
    finally:
        running.withdraw(server)
        if ready_file is not None:
            with suppress(OSError):
                ready_file.unlink()


def _ready_note(server: RunningServer) -> dict[str, Any]:
    note: dict[str, Any] = {"url": server.url, "ws_url": server.ws_url, "pid": server.pid}
    return note | ({"control_key": server.control_key} if server.control_key else {})


def _describe(app: TribeApp, listener: socket.socket, seconds: float) -> Ready:
    settings, services = app.state.settings, app.state.services
    port = bound_port(listener)
    url = base_url(settings.host, port)
    server = RunningServer(
        url=url,
        ws_url=ServerAddress(url).socket_url,
        pid=os.getpid(),
        port=port,
        version=__version__,
        database=services.storage.description,
        world=services.world.name,
        control_key=app.state.control_key,
    )
    return Ready(server, services.world, settings.profile, seconds)
