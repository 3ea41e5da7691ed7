"""Typing is told once per change, lapses by itself, and ends with whatever carried it (contract 3.2)."""

from __future__ import annotations

import pytest

from tribe_ws.clock import ManualClock
from tribe_ws.hub.connection import Connection
from tribe_ws.hub.typing_state import TypingState
from tribe_ws.protocol.profiles import Profile


class Scene:
    def __init__(self, make_transport) -> None:
        self.clock = ManualClock()
        self.said: list[tuple[str, str, bool]] = []
        self.names: set[str] = set()
        self.state = TypingState(self.clock, ttl=6.0, emit=self.note)
        self.make_transport = make_transport

    def note(self, conversation_id: str, user_id: str, user_name: str, is_typing: bool) -> None:
        self.said.append((user_id, conversation_id, is_typing))
        self.names.add(user_name)

    def connection(self, user: str) -> Connection:
        return Connection(
            user_id=user,
            user_name=user.title(),
            profile=Profile.DOCUMENTED,
            transport=self.make_transport(),
        )


@pytest.fixture
def scene(transport) -> Scene:
    return Scene(type(transport))


TRUE, FALSE = ("ana", "room", True), ("ana", "room", False)


def test_a_change_is_told_with_the_full_name(scene: Scene) -> None:
    ana = scene.connection("ana")
    scene.state.say(ana, "room", True)
    scene.state.say(ana, "room", False)
    assert scene.said == [TRUE, FALSE]
    assert scene.names == {"Ana"}


def test_repeats_within_a_second_are_told_once(scene: Scene) -> None:
    ana = scene.connection("ana")
    for _ in range(4):
        scene.state.say(ana, "room", True)
        scene.clock.advance(0.3)
    assert scene.said == [TRUE]
    scene.state.say(ana, "room", True)
    assert scene.said == [TRUE, TRUE]


def test_repeated_false_within_a_second_is_told_once_and_afterwards_again(scene: Scene) -> None:
    ana = scene.connection("ana")
    scene.state.say(ana, "room", False)
    scene.state.say(ana, "room", False)
    assert scene.said == [FALSE]
    scene.clock.advance(1)
    scene.state.say(ana, "room", False)
    assert scene.said == [FALSE, FALSE]


def test_a_change_within_a_second_is_told(scene: Scene) -> None:
    ana = scene.connection("ana")
    for is_typing in (True, False, True):
        scene.state.say(ana, "room", is_typing)
    assert scene.said == [TRUE, FALSE, TRUE]


def test_true_lapses_after_six_seconds_once(scene: Scene) -> None:
    ana = scene.connection("ana")
    scene.state.say(ana, "room", True)
    scene.clock.advance(5.99)
    assert scene.said == [TRUE]
    scene.clock.advance(0.01)
    assert scene.said == [TRUE, FALSE]
    scene.clock.advance(60)
    assert scene.said == [TRUE, FALSE]
    assert len(scene.state) == 0


def test_every_repeat_puts_the_lapse_off_even_a_coalesced_one(scene: Scene) -> None:
    ana = scene.connection("ana")
    scene.state.say(ana, "room", True)
    scene.clock.advance(0.9)
    scene.state.say(ana, "room", True)
    scene.clock.advance(5.9)
    assert scene.said == [TRUE]
    scene.clock.advance(0.1)
    assert scene.said == [TRUE, FALSE]


def test_a_message_sent_ends_it_once(scene: Scene) -> None:
    ana = scene.connection("ana")
    scene.state.say(ana, "room", True)
    scene.state.stop("ana", "room")
    scene.state.stop("ana", "room")
    scene.clock.advance(10)
    assert scene.said == [TRUE, FALSE]


def test_a_message_of_somebody_who_did_not_type_says_nothing(scene: Scene) -> None:
    ana = scene.connection("ana")
    scene.state.stop("ana", "room")
    scene.state.say(ana, "room", False)
    scene.state.stop("ana", "room")
    assert scene.said == [FALSE]


