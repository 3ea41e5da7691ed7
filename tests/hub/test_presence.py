"""Presence is worked out from sockets: at once on the first, after a delay on the last (contract 3.4)."""

from __future__ import annotations

import pytest

from tribe_ws.clock import ManualClock
from tribe_ws.hub.presence import PresenceState


class Scene:
    def __init__(self, delay: float = 3.0) -> None:
        self.clock = ManualClock()
        self.said: list[tuple[str, bool]] = []
        self.state = PresenceState(self.clock, delay=delay, announce=lambda *news: self.said.append(news))


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_the_first_socket_makes_a_user_online_at_once(scene: Scene) -> None:
    scene.state.arrived("ana")
    assert scene.said == [("ana", True)]
    assert scene.state.is_online("ana")


def test_the_last_socket_makes_a_user_offline_three_seconds_later(scene: Scene) -> None:
    scene.state.arrived("ana")
    scene.state.left("ana")
    scene.clock.advance(2.99)
    assert scene.state.is_online("ana")
    assert scene.said == [("ana", True)]
    scene.clock.advance(0.01)
    assert not scene.state.is_online("ana")
    assert scene.said == [("ana", True), ("ana", False)]
    assert len(scene.state) == 0


def test_a_screen_that_comes_and_goes_is_not_news(scene: Scene) -> None:
    scene.state.arrived("ana")
    for _ in range(5):
        scene.state.left("ana")
        scene.clock.advance(2)
        scene.state.arrived("ana")
    scene.clock.advance(60)
    assert scene.said == [("ana", True)]


def test_the_delay_begins_anew_each_time(scene: Scene) -> None:
    scene.state.arrived("ana")
    scene.state.left("ana")
    scene.clock.advance(2)
    scene.state.arrived("ana")
    scene.state.left("ana")
    scene.clock.advance(2)
    assert scene.state.is_online("ana")
    scene.clock.advance(1)
    assert not scene.state.is_online("ana")


def test_without_a_delay_it_is_said_at_once() -> None:
    scene = Scene(delay=0)
    scene.state.arrived("ana")
    scene.state.left("ana")
    assert scene.said == [("ana", True), ("ana", False)]


def test_repeated_news_is_no_news(scene: Scene) -> None:
    scene.state.arrived("ana")
    scene.state.arrived("ana")
    scene.state.left("ana")
    scene.state.left("ana")
    scene.state.left("nobody")
    scene.clock.advance(10)
    assert scene.said == [("ana", True), ("ana", False)]


def test_a_stop_says_nothing_and_keeps_nothing(scene: Scene) -> None:
    scene.state.arrived("ana")
    scene.state.arrived("ben")
    scene.state.left("ben")
    scene.state.stop()
    scene.clock.advance(10)
    assert scene.said == [("ana", True), ("ben", True)]
    assert len(scene.state) == 0


def test_who_left_after_a_stop_without_delay_is_not_announced() -> None:
    scene = Scene(delay=0)
    scene.state.arrived("ana")
    scene.state.stop()
    scene.state.left("ana")
    assert scene.said == [("ana", True)]
