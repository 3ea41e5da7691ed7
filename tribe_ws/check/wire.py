"""The two doors of a server, opened by hand: the handshake of a socket, and single REST calls.

Nothing is explained away here: a refused handshake is a value with its status, an error status is an answer
like any other. Loopback never goes through a proxy, and no redirect is followed, which would take the token
along.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_websocket
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.typing import Subprotocol

from tribe_ws.check.socket import Refusal
from tribe_ws.client.failures import explain_network_error, explain_timeout
from tribe_ws.client.http_client import AGENT, headers_of, json_in, open_http
from tribe_ws.protocol.urls import API_PREFIX, ServerAddress

if TYPE_CHECKING:
    import httpx

_AGENT = f"{AGENT} check"
_LARGEST_FRAME = 4 * 1024 * 1024
_SHORTEST_CONNECT = 5.0
# The library logs handshakes at DEBUG, and with them the token.
_SILENT = logging.getLogger("tribe_ws.check.websockets")
_SILENT.setLevel(logging.CRITICAL)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a REST call, whatever its status: headers by lower-case name; JSON, where it is any."""

    status: int
    headers: Mapping[str, str]
    text: str
    value: Any
    seconds: float

    @property
    def object(self) -> dict[str, Any]:
        """The body, where it is a JSON object, and otherwise an empty one."""
        return self.value if isinstance(self.value, dict) else {}

    def __str__(self) -> str:
        shown = self.text if len(self.text) <= 300 else f"{self.text[:300]}…"
        return f"HTTP {self.status} {shown}".strip()


async def dial(
    address: ServerAddress,
    url: str,
    *,
    headers: Mapping[str, str],
    origin: str | None,
    subprotocols: Sequence[str],
    within: float,
) -> ClientConnection | Refusal:
    """Open a WebSocket, or tell how it was refused; raises ``CannotConnect`` where nothing answers."""
    try:
        opening = open_websocket(
            url,
            proxy=None if address.is_loopback else True,
            compression=None,
            ping_interval=None,
            open_timeout=within,
            close_timeout=min(within, 2.0),
            max_size=_LARGEST_FRAME,
            max_queue=None,
            additional_headers=dict(headers),
            origin=origin,  # type: ignore[arg-type]
            subprotocols=[Subprotocol(one) for one in subprotocols] or None,
            user_agent_header=_AGENT,
            logger=_SILENT,
        )
        # A redirect is an answer to be judged; following it would carry the token to another host.
        opening.process_redirect = lambda error: error  # type: ignore[assignment,method-assign]
        return await opening
    except InvalidStatus as refused:
        response = refused.response
        found = {name.lower(): value for name, value in response.headers.raw_items()}
        return Refusal(response.status_code, found, (response.body or b"").decode("utf-8", "replace"))
    except TimeoutError:
        raise explain_timeout(address, within) from None
    except (InvalidHandshake, OSError) as error:
        raise explain_network_error(error, address) from None


class Rest:
    """Makes REST calls to one server; an asynchronous context manager."""

    def __init__(self, address: ServerAddress, timeout: float) -> None:
        self.address = address
        self._timeout = timeout
        self._http: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """Close all connections."""
        if self._http is not None:
            http, self._http = self._http, None
            await http.aclose()

    async def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: Any = None,
        content: bytes | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        prefix: str = API_PREFIX,
        within: float | None = None,
    ) -> Answer:
        """Make one call and give its answer; raises ``CannotConnect`` where none comes."""
        import httpx

        sent = dict(headers or {})
        if token is not None:
            sent.setdefault("Authorization", f"Bearer {token}")
        if body is not None:
            content = json.dumps(body).encode()
        if content is not None:
            sent.setdefault("Content-Type", "application/json")
        started = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(within or self._timeout):
                response = await self._client().request(
                    method, prefix + path, content=content, params=query, headers=sent
                )
        except (TimeoutError, httpx.TimeoutException):
            raise explain_timeout(self.address, within or self._timeout) from None
        except httpx.RequestError as error:
            raise explain_network_error(error, self.address) from None
        return Answer(
            response.status_code,
            headers_of(response),
            response.text,
            json_in(response.content),
            asyncio.get_running_loop().time() - started,
        )

    def _client(self) -> httpx.AsyncClient:
        if self._http is None:
            self._http = open_http(
                self.address,
                timeout=self._timeout,
                connect=max(_SHORTEST_CONNECT, self._timeout),
                headers={"User-Agent": _AGENT},
            )
        return self._http
