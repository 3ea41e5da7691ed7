"""What a text in the composer does, where the text is a frame that a person wrote."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tribe_ws_tui.carrying_out import follow

ROOM = "30000000-0000-4000-8000-000000000001"


def chosen(frame: str) -> list[str]:
    session = SimpleNamespace(state=SimpleNamespace(conversations={ROOM: None}))
    found: list[str] = []
    follow(frame, session, SimpleNamespace(choose_conversation=found.append))
    return found


def test_a_subscribe_by_hand_chooses_its_conversation() -> None:
    assert chosen(f'{{"event":"subscribe","conversation_id":"{ROOM}"}}') == [ROOM]


@pytest.mark.parametrize(
    "frame",
    [
        f'{{"event":"unsubscribe","conversation_id":"{ROOM}"}}',
        '{"event":"subscribe","conversation_id":"elsewhere"}',
        '{"event":"subscribe","conversation_id":[]}',
        '{"event":"subscribe","conversation_id":{}}',
        '{"event":"subscribe"}',
        "{broken",
        '{"event":' + "[" * 100_000,
    ],
    ids=lambda frame: frame[:50],
)
def test_any_other_frame_chooses_none(frame: str) -> None:
    assert chosen(frame) == []
