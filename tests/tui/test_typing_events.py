"""Real typing events: on with the first key, off after a pause, a sent message or Esc."""

from __future__ import annotations

import pytest

from tribe_ws.clock import ManualClock
from tribe_ws_tui.typing_events import TypingEvents


class Composer:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.said: list[tuple[str, bool]] = []
        self.events = TypingEvents(lambda where, is_typing: self.said.append((where, is_typing)), self.clock)

    def types_for(self, seconds: int) -> None:
        for _ in range(seconds):
            self.events.key_pressed("general")
            self.clock.advance(1)


@pytest.fixture
def composer() -> Composer:
    return Composer()


def test_the_first_key_begins_and_four_seconds_without_one_end(composer: Composer) -> None:
    composer.types_for(3)
    assert composer.said == [("general", True)]
    composer.clock.advance(2.9)
    assert composer.said == [("general", True)]
    composer.clock.advance(0.2)
    assert composer.said == [("general", True), ("general", False)]
    composer.clock.advance(60)
    assert len(composer.said) == 2


def test_a_sent_message_or_esc_ends_at_once_and_only_once(composer: Composer) -> None:
    composer.types_for(1)
    composer.events.stop()
    composer.events.stop()
    composer.clock.advance(60)
    assert composer.said == [("general", True), ("general", False)]


def test_long_typing_is_renewed_before_others_take_it_for_over(composer: Composer) -> None:
    composer.types_for(12)
    assert composer.said == [("general", True)] * 3


def test_another_conversation_ends_the_typing_in_the_first(composer: Composer) -> None:
    composer.types_for(1)
    composer.events.key_pressed("design")
    assert composer.said == [("general", True), ("general", False), ("design", True)]


def test_switched_off_nothing_is_said(composer: Composer) -> None:
    composer.events.is_on = False
    composer.types_for(3)
    composer.events.key_pressed("")
    assert composer.said == []
