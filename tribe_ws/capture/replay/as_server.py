"""Plays a capture to a client, as its server: an app that connects lives the recorded evening.

A bare ASGI application and uvicorn; nothing of our own server is in it. It speaks the documented wire: who
offers ``tribe.v2`` gets no subprotocol. The evening begins with the first subscription, and stands still
while nobody is connected.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs

import uvicorn

from tribe_ws.capture.names import slug
from tribe_ws.capture.record import Record, compact_json
from tribe_ws.capture.replay.answers import Answers, Reply, Request
from tribe_ws.capture.replay.evening import Evening, Push
from tribe_ws.capture.replay.guest import Guest
from tribe_ws.capture.replay.passes import Passes
from tribe_ws.listening import base_url, bound_port, listen
from tribe_ws.protocol.urls import SOCKET_PATH, ServerAddress

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Write = Callable[[Message], Awaitable[None]]

LARGEST_BODY = 1024 * 1024
LARGEST_FRAME = 64 * 1024
MOST_GUESTS = 200
"""So many connections at once; the next is closed with 1013."""

RESTART = 1012
STOP_SECONDS = 3


@dataclass(frozen=True, slots=True)
class ClientReplayOptions:
    """How a capture is played to clients; ``max_pause`` (seconds) cuts longer pauses."""

    host: str = "127.0.0.1"
    port: int = 8000
    speed: float = 1.0
    max_pause: float | None = None
    keeps_times: bool = False


class ReplayServer:
    """A server that plays a capture for the length of an ``async with``; ``on_news`` hears what happens.

    Entering raises ``ConfigurationError`` where it cannot listen.
    """

    def __init__(
        self,
        records: Iterable[Record],
        options: ClientReplayOptions | None = None,
        *,
        on_news: Callable[[str], None] | None = None,
    ) -> None:
        self.options = options or ClientReplayOptions()
        self.url = ""
        self._on_news = on_news or (lambda _words: None)
        self._evening = Evening(
            records,
            now=datetime.now(UTC),
            speed=self.options.speed,
            max_pause=self.options.max_pause,
            keeps_times=self.options.keeps_times,
        )
        self._guests: set[Guest] = set()
        self._answers = Answers(self._evening, Passes(), self._is_online)
        self._begun = asyncio.Event()
        self._somebody = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._server: _Server | None = None

    @property
    def address(self) -> ServerAddress:
        """The address; known once it runs."""
        return ServerAddress(self.url)

    @property
    def ws_url(self) -> str:
        """The address of the socket endpoint, without a token."""
        return self.address.socket_url

    @property
    def usernames(self) -> tuple[str, ...]:
        """Whose evening it is: those whose sessions were recorded, then all others."""
        world = self._evening.world
        everybody = (*world.viewers, *(person.username for person in world.people.values()))
        return tuple(dict.fromkeys(everybody))

    @property
    def labels(self) -> tuple[str, ...]:
        """The conversations, as people call them."""
        talks = self._evening.world.talks.values()
        return tuple(
            f"#{slug(talk.name)}" if talk.is_group else "@" + next(iter(talk.labels.values()), talk.id[:8])
            for talk in talks
        )

    async def __aenter__(self) -> Self:
        listener = listen(self.options.host, self.options.port, command="tribe-ws replay FILE --as server")
        self.url = base_url(self.options.host, bound_port(listener))
        self._server = _Server(self)
        self._tasks = [
            asyncio.create_task(self._server.serve([listener])),
            asyncio.create_task(self._play()),
        ]
        await self._server.has_started.wait()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        for guest in list(self._guests):
            guest.end(RESTART, "restart")
        self._server.should_exit = True
        serving, playing = self._tasks
        playing.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(2 * STOP_SECONDS):
                await asyncio.gather(serving, playing, return_exceptions=True)

    async def wait_closed(self) -> None:
        """Return when the server has ended; raises what ended it."""
        await self._tasks[0]

    async def __call__(self, scope: Message, receive: Receive, send: Write) -> None:
        """Be the ASGI application."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)

    # ── the evening ───────────────────────────────────────────────────────────────────────────────────────

    async def _play(self) -> None:
        """Deliver what was recorded, when it is due."""
        await self._begun.wait()
        self._deliver(self._evening.begin(datetime.now(UTC)))
        timeline = self._evening.timeline
        while (wait := timeline.until_next()) is not None:
            began = time.monotonic()
            await asyncio.sleep(wait)
            spent = max(wait, time.monotonic() - began)
            await self._somebody.wait()
            self._deliver(self._evening.due(spent, datetime.now(UTC)))
        self._on_news("the evening is over; what was said can still be read")

    def _deliver(self, pushes: Iterable[Push]) -> None:
        for push in pushes:
            text = push.frame if isinstance(push.frame, str) else compact_json(push.frame)
            for guest in list(self._guests):
                if guest.user.username in push.to and guest.hears(push.conversation_id):
                    guest.offer(text)

    def _is_online(self, username: str) -> bool:
        return any(guest.user.username == username for guest in self._guests)

    # ── REST ──────────────────────────────────────────────────────────────────────────────────────────────

    async def _http(self, scope: Message, receive: Receive, send: Write) -> None:
        body = await _read_body(receive)
        if body is None:
            reply = Reply(413, {"detail": "Request body too large"})
        else:
            query = scope["query_string"].decode("ascii", "replace")
            request = Request(scope["method"], scope["path"], query, _bearer(scope), body)
            reply = self._answers.answer(request, datetime.now(UTC))
        self._tell_others(reply)
        headers = [(b"content-type", b"application/json")]
        if reply.status == 401:
            headers.append((b"www-authenticate", b"Bearer"))
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": _to_bytes(reply.body)})

    def _tell_others(self, reply: Reply) -> None:
        """Pass on what a guest says to the others who are there."""
        if reply.said is None:
            return
        keys = ("id", "conversation_id", "sender", "content", "message_type", "created_at")
        told = self._evening.told({key: reply.said.raw[key] for key in keys})
        frame = {"event": "message.new", "conversation_id": told["conversation_id"], "data": told}
        others = frozenset(guest.user.username for guest in self._guests) - {reply.sender}
        self._deliver((Push(others, told["conversation_id"], frame),))

    # ── the socket ────────────────────────────────────────────────────────────────────────────────────────

    async def _websocket(self, scope: Message, receive: Receive, send: Write) -> None:
        await receive()
        if scope["path"] != SOCKET_PATH:
            await send({"type": "websocket.close", "code": 1000})
            return
        await send({"type": "websocket.accept"})
        token = _token(scope)
        user = self._answers.user_of(token, datetime.now(UTC))
        if user is None or len(self._guests) >= MOST_GUESTS:
            code, reason = (
                (1013, "too_many") if user else (4401, "token_invalid" if token else "token_missing")
            )
            await send({"type": "websocket.close", "code": code, "reason": reason})
            return
        guest = Guest(user, self._evening, self._begun.set)
        self._guests.add(guest)
        self._somebody.set()
        self._on_news(f"{user.username} has connected")
        try:
            await guest.live(receive, send)
        finally:
            self._guests.discard(guest)
            if not self._guests:
                self._somebody.clear()
            self._on_news(f"{user.username} has gone")


class _Server(uvicorn.Server):
    """uvicorn on our loop: it leaves signals to whoever runs us, and says when it accepts connections."""

    def __init__(self, app: ReplayServer) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                ws="websockets-sansio",
                lifespan="off",
                log_config=None,
                access_log=False,
                ws_max_size=LARGEST_FRAME,
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=STOP_SECONDS,
            )
        )
        self.has_started = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    async def main_loop(self) -> None:
        """Run until told to stop."""
        self.has_started.set()
        await super().main_loop()


async def _read_body(receive: Receive) -> bytes | None:
    """Read a request's body; ``None`` for one that is too large."""
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > LARGEST_BODY:
            return None
        if not message.get("more_body"):
            return body


def _bearer(scope: Message) -> str:
    for name, value in scope["headers"]:
        if name == b"authorization":
            kind, _, token = value.decode("latin-1").partition(" ")
            return token.strip() if kind.lower() == "bearer" else ""
    return ""


def _token(scope: Message) -> str:
    found = parse_qs(scope["query_string"].decode("ascii", "replace")).get("token", [])
    return found[0] if found else _bearer(scope)


def _to_bytes(value: Any) -> bytes:
    try:
        return compact_json(value).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()
