"""Writes every REST call into the hub's journal, with both bodies, while somebody reads it.

Owes the calls that it costs them nothing while nobody does. Left out is what no app calls: the control API,
``/health``, ``/metrics``, the documents, and the questions a browser asks before a call, if they are granted.
No password, token or e-mail address gets into the journal, whatever a client sends and wherever.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from time import perf_counter
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tribe_ws.errors import ProtocolViolation
from tribe_ws.hub.journal import LONGEST_TEXT, Journal
from tribe_ws.protocol.codec import parse_json
from tribe_ws.protocol.ids import canonical_id
from tribe_ws.protocol.redaction import redact_json, redact_text
from tribe_ws.protocol.urls import API_PREFIX, HIDDEN
from tribe_ws.server.access import USER_KEY
from tribe_ws.server.control.application import PREFIX
from tribe_ws.server.failures import CLIENT_GONE

LARGEST_BODY = 256 * 1024
"""How many bytes of a body are kept; of a larger one only its size is told."""

_DOCUMENTS = frozenset({"/docs", "/docs/events", f"{API_PREFIX}/openapi.json", f"{API_PREFIX}/asyncapi.json"})
_NOT_TOLD = _DOCUMENTS | {"/health", "/metrics"}
_ACCOUNT_CALLS = f"{API_PREFIX}/auth/"
# A password under a misspelt name is a password: of these calls only what is no secret is told.
_NO_SECRETS = frozenset({"username", "full_name"})
_CONVERSATION = re.compile(rf"{API_PREFIX}/conversations/([^/]+)")


class CallRecorder:
    """Passes requests on to an application, and writes down what it answers."""

    def __init__(self, app: ASGIApp, journal: Journal) -> None:
        self._app = app
        self._journal = journal

    def wants(self, scope: Scope) -> bool:
        """Tell whether anybody wants to hear of a request."""
        return self._journal.is_watched and _is_told(scope["path"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request be answered, and write it down in the end, however it ends."""
        call = _Call()

        async def receive_and_keep() -> Message:
            message = await receive()
            call.request.add(message.get("body", b""))
            return message

        async def send_and_keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                call.status = message["status"]
            else:
                call.answer.add(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive_and_keep, send_and_keep)
        finally:
            if self._journal.is_watched and not (scope["method"] == "OPTIONS" and call.status < 400):
                self._write(scope, call)

    def _write(self, scope: Scope, call: _Call) -> None:
        user = scope.get(USER_KEY)
        about = _CONVERSATION.match(scope["path"])
        self._journal.called(
            call.facts(scope),
            user_id=None if user is None else user.id,
            conversation_id=None if about is None else canonical_id(about[1]),
            weight=call.request.kept_size + call.answer.kept_size,
        )


class _Body:
    """A body as it passes, as far as it is kept."""

    __slots__ = ("_chunks", "size")

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self.size = 0

    def add(self, chunk: bytes) -> None:
        self.size += len(chunk)
        if self.size <= LARGEST_BODY:
            self._chunks.append(chunk)
        else:
            self._chunks.clear()

    @property
    def kept_size(self) -> int:
        return self.size if self.size <= LARGEST_BODY else 0

    def as_json(self, shown: Callable[[Any], Any] = redact_json) -> Any:
        """Give what it says, as far as that is ``shown``; of what cannot be, in words how much it was."""
        if not self.size:
            return None
        if self.size > LARGEST_BODY:
            return f"({self.size} bytes: too many to be kept)"
        try:
            return shown(parse_json(b"".join(self._chunks).decode("utf-8")))
        except (UnicodeDecodeError, ProtocolViolation):
            return f"({self.size} bytes that are no JSON)"


class _Call:
    """One request and its answer, while they pass."""

    __slots__ = ("_began", "answer", "request", "status")

    def __init__(self) -> None:
        self._began = perf_counter()
        self.request = _Body()
        self.answer = _Body()
        self.status = CLIENT_GONE

    def facts(self, scope: Scope) -> dict[str, Any]:
        """Tell the whole call, as the journal shows it."""
        is_of_account = scope["path"].startswith(_ACCOUNT_CALLS)
        return {
            "method": scope["method"],
            "path": _path(scope),
            "status": self.status,
            "seconds": round(perf_counter() - self._began, 6),
            "request": self.request.as_json(_account_shown if is_of_account else redact_json),
            "answer": self.answer.as_json(),
        }


def _is_told(path: str) -> bool:
    return path not in _NOT_TOLD and not path.startswith(PREFIX)


def _path(scope: Scope) -> str:
    """Give the path as it was asked for, with its query, as far as it may be shown."""
    query = scope["query_string"].decode("latin-1")
    raw = scope.get("raw_path") or scope["path"].encode("utf-8", "replace")
    path: str = raw.decode("latin-1")
    asked = f"{path}?{query}" if query else path
    # An escape could hide from us what it does not hide from a reader.
    meant = unquote(asked)
    hidden = redact_text(meant)
    return (hidden if hidden != meant else redact_text(asked))[:LONGEST_TEXT]


def _account_shown(request: Any) -> Any:
    if not isinstance(request, dict):
        return HIDDEN
    shown = {key: value if key in _NO_SECRETS or value is None else HIDDEN for key, value in request.items()}
    return redact_json(shown)
