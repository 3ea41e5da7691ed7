"""A server on a real socket, users with tokens, and sockets that talk in transcripts.

The server runs on the test's own event loop, under a clock that stands still: ``server.clock.advance(6)``
makes six seconds pass. Every wait has a deadline, so a promise that is broken fails and never hangs.
"""

from __future__ import annotations

import asyncio
import io
import itertools
import json
import logging
import re
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tribe_ws.clock import ManualClock
from tribe_ws.listening import bound_port, listen
from tribe_ws.server.app import TribeApp, create_app
from tribe_ws.server.runner import Runner
from tribe_ws.server.services import Services
from tribe_ws.settings import ServerSettings

DEADLINE = 10.0
"""Seconds after which what did not happen will not happen."""
SECRET = "a secret of the test suite " * 3
TOKEN = re.compile(r"eyJ[\w-]{4,}\.")
TRACEBACK = re.compile(r"Traceback|\"exception\"|Task exception was never retrieved")
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Person:
    """A user with an access token."""

    id: str
    username: str
    full_name: str
    token: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


class Socket:
    """One client's connection, after ``connected``."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, data: str | bytes) -> None:
        await self.connection.send(data)

    async def say(self, event: str, **fields: Any) -> None:
        await self.send(json.dumps({"event": event, **fields}))

    async def hear_text(self) -> str:
        async with asyncio.timeout(DEADLINE):
            data = await self.connection.recv()
        assert isinstance(data, str), "the server sends text frames only"
        return data

    async def hear(self, event: str | None = None) -> dict[str, Any]:
        """Give the next frame; with ``event``, it must be that one."""
        frame = json.loads(await self.hear_text())
        assert event is None or frame["event"] == event, frame
        return dict(frame)

    async def skip_to(self, event: str) -> dict[str, Any]:
        """Read on until that event; for where others may come in between."""
        while (frame := await self.hear())["event"] != event:
            pass
        return frame

    async def settle(self) -> list[dict[str, Any]]:
        """Give all frames up to now: everything sent before the answer to this ping."""
        await self.say("ping")
        frames = []
        while (frame := await self.hear())["event"] != "pong":
            frames.append(frame)
        return frames

    async def hears_nothing(self) -> bool:
        """Make sure that the server has read everything and sent nothing."""
        assert await self.settle() == []
        return True

    async def subscribe(self, conversation_id: str) -> None:
        await self.say("subscribe", channel="conversation", conversation_id=conversation_id)
        assert (await self.skip_to("subscribed"))["conversation_id"] == conversation_id

    async def end(self) -> tuple[int | None, str]:
        """Read to the end of the connection and tell its close code and reason."""
        async with asyncio.timeout(DEADLINE):
            try:
                while True:
                    await self.connection.recv()
            except ConnectionClosed:
                return self.connection.close_code, self.connection.close_reason or ""

    async def close(self) -> None:
        await self.connection.close()


class RunningServer:
    """A server that serves, with shortcuts past REST for what a test only needs and does not test."""

    def __init__(
        self,
        port: int,
        app: TribeApp,
        runner: Runner,
        clock: ManualClock,
        log: io.StringIO,
        http: httpx.AsyncClient,
    ) -> None:
        self.port = port
        self.app = app
        self.services: Services = app.state.services
        self.clock = clock
        self.log = log
        self.http = http
        self.url = f"http://127.0.0.1:{port}"
        self.socket_url = f"ws://127.0.0.1:{port}/api/v1/ws"
        self._runner = runner

    def begin_to_stop(self) -> None:
        """Stop as on SIGTERM; once is enough."""
        if not self._runner.should_exit:
            self._runner.stop()

    @property
    def leftovers(self) -> tuple[int, int]:
        """How many connections and tasks the library below still holds."""
        return len(self._runner.server_state.connections), len(self._runner.server_state.tasks)

    @property
    def hub(self) -> Any:
        return self.services.hub

    def dropped(self, reason: str) -> float:
        """Tell how often the server dropped something for that reason, by its own count."""
        registry = self.services.metrics.registry
        return registry.get_sample_value("tribe_drops_total", {"reason": reason}) or 0.0

    async def person(self, name: str = "ana", full_name: str | None = None) -> Person:
        """Make a user who was never there before."""
        username = f"{name}_{next(_numbers)}"
        user = await self.services.storage.users.create(
            f"{username}@tribe.test", username, full_name or f"{name.capitalize()} Test", "no password"
        )
        return Person(user.id, user.username, user.full_name, self.services.tokens.access(user))

    async def people(self, *names: str) -> list[Person]:
        return [await self.person(name) for name in names]

    async def group(self, creator: Person, *others: Person) -> str:
        """Make a group with that creator as its admin."""
        conversation, _ = await self.services.storage.conversations.create(
            creator.id, "group", [other.id for other in others], "Test group"
        )
        return conversation.id

    @asynccontextmanager
    async def dial(
        self,
        token: str | None = None,
        *,
        url: str | None = None,
        headers: Mapping[str, str] | None = None,
        origin: str | None = None,
        **options: Any,
    ) -> AsyncIterator[Socket]:
        """Open a connection without waiting for anything on it."""
        address = url or (self.socket_url if token is None else f"{self.socket_url}?token={token}")
        async with connect(
            address,
            proxy=None,
            compression=None,
            ping_interval=None,
            open_timeout=DEADLINE,
            close_timeout=1,
            additional_headers=headers,
            origin=origin,  # type: ignore[arg-type]
            **options,
        ) as connection:
            yield Socket(connection)

    @asynccontextmanager
    async def connect(self, person: Person, **options: Any) -> AsyncIterator[Socket]:
        """Open a connection and read its ``connected``."""
        async with self.dial(person.token, **options) as socket:
            await socket.hear("connected")
            yield socket

    async def post(self, person: Person, conversation_id: str, content: str, **fields: Any) -> dict[str, Any]:
        """Send a message by REST."""
        answer = await self.request(
            person, "POST", f"/conversations/{conversation_id}/messages", json={"content": content, **fields}
        )
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def request(self, person: Person | None, method: str, path: str, **options: Any) -> httpx.Response:
        """Make a REST call below the prefix."""
        headers = {**(person.headers if person else {}), **options.pop("headers", {})}
        return await self.http.request(method, f"/api/v1{path}", headers=headers, **options)


@asynccontextmanager
async def running_server(
    *, expects_bug: bool = False, costly_passwords: bool = False, **settings: Any
) -> AsyncIterator[RunningServer]:
    """Run a server on a free port until the end of the block, with these ``ServerSettings``.

    Its passwords are hashed as cheaply as those of the demo users, where the cost is not what is tested.
    Whatever happened to it, its log holds no token at the end, and no traceback unless a bug was staged.
    """
    options = {"db": ":memory:", "fixtures": "none", "secret": SECRET, "durability": "normal", "port": 0}
    built = ServerSettings(**(options | {"log_level": "debug", "log_format": "json"} | settings))
    clock, log = ManualClock(), io.StringIO()
    app = create_app(built, clock=clock, log_stream=log)
    listener = listen(built.host, 0)
    # Accepted sockets inherit it: a client that does not read is felt after kilobytes, not megabytes.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 * 1024)
    port, runner, ready = bound_port(listener), Runner(app), asyncio.Event()
    stop_listening_in = listen_in(log)
    serving = asyncio.create_task(runner.run_on(listener, ready.set))
    try:
        await _first(ready.wait(), serving)
        if not costly_passwords:
            passwords = app.state.services.accounts._passwords
            passwords._hasher = passwords._cheap
        url = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=DEADLINE) as http:
            yield RunningServer(port, app, runner, clock, log, http)
    finally:
        if not runner.should_exit:
            runner.stop()
        async with asyncio.timeout(2 * DEADLINE):
            await serving
        stop_listening_in()
    assert_discreet(log.getvalue(), expects_bug=expects_bug)


def listen_in(log: io.StringIO) -> Callable[[], None]:
    """Let what the library below says go through the same sieve, at its most talkative short of frames."""
    # A server that had the whole process to itself leaves them quieter.
    loggers = [logging.getLogger(name) for name in ("uvicorn", "uvicorn.error", "uvicorn.access")]
    levels, handler = [logger.level for logger in loggers], logging.StreamHandler(log)
    loggers[0].addHandler(handler)
    for logger in loggers:
        logger.setLevel(logging.INFO)

    def stop() -> None:
        loggers[0].removeHandler(handler)
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)

    return stop


def assert_discreet(log: str, *, expects_bug: bool = False) -> None:
    """Make sure that no line of a log holds a token, and none a traceback."""
    for line in log.splitlines():
        assert not TOKEN.search(line), line
        assert expects_bug or not TRACEBACK.search(line), line.replace("\\n", "\n")


async def _first(wish: Coroutine[Any, Any, Any], serving: asyncio.Task[None]) -> None:
    """Wait for the wish, or raise what ended the server before."""
    waiting = asyncio.ensure_future(wish)
    await asyncio.wait({waiting, serving}, timeout=DEADLINE, return_when=asyncio.FIRST_COMPLETED)
    if not waiting.done():
        waiting.cancel()
        await serving
        raise AssertionError("the server did not start")


async def exchange(server: RunningServer, data: bytes) -> bytes:
    """Send bytes over a connection of one's own and give the beginning of what comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        async with asyncio.timeout(DEADLINE):
            writer.write(data)
            return await reader.read(4096)
    except ConnectionError:
        return b""
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


async def until(condition: Callable[[], bool], deadline: float = DEADLINE) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(deadline):
        while not condition():  # noqa: ASYNC110 - no event tells of them all
            await asyncio.sleep(0.002)
