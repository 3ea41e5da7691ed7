"""The one place that tells uvicorn how to run us: for ``serve``, ``LocalServer`` and the conformance suite.

What is set here is part of the contract: no compression (65 KiB a connection), frames of 64 KiB at most,
pings, no server header, a WebSocket implementation that is named and not guessed.
"""

from __future__ import annotations

import asyncio
import math
from importlib.util import find_spec
from typing import Any

import uvicorn

from tribe_ws.server.fast_socket import TribeSocketProtocol
from tribe_ws.server.logging import redact_library_logs
from tribe_ws.server.socket_protocol import ContractSocketProtocol
from tribe_ws.settings import ServerSettings


def uvicorn_config(settings: ServerSettings, app: Any, **overrides: Any) -> uvicorn.Config:
    """Build the configuration under which ``app`` is served; ``overrides`` win.

    Logging of the process is left alone (``serve`` sets it up), except that uvicorn's own loggers, which
    print the token of every socket, are made to redact.
    """
    redact_library_logs()
    options: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "loop": "uvloop" if find_spec("uvloop") else "asyncio",
        "http": _http_protocol(settings),
        "ws": _socket_protocol(settings),
        "ws_max_size": settings.max_frame_bytes,
        "ws_ping_interval": settings.ping_interval or None,
        "ws_ping_timeout": settings.ping_timeout,
        "ws_per_message_deflate": False,
        "lifespan": "on",
        "interface": "asgi3",
        "log_config": None,
        "access_log": False,
        "proxy_headers": False,
        "server_header": False,
        "timeout_keep_alive": 75,
        "timeout_graceful_shutdown": math.ceil(settings.stop_timeout * 0.8),
    }
    return uvicorn.Config(app, **(options | overrides))


def _socket_protocol(settings: ServerSettings) -> type[asyncio.Protocol]:
    return TribeSocketProtocol if settings.fan_out == "fast" else ContractSocketProtocol


def _http_protocol(settings: ServerSettings) -> type[asyncio.Protocol] | str:
    if find_spec("httptools") is None:
        return "h11"
    # httptools, which it builds on, is not everywhere.
    from tribe_ws.server.http_protocol import bounded_http_protocol

    return bounded_http_protocol(settings.handshake_timeout)
