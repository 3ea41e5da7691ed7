"""Who is owed something else than everybody: frames that wait, numbers it has already, its own messages."""

from __future__ import annotations

from typing import Any

import pytest

from tribe_ws.hub.connection import Connection, OutboxLimits
from tribe_ws.protocol.close_codes import SLOW_CONSUMER
from tribe_ws.protocol.frames import (
    MessageNew,
    MessageRead,
    NewMessage,
    PresenceChanged,
    ReadMark,
    Sender,
    TypingChanged,
    Typist,
)
from tribe_ws.protocol.frames_v2 import Stamp
from tribe_ws.protocol.profiles import Profile

TYPING = TypingChanged(conversation_id="room", data=Typist(user_id="ben", user_name="Ben", is_typing=True))
READ = MessageRead(
    conversation_id="room", data=ReadMark(user_id="ben", read_at="t", last_read_message_id=None)
)


def publish(world: Any, seq: int, *, author: str = "ben", on: str | None = None) -> None:
    sender = Sender(id=author, username=author, full_name=author, profile_image_url=None)
    data = NewMessage(
        id=f"m{seq}",
        conversation_id="room",
        sender=sender,
        content="",
        message_type="text",
        created_at="t",
    )
    frame = MessageNew(conversation_id="room", data=data)
    world.hub.publish("room", frame, exclude_user=author, stamp=Stamp(seq, None, on))


def connect(world: Any, user: str = "ana", **options: Any) -> Connection:
    connection: Connection = world.connect(user, profile=Profile.V2, **options)
    return connection


async def numbers(world: Any, seen: Any, connection: Connection) -> list[int]:
    await world.settle()
    return [frame["data"].get("seq", 0) for frame in seen(connection)]


def release(world: Any, connection: Connection, up_to: int, *, echo: bool = False) -> bool:
    return bool(world.hub.release(connection, "room", (up_to, up_to), echo=echo))


async def test_what_is_published_waits_until_it_is_released_in_order(world, seen) -> None:
    ana = connect(world)
    assert world.hub.hold(ana, "room")
    for seq in (1, 2, 3):
        publish(world, seq)
    assert await numbers(world, seen, ana) == []
    assert world.hub.is_held(ana, "room")
    assert release(world, ana, 1)
    publish(world, 4)
    assert await numbers(world, seen, ana) == [2, 3, 4]
    assert not world.hub.is_held(ana, "room")


async def test_what_was_read_before_it_was_announced_does_not_come_twice(world, seen) -> None:
    ana = connect(world)
    world.hub.hold(ana, "room")
    release(world, ana, 2)
    for seq in (1, 2, 3):
        publish(world, seq)
    assert await numbers(world, seen, ana) == [3]


async def test_typing_waits_too_and_keeps_its_place(world, seen) -> None:
    ana = connect(world)
    world.hub.hold(ana, "room")
    publish(world, 1)
    world.hub.publish("room", TYPING, exclude_user="ben")
    publish(world, 2)
    release(world, ana, 0)
    await world.settle()
    assert [frame["event"] for frame in seen(ana)] == ["message.new", "typing", "message.new"]


async def test_ones_own_messages_come_with_an_echo_but_not_to_where_they_were_posted(world, seen) -> None:
    phone, laptop, plain = connect(world), connect(world), connect(world)
    for connection in (phone, laptop, plain):
        world.hub.hold(connection, "room")
        release(world, connection, 0, echo=connection is not plain)
    publish(world, 1, author="ana", on=phone.id)
    publish(world, 2)
    world.hub.publish("room", TYPING, exclude_user="ana")
    assert await numbers(world, seen, phone) == [2]
    assert await numbers(world, seen, laptop) == [1, 2]
    assert await numbers(world, seen, plain) == [2]
    assert world.hub.recipients("room", "ana", phone.id) == 1
    assert world.hub.recipients("room", "ana") == 2
    assert world.hub.recipients("room", "ben") == 3


async def test_what_a_connection_has_got_is_known(world) -> None:
    ana = connect(world)
    assert world.hub.covered(ana, "room") is None
    world.hub.hold(ana, "room")
    assert world.hub.covered(ana, "room") is None
    world.hub.release(ana, "room", (2, 5), echo=False)
    assert world.hub.covered(ana, "room") == (2, 5)
    publish(world, 6)
    assert world.hub.covered(ana, "room") == (2, 6)
    world.hub.unsubscribe(ana, "room")
    assert world.hub.covered(ana, "room") is None


async def test_a_subscriber_can_be_held_again_without_losing_anything(world, seen) -> None:
    ana = connect(world)
    world.hub.hold(ana, "room")
    release(world, ana, 0)
    publish(world, 1)
    world.hub.hold(ana, "room")
    publish(world, 2)
    world.hub.hold(ana, "room")
    publish(world, 3)
    world.hub.release(ana, "room", world.hub.covered(ana, "room"), echo=False)
    assert await numbers(world, seen, ana) == [1]
    world.hub.hold(ana, "room")
    world.hub.release(ana, "room", (0, 3), echo=False)
    publish(world, 4)
    assert await numbers(world, seen, ana) == [1, 4]


@pytest.mark.parametrize("end", ["unsubscribe", "evict", "detach", "close"])
async def test_a_held_subscription_ends_like_any_other(world, seen, end: str) -> None:
    ana = connect(world)
    world.hub.hold(ana, "room")
    publish(world, 1)
    match end:
        case "unsubscribe":
            world.hub.unsubscribe(ana, "room")
        case "evict":
            world.hub.evict("ana", "room")
        case "detach":
            world.hub.detach(ana)
        case _:
            ana.close(SLOW_CONSUMER)
    assert not world.hub.is_held(ana, "room")
    assert not release(world, ana, 0)
    assert await numbers(world, seen, ana) == []
    world.hub.detach(ana)
    assert not world.hub.hold(ana, "room")
    world.clock.advance(10)
    assert world.hub.is_empty


async def test_too_much_may_not_wait(world) -> None:
    ana = connect(world, limits=OutboxLimits(frames=2))
    world.hub.hold(ana, "room")
    for seq in (1, 2, 3):
        publish(world, seq)
    await world.settle()
    assert ana.ended is SLOW_CONSUMER


async def test_a_documented_neighbour_gets_what_it_always_got(world, seen) -> None:
    ana, cara = connect(world), world.connect("cara", "room")
    world.hub.hold(ana, "room")
    publish(world, 1)
    release(world, ana, 0, echo=True)
    publish(world, 2)
    await world.settle()
    assert ["seq" in frame["data"] for frame in seen(cara)] == [False, False]
    assert ["seq" in frame["data"] for frame in seen(ana)] == [True, True]


async def test_presence_is_worth_telling_only_where_somebody_hears_it(world) -> None:
    plain = world.connect("cara")
    assert not world.hub.reaches(PresenceChanged)
    ana = connect(world)
    assert world.hub.reaches(PresenceChanged)
    world.hub.detach(ana)
    world.hub.detach(ana)
    assert not world.hub.reaches(PresenceChanged)
    world.hub.detach(plain)


async def test_a_message_without_a_number_is_none_for_v2(world, seen) -> None:
    ana = connect(world)
    world.hub.hold(ana, "room")
    release(world, ana, 0)
    world.hub.publish("room", READ, exclude_user="ben")
    await world.settle()
    assert [frame["event"] for frame in seen(ana)] == ["message.read"]
