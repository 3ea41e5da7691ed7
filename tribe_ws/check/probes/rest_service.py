"""Probes of health, metrics and the documents (contract 5, the rest)."""

from __future__ import annotations

import re

from tribe_ws.check.probe import probe, unjudged
from tribe_ws.check.rest_answers import granted
from tribe_ws.check.stage import Stage
from tribe_ws.protocol.models import HealthOut

_CALLS = (
    "POST /auth/login",
    "POST /auth/refresh",
    "GET /auth/me",
    "GET /conversations",
    "POST /conversations",
    "GET /conversations/{}",
    "GET /conversations/{}/messages",
    "POST /conversations/{}/messages",
    "POST /conversations/{}/read",
)
_EVENTS = ("connected", "subscribed", "message.new", "typing", "pong")
_ELSEWHERE = re.compile(
    r"""(?:src|href)\s*=\s*["']?\s*(?:https?:)?//|(?:fetch|import)\s*\(\s*["']https?://"""
)

unjudged({"health.down": "the database of a server cannot be stopped from outside"})


@probe("health.answer", advice="answer GET /health with status, version, database, broker and connections")
async def health_answers_without_a_token(stage: Stage) -> None:
    """Ask how the server is."""
    said = granted(stage, await stage.call(None, "GET", "/health", prefix=""), 200, of="/health")
    stage.same("the keys of /health", list(said), list(HealthOut.model_fields))
    stage.check(type(said["connections"]) is int, f"connections is no number: {said['connections']!r}")


@probe("metrics.answer", advice="answer GET /metrics in the text form of Prometheus, without a token")
async def metrics_answer_without_a_token(stage: Stage) -> None:
    """Ask for the figures."""
    answer = await stage.call(None, "GET", "/metrics", prefix="")
    stage.check(answer.status == 200, f"/metrics: wanted HTTP 200, got {answer}")
    samples = re.findall(r"^[a-zA-Z_:][\w:]*(?:\{.*\})? \S+$", answer.text, re.MULTILINE)
    stage.check(samples, "/metrics holds no sample in the form of Prometheus")


@probe("docs.openapi", advice="serve an OpenAPI 3.1 document at /api/v1/openapi.json")
async def openapi_describes_the_calls(stage: Stage) -> None:
    """Read the document, and look whether the calls of the contract stand in it."""
    said = granted(stage, await stage.call(None, "GET", "/openapi.json"), 200, of="openapi.json")
    version = str(said.get("openapi"))
    stage.check(version.startswith("3.1"), f"wanted OpenAPI 3.1, got {version}")
    paths = said.get("paths")
    described = {
        f"{method.upper()} {re.sub(r'{[^}]*}', '{}', path).removeprefix('/api/v1')}"
        for path, methods in (paths.items() if isinstance(paths, dict) else ())
        for method in methods
    }
    missing = [one for one in _CALLS if one not in described]
    stage.check(not missing, f"the document does not describe {', '.join(missing)}")


@probe("docs.asyncapi", advice="serve an AsyncAPI 3.0 document at /api/v1/asyncapi.json")
async def asyncapi_describes_the_events(stage: Stage) -> None:
    """Read the document, and look whether the events of the contract stand in it."""
    answer = await stage.call(None, "GET", "/asyncapi.json")
    said = granted(stage, answer, 200, of="asyncapi.json")
    version = str(said.get("asyncapi"))
    stage.check(version.startswith("3.0"), f"wanted AsyncAPI 3.0, got {version}")
    missing = [event for event in _EVENTS if f'"{event}"' not in answer.text]
    stage.check(not missing, f"the document does not describe {', '.join(missing)}")


@probe("docs.offline", advice="serve /docs and /docs/events with all they need inside them")
async def the_pages_load_nothing_from_elsewhere(stage: Stage) -> None:
    """Read both pages, and look for what they would load from another host."""
    for path in ("/docs", "/docs/events"):
        answer = await stage.call(None, "GET", path, prefix="")
        stage.check(answer.status == 200, f"{path}: wanted HTTP 200, got HTTP {answer.status}")
        kind = answer.headers.get("content-type", "")
        stage.check(kind.startswith("text/html"), f"{path}: wanted a page, got {kind or 'no type'}")
        loaded = _ELSEWHERE.search(answer.text)
        stage.check(not loaded, f"{path} loads from elsewhere: {loaded[0] if loaded else ''}")
