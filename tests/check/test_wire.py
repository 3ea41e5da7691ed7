"""The two doors of a server: refusals are values, and no redirect is followed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio

from tribe_ws.check.socket import Refusal
from tribe_ws.check.wire import Answer, Rest, dial
from tribe_ws.errors import CannotConnect
from tribe_ws.protocol.urls import ServerAddress, parse_address


class Canned:
    """Answers every request with the same bytes, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer = b""
        self.asked: list[bytes] = []
        self.address = ServerAddress("")
        self.writers: list[asyncio.StreamWriter] = []

    def says(self, status: str, body: str = "", *headers: str) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body.encode())}", "Connection: close", *headers]
        self.answer = ("\r\n".join([*lines, "", ""]) + body).encode()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        self.asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(self.answer)
        if self.answer:
            await writer.drain()
            writer.close()


@pytest_asyncio.fixture
async def canned() -> AsyncIterator[Canned]:
    server = Canned()
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.address = parse_address(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}")
    yield server
    listening.close()
    for writer in server.writers:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def opened(address: ServerAddress, **options: Any) -> Any:
    defaults: dict[str, Any] = {"headers": {}, "origin": None, "subprotocols": (), "within": 2.0}
    return await dial(address, address.socket_url_with("secret"), **(defaults | options))


async def test_a_refused_handshake_is_told_with_status_headers_and_body(canned: Canned) -> None:
    canned.says("401 Unauthorized", '{"detail":"token_missing"}', "WWW-Authenticate: Bearer")
    refusal = await opened(canned.address)
    assert isinstance(refusal, Refusal)
    assert (refusal.status, refusal.headers["www-authenticate"]) == (401, "Bearer")
    assert json.loads(refusal.body) == {"detail": "token_missing"}
    assert str(refusal) == 'HTTP 401 {"detail":"token_missing"}'


async def test_a_redirect_is_an_answer_and_takes_no_token_along(canned: Canned) -> None:
    elsewhere = Canned()
    listening = await asyncio.start_server(elsewhere.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    canned.says("307 Temporary Redirect", "", f"Location: ws://127.0.0.1:{port}/api/v1/ws?token=secret")
    refusal = await opened(canned.address)
    assert isinstance(refusal, Refusal)
    assert refusal.status == 307
    rest = Rest(canned.address, 2.0)
    answer = await rest.call("GET", "/auth/me", token="secret")
    await rest.close()
    assert answer.status == 307
    assert elsewhere.asked == []
    listening.close()


async def test_origin_and_headers_go_along(canned: Canned) -> None:
    canned.says("403 Forbidden")
    await opened(
        canned.address, origin="https://evil.test", headers={"X-More": "1"}, subprotocols=["tribe.v2"]
    )
    asked = canned.asked[0].decode().lower()
    assert "origin: https://evil.test" in asked
    assert "x-more: 1" in asked
    assert "sec-websocket-protocol: tribe.v2" in asked


async def test_what_is_no_handshake_at_all_is_no_connection(canned: Canned) -> None:
    canned.answer = b"SSH-2.0-OpenSSH\r\n"
    with pytest.raises(CannotConnect):
        await opened(canned.address)


async def test_a_server_that_says_nothing_is_not_waited_for(canned: Canned) -> None:
    with pytest.raises(CannotConnect, match="did not answer"):
        await opened(canned.address, within=0.1)
    rest = Rest(canned.address, 2.0)
    with pytest.raises(CannotConnect, match="did not answer"):
        await rest.call("GET", "/auth/me", within=0.1)
    await rest.close()


async def test_an_error_status_is_an_answer_like_any_other(canned: Canned) -> None:
    canned.says("500 Internal Server Error", "oh no " * 100, "X-Reason: bug")
    rest = Rest(canned.address, 2.0)
    answer = await rest.call("POST", "/conversations", token="secret", body={"a": 1})
    await rest.close()
    assert (answer.status, answer.object, answer.headers["x-reason"]) == (500, {}, "bug")
    assert str(answer).startswith("HTTP 500 oh no")
    assert str(answer).endswith("…")
    asked = canned.asked[0].decode()
    assert "Authorization: Bearer secret" in asked
    assert "Content-Type: application/json" in asked


async def test_nobody_there_cannot_be_connected_to() -> None:
    address = ServerAddress("http://127.0.0.1:1")
    with pytest.raises(CannotConnect, match="nothing is listening"):
        await opened(address)
    rest = Rest(address, 2.0)
    with pytest.raises(CannotConnect, match="nothing is listening"):
        await rest.call("GET", "/auth/me")
    await rest.close()


def test_an_answer_that_is_no_object_has_none() -> None:
    assert Answer(200, {}, "[1]", [1], 0.0).object == {}
    assert str(Answer(204, {}, "", None, 0.0)) == "HTTP 204"
