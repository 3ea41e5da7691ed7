"""HTTP on the wire: what is too long, too slow or unreadable gets an answer or an end (reliability 0.3)."""

from __future__ import annotations

import json
import socket

import pytest

from tests.server.conftest import PATIENCE, wait_until


def talk(backend, data, *, until_closed=True):
    """Send raw bytes and read until the server hangs up."""
    with socket.create_connection(("127.0.0.1", backend.server.port), timeout=PATIENCE) as connection:
        connection.sendall(data)
        return read(connection) if until_closed else connection.recv(65536)


def read(connection):
    received = b""
    while chunk := connection.recv(65536):
        received += chunk
    return received


def answer_of(raw):
    head, _, body = raw.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), json.loads(body), head.lower()


def request(target="/health", *lines, host="localhost"):
    return "\r\n".join([f"GET {target} HTTP/1.1", f"Host: {host}", *lines, "", ""]).encode()


@pytest.mark.parametrize("size", [8_100, 70_000, 1_000_000])
def test_address_that_is_too_long_is_414(backend, size):
    status, body, head = answer_of(talk(backend, request("/health?q=" + "x" * size)))
    assert (status, body) == (414, {"detail": "URI too long"})
    assert b"connection: close" in head


def test_socket_address_that_is_too_long_is_414_too(backend):
    upgrade = ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
    upgrade.append("Sec-WebSocket-Key: " + "A" * 22 + "==")
    assert answer_of(talk(backend, request("/api/v1/ws?token=" + "x" * 9000, *upgrade)))[0] == 414


@pytest.mark.parametrize(
    "lines",
    [
        ["X-Long: " + "x" * 9000],
        [f"X-{number}: 1" for number in range(200)],
        [f"X-{number}: {'x' * 900}" for number in range(60)],
    ],
    ids=["one long", "many", "many long"],
)
def test_headers_that_are_too_large_are_431(backend, lines):
    status, body, _ = answer_of(talk(backend, request("/health", *lines)))
    assert (status, body) == (431, {"detail": "Request header fields too large"})


@pytest.mark.parametrize(
    "garbage", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", b"HELLO\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"]
)
def test_what_is_no_http_is_400(backend, garbage):
    status, body, _ = answer_of(talk(backend, garbage))
    assert (status, list(body)) == (400, ["detail"])


def test_server_goes_on_after_all_that(backend):
    raw = talk(backend, request("/health", "Connection: close"))
    assert answer_of(raw)[:2] == (200, answer_of(raw)[1])
    assert "Traceback" not in backend.log


def test_server_does_not_say_what_it_is_made_of(backend):
    head = talk(backend, request("/health", "Connection: close")).partition(b"\r\n\r\n")[0].lower()
    assert b"server:" not in head
    assert b"uvicorn" not in head


@pytest.mark.parametrize(
    "beginning",
    [b"", b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: "],
    ids=["silence", "half a request"],
)
def test_client_that_does_not_finish_its_headers_is_closed(start, beginning):
    backend = start(handshake_timeout=0.2)
    with socket.create_connection(("127.0.0.1", backend.server.port), timeout=PATIENCE) as connection:
        connection.sendall(beginning)
        assert read(connection) == b""


def test_second_request_of_a_connection_is_timed_too(start):
    backend = start(handshake_timeout=0.2)
    with socket.create_connection(("127.0.0.1", backend.server.port), timeout=PATIENCE) as connection:
        connection.sendall(request())
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /health")
        assert read(connection) == b""


def test_patience_ends_with_the_headers(start):
    backend = start(handshake_timeout=0.1)
    with backend.socket(backend.person()) as connected:
        with pytest.raises(TimeoutError):
            connected.next(0.3)
        assert connected.events_until_pong() == []


def test_client_that_leaves_in_the_middle_of_a_body_is_no_traceback(backend):
    person = backend.person()
    head = request(
        "/api/v1/conversations/x/messages", f"Authorization: Bearer {person.token}", "Content-Length: 100"
    ).replace(b"GET", b"POST")
    with socket.create_connection(("127.0.0.1", backend.server.port), timeout=PATIENCE) as connection:
        connection.sendall(head + b'{"content":')
    room = backend.group(person, backend.person())
    for path in (f"/api/v1/conversations/{room}/messages", "/api/v1/auth/login"):
        with socket.create_connection(("127.0.0.1", backend.server.port), timeout=PATIENCE) as connection:
            connection.sendall(head.replace(b"/api/v1/conversations/x/messages", path.encode()) + b"{")
    wait_until(lambda: backend.log.count('"status":499') + backend.log.count('"status":400') >= 2)
    assert "Traceback" not in backend.log
