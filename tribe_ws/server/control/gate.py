"""Who may drive a server: whoever can read a private file of the user who runs it, and no web page.

Three things keep pages out. A page does not know the key. It cannot hide where it comes from: ``Host`` names
its own domain where DNS was rebound, ``Origin`` names it everywhere else. And no answer here ever carries a
CORS header, so that a browser shows a page nothing of it.
"""

from __future__ import annotations

import ipaddress
import secrets

from starlette.datastructures import Headers

from tribe_ws.protocol.urls import is_loopback_host
from tribe_ws.server.guards import Guard, RawHeaders, Refusal, host_name
from tribe_ws.settings import ServerSettings

KEY_HEADER = "X-Tribe-Control"
_NOT_OURS = Refusal(421, "The control API answers to addresses and loopback host names only")
_FOREIGN = Refusal(403, "The control API answers to no web page of another origin")
_NO_KEY = Refusal(403, f"The header {KEY_HEADER} must hold the key from the server's private runtime record")


def make_control_key(settings: ServerSettings) -> str:
    """Make the key of one run; empty where the control API is off.

    It is on for a server bound to a loopback address, unless the settings say otherwise.
    """
    is_on = settings.control == "on" or (settings.control == "auto" and is_loopback_host(settings.host))
    return secrets.token_urlsafe(32) if is_on else ""


class Gate:
    """Judges requests to the control API by their headers."""

    def __init__(self, guard: Guard, key: str) -> None:
        self._guard = guard
        self._key = key.encode()

    def refuse(self, raw: RawHeaders) -> Refusal | None:
        """Tell why a request is turned away: its host first, then its origin, then its key."""
        headers = Headers(raw=list(raw))
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            return _NOT_OURS
        if any(origin.lower() != f"http://{hosts[0].lower()}" for origin in headers.getlist("origin")):
            return _FOREIGN
        keys = headers.getlist(KEY_HEADER)
        # Compared in constant time, so that a key cannot be found letter by letter.
        if len(keys) != 1 or not secrets.compare_digest(keys[0].encode(), self._key):
            return _NO_KEY
        return None

    def _is_ours(self, host: str) -> bool:
        return self._guard.allows_host(host) or _is_address(host)


def _is_address(host: str) -> bool:
    """Tell whether a ``Host`` header holds a bare address, which no rebound name ever is."""
    try:
        ipaddress.ip_address((host_name(host) or "").strip("[]"))
    except ValueError:
        return False
    return True
