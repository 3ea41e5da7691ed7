"""What faults do to the frames of live connections, in a time that is moved by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tribe_ws.hub.connection import Connection, OutboxLimits
from tribe_ws.hub.fault_rules import FaultRefused, parse_fault
from tribe_ws.hub.faults import MOST_FAULTS, Fault, FaultyTransport, corrupted, event_of
from tribe_ws.protocol.close_codes import SLOW_CONSUMER
from tribe_ws.protocol.frames import MessageNew, NewMessage, Pong, Sender

ROOM = "room"


def add(world: Any, text: str, **names: str) -> Fault:
    fault: Fault = world.hub.faults.add(parse_fault(text), **names)
    return fault


async def publish(world: Any, *names: str, room: str = ROOM) -> None:
    for name in names:
        sender = Sender(id="ana", username="ana", full_name="Ana", profile_image_url=None)
        data = NewMessage(
            id=name, conversation_id=room, sender=sender, content="", message_type="text", created_at="t"
        )
        world.hub.publish(room, MessageNew(conversation_id=room, data=data), exclude_user="ana")
    await world.settle()


def seen(connection: Connection) -> list[str]:
    transport: Any = connection.transport
    if isinstance(transport, FaultyTransport):
        transport = transport.inner
    return [frame["data"]["id"] for frame in transport.frames if "data" in frame]


async def test_without_faults_nothing_stands_between(world) -> None:
    ben = world.connect("ben", ROOM)
    bare = ben.transport
    fault = add(world, "drop @cara", user_id="cara")
    assert isinstance(ben.transport, FaultyTransport)
    assert isinstance(world.connect("dan").transport, FaultyTransport)
    assert world.hub.faults.remove(fault.id)
    assert ben.transport is bare
    assert not world.hub.faults.remove(fault.id)


async def test_a_delay_keeps_the_order(world) -> None:
    ben = world.connect("ben", ROOM)
    slow = add(world, "delay 2s")
    await publish(world, "1", "2")
    world.clock.advance(1)
    await publish(world, "3")
    assert seen(ben) == []
    world.clock.advance(1)
    assert seen(ben) == ["1", "2"]
    world.clock.advance(1)
    assert seen(ben) == ["1", "2", "3"]
    assert slow.hits == 3


async def test_jitter_spreads_but_never_overtakes(world) -> None:
    ben = world.connect("ben", ROOM)
    add(world, "delay 1s±900ms")
    names = [str(number) for number in range(20)]
    await publish(world, *names)
    world.clock.advance(0.1)
    assert len(seen(ben)) < 20
    world.clock.advance(2)
    assert seen(ben) == names


async def test_a_drop_loses_just_what_it_is_for(world) -> None:
    ben, cara = world.connect("ben", ROOM, "hall"), world.connect("cara", ROOM, "hall")
    add(world, "drop @ben #room message.new out", user_id="ben", conversation_id=ROOM)
    await publish(world, "1")
    await publish(world, "2", room="hall")
    world.hub.send(ben, Pong())
    assert seen(ben) == ["2"]
    assert seen(cara) == ["1", "2"]
    assert ben.transport.inner.frames[-1] == {"event": "pong"}


async def test_a_fault_of_the_other_direction_does_nothing(world) -> None:
    ben = world.connect("ben", ROOM)
    add(world, "drop in")
    await publish(world, "1")
    assert seen(ben) == ["1"]


async def test_a_duplicate_comes_twice(world) -> None:
    ben = world.connect("ben", ROOM)
    add(world, "duplicate")
    await publish(world, "1", "2")
    assert seen(ben) == ["1", "1", "2", "2"]


async def test_a_reordered_frame_is_overtaken_by_the_next(world) -> None:
    ben = world.connect("ben", ROOM)
    add(world, "reorder")
    await publish(world, "1", "2", "3")
    assert seen(ben) == ["2", "1"]
    world.clock.advance(1)
    assert seen(ben) == ["2", "1", "3"]


async def test_a_corrupt_frame_is_text_but_no_json(world) -> None:
    ben = world.connect("ben", ROOM)
    add(world, "corrupt")
    await publish(world, "1")
    (batch,) = ben.transport.inner.writes
    with pytest.raises(json.JSONDecodeError):
        json.loads(batch.packets[0].payload.decode())
    assert corrupted('{"a":"ä"}'.encode()).decode()


async def test_a_stall_holds_everything_until_it_is_taken_away(world) -> None:
    ben, cara = world.connect("ben", ROOM), world.connect("cara", ROOM)
    stall = add(world, "stall @ben message.new", user_id="ben")
    await publish(world, "1")
    world.hub.send(ben, Pong())
    world.clock.advance(86400)
    assert ben.transport.inner.frames == []
    assert seen(cara) == ["1"]
    world.hub.faults.remove(stall.id)
    assert [frame["event"] for frame in ben.transport.frames] == ["message.new", "pong"]
    await publish(world, "2")
    assert seen(ben) == ["1", "2"]


async def test_a_stalled_client_ends_as_a_slow_one(world) -> None:
    ben = world.connect("ben", ROOM, limits=OutboxLimits(frames=3))
    add(world, "stall")
    await publish(world, "1", "2", "3")
    assert ben.transport.waiting()[1] == 3
    assert ben.ended is None
    await publish(world, "4")
    assert ben.ended is SLOW_CONSUMER
    assert ben.transport.waiting() == (0, 0)


async def test_a_close_ends_the_connection_after_what_came_before(world) -> None:
    ben = world.connect("ben", ROOM, "hall")
    add(world, "close 4401 #hall", conversation_id="hall")
    await publish(world, "1")
    await publish(world, "2", "3", room="hall")
    assert seen(ben) == ["1"]
    assert ben.transport.inner.closed_with.code == 4401
    assert ben.ended.code == 4401


async def test_a_reset_cuts_the_connection(world) -> None:
    ben = world.connect("ben", ROOM)
    add(world, "reset")
    await publish(world, "1", "2")
    assert ben.transport.inner.is_reset
    assert ben.ended.reason == "fault_reset"
    assert seen(ben) == []


async def test_faults_add_up(world) -> None:
    ben = world.connect("ben", ROOM)
    for text in ("delay 1s", "duplicate", "delay 1s"):
        add(world, text)
    await publish(world, "1")
    world.clock.advance(1.9)
    assert seen(ben) == []
    world.clock.advance(0.1)
    assert seen(ben) == ["1", "1"]


async def run_by_chance(world: Any, seed: int, *, interleave: bool) -> list[list[str]]:
    world.hub.faults.seed = seed
    add(world, "drop 50%")
    add(world, "duplicate 50%")
    names = ("ben", "cara") if interleave else ("cara", "ben")
    people = {name: world.connect(name, ROOM) for name in names}
    numbers = [str(number) for number in range(30)]
    for batch in [[number] for number in numbers] if interleave else [numbers]:
        await publish(world, *batch)
    return [seen(people[name]) for name in sorted(people)]


async def test_the_same_seed_and_traffic_meet_the_same_faults(make_world) -> None:
    first = await run_by_chance(make_world(), 7, interleave=True)
    assert await run_by_chance(make_world(), 7, interleave=True) == first
    assert await run_by_chance(make_world(), 7, interleave=False) == first
    assert await run_by_chance(make_world(), 8, interleave=True) != first
    assert first[0] != first[1]


async def test_the_end_of_a_connection_takes_its_timers_along(world) -> None:
    ben = world.connect("ben", ROOM)
    add(world, "delay 1s")
    await publish(world, "1")
    assert world.hub.footprint()["faults"] == 1
    world.hub.detach(ben)
    assert world.hub.footprint()["faults"] == 0
    world.clock.advance(10)
    assert seen(ben) == []
    assert world.hub.is_empty


async def test_clearing_lets_everything_go(world) -> None:
    ben = world.connect("ben", ROOM)
    add(world, "delay 1h")
    add(world, "reorder")
    await publish(world, "1", "2")
    assert world.hub.faults.clear() == 2
    assert sorted(seen(ben)) == ["1", "2"]
    assert world.hub.faults.list() == ()
    assert not world.hub.faults.is_active


def test_refusals_are_used_up(world) -> None:
    add(world, "refuse 2 @ben", user_id="ben")
    faults = world.hub.faults
    assert not faults.is_active
    assert not faults.refuses("cara")
    assert [faults.refuses("ben") for _ in range(3)] == [True, True, False]
    assert faults.list() == ()


def test_there_are_at_most_so_many(world) -> None:
    for _ in range(MOST_FAULTS):
        add(world, "drop")
    with pytest.raises(FaultRefused, match="at most"):
        add(world, "drop")


@pytest.mark.parametrize("text", ["[1]", "nonsense", '{"event":3}', "[" * 100_000])
def test_what_is_no_frame_has_no_event(text: str) -> None:
    assert event_of(text) == ""


async def test_the_journal_is_told_what_became_of_a_frame(world) -> None:
    ben = world.connect("ben", ROOM)
    watcher = world.hub.journal.watch()
    add(world, "drop @ben", user_id="ben")
    world.connect("cara", ROOM)
    delay = add(world, "delay 1s @cara", user_id="cara")
    await publish(world, "1")
    _, records = await watcher.take()
    verdicts = {ruling.user_id: ruling.verdict for ruling in records[-1].rulings}
    assert (verdicts["ben"], verdicts["cara"]) == ("fault_dropped", "fault_delayed")
    assert ben.ended is None
    assert delay.hits == 1
    watcher.close()
