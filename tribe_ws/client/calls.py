"""One REST call: out with the token, back with the parsed body, or an error that says why.

Owes its callers that no token stands in any error, that loopback never goes through a proxy, and that a 401
is answered by one renewal and one repetition (contract 1: what the shipped app does).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tribe_ws.client.exchanges import Exchange
from tribe_ws.client.failures import (
    LOG_IN,
    explain_network_error,
    explain_proxy,
    explain_redirect,
    explain_timeout,
)
from tribe_ws.client.http_client import headers_of, json_in, open_http
from tribe_ws.client.tokens import TokenSource
from tribe_ws.errors import ApiError, AuthenticationError, CannotConnect, ProtocolViolation
from tribe_ws.protocol.urls import API_PREFIX, ServerAddress, redact

if TYPE_CHECKING:
    import httpx

UNAUTHORISED = 401
CONNECT_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the headers by lower-case name, the parsed body, and how long it took."""

    status: int
    headers: dict[str, str]
    body: Any
    seconds: float

    @property
    def object(self) -> dict[str, Any]:
        """The body as the JSON object it must be; raises ``ProtocolViolation`` if it is not one."""
        if not isinstance(self.body, dict):
            raise ProtocolViolation("invalid_payload", "the server's answer is not a JSON object")
        return self.body


class NoAnswer(CannotConnect):
    """The request went out, or part of it, and no answer came: whether it was carried out is not known."""


class RestCalls:
    """Makes REST calls to one server; httpx is imported at the first of them.

    ``on_exchange`` hears of every call that was answered, secrets and all.
    """

    def __init__(
        self,
        address: ServerAddress,
        source: TokenSource | None,
        *,
        timeout: float,
        transport: httpx.AsyncBaseTransport | None = None,
        on_exchange: Callable[[Exchange], None] | None = None,
    ) -> None:
        self.address = address
        self.on_exchange = on_exchange
        self.source = source
        self._timeout = timeout
        self._transport = transport
        self._http: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """Close all connections; a later call opens new ones."""
        if self._http is not None:
            http, self._http = self._http, None
            await http.aclose()

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: dict[str, Any] | None = None,
        query: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        with_token: bool = True,
        prefix: str = API_PREFIX,
    ) -> Answer:
        """Make one call; raises ``ApiError``, ``AuthenticationError`` or ``CannotConnect``."""
        url = prefix + path
        sent = dict(headers or {})
        token = await self._token() if with_token else None
        try:
            answer = await self._exchange(method, url, body, query, sent, token)
        except NoAnswer as error:
            # A kept connection to a server that was restarted fails like that; reading twice does no harm.
            if method != "GET" or error.reason == "timeout":
                raise
            answer = await self._exchange(method, url, body, query, sent, token)
        if answer.status == UNAUTHORISED and token is not None and self.source is not None:
            renewed = await self._renew(token, answer, method, path)
            answer = await self._exchange(method, url, body, query, sent, renewed)
        if 300 <= answer.status < 400:
            raise explain_redirect(self.address, answer.headers.get("location", ""))
        if answer.status >= 400:
            raise _error_of(answer, method, path, with_token=with_token)
        return answer

    async def exchange(
        self, method: str, url: str, *, content: bytes | None, headers: dict[str, str], token: str | None
    ) -> Answer:
        """Make one exchange and give its answer whatever the status; nothing is renewed or tried again."""
        return await self._exchange(method, url, content, None, headers, token)

    async def _token(self) -> str:
        if self.source is None:
            raise AuthenticationError("not logged in", reason="token_missing", hint="tribe-ws login")
        return await self.source.current()

    async def _renew(self, token: str, answer: Answer, method: str, path: str) -> str:
        assert self.source is not None
        try:
            return await self.source.renew(token)
        except AuthenticationError as error:
            if error.reason == "no_refresh_token":
                raise _error_of(answer, method, path, with_token=True) from None
            raise

    async def _exchange(
        self,
        method: str,
        url: str,
        body: dict[str, Any] | bytes | None,
        query: dict[str, Any] | None,
        headers: dict[str, str],
        token: str | None,
    ) -> Answer:
        import httpx

        if token is not None:
            headers = {**headers, "Authorization": f"Bearer {token}"}
        if body is not None:
            headers = {**headers, "Content-Type": "application/json"}
        content = _encode(body) if isinstance(body, dict) else body
        started = time.perf_counter()
        try:
            response = await self._client().request(
                method, url, content=content, params=_without_none(query), headers=headers
            )
        except httpx.ProxyError as error:
            raise explain_proxy(self.address, str(error)) from None
        except httpx.ConnectTimeout:
            raise explain_timeout(self.address, CONNECT_TIMEOUT, "could not be reached") from None
        except httpx.ConnectError as error:
            raise explain_network_error(error, self.address) from None
        except httpx.TimeoutException:
            raise _no_answer(explain_timeout(self.address, self._timeout)) from None
        except httpx.RequestError as error:
            raise _no_answer(explain_network_error(error, self.address)) from None
        answer = Answer(
            response.status_code,
            headers_of(response),
            json_in(response.content),
            time.perf_counter() - started,
        )
        if self.on_exchange is not None:
            path = response.request.url.raw_path.decode("ascii", "replace")
            now, spent = datetime.now(UTC), answer.seconds
            self.on_exchange(Exchange(now, method, path, answer.status, spent, body, answer.body))
        return answer

    def _client(self) -> httpx.AsyncClient:
        if self._http is None:
            connect = min(CONNECT_TIMEOUT, self._timeout)
            self._http = open_http(
                self.address, timeout=self._timeout, connect=connect, transport=self._transport
            )
        return self._http


def _no_answer(error: CannotConnect) -> NoAnswer:
    return NoAnswer(error.message, reason=error.reason, url=error.url, hint=error.hint)


def _encode(body: dict[str, Any]) -> bytes:
    # A lone surrogate goes out escaped: the server is to judge it, not the encoder to fall over it.
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(body, separators=(",", ":")).encode()


def _without_none(query: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (query or {}).items() if value is not None}


def _error_of(answer: Answer, method: str, path: str, *, with_token: bool) -> ApiError | AuthenticationError:
    detail = answer.body.get("detail") if isinstance(answer.body, dict) else None
    if isinstance(detail, str):
        detail = redact(detail)
    if answer.status == UNAUTHORISED:
        said = detail if isinstance(detail, str) else "no reason given"
        what = "the server rejected the token" if with_token else "the server refused"
        return AuthenticationError(f"{what} (401): {said}", reason=said, hint=LOG_IN if with_token else "")
    if isinstance(answer.body, dict) and isinstance(answer.body.get("errors"), list):
        detail = [detail, *(_complaint(one) for one in answer.body["errors"])] if detail else detail
    return ApiError(
        answer.status,
        detail,
        method=method,
        path=path,
        retry_after=_seconds(answer.headers.get("retry-after")),
    )


def _complaint(error: Any) -> str:
    if not isinstance(error, dict):
        return str(error)
    return f"{error.get('field', '')}: {error.get('message', '')}".strip(": ")


def _seconds(text: str | None) -> float | None:
    try:
        seconds = float(text or "")
    except ValueError:
        return None
    return seconds if seconds >= 0 else None
