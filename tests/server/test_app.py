"""The application as a whole: its documents, and its life without our own runner."""

from __future__ import annotations

import asyncio
import io
from collections.abc import MutableMapping
from typing import Any

import httpx
import pytest
from starlette.websockets import WebSocketDisconnect

from tribe_ws.errors import ConfigurationError
from tribe_ws.server.app import create_app
from tribe_ws.server.local import local_settings

CALLS = {
    ("post", "/api/v1/auth/register"), ("post", "/api/v1/auth/login"), ("post", "/api/v1/auth/refresh"),
    ("post", "/api/v1/auth/logout"), ("get", "/api/v1/auth/me"), ("get", "/api/v1/users/me"),
    ("put", "/api/v1/users/me"), ("get", "/api/v1/users/{user_id}"), ("get", "/api/v1/search/users"),
    ("get", "/api/v1/conversations"), ("post", "/api/v1/conversations"),
    ("get", "/api/v1/conversations/{conversation_id}"),
    ("post", "/api/v1/conversations/{conversation_id}/participants"),
    ("delete", "/api/v1/conversations/{conversation_id}/participants/{user_id}"),
    ("get", "/api/v1/conversations/{conversation_id}/messages"),
    ("post", "/api/v1/conversations/{conversation_id}/messages"),
    ("post", "/api/v1/conversations/{conversation_id}/read"), ("get", "/health"), ("get", "/metrics"),
}  # fmt: skip


def references(node):
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_document_describes_every_call_of_the_contract(backend):
    document = backend.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    described = {(method, path) for path, calls in document["paths"].items() for method in calls}
    assert described == CALLS


def test_document_refers_to_nothing_it_does_not_hold(backend):
    document = backend.get("/openapi.json").json()
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert set(references(document)) <= schemas


def test_document_says_what_the_hot_path_takes_and_gives(backend):
    call = backend.get("/openapi.json").json()["paths"]["/api/v1/conversations/{conversation_id}/messages"][
        "post"
    ]
    assert set(call["responses"]) == {
        "200", "201", "401", "403", "404", "409", "413", "422", "429", "503",
    }  # fmt: skip
    assert {parameter["name"] for parameter in call["parameters"]} >= {"conversation_id", "Idempotency-Key"}
    assert (
        call["security"] == backend.get("/openapi.json").json()["paths"]["/api/v1/auth/me"]["get"]["security"]
    )


def test_document_says_of_every_call_how_it_can_be_refused(backend):
    for path, calls in backend.get("/openapi.json").json()["paths"].items():
        for call in calls.values():
            refused = {status: answer for status, answer in call["responses"].items() if status >= "400"}
            if path.startswith("/api/"):
                assert {"429", "503"} <= set(refused)
                assert ("401" in refused) == ("security" in call or path.endswith(("/login", "/refresh")))
                for status, answer in refused.items():
                    model = "ValidationErrorOut" if status == "422" else "ErrorOut"
                    schema = answer["content"]["application/json"]["schema"]
                    assert schema == {"$ref": f"#/components/schemas/{model}"}
            assert ("413" in refused) == ("requestBody" in call)


def test_document_shows_an_example_of_every_body(backend):
    for calls in backend.get("/openapi.json").json()["paths"].values():
        for call in calls.values():
            for part in (call.get("requestBody", {}), *call["responses"].values()):
                for media in part.get("content", {}).values():
                    assert "example" in media or "schema" not in media or not media["schema"]


def test_document_names_each_call_once(backend):
    paths = backend.get("/openapi.json").json()["paths"]
    names = [call["operationId"] for calls in paths.values() for call in calls.values()]
    assert len(set(names)) == len(names) == len(CALLS)


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/users/me", "GET, PUT"),
        ("/conversations/x/messages", "GET, POST"),
        ("/auth/login", "POST"),
        ("/asyncapi.json", "GET"),
    ],
)
def test_a_wrong_method_is_told_all_the_right_ones(backend, path, methods):
    answer = backend.request("PATCH", path)
    assert (answer.status_code, answer.headers["allow"]) == (405, methods)


def test_document_can_be_switched_off(start):
    assert start(docs=False).get("/openapi.json").status_code == 404


def test_no_page_loads_anything_from_elsewhere(backend):
    for path in ("/docs", "/redoc"):
        answer = httpx.get(backend.url + path, trust_env=False)
        assert answer.status_code == 404 or "https://" not in answer.text


async def test_application_runs_under_the_lifespan_of_any_server():
    app = create_app(local_settings(fixtures="none"), log_stream=io.StringIO())
    events: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    await events.put({"type": "lifespan.startup"})
    said: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
    life = asyncio.create_task(app({"type": "lifespan", "app": app, "state": {}}, events.get, said.put))
    assert (await said.get())["type"] == "lifespan.startup.complete"
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        assert (await client.get("/health")).status_code == 200
    await events.put({"type": "lifespan.shutdown"})
    assert (await said.get())["type"] == "lifespan.shutdown.complete"
    await life


async def test_socket_before_the_start_is_turned_away():
    app = create_app(local_settings(), log_stream=io.StringIO())
    said = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        said.append(message["type"])

    scope = {"type": "websocket", "path": "/api/v1/ws", "headers": [], "app": app}
    try:
        await app(scope, receive, send)
    except WebSocketDisconnect:
        pytest.fail("the socket was accepted")
    assert said == ["websocket.close"]


async def test_start_that_fails_says_why_and_leaves_nothing_open(tmp_path):
    app = create_app(local_settings(fixtures=str(tmp_path / "missing.yaml")), log_stream=io.StringIO())
    with pytest.raises(ConfigurationError):
        async with app.running():
            pytest.fail("it started")