def test_the_apps_false_right_after_its_message_is_not_told_again(scene: Scene) -> None:
    ana = scene.connection("ana")
    scene.state.say(ana, "room", True)
    scene.state.stop("ana", "room")
    scene.clock.advance(0.5)
    scene.state.say(ana, "room", False)
    assert scene.said == [TRUE, FALSE]


def test_unsubscribing_ends_it_once(scene: Scene) -> None:
    ana = scene.connection("ana")
    scene.state.say(ana, "room", True)
    scene.state.release(ana, "room")
    scene.state.release(ana, "room")
    scene.clock.advance(10)
    assert scene.said == [TRUE, FALSE]
    assert len(scene.state) == 0


def test_unsubscribing_somewhere_else_or_by_a_silent_socket_ends_nothing(scene: Scene) -> None:
    ana, other = scene.connection("ana"), scene.connection("ana")
    scene.state.say(ana, "room", True)
    scene.state.release(ana, "elsewhere")
    scene.state.release(other, "room")
    scene.state.release_all(other)
    assert scene.said == [TRUE]


def test_a_disconnect_ends_it_once_in_every_conversation_and_leaves_nothing(scene: Scene) -> None:
    ana = scene.connection("ana")
    scene.state.say(ana, "room", True)
    scene.state.say(ana, "hall", True)
    scene.state.say(ana, "attic", False)
    scene.state.release_all(ana)
    assert sorted(scene.said[3:]) == [("ana", "hall", False), ("ana", "room", False)]
    assert len(scene.state) == 0
    scene.clock.advance(10)
    assert len(scene.said) == 5


@pytest.mark.parametrize("end", ["release", "release_all"])
def test_what_two_sockets_of_a_user_keep_up_ends_with_the_second(scene: Scene, end: str) -> None:
    phone, laptop = scene.connection("ana"), scene.connection("ana")
    scene.state.say(phone, "room", True)
    scene.state.say(laptop, "room", True)

    def leave(connection: Connection) -> None:
        if end == "release":
            scene.state.release(connection, "room")
        else:
            scene.state.release_all(connection)

    leave(phone)
    assert scene.said == [TRUE]
    leave(laptop)
    assert scene.said == [TRUE, FALSE]


def test_the_last_word_wins_whichever_socket_says_it(scene: Scene) -> None:
    phone, laptop = scene.connection("ana"), scene.connection("ana")
    scene.state.say(phone, "room", True)
    scene.state.say(laptop, "room", False)
    assert scene.said == [TRUE, FALSE]
    scene.state.release_all(phone)
    scene.state.release_all(laptop)
    assert scene.said == [TRUE, FALSE]
    assert len(scene.state) == 0


def test_who_was_contradicted_no_longer_keeps_the_typing_up(scene: Scene) -> None:
    phone, laptop = scene.connection("ana"), scene.connection("ana")
    scene.state.say(phone, "room", True)
    scene.state.say(laptop, "room", False)
    scene.state.say(laptop, "room", True)
    scene.state.release_all(laptop)
    assert scene.said == [TRUE, FALSE, TRUE, FALSE]


def test_typists_and_conversations_are_told_apart(scene: Scene) -> None:
    ana, ben = scene.connection("ana"), scene.connection("ben")
    scene.state.say(ana, "room", True)
    scene.state.say(ben, "room", True)
    scene.state.say(ana, "hall", True)
    scene.state.say(ana, "room", False)
    scene.clock.advance(6)
    assert scene.said[:4] == [TRUE, ("ben", "room", True), ("ana", "hall", True), FALSE]
    assert sorted(scene.said[4:]) == [("ana", "hall", False), ("ben", "room", False)]


def test_who_is_expelled_stops_typing_and_leaves_no_trace(scene: Scene) -> None:
    ana = scene.connection("ana")
    scene.state.say(ana, "room", True)
    scene.state.expel("ana", "room")
    scene.state.expel("ana", "room")
    assert scene.said == [TRUE, FALSE]
    assert len(scene.state) == 0


def test_clear_forgets_without_a_word(scene: Scene) -> None:
    scene.state.say(scene.connection("ana"), "room", True)
    scene.state.clear()
    scene.clock.advance(10)
    assert scene.said == [TRUE]
    assert len(scene.state) == 0
