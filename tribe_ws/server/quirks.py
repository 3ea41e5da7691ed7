"""The deviations of the existing production backend, reproduced one by one, so that an app can meet them.

All of them live in this module. Where no quirk is asked for, the server is put together from the usual parts
and none of what stands here is in the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tribe_ws.hub.connection import Connection, Transport
from tribe_ws.hub.hub import Hub
from tribe_ws.hub.packet import Batch, make_packet
from tribe_ws.protocol.close_codes import CloseCode
from tribe_ws.server.guards import Refusal
from tribe_ws.server.messaging import Messaging
from tribe_ws.storage.storage import Storage

# A quotation mark inside a JSON string is escaped: what people write can look like this, but never match it.
_TIMESTAMP = re.compile(rb'("\w+_at":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3})Z"')


class Quirk(StrEnum):
    """One deviation.

    ``SINGLE_SOCKET``: a user has one socket; an older one stays open and is obeyed, but gets nothing more,
    not even answers. ``TYPING_UNCHECKED``: typing of people who are no participants is passed on.
    ``OFFSET_TIMESTAMPS``: moments end in microseconds and ``+00:00``, in REST bodies and in frames.
    ``PAGE_IGNORED``: the list of messages always starts with the newest page, whatever ``page`` says.
    ``HTTP_403``: an upgrade with a bad token is refused with HTTP 403, before any WebSocket.
    """

    SINGLE_SOCKET = "single-socket"
    TYPING_UNCHECKED = "typing-unchecked"
    OFFSET_TIMESTAMPS = "offset-timestamps"
    PAGE_IGNORED = "page-ignored"
    HTTP_403 = "http-403"


class Quirks:
    """The quirks of one server; makes the parts that have them, or the usual ones."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._quirks = frozenset(map(Quirk, names))

    def hub(self, **options: Any) -> Hub:
        """Make the hub."""
        if self._quirks & {Quirk.SINGLE_SOCKET, Quirk.OFFSET_TIMESTAMPS}:
            return QuirkyHub(self._quirks, **options)
        return Hub(**options)

    def messaging(self, storage: Storage, hub: Hub) -> Messaging:
        """Make the use cases of conversations."""
        kind = UncheckedTyping if Quirk.TYPING_UNCHECKED in self._quirks else Messaging
        return kind(storage, hub)

    def answers(self, app: ASGIApp) -> ASGIApp:
        """Wrap what answers REST calls."""
        return OffsetTimestamps(app) if Quirk.OFFSET_TIMESTAMPS in self._quirks else app

    def page(self, number: int) -> int:
        """Tell which page of messages to read."""
        return 1 if Quirk.PAGE_IGNORED in self._quirks else number

    def refuse_token(self, close_code: CloseCode) -> Refusal | None:
        """Tell how to refuse an upgrade for its token; ``None`` for the server's own way."""
        return Refusal(403, close_code.reason) if Quirk.HTTP_403 in self._quirks else None


def with_offset(body: bytes) -> bytes:
    """Write the moments in a JSON text with microseconds and ``+00:00``."""
    return _TIMESTAMP.sub(rb'\g<1>000+00:00"', body)


class UncheckedTyping(Messaging):
    """Passes typing on without asking who types."""

    async def typing(self, connection: Connection, conversation_id: str, is_typing: bool) -> bool:
        """Pass on that a user types or stopped, participant or not."""
        self._hub.typing(connection, conversation_id, is_typing)
        return True


class QuirkyHub(Hub):
    """A hub whose connections are the way production's are."""

    def __init__(self, quirks: frozenset[Quirk], **options: Any) -> None:
        super().__init__(**options)
        self._quirks = quirks
        self._transports: dict[Connection, QuirkyTransport] = {}

    def attach(self, connection: Connection) -> bool:
        """Take a new connection in; the user's older ones may fall silent."""
        bare = connection.transport
        connection.transport = quirky = QuirkyTransport(bare, Quirk.OFFSET_TIMESTAMPS in self._quirks)
        if not super().attach(connection):
            connection.transport = bare
            return False
        if Quirk.SINGLE_SOCKET in self._quirks:
            for other, transport in self._transports.items():
                transport.is_mute |= other.user_id == connection.user_id
        self._transports[connection] = quirky
        return True

    def detach(self, connection: Connection) -> None:
        """Forget a connection and everything that hung on it."""
        super().detach(connection)
        self._transports.pop(connection, None)


class QuirkyTransport:
    """A transport that may fall silent, and write moments differently."""

    __slots__ = ("_has_offset", "_inner", "is_mute")

    def __init__(self, inner: Transport, has_offset: bool) -> None:
        self._inner = inner
        self._has_offset = has_offset
        self.is_mute = False

    def send(self, batch: Batch) -> bool:
        """Send a batch, unless a newer socket has taken the place of this one."""
        if self.is_mute:
            return False
        if self._has_offset:
            batch = Batch([make_packet(with_offset(one.payload), one.event) for one in batch.packets])
        return self._inner.send(batch)

    def waiting(self) -> tuple[int, int]:
        """Tell how many bytes and frames wait."""
        return self._inner.waiting()

    def close(self, close_code: CloseCode) -> None:
        """Close the connection."""
        self._inner.close(close_code)

    def reset(self) -> None:
        """Cut the connection off."""
        self._inner.reset()


class OffsetTimestamps:
    """Rewrites the moments in JSON answers; other answers pass as they are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        start: Message | None = None
        chunks: list[bytes] = []

        async def send_rewritten(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and _is_json(message):
                start = message
            elif start is None:
                await send(message)
            else:
                chunks.append(message.get("body", b""))
                if not message.get("more_body", False):
                    body = with_offset(b"".join(chunks))
                    await send({**start, "headers": _with_length(start["headers"], len(body))})
                    await send({"type": "http.response.body", "body": body})

        await self._app(scope, receive, send_rewritten)


def _is_json(start: Message) -> bool:
    return any(
        name.lower() == b"content-type" and value.startswith(b"application/json")
        for name, value in start["headers"]
    )


def _with_length(headers: Iterable[tuple[bytes, bytes]], length: int) -> list[tuple[bytes, bytes]]:
    others = [(name, value) for name, value in headers if name.lower() != b"content-length"]
    return [*others, (b"content-length", str(length).encode())]
