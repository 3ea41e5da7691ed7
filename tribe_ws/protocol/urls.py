"""Addresses: from the base address a person types to the two the tools use, and never a token on a screen.

The rule for the socket is the app's own (owner's document, App Configuration): ``http://`` becomes ``ws://``,
``https://`` becomes ``wss://``, and the path is ``/api/v1/ws``.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from tribe_ws.errors import ConfigurationError

API_PREFIX = "/api/v1"
SOCKET_PATH = f"{API_PREFIX}/ws"
_TO_HTTP = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_TO_SOCKET = {"http": "ws", "https": "wss"}
# These run over whatever a client sent: none may start with a repetition, that would be quadratic.
_TOKEN_PARAMETER = re.compile(r"(?i)(token=)[^&\s\"'#;,)>]*")
_TOKEN_ENTRY = re.compile(r"(?i)(token\\?[\"']\s*:\s*\\?[\"'])[^\"'\\]*")
# A name written in percent escapes (?%74oken=…) reads as `token` on the server.
_ESCAPED_PARAMETER = re.compile(r"([?&][^?&=\s%]*%[^?&=\s]*=)[^&\s\"'#]*")
_BEARER = re.compile(r"(?i)\b(bearer(?:\s|%20|\+){1,8})[^\s\"',&]{16,}")
_JWT = re.compile(r"eyJ[\w-]{4,}(?:(?:\.|%2[eE])[\w-]*)*")
_SECRET_KEYS = frozenset(
    {"token", "access_token", "refresh_token", "password", "confirm_password", "secret", "authorization"}
)
# Most values of a log line are of these; they are told apart by identity, which costs nothing.
_PLAIN = frozenset({int, float, bool, type(None)})
HIDDEN = "***"
"""What stands where a secret stood."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """The base address of one server, without a path, as ``http://host:port`` or ``https://host:port``."""

    base_url: str

    @property
    def socket_url(self) -> str:
        """The address of the WebSocket endpoint, without a token."""
        scheme, rest = self.base_url.split("://", 1)
        return f"{_TO_SOCKET[scheme]}://{rest}{SOCKET_PATH}"

    def socket_url_with(self, token: str) -> str:
        """Give the address with the token in its query, as the owner's document has it."""
        return f"{self.socket_url}?token={quote(token, safe='')}"

    @property
    def api_url(self) -> str:
        """The address below which all REST calls live."""
        return self.base_url + API_PREFIX

    @property
    def host(self) -> str:
        """The host alone, without brackets."""
        return urlsplit(self.base_url).hostname or ""

    @property
    def port(self) -> int:
        """The port, also where the address leaves it out."""
        parts = urlsplit(self.base_url)
        return parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def is_loopback(self) -> bool:
        """Whether the address is this very machine (such traffic never goes through a proxy)."""
        return is_loopback_host(self.host)


def parse_address(text: str) -> ServerAddress:
    """Read an address as people write it: ``localhost:8000``, ``http(s)://…``, ``ws(s)://…/api/v1/ws``.

    Path, query and user are dropped, a token in them with it. Raises ``ConfigurationError``.
    """
    candidate = text.strip()
    if "://" not in candidate:
        candidate = f"http://{candidate}"
    try:
        parts = urlsplit(candidate)
        port, host = parts.port, parts.hostname
    except ValueError:
        parts, port, host = urlsplit(""), None, None
    if not host or parts.scheme.lower() not in _TO_HTTP or re.search(r"[\s\x00-\x1f]", host):
        raise ConfigurationError(
            f"not a server address: {redact(text)!r}",
            hint="give the base address, as in  --url http://127.0.0.1:8000",
        )
    netloc = (f"[{host}]" if ":" in host else host) + (f":{port}" if port is not None else "")
    return ServerAddress(f"{_TO_HTTP[parts.scheme.lower()]}://{netloc}")


def is_loopback_host(host: str) -> bool:
    """Tell whether that host name or address can only be this machine."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def redact(text: str) -> str:
    """Replace every token in a text by ``***``: in queries, in JSON, in bearer headers, or standing alone."""
    if _cannot_hold_a_token(text):
        return text
    text = _TOKEN_PARAMETER.sub(rf"\1{HIDDEN}", text)
    text = _TOKEN_ENTRY.sub(rf"\1{HIDDEN}", text)
    text = _ESCAPED_PARAMETER.sub(rf"\1{HIDDEN}", text)
    text = _BEARER.sub(rf"\1{HIDDEN}", text)
    return _JWT.sub(HIDDEN, text)


def redact_value(value: Any) -> Any:
    """Give a copy of a structured value in which every token, and whatever a secret key holds, is ``***``.

    Objects it does not know are given back as they are; a log processor turns them into text first.
    """
    kind = type(value)
    if kind is str:
        return redact(value)
    if kind in _PLAIN:
        return value
    match value:
        case str():
            return redact(value)
        case bytes():
            return redact(value.decode("utf-8", "replace"))
        case Mapping():
            return {key: _redact_entry(key, item) for key, item in value.items()}
        case list():
            return [redact_value(item) for item in value]
        case tuple():
            return tuple(redact_value(item) for item in value)
        case _:
            return value


def _redact_entry(key: Any, value: Any) -> Any:
    return HIDDEN if value and str(key).lower() in _SECRET_KEYS else redact_value(value)


def _cannot_hold_a_token(text: str) -> bool:
    """Tell in a few substring searches that a text has nothing to hide: most log lines end here."""
    return (
        "oken" not in text
        and "eyJ" not in text
        and "earer" not in text
        and "%" not in text
        and "OKEN" not in text
        and "EARER" not in text
    )
