"""Health, metrics and the documents (contract 5)."""

from __future__ import annotations

import re

import pytest

from tests.contract.harness import RunningServer, exchange, running_server
from tribe_ws import __version__
from tribe_ws.protocol.asyncapi import asyncapi_document
from tribe_ws.protocol.profiles import Profile

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.clause("health.answer")
async def test_health_answers_its_five_keys(server: RunningServer):
    answer = await server.http.get("/health")
    assert answer.status_code == 200
    assert list(answer.json()) == ["status", "version", "database", "broker", "connections"]
    assert (answer.json()["status"], answer.json()["version"]) == ("ok", __version__)
    assert (answer.json()["database"], answer.json()["broker"]) == ("ok", "ok")


@pytest.mark.clause("health.down")
async def test_health_is_503_when_the_database_does_not_answer(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch
):
    async def no_answer() -> bool:
        return False

    monkeypatch.setattr(server.services.storage, "ping", no_answer)
    answer = await server.http.get("/health")
    assert answer.status_code == 503
    assert list(answer.json()) == ["status", "version", "database", "broker", "connections"]
    assert answer.json()["database"] != "ok"


@pytest.mark.clause("metrics.answer")
async def test_metrics_are_there_without_a_token(server: RunningServer):
    ana, ben = await server.people("ana", "ben")
    room = await server.group(ana, ben)
    async with server.connect(ben) as socket:
        await socket.subscribe(room)
        await server.post(ana, room, "x")
        await socket.hear("message.new")
        text = (await server.http.get("/metrics")).text
    assert re.search(r"^tribe_connections [1-9]", text, re.MULTILINE)
    assert re.search(r"^tribe_subscriptions [1-9]", text, re.MULTILINE)
    assert re.search(r'^tribe_frames_out_total\{event="message.new"\} [1-9]', text, re.MULTILINE)
    assert re.search(r'^tribe_frames_in_total\{event="subscribe"\} [1-9]', text, re.MULTILINE)
    assert re.search(r"^tribe_commit_batch_size_count [1-9]", text, re.MULTILINE)
    assert re.search(r"^tribe_fan_out_seconds_count [1-9]", text, re.MULTILINE)
    assert re.search(r"^tribe_outbox_bytes ", text, re.MULTILINE)


@pytest.mark.clause("docs.openapi")
async def test_openapi_describes_every_call(server: RunningServer):
    document = (await server.http.get("/api/v1/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    described = {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert described >= {
        "POST /auth/register", "POST /auth/login", "POST /auth/refresh", "POST /auth/logout", "GET /auth/me",
        "GET /users/me", "PUT /users/me", "GET /users/{user_id}", "GET /search/users", "GET /conversations",
        "POST /conversations", "GET /conversations/{conversation_id}",
        "POST /conversations/{conversation_id}/participants",
        "DELETE /conversations/{conversation_id}/participants/{user_id}",
        "GET /conversations/{conversation_id}/messages", "POST /conversations/{conversation_id}/messages",
        "POST /conversations/{conversation_id}/read", "GET /health", "GET /metrics",
    }  # fmt: skip


@pytest.mark.clause("docs.asyncapi")
async def test_asyncapi_describes_the_socket(server: RunningServer):
    document = (await server.http.get("/api/v1/asyncapi.json")).json()
    expected = asyncapi_document(
        version=__version__, socket_url=server.socket_url, profile=Profile.DOCUMENTED
    )
    assert document["asyncapi"].startswith("3.0")
    assert document["channels"] == expected["channels"]
    assert document["components"] == expected["components"]


@pytest.mark.clause("docs.offline")
@pytest.mark.parametrize("path", ["/docs", "/docs/events"])
async def test_the_pages_load_nothing_from_elsewhere(server: RunningServer, path: str):
    answer = await server.http.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert not re.search(r"""(?:src|href)\s*=\s*["']?\s*(?:https?:)?//""", answer.text)
    assert not re.search(r"""(?:fetch|import)\s*\(\s*["']https?://""", answer.text)


@pytest.mark.clause("docs.offline")
async def test_the_documents_can_be_switched_off(fan_out: str):
    async with running_server(fan_out=fan_out, docs=False) as server:
        for path in ("/docs", "/docs/events", "/api/v1/openapi.json", "/api/v1/asyncapi.json"):
            assert (await server.http.get(path)).status_code == 404


@pytest.mark.clause("docs.asyncapi")
async def test_a_host_that_is_none_harms_nothing(fan_out: str):
    async with running_server(
        fan_out=fan_out, host="0.0.0.0"
    ) as server:  # all addresses: Host is not checked
        request = b"GET /api/v1/asyncapi.json HTTP/1.1\r\nHost: a b\r\n\r\n"
        assert (await exchange(server, request)).split()[1] in (b"200", b"400")
