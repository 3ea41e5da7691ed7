"""The documents made from the models say what the models do."""

from __future__ import annotations

import json
import re

import pytest

from tribe_ws.protocol.profiles import FRAMES_OF, Profile
from tribe_ws.protocol.spec import client_frames, events_document, jsonschema_document, server_frames

PROFILES = pytest.mark.parametrize("profile", Profile)


@PROFILES
def test_every_frame_of_a_profile_is_listed_once(profile: Profile) -> None:
    listed = [(one["from"], one["event"]) for one in events_document(profile, version="1")["events"]]
    frames = [("client", frame) for frame in client_frames(profile)]
    frames += [("server", frame) for frame in server_frames(profile)]
    assert listed == [(sender, frame.model_fields["event"].default) for sender, frame in frames]
    assert len(set(listed)) == len(listed)
    assert set(server_frames(profile)) == FRAMES_OF[profile]


def test_keys_are_told_with_their_paths_in_the_order_of_the_wire() -> None:
    events = {one["event"]: one for one in events_document(Profile.DOCUMENTED, version="1")["events"]}
    assert events["message.new"]["keys"] == [
        "conversation_id", "data.id", "data.conversation_id", "data.sender.id", "data.sender.username",
        "data.sender.full_name", "data.sender.profile_image_url", "data.content", "data.message_type",
        "data.created_at",
    ]  # fmt: skip
    assert events["subscribe"]["optional"] == ["channel"]
    assert events["pong"] == {
        "event": "pong", "from": "server", "keys": [], "optional": [], "meaning": 'Answers one "ping"',
    }  # fmt: skip


@PROFILES
def test_every_reference_of_the_schema_leads_somewhere(profile: Profile) -> None:
    document = jsonschema_document(profile, version="1")
    references = set(re.findall(r'"\$ref": "([^"]+)"', json.dumps(document)))
    assert references == {f"#/$defs/{name}" for name in document["$defs"]}
    assert profile.value in document["description"]


def test_the_schema_tells_what_must_be_there_and_allows_more() -> None:
    definitions = jsonschema_document(Profile.DOCUMENTED, version="1")["$defs"]
    assert definitions["Subscribe"]["required"] == ["event", "conversation_id"]
    assert definitions["MessageNew"]["required"] == ["event", "conversation_id", "data"]
    assert definitions["Pong"]["properties"]["event"]["const"] == "pong"
    assert all(one.get("additionalProperties", True) for one in definitions.values())
    told = {one["$ref"] for one in definitions["ServerFrame"]["anyOf"]}
    assert told == {f"#/$defs/{frame.__name__}" for frame in FRAMES_OF[Profile.DOCUMENTED]}
