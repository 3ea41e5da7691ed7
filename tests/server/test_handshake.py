"""The upgrade request judged alone: its path, its headers, its token (contract 3.1)."""

from __future__ import annotations

import json
from collections.abc import MutableMapping
from typing import Any

import pytest

from tribe_ws.protocol.close_codes import ACCOUNT_DISABLED, TOKEN_EXPIRED, TOKEN_INVALID
from tribe_ws.server.guards import Guard, Refusal
from tribe_ws.server.handshake import answer_with_http, refusal_of, refuse_upgrade, token_of
from tribe_ws.server.tokens import TokenRefused
from tribe_ws.settings import ServerSettings

Message = MutableMapping[str, Any]


def scope(path: str = "/api/v1/ws", query: bytes = b"", **headers: str) -> dict[str, Any]:
    return {
        "type": "websocket",
        "path": path,
        "query_string": query,
        "headers": [(b"host", b"localhost:8000")]
        + [(name.encode(), value.encode()) for name, value in headers.items()],
        "extensions": {"websocket.http.response": {}},
    }


@pytest.fixture
def guard() -> Guard:
    return Guard(ServerSettings())


def test_the_right_path_from_an_own_page_may_go_on(guard: Guard) -> None:
    assert refuse_upgrade(scope(origin="http://localhost:3000"), guard) is None


def test_an_application_that_is_mounted_somewhere_knows_its_own_path(guard: Guard) -> None:
    mounted = scope("/tribe/api/v1/ws") | {"root_path": "/tribe"}
    assert refuse_upgrade(mounted, guard) is None


def test_a_foreign_page_learns_nothing_of_the_paths_there_are(guard: Guard) -> None:
    for path in ("/api/v1/ws", "/nowhere"):
        refusal = refuse_upgrade(scope(path, origin="https://evil.example"), guard)
        assert refusal is not None
        assert refusal.status == 403


def test_another_path_is_not_found(guard: Guard) -> None:
    assert refuse_upgrade(scope("/nowhere"), guard) == Refusal(404, "Not Found")


@pytest.mark.parametrize(
    ("query", "header", "token"),
    [
        (b"", None, None),
        (b"token=", None, None),
        (b"token=a", None, "a"),
        (b"x=1&token=a%2Bb", None, "a+b"),
        (b"token=a;token=b", None, "a;token=b"),
        (b"token=%ff", None, "�"),
        (b"TOKEN=a", None, None),
        (b"", "Bearer a", "a"),
        (b"", "BEARER  a", "a"),
        (b"", "Basic a", None),
        (b"", "Bearer", None),
        (b"token=a", "Bearer a", "a"),
        (b"token=", "Bearer a", "a"),
    ],
)
def test_the_token_is_found_where_it_may_be(query: bytes, header: str | None, token: str | None) -> None:
    headers = {"authorization": header} if header is not None else {}
    assert token_of(scope(query=query, **headers)) == token


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        (b"token=a&token=a", []),
        (b"token=a&token=b", []),
        (b"token=&token=a", []),
        (b"token=a", [b"Bearer b"]),
        (b"", [b"Bearer a", b"Bearer b"]),
        (b"", [b"Bearer a", b"Basic a"]),
    ],
)
def test_two_tokens_are_one_too_many(query: bytes, headers: list[bytes]) -> None:
    asked = scope(query=query)
    asked["headers"] += [(b"authorization", value) for value in headers]
    with pytest.raises(TokenRefused) as refused:
        token_of(asked)
    assert refused.value.close_code is TOKEN_INVALID


def test_a_refusal_by_http_has_the_reason_for_its_detail() -> None:
    assert refusal_of(TOKEN_EXPIRED) == Refusal(401, "token_expired")
    assert refusal_of(ACCOUNT_DISABLED) == Refusal(403, "account_disabled")


@pytest.mark.parametrize(("status", "challenge"), [(401, b"Bearer"), (404, None)])
async def test_the_answer_is_json_and_401_carries_its_challenge(status: int, challenge: bytes | None) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await answer_with_http(scope(), send, Refusal(status, "why"))
    start, body = sent
    assert start["status"] == status
    assert json.loads(body["body"]) == {"detail": "why"}
    headers = dict(start["headers"])
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"content-length"] == str(len(body["body"])).encode()
    assert headers.get(b"www-authenticate") == challenge


async def test_a_server_that_knows_no_http_answer_just_refuses() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await answer_with_http({"type": "websocket"}, send, Refusal(404, "Not Found"))
    assert [message["type"] for message in sent] == ["websocket.close"]
