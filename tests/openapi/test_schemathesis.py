"""What the OpenAPI document allows and what it forbids, made up by schemathesis and sent to a served server.

Its checks compare each answer with the document: status, headers, body, and whether data that keeps or breaks
the schema is taken or refused. What it does not make up by itself is sent besides: half characters, NUL, NaN,
numbers and nesting without end.
"""

from __future__ import annotations

import json
import os

import httpx
import hypothesis
import pytest

from tribe_ws.demo_accounts import DEMO_PASSWORD, demo_email, fixture_id
from tribe_ws.server.app import create_app
from tribe_ws.server.local import LocalServer, local_settings

schemathesis = pytest.importorskip("schemathesis")

pytestmark = [pytest.mark.schemathesis, pytest.mark.slow, pytest.mark.timeout(300)]

EXAMPLES = int(os.environ.get("TRIBE_WS_TEST_EXAMPLES", "15"))
DOCUMENT = create_app(local_settings()).openapi()
ACCEPTED = ["2xx", "401", "403", "404", "409", "429"]
CONFIG = schemathesis.Config.from_dict(
    {
        # Fields nobody knows are ignored, by contract.
        "generation": {"allow-extra-parameters": False},
        # Its texts at the limits of each length take a minute to make up; the hostile values do that here.
        "phases": {"coverage": {"enabled": False}},
        "operations": [
            # Whether a name is taken, or how many a direct conversation has, no schema can say.
            {
                "include-path": path,
                "checks": {"positive_data_acceptance": {"expected-statuses": [*ACCEPTED, beyond]}},
            }
            for path, beyond in (("/api/v1/auth/register", "400"), ("/api/v1/conversations", "422"))
        ],
    }
)
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT, config=CONFIG)
KNOWN = {"conversation_id": fixture_id("conversation:general"), "user_id": fixture_id("user:bob")}
HOSTILE = (
    r'"\ud800"', r'"a\udfffb"', r'"\u0000"', r'"x\u0000y"', '"\ufffe"', '" "', '"\u202e"', "NaN", "Infinity",
    "-Infinity", "1e999", "9" * 5000, "-0", "null", "true", "[" * 2000 + "]" * 2000,
    '{"a":' * 40 + "1" + "}" * 40,
    '{"a":1,"a":2}', '"\ud83d\ude42"', '"' + "x" * 70_000 + '"',
)  # fmt: skip
"""What stands in the place of a field, as JSON or as what passes for it elsewhere."""

generated = hypothesis.settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(hypothesis.HealthCheck),
)


@pytest.fixture(scope="session")
def server():
    with LocalServer.in_thread(local_settings(limit_logins=0)) as started:
        yield started


@pytest.fixture(scope="session")
def bearer(server):
    body = {"email": demo_email("alice"), "password": DEMO_PASSWORD}
    answer = httpx.post(f"{server.url}/api/v1/auth/login", json=body, trust_env=False)
    return {"Authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}


@SCHEMA.parametrize()
@generated
def test_answers_are_as_the_document_says(case, server, bearer):
    _agree_on_the_password(case)
    answer = case.call(base_url=server.url, headers=bearer)
    case.validate_response(answer, headers=bearer)


@SCHEMA.include(path_regex=r"\{").parametrize()
@generated
def test_answers_about_what_exists_are_as_the_document_says(case, server, bearer):
    case.path_parameters = {name: KNOWN[name] for name in case.path_parameters}
    answer = case.call(base_url=server.url, headers=bearer)
    case.validate_response(answer, headers=bearer, checks=_conformance())


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: value[:12].encode("unicode_escape").decode())
def test_no_text_or_number_in_a_body_breaks_a_call(value, server, bearer):
    with httpx.Client(base_url=server.url, headers=bearer, trust_env=False) as http:
        for method, path, example in _calls_with_bodies():
            for body in (value, *(_with(example, key, value) for key in (*example, "unknown"))):
                answer = http.request(
                    method,
                    path.format(**KNOWN),
                    content=body.encode("utf-8", "surrogatepass"),
                    headers={"Content-Type": "application/json"},
                )
                assert answer.status_code < 500, f"{method} {path} {body[:200]}: {answer.text}"
                assert answer.json() is not None


@pytest.mark.parametrize(
    "value", ["%00", "%ED%A0%80", "%FF", "%C0%80", "%F0%9F%99%82", "NaN", "1e999", "9" * 400]
)
def test_no_text_in_an_address_breaks_a_call(value, server, bearer):
    with httpx.Client(base_url=server.url, headers=bearer, trust_env=False) as http:
        for path, calls in DOCUMENT["paths"].items():
            for method, call in calls.items():
                address = path.format_map(dict.fromkeys(KNOWN, value))
                names = [it["name"] for it in call.get("parameters", ()) if it["in"] == "query"]
                for query in ("", *(f"{name}={value}" for name in names)):
                    answer = http.request(method, f"{address}?{query}")
                    assert answer.status_code < 500, f"{method} {address}?{query}: {answer.text}"


def _agree_on_the_password(case):
    # That two fields are the same is beyond what a schema can say.
    if case.path.endswith("/register") and isinstance(case.body, dict):
        passwords = [case.body.get(name) for name in ("password", "confirm_password")]
        if all(isinstance(text, str) for text in passwords):
            case.body["confirm_password"] = case.body["password"]


def _conformance():
    checks = schemathesis.checks.CHECKS
    names = (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    )
    return [checks.get_one(name) for name in names]


def _calls_with_bodies():
    for path, calls in DOCUMENT["paths"].items():
        for method, call in calls.items():
            if "requestBody" in call:
                yield method, path, call["requestBody"]["content"]["application/json"]["example"]


def _with(example, key, value):
    fields = {name: json.dumps(given) for name, given in example.items()} | {key: value}
    return "{" + ",".join(f"{json.dumps(name)}:{text}" for name, text in fields.items()) + "}"
