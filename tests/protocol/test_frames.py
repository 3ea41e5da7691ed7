from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tribe_ws.protocol.codec import decode_client_frame, decode_server_frame, encode
from tribe_ws.protocol.frames import APP_FRAMES, CLIENT_FRAMES, DOCUMENTED_FRAMES, Frame, Ping, SetTyping

FIXTURES = Path(__file__).parents[2] / "fixtures" / "frames"
FILES = sorted(FIXTURES.glob("*.json"))


def decode(path: Path) -> Any:
    text = path.read_text("utf-8")
    if path.name.startswith("client."):
        return decode_client_frame(text)
    return decode_server_frame(json.loads(text))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_documents_example_round_trips_byte_for_byte(path: Path):
    compact = json.dumps(json.loads(path.read_text("utf-8")), separators=(",", ":"), ensure_ascii=False)
    assert encode(decode(path)) == compact.encode()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_file_is_named_for_its_direction_and_event(path: Path):
    direction, event = path.stem.split(".", 1)
    assert direction in ("client", "server")
    assert json.loads(path.read_text("utf-8"))["event"] == event


def test_there_is_an_example_for_every_documented_frame():
    examples = {type(decode(path)) for path in FILES}
    assert examples == {*CLIENT_FRAMES, *DOCUMENTED_FRAMES}


def test_the_document_has_ten_examples_and_all_are_here():
    assert len(FILES) == 10
    assert all(re.match(r"\{\n {2}\"event\"", path.read_text("utf-8")) for path in FILES)


@pytest.mark.parametrize("model", [*CLIENT_FRAMES, *APP_FRAMES], ids=lambda model: model.__name__)
def test_the_event_comes_first(model: type[Frame]):
    assert next(iter(model.model_fields)) == "event"


def test_frames_do_not_change():
    with pytest.raises(ValidationError, match="frozen"):
        Ping().event = "ping"  # type: ignore[misc]


@pytest.mark.parametrize("value", [1, 0, "true", None])
def test_a_boolean_is_a_boolean(value: Any):
    with pytest.raises(ValidationError):
        SetTyping(conversation_id="c", is_typing=value)
