from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tribe_ws.protocol.asyncapi import asyncapi_document
from tribe_ws.protocol.profiles import Profile


def document_of(profile: Profile) -> dict[str, Any]:
    return asyncapi_document(version="1.2.3", socket_url="ws://localhost:8000/api/v1/ws", profile=profile)


@pytest.fixture(params=list(Profile))
def document(request: pytest.FixtureRequest) -> dict[str, Any]:
    return document_of(request.param)


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (item for key, item in value.items() if key == "$ref")
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from references(item)


def test_it_says_where_and_what_it_is(document: dict[str, Any]):
    assert document["asyncapi"] == "3.0.0"
    assert document["info"]["version"] == "1.2.3"
    assert document["servers"]["here"] == {"host": "localhost:8000", "protocol": "ws"}
    assert document["channels"]["socket"]["address"] == "/api/v1/ws"


def test_every_reference_leads_somewhere(document: dict[str, Any]):
    found = list(references(document))
    assert found
    for reference in found:
        value = document
        for step in reference.removeprefix("#/").split("/"):
            value = value[step]


def test_the_server_sends_what_its_profile_carries():
    sent = {
        profile: {
            entry["$ref"].rsplit("/", 1)[1]
            for entry in document_of(profile)["operations"]["send"]["messages"]
        }
        for profile in Profile
    }
    assert sent[Profile.DOCUMENTED] == {"Connected", "MessageNew", "TypingChanged", "Subscribed", "Pong"}
    assert sent[Profile.APP] - sent[Profile.DOCUMENTED] == {"PresenceChanged", "MessageRead"}


def test_every_field_is_required_but_the_channel(document: dict[str, Any]):
    schemas = document["components"]["schemas"]
    assert schemas["Subscribe"]["required"] == ["event", "conversation_id"]
    assert schemas["MessageNew"]["required"] == ["event", "conversation_id", "data"]


def test_it_is_json(document: dict[str, Any]):
    assert json.loads(json.dumps(document)) == document
