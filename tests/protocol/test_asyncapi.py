from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tribe_ws.protocol.asyncapi import asyncapi_document
from tribe_ws.protocol.profiles import Profile


def document_of(profile: Profile) -> dict[str, Any]:
    return asyncapi_document(version="1.2.3", socket_url="ws://localhost:8000/api/v1/ws", profile=profile)


@pytest.fixture(params=[Profile.DOCUMENTED, Profile.APP])
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
    here = document["servers"]["here"]
    assert (here["host"], here["protocol"]) == ("localhost:8000", "ws")
    assert set(document["components"]["securitySchemes"]) == {"queryToken", "bearerToken"}
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


def test_the_second_channel_is_that_of_v2(document: dict[str, Any]):
    channel = document["channels"]["socketV2"]
    assert channel["address"] == document["channels"]["socket"]["address"]
    assert channel["bindings"]["ws"]["headers"]["properties"] == {
        "Sec-WebSocket-Protocol": {"const": "tribe.v2"}
    }
    assert {"Auth", "SubscribeV2", "ErrorFrame", "MessageNewV2", "PresenceChanged"} <= set(
        channel["messages"]
    )
    assert not {"Subscribe", "MessageNew", "Connected"} & set(channel["messages"])


def test_what_v2_may_leave_out_is_not_required(document: dict[str, Any]):
    schemas = document["components"]["schemas"]
    assert schemas["SubscribeV2"]["required"] == ["event", "conversation_id"]
    assert schemas["Subscription"]["required"] == ["seq", "epoch", "online"]
    assert schemas["ErrorFrame"]["required"] == ["event", "conversation_id", "data"]
    assert schemas["NumberedMessage"]["required"][-2:] == ["seq", "client_message_id"]


def test_every_message_shows_examples_of_itself(document: dict[str, Any]):
    for message in document["components"]["messages"].values():
        events = {example["payload"]["event"] for example in message["examples"]}
        assert events == {message["name"]}


def test_it_is_json(document: dict[str, Any]):
    assert json.loads(json.dumps(document)) == document
