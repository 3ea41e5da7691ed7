"""The HTTP client beneath every call: loopback never goes through a proxy, and TLS is always verified."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import tribe_ws

if TYPE_CHECKING:
    import httpx

    from tribe_ws.protocol.urls import ServerAddress

AGENT = f"tribe-ws/{tribe_ws.__version__}"


def open_http(
    address: ServerAddress,
    *,
    timeout: float | None,
    connect: float,
    headers: Mapping[str, str] | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> httpx.AsyncClient:
    """Make a client for one server, which follows no redirect; httpx is imported at the first of them."""
    import httpx

    return httpx.AsyncClient(
        base_url=address.base_url,
        timeout=httpx.Timeout(timeout, connect=connect),
        headers={"User-Agent": AGENT, "Accept": "application/json", **(headers or {})},
        trust_env=not address.is_loopback,
        # Without TLS there is nothing to verify, and loading the authorities costs 20 ms.
        verify=address.base_url.startswith("https"),
        transport=transport,
    )


def headers_of(response: httpx.Response) -> dict[str, str]:
    """Give the headers of an answer by their names in lower case."""
    return {name.lower(): value for name, value in response.headers.items()}


def json_in(content: bytes) -> Any:
    """Read the JSON of a body; ``None`` where there is none."""
    try:
        return json.loads(content) if content else None
    except (ValueError, RecursionError):
        return None
