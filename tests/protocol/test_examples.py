from __future__ import annotations

import json
from pathlib import Path

import pytest

from tribe_ws.protocol.codec import decode_server_frame
from tribe_ws.protocol.examples import EXAMPLES
from tribe_ws.protocol.frames import APP_FRAMES, CLIENT_FRAMES, DOCUMENTED_FRAMES, Frame
from tribe_ws.protocol.frames_v2 import CLIENT_FRAMES_V2, V2_FRAMES

FILES = sorted((Path(__file__).parents[2] / "fixtures" / "frames").glob("*.json"))
KINDS = tuple(dict.fromkeys((*CLIENT_FRAMES, *APP_FRAMES, *CLIENT_FRAMES_V2, *V2_FRAMES)))


def test_there_is_an_example_for_every_frame():
    assert set(EXAMPLES) == set(KINDS)


def test_the_documented_frames_have_the_examples_of_the_owners_document_and_no_others():
    told = {path.stem: path.read_text("utf-8") for path in FILES}
    ours = {
        f"{side}.{example['event']}": json.dumps(example, indent=2) + "\n"
        for side, kinds in (("client", CLIENT_FRAMES), ("server", DOCUMENTED_FRAMES))
        for kind in kinds
        for example in EXAMPLES[kind]
    }
    assert ours == told
    assert sum(len(EXAMPLES[kind]) for kind in (*CLIENT_FRAMES, *DOCUMENTED_FRAMES)) == len(FILES)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_example_is_a_frame_of_its_kind(kind: type[Frame]):
    for example in EXAMPLES[kind]:
        assert kind.model_validate(example).model_dump(mode="json") == example


@pytest.mark.parametrize("kind", APP_FRAMES, ids=lambda kind: kind.__name__)
def test_an_example_from_the_server_is_read_as_what_it_is(kind: type[Frame]):
    assert all(type(decode_server_frame(example)) is kind for example in EXAMPLES[kind])
