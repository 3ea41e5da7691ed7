"""``TribeClient``: one user at one server, REST and events together.

::

    async with TribeClient.login("http://127.0.0.1:8000", "alice@tribe.test", password) as tribe:
        await tribe.subscribe(conversation_id)
        await tribe.send(conversation_id, "Hello")
        async for event in tribe.events():
            print(event.name, event.data)
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, overload

from tribe_ws.client.events import Event, StreamItem, WireLine
from tribe_ws.client.options import StreamOptions
from tribe_ws.client.rest import RestClient
from tribe_ws.client.results import MessagePage, SentMessage, User
from tribe_ws.client.stream import EventStream
from tribe_ws.client.tokens import Tokens, TokenSource
from tribe_ws.clock import Clock
from tribe_ws.errors import AuthenticationError
from tribe_ws.protocol.frames import Frame, PresenceStatus
from tribe_ws.protocol.urls import ServerAddress

if TYPE_CHECKING:
    import httpx

SEND_PATIENCE = 10.0


class TribeClient:
    """A logged-in user: ``rest`` for calls, ``stream`` for events, and the usual things directly.

    Made by ``login`` or ``with_tokens``; ``async with`` logs in if need be, connects, and closes.
    """

    def __init__(
        self,
        rest: RestClient,
        *,
        credentials: tuple[str, str] | None = None,
        options: StreamOptions | None = None,
        on_wire: Callable[[WireLine], None] | None = None,
        clock: Clock | None = None,
        rng: random.Random | None = None,
    ) -> None:
        self.rest = rest
        self._credentials = credentials
        self._options = options
        self._on_wire = on_wire
        self._clock = clock
        self._rng = rng
        self._user: User | None = None
        self._stream: EventStream | None = None

    @classmethod
    def login(
        cls,
        address: ServerAddress | str,
        login: str,
        password: str,
        *,
        on_tokens: Callable[[Tokens], None] | None = None,
        timeout: float = 10.0,
        transport: httpx.AsyncBaseTransport | None = None,
        **stream: Any,
    ) -> Self:
        """Be the user with that e-mail address or username; the login is made by ``async with``."""
        rest = RestClient(address, on_tokens=on_tokens, timeout=timeout, transport=transport)
        return cls(rest, credentials=(login, password), **stream)

    @classmethod
    def with_tokens(
        cls,
        address: ServerAddress | str,
        token: str | Tokens | TokenSource,
        *,
        on_tokens: Callable[[Tokens], None] | None = None,
        timeout: float = 10.0,
        transport: httpx.AsyncBaseTransport | None = None,
        **stream: Any,
    ) -> Self:
        """Be the user whom a token was made for; with a refresh token it is renewed as need be."""
        rest = RestClient(address, token, on_tokens=on_tokens, timeout=timeout, transport=transport)
        return cls(rest, **stream)

    def __repr__(self) -> str:
        who = self._user.username if self._user else "nobody yet"
        return f"TribeClient({self.rest.address.base_url!r}, {who})"

    async def __aenter__(self) -> Self:
        try:
            await self.connect()
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def user(self) -> User:
        """Who one is; known from ``connect`` on."""
        if self._user is None:
            raise AuthenticationError("not logged in yet", hint="use  async with  or  await connect()")
        return self._user

    @property
    def stream(self) -> EventStream:
        """The events and notices; there from ``connect`` on."""
        if self._stream is None:
            raise AuthenticationError("not connected yet", hint="use  async with  or  await connect()")
        return self._stream

    async def connect(self) -> None:
        """Log in if need be, learn who one is, and open the stream."""
        if self._credentials is not None:
            answer = await self.rest.login(*self._credentials)
            self._credentials = None
            self._user = answer.user
        else:
            self._user = await self.rest.me()
        source = self.rest.source
        assert source is not None
        self._stream = EventStream(
            self.rest.address,
            source,
            options=self._options,
            history=self.rest,
            user_id=self._user.id,
            on_wire=self._on_wire,
            clock=self._clock,
            rng=self._rng,
        )
        await self._stream.connect()

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the stream and the REST connections."""
        try:
            if self._stream is not None:
                await self._stream.close(code, reason)
        finally:
            await self.rest.close()

    async def send(self, conversation_id: str, content: str, **options: Any) -> SentMessage:
        """Send a message by REST; it is stored when this returns, and stored once however often it went out.

        Options are those of ``RestClient.send_message``; a server that restarts is waited for 10 seconds.
        """
        defaults = {"patience": SEND_PATIENCE, "connection_id": self._stream and self._stream.connection_id}
        return await self.rest.send_message(conversation_id, content, **{**defaults, **options})

    async def history(
        self, conversation_id: str, *, limit: int = 50, before: str | None = None, after: str | None = None
    ) -> MessagePage:
        """Give past messages, oldest first: the newest, or those ``before`` or ``after`` a message."""
        return await self.rest.messages(conversation_id, limit=limit, before=before, after=after)

    @overload
    def events(self, *, notices: Literal[False] = ...) -> AsyncIterator[Event]: ...
    @overload
    def events(self, *, notices: bool) -> AsyncIterator[StreamItem]: ...

    async def events(self, *, notices: bool = False) -> AsyncIterator[StreamItem]:
        """Give the events as they come; with ``notices`` also what becomes of the connection."""
        async for item in self.stream:
            if notices or isinstance(item, Event):
                yield item

    async def wait_for(
        self,
        predicate: Callable[[Event], bool],
        timeout: float = 10.0,  # noqa: ASYNC109
        *,
        what: str = "a matching event",
    ) -> Event:
        """Read on until an event matches; raises ``WaitedInVain`` after ``timeout`` seconds."""
        return await self.stream.wait_for(predicate, timeout, what=what)

    async def subscribe(self, conversation_id: str, *, timeout: float | None = None) -> float:  # noqa: ASYNC109
        """Subscribe to a conversation and wait for the confirmation; gives the seconds it took."""
        return await self.stream.subscribe(conversation_id, timeout=timeout)

    async def unsubscribe(self, conversation_id: str) -> None:
        """Take back a subscription."""
        await self.stream.unsubscribe(conversation_id)

    async def typing(self, conversation_id: str, is_typing: bool) -> None:
        """Say that one began or stopped typing."""
        await self.stream.typing(conversation_id, is_typing)

    async def presence(self, status: PresenceStatus) -> None:
        """Say how one wants to be seen."""
        await self.stream.presence(status)

    async def ping(self, *, timeout: float | None = None) -> float:  # noqa: ASYNC109
        """Measure one round trip."""
        return await self.stream.ping(timeout=timeout)

    async def send_frame(self, frame: Frame | dict[str, Any] | str | bytes) -> None:
        """Send one frame over the socket, right or wrong."""
        await self.stream.send(frame)
