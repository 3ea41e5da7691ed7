"""One conversation's fan-out: encoded once, joined once, and never to the author (performance 2)."""

from __future__ import annotations

import pytest

from tribe_ws.hub.room import Outgoing, Room
from tribe_ws.protocol.close_codes import RESTART
from tribe_ws.protocol.codec import encode
from tribe_ws.protocol.frames import (
    Frame,
    MessageRead,
    Pong,
    ReadMark,
    Subscribed,
)
from tribe_ws.protocol.profiles import Profile

READ = MessageRead(
    conversation_id="room", data=ReadMark(user_id="ana", read_at="t", last_read_message_id=None)
)


def frame(name: str) -> Subscribed:
    """Any frame will do; this one carries a name."""
    return Subscribed(conversation_id=name)


@pytest.fixture
def room() -> Room:
    return Room("room")


def fill(room: Room, world, *users: str, **options):
    connections = [world.connection(user, **options) for user in users]
    for connection in connections:
        room.add(connection)
    return connections


def names(seen, connection) -> list[str]:
    return [sent["conversation_id"] for sent in seen(connection)]


def test_everybody_shares_one_piece_of_bytes(room, world, written) -> None:
    connections = fill(room, world, *"abcdef")
    room.pending = [Outgoing(frame("1")), Outgoing(frame("2"))]
    counts = room.fan_out()
    batches = {id(batch) for connection in connections for batch in written(connection)}
    assert len(batches) == 1
    assert counts == {"subscribed": 12}
    assert room.pending == []


def test_a_frame_is_encoded_once_however_many_profiles_see_it(room, world, monkeypatch) -> None:
    encoded: list[Frame] = []

    def noting(frame: Frame) -> bytes:
        encoded.append(frame)
        return encode(frame)

    monkeypatch.setattr("tribe_ws.hub.room.encode", noting)
    fill(room, world, "a", "b", profile=Profile.DOCUMENTED)
    fill(room, world, "c", "d", profile=Profile.APP)
    room.pending = [Outgoing(frame("1"))]
    room.fan_out()
    assert encoded == [frame("1")]


def test_authors_get_all_but_their_own(room, world, seen) -> None:
    ana, ben, cara = fill(room, world, "ana", "ben", "cara")
    room.pending = [
        Outgoing(frame("1"), "ana"),
        Outgoing(frame("2"), "ben"),
        Outgoing(frame("3"), "ana"),
        Outgoing(frame("4")),
    ]
    room.fan_out()
    assert names(seen, ana) == ["2", "4"]
    assert names(seen, ben) == ["1", "3", "4"]
    assert names(seen, cara) == ["1", "2", "3", "4"]


def test_an_author_for_whom_nothing_is_left_gets_no_write(room, world, written) -> None:
    ana, ben = fill(room, world, "ana", "ben")
    room.pending = [Outgoing(frame("1"), "ana")]
    assert room.fan_out() == {"subscribed": 1}
    assert written(ana) == []
    assert len(written(ben)) == 1


def test_each_profile_sees_only_what_it_carries(room, world, seen) -> None:
    (plain,) = fill(room, world, "ana", profile=Profile.DOCUMENTED)
    (app,) = fill(room, world, "ben", profile=Profile.APP)
    room.pending = [Outgoing(READ), Outgoing(Pong())]
    assert room.fan_out() == {"pong": 2, "message.read": 1}
    assert [sent["event"] for sent in seen(plain)] == ["pong"]
    assert [sent["event"] for sent in seen(app)] == ["message.read", "pong"]


def test_ended_connections_are_not_counted(room, world) -> None:
    ana, _ = fill(room, world, "ana", "ben")
    ana.close(RESTART)
    room.pending = [Outgoing(Pong())]
    assert room.fan_out() == {"pong": 1}


def test_counting_leaves_out_all_connections_of_one_user(room, world) -> None:
    first, second, _ = fill(room, world, "ana", "ana", "ben")
    assert room.count(None) == 3
    assert room.count("ana") == 1
    assert room.count("nobody") == 3
    room.add(first)
    assert room.count(None) == 3
    room.remove(first)
    room.remove(first)
    assert room.count("ana") == 1
    assert room.count("ben") == 1
    room.remove(second)
    assert room.count("ana") == 1
