from __future__ import annotations

import errno
import socket
import ssl
from datetime import UTC, datetime, timedelta

import pytest

from tribe_ws.client.failures import (
    explain_close,
    explain_handshake_status,
    explain_network_error,
    explain_proxy,
    explain_timeout,
    proxy_for,
)
from tribe_ws.errors import AuthenticationError, CannotConnect, ConnectionLost
from tribe_ws.protocol.urls import parse_address

LOCAL = parse_address("127.0.0.1:8000")
REMOTE = parse_address("https://chat.example:8443")
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", "socks_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def untrusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    return error


def wrong_version() -> ssl.SSLError:
    error = ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]")
    error.reason = "WRONG_VERSION_NUMBER"
    return error


@pytest.mark.parametrize(
    ("error", "reason", "says", "hint"),
    [
        (ConnectionRefusedError(), "refused", "nothing is listening on chat.example:8443", "address right"),
        (socket.gaierror(-2, "Name or service not known"), "dns", 'no such host: "chat.example"', "online"),
        (untrusted(), "tls", "is not trusted (self-signed certificate)", "SSL_CERT_FILE"),
        (wrong_version(), "tls", "no TLS with chat.example:8443 (wrong version number)", "plain HTTP"),
        (ssl.SSLError(1, "x"), "tls", "handshake failed", "plain HTTP"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "network", "no way to", "online"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "network", "No route to host", "online"),
        (ValueError(f"odd ?token={TOKEN}"), "network", "odd ?token=***", "HTTP server"),
        (ValueError(), "network", "(ValueError)", "HTTP server"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_each_way_of_not_connecting_has_its_sentence(
    error: Exception, reason: str, says: str, hint: str
) -> None:
    found = explain_network_error(error, REMOTE)
    assert found.reason == reason
    assert says in str(found)
    assert hint in found.hint
    assert found.url == "https://chat.example:8443"


def test_the_cause_is_found_however_deep_a_library_has_wrapped_it() -> None:
    inner = ConnectionRefusedError()
    middle = OSError("All connection attempts failed")
    middle.__cause__ = ExceptionGroup("several", [ValueError("other"), inner])
    outer = RuntimeError("outer")
    outer.__context__ = middle
    inner.__context__ = outer
    assert explain_network_error(outer, LOCAL).reason == "refused"


def test_on_this_machine_the_hint_is_to_start_a_server() -> None:
    found = explain_network_error(ConnectionRefusedError(), LOCAL)
    assert str(found) == "nothing is listening on 127.0.0.1:8000 (connection refused)"
    assert "tribe-ws serve" in found.hint


def test_a_proxy_of_the_environment_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://user:secret@proxy.example:3128")
    assert proxy_for(REMOTE) == "proxy.example:3128"
    found = explain_network_error(ConnectionRefusedError(), REMOTE)
    assert found.reason == "proxy"
    assert "proxy.example:3128" in str(found)
    assert "secret" not in str(found) + found.hint


def test_loopback_and_excluded_hosts_have_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "chat.example")
    assert proxy_for(LOCAL) == ""
    assert proxy_for(REMOTE) == ""
    assert explain_network_error(ConnectionRefusedError(), LOCAL).reason == "refused"


def test_a_certificate_problem_behind_a_proxy_is_still_one_of_the_certificate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("https_proxy", "proxy.example:3128")
    assert explain_network_error(untrusted(), REMOTE).reason == "tls"


def test_a_proxy_that_refuses_is_quoted() -> None:
    found = explain_proxy(REMOTE, "proxy rejected connection: HTTP 407")
    assert found.reason == "proxy"
    assert "407" in str(found)


def test_a_timeout_says_how_long_was_waited() -> None:
    found = explain_timeout(LOCAL, 5.0, "did not answer")
    assert (found.reason, str(found)) == ("timeout", "127.0.0.1:8000 did not answer within 5.0 s")


def test_a_404_to_the_handshake_names_the_documented_path() -> None:
    found = explain_handshake_status(LOCAL, 404, "Not Found")
    assert isinstance(found, CannotConnect)
    assert found.status == 404
    assert "answered HTTP 404 to the WebSocket handshake at /api/v1/ws: Not Found" in str(found)
    assert "--url http://127.0.0.1:8000" in found.hint


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_upgrade_is_an_authentication_error_with_the_servers_words(status: int) -> None:
    found = explain_handshake_status(LOCAL, status, f"bad token {TOKEN}")
    assert isinstance(found, AuthenticationError)
    assert f"HTTP {status}" in str(found)
    assert "bad token ***" in str(found)


@pytest.mark.parametrize(("status", "hint"), [(421, "--allow-host"), (503, "is it up")])
def test_other_statuses_have_their_hints(status: int, hint: str) -> None:
    assert hint in explain_handshake_status(LOCAL, status).hint


@pytest.mark.parametrize(
    ("reason", "says", "hint"),
    [
        ("token_invalid", 'the server rejected the token (close 4401 "token_invalid")', "another secret"),
        ("token_type", '"token_type"', "refresh token"),
        ("user_unknown", '"user_unknown"', "not on this server"),
        ("token_missing", '"token_missing"', "log in first"),
        ("", "(close 4401)", "tribe-ws login"),
    ],
)
def test_a_rejected_token_says_why(reason: str, says: str, hint: str) -> None:
    found = explain_close(4401, reason)
    assert isinstance(found, AuthenticationError)
    assert (found.close_code, found.reason) == (4401, reason)
    assert says in str(found)
    assert hint in found.hint


def test_an_expired_token_says_since_when() -> None:
    ended = datetime.now(UTC) - timedelta(minutes=12)
    found = explain_close(4401, "token_expired", expires_at=ended)
    assert str(found).startswith("your token expired 12 min ago")
    ahead = explain_close(4401, "token_expired", expires_at=datetime.now(UTC) + timedelta(minutes=1))
    assert "rejected the token" in str(ahead)


def test_a_disabled_account_is_an_authentication_error() -> None:
    found = explain_close(4403, "account_disabled")
    assert isinstance(found, AuthenticationError)
    assert "refuses this account" in str(found)


def test_any_other_close_is_a_lost_connection() -> None:
    found = explain_close(1012, f"bye token={TOKEN}")
    assert isinstance(found, ConnectionLost)
    assert (found.close_code, found.reason) == (1012, "bye token=***")
    assert explain_close(1009, "").hint
