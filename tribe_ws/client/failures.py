"""Why a server could not be reached or refused us, said precisely and with what to do next.

One place for both doors, REST and socket. A sentence made here never holds a token: it is built from the
address without its query, and from the server's own words with tokens hidden.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urljoin, urlsplit
from urllib.request import getproxies, proxy_bypass

from tribe_ws.durations import format_duration
from tribe_ws.errors import AuthenticationError, CannotConnect, ConnectionLost, TribeError
from tribe_ws.protocol.close_codes import Advice, advice_for
from tribe_ws.protocol.urls import SOCKET_PATH, ServerAddress, redact

START_ONE = "start one:  tribe-ws serve"
PROXY_HINT = "it comes from the environment (http_proxy, https_proxy, all_proxy); no_proxy excludes hosts"
CHECK_ADDRESS = "is the address right, and is the server reachable from here?"
LOG_IN = "log in again:  tribe-ws login"
ACCOUNT_CLOSED = 4403
TOKEN_REFUSED = 4401


def explain_network_error(error: BaseException, address: ServerAddress) -> CannotConnect:
    """Turn whatever a library raised while connecting into the one sentence that is true of it."""
    where = f"{address.host}:{address.port}"
    causes = tuple(_causes(error))
    proxy = proxy_for(address)
    if proxy and any(isinstance(cause, OSError) and not isinstance(cause, ssl.SSLError) for cause in causes):
        return CannotConnect(
            f"no way to {where} through the proxy {proxy}",
            reason="proxy",
            url=address.base_url,
            hint=PROXY_HINT,
        )
    for cause in causes:
        if (found := _explain_cause(cause, address, where)) is not None:
            return found
    return CannotConnect(
        f"{where} does not answer as a server should ({redact(str(error)) or type(error).__name__})",
        url=address.base_url,
        hint="is it an HTTP server?",
    )


def explain_timeout(address: ServerAddress, seconds: float, what: str = "did not answer") -> CannotConnect:
    """Say that a server took too long."""
    return CannotConnect(
        f"{address.host}:{address.port} {what} within {format_duration(seconds)}",
        reason="timeout",
        url=address.base_url,
        hint="a longer wait:  --timeout 30s",
    )


def explain_proxy(address: ServerAddress, said: str) -> CannotConnect:
    """Say that a proxy stands in the way."""
    return CannotConnect(
        f"the proxy would not connect us to {address.host}:{address.port}: {redact(said)}",
        reason="proxy",
        url=address.base_url,
        hint=PROXY_HINT,
    )


def explain_redirect(address: ServerAddress, location: str) -> CannotConnect:
    """Say that a server wants to be asked elsewhere; we never follow, a token would go along."""
    target = urlsplit(urljoin(f"{address.base_url}/", location))
    base_url = f"{target.scheme}://{target.netloc.rpartition('@')[2]}"
    is_elsewhere = bool(location) and base_url != address.base_url
    return CannotConnect(
        f"{address.host}:{address.port} redirects to {base_url if is_elsewhere else 'another path'}",
        reason="handshake",
        url=address.base_url,
        hint=f"give that address:  --url {base_url}" if is_elsewhere else "is it a Tribe server?",
    )


def explain_handshake_status(address: ServerAddress, status: int, said: str = "") -> TribeError:
    """Say what an HTTP answer other than 101 to the WebSocket handshake means."""
    quoted = f": {redact(said)}" if said else ""
    where = f"{address.host}:{address.port}"
    if status in (401, 403):
        return AuthenticationError(
            f"the server refused the connection (HTTP {status}){quoted}", reason=f"http_{status}", hint=LOG_IN
        )
    hint = {
        404: f"The documented path is {SOCKET_PATH}. Give the base address only:  --url {address.base_url}",
        421: "the server does not answer to this host name:  tribe-ws serve --allow-host NAME",
    }.get(status, "is it a Tribe server, and is it up?")
    return CannotConnect(
        f"{where} answered HTTP {status} to the WebSocket handshake at {SOCKET_PATH}{quoted}",
        reason="handshake",
        url=address.socket_url,
        status=status,
        hint=hint,
    )


def explain_close(code: int, reason: str, *, expires_at: datetime | None = None) -> TribeError:
    """Turn the close of a connection into the error which it is to a caller (contract 3.6)."""
    said = f' "{redact(reason)}"' if reason else ""
    if code == TOKEN_REFUSED:
        return AuthenticationError(
            _expiry_sentence(reason, expires_at) or f"the server rejected the token (close {code}{said})",
            reason=reason,
            close_code=code,
            hint=_TOKEN_HINTS.get(reason, LOG_IN),
        )
    if code == ACCOUNT_CLOSED:
        return AuthenticationError(
            f"the server refuses this account (close {code}{said})", reason=reason, close_code=code
        )
    hint = "this client sent what the server cannot accept" if advice_for(code, reason) is Advice.MEND else ""
    return ConnectionLost(code, redact(reason), hint=hint)


def proxy_for(address: ServerAddress) -> str:
    """Tell the proxy that the environment puts before that address, without its password; empty for none."""
    if address.is_loopback or proxy_bypass(address.host):
        return ""
    scheme = urlsplit(address.base_url).scheme
    proxies = getproxies()
    found = proxies.get(scheme) or proxies.get("all") or proxies.get("socks") or ""
    return found.rpartition("@")[2].removeprefix(f"{scheme}://")


_TOKEN_HINTS = {
    "token_invalid": "The token was made with another secret. Was the server restarted with a new one?"
    "  tribe-ws token inspect",
    "token_type": "a refresh token was given where an access token belongs:  tribe-ws token inspect",
    "user_unknown": "the account is not on this server (another database?):  tribe-ws login",
    "token_missing": "log in first:  tribe-ws login",
}


def _expiry_sentence(reason: str, expires_at: datetime | None) -> str:
    if reason != "token_expired" or expires_at is None:
        return ""
    ago = (datetime.now(UTC) - expires_at).total_seconds()
    return f"your token expired {format_duration(ago)} ago ({expires_at:%H:%M:%S} UTC)" if ago > 0 else ""


def _explain_cause(cause: BaseException, address: ServerAddress, where: str) -> CannotConnect | None:
    match cause:
        case ConnectionRefusedError():
            return CannotConnect(
                f"nothing is listening on {where} (connection refused)",
                reason="refused",
                url=address.base_url,
                hint=START_ONE if address.is_loopback else CHECK_ADDRESS,
            )
        case socket.gaierror():
            return CannotConnect(
                f'no such host: "{address.host}" ({cause.strerror or "name not known"})',
                reason="dns",
                url=address.base_url,
                hint="is the name spelled right, and is this machine online?",
            )
        case ssl.SSLCertVerificationError():
            return CannotConnect(
                f"the certificate of {where} is not trusted ({cause.verify_message})",
                reason="tls",
                url=address.base_url,
                hint="a private authority's certificate goes into SSL_CERT_FILE",
            )
        case ssl.SSLError():
            said = getattr(cause, "reason", None) or "handshake failed"
            return CannotConnect(
                f"no TLS with {where} ({said.lower().replace('_', ' ')})",
                reason="tls",
                url=address.base_url,
                hint=f"does it speak plain HTTP?  --url http://{where}",
            )
        case OSError() if cause.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
            return CannotConnect(
                f"there is no way to {where} ({cause.strerror})",
                url=address.base_url,
                hint="is this machine online?",
            )
        case _:
            return None


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk an error and everything it came from, once each."""
    waiting: list[BaseException | None] = [error]
    seen: set[int] = set()
    while waiting:
        found = waiting.pop(0)
        if found is None or id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        waiting += [found.__cause__, found.__context__, *getattr(found, "exceptions", ())]
