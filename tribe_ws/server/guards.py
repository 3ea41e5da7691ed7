"""Who may speak to the server at all, judged by headers alone: foreign hosts and foreign origins may not.

A web page anywhere can make a browser talk to ``localhost``. Two headers give it away: ``Host`` names the
page's own domain when DNS was rebound (421), ``Origin`` names the page that opens a socket (403). See
contract 3.1.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from tribe_ws.protocol.urls import is_loopback_host
from tribe_ws.settings import ServerSettings

RawHeaders = Iterable[tuple[bytes, bytes]]

_HOST = re.compile(r"(\[[0-9a-fA-F:.%]+\]|[^\s:/@\[\]]+)(?::\d{1,5})?")
EXPOSED_HEADERS = ("Idempotency-Replayed", "Retry-After", "Tribe-Recipients")


@dataclass(frozen=True, slots=True)
class Refusal:
    """The HTTP answer that turns a request or an upgrade away."""

    status: int
    detail: str


def host_name(host: str) -> str | None:
    """Give the name or address in a ``Host`` header, without its port; ``None`` if it is none."""
    match = _HOST.fullmatch(host)
    return None if match is None else match[1].lower().rstrip(".")


class Guard:
    """Judges the ``Host`` and ``Origin`` headers by the server's settings."""

    def __init__(self, settings: ServerSettings) -> None:
        self._checks_host = is_loopback_host(settings.host)
        self._hosts = frozenset(name.lower().rstrip(".") for name in settings.allow_host)
        self._any_origin = "*" in settings.allow_origin
        self._origins = frozenset(origin.lower().rstrip("/") for origin in settings.allow_origin)

    def refuse_host(self, headers: RawHeaders) -> Refusal | None:
        """Refuse a request to a loopback server that was sent to another name (DNS rebinding)."""
        if not self._checks_host:
            return None
        hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
        if len(hosts) == 1 and self.allows_host(hosts[0]):
            return None
        return Refusal(421, "This server answers to loopback host names only")

    def refuse_origin(self, headers: RawHeaders) -> Refusal | None:
        """Refuse an upgrade that a foreign web page asked for; no ``Origin`` at all is no web page."""
        origins = [value.decode("latin-1") for name, value in headers if name == b"origin"]
        if all(map(self.allows_origin, origins)):
            return None
        return Refusal(403, "Origin not allowed")

    def refuse_upgrade(self, headers: RawHeaders) -> Refusal | None:
        """Refuse a socket for its host first, then for its origin."""
        return self.refuse_host(headers) or self.refuse_origin(headers)

    def allows_host(self, host: str) -> bool:
        """Tell whether a ``Host`` header names this machine, or a name the settings add."""
        name = host_name(host)
        return name is not None and (name in self._hosts or is_loopback_host(name))

    def allows_origin(self, origin: str) -> bool:
        """Tell whether pages of that origin may come: loopback, private, or named in the settings."""
        if self._any_origin or origin.lower() in self._origins:
            return True
        try:
            parts = urlsplit(origin)
            host = parts.hostname or ""
        except ValueError:
            return False
        return parts.scheme in {"http", "https"} and (is_loopback_host(host) or _is_private(host))


class DevelopmentCORS(CORSMiddleware):
    """Answers CORS for the origins which the guard lets in, with errors in the shape of all others."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        super().__init__(
            app,
            allow_methods=("GET", "POST", "PUT", "DELETE"),
            allow_headers=("*",),
            allow_private_network=True,
            expose_headers=EXPOSED_HEADERS,
        )
        self._guard = guard

    def is_allowed_origin(self, origin: str) -> bool:
        """Ask the guard instead of a list."""
        return self._guard.allows_origin(origin)

    def preflight_response(self, request_headers: Any) -> Response:
        """Say a refusal as ``{"detail": …}``."""
        response = super().preflight_response(request_headers)
        if response.status_code < 400:
            return response
        headers = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
        return JSONResponse({"detail": bytes(response.body).decode()}, response.status_code, headers)


def _is_private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False
