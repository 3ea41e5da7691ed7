"""Addresses: from the base address a person types to the two the tools use, and never a token on a screen.

The rule for the socket is the app's own (owner's document, App Configuration): ``http://`` becomes ``ws://``,
``https://`` becomes ``wss://``, and the path is ``/api/v1/ws``.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from tribe_ws.errors import ConfigurationError

API_PREFIX = "/api/v1"
SOCKET_PATH = f"{API_PREFIX}/ws"
_TO_HTTP = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_TO_SOCKET = {"http": "ws", "https": "wss"}
_TOKEN_PARAMETER = re.compile(r"(?i)([?&;\s]|^)((?:access_|refresh_)?token=)[^&\s\"'#;]*")
_JWT = re.compile(r"\beyJ[\w-]*\.[\w-]*\.?[\w-]*")
_BEARER = re.compile(r"(?i)\b(bearer\s+)[^\s\"',]+")


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
    """Replace every token in a text by ``***``: in queries, in bearer headers, or standing alone."""
    if "oken" not in text and "OKEN" not in text and "eyJ" not in text and "earer" not in text.lower():
        return text
    text = _TOKEN_PARAMETER.sub(r"\1\2***", text)
    text = _BEARER.sub(r"\1***", text)
    return _JWT.sub("***", text)
