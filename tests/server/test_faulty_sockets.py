"""Faults on real sockets, in both ways of sending: what a client gets to see of them."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.exceptions import InvalidStatus

from tests.server.raw_client import TEXT
from tests.server.socket_stage import (
    CONNECTED,
    LOOPS,
    PONG,
    ROOM,
    MakeStage,
    Stage,
    end_of,
    hear,
    hear_json,
    hears_nothing,
    say,
    until,
)
from tribe_ws.hub.fault_rules import parse_fault
from tribe_ws.server.portable_socket import PortableTransport

LOOP_FACTORIES = LOOPS


def add(stage: Stage, text: str, user_id: str | None = None) -> int:
    return stage.cast.hub.faults.add(parse_fault(text), user_id=user_id).id


async def test_a_fault_reaches_connections_that_are_open_already(stage: Stage) -> None:
    ben = await stage.join("ben", ROOM)
    fault = add(stage, "delay 5s out")
    stage.publish("late")
    await until(lambda: held(stage) == 1)
    stage.cast.clock.advance(5)
    assert (await hear_json(ben))["data"]["id"] == "late"
    stage.cast.hub.faults.remove(fault)
    stage.publish("prompt")
    assert (await hear_json(ben))["data"]["id"] == "prompt"


async def test_a_new_connection_is_met_from_its_first_frame(stage: Stage) -> None:
    add(stage, "drop connected @ben", "ben")
    ben = await stage.dial("ben")
    await hears_nothing(ben)
    assert await hear(await stage.dial("ana")) == CONNECTED


async def test_a_frame_of_the_client_is_lost(stage: Stage) -> None:
    ben = await stage.join("ben")
    fault = add(stage, "drop in ping")
    await say(ben, event="ping")
    await say(ben, event="presence", status="away")
    await stage.until(lambda: stage.cast.statuses == [("ben", "away")])
    stage.cast.hub.faults.remove(fault)
    await say(ben, event="ping")
    assert await hear(ben) == PONG
    await hears_nothing(ben)


async def test_a_frame_of_the_client_is_late_and_keeps_its_place(stage: Stage) -> None:
    ben = await stage.join("ben")
    add(stage, "delay 3s in ping")
    await say(ben, event="ping")
    await say(ben, event="presence", status="away")
    await until(lambda: held(stage) == 2)
    assert stage.cast.statuses == []
    stage.cast.clock.advance(3)
    assert await hear(ben) == PONG
    await stage.until(lambda: stage.cast.statuses == [("ben", "away")])


async def test_frames_of_the_client_come_doubled_swapped_or_broken(stage: Stage) -> None:
    ben = await stage.join("ben")
    faults = stage.cast.hub.faults
    add(stage, "duplicate in ping")
    await say(ben, event="ping")
    assert [await hear(ben), await hear(ben)] == [PONG, PONG]
    faults.clear()
    add(stage, "reorder in")
    for status in ("away", "online"):
        await say(ben, event="presence", status=status)
    await stage.until(lambda: stage.cast.statuses == [("ben", "online"), ("ben", "away")])
    faults.clear()
    add(stage, "corrupt in")
    await say(ben, event="ping")
    await stage.until(lambda: "invalid_json" in stage.cast.counts.reasons)


async def test_what_is_held_up_goes_when_the_client_goes(stage: Stage) -> None:
    ben = await stage.join("ben", ROOM)
    add(stage, "stall")
    await say(ben, event="ping")
    stage.publish("never")
    await until(lambda: held(stage) == 2)
    await ben.close()
    await stage.until(lambda: len(stage.cast.hub.faults) == 0)
    await stage.until(lambda: not stage.cast.hub.connections)


async def test_a_stall_of_both_ways_ends_when_it_is_cleared(stage: Stage) -> None:
    ben = await stage.join("ben", ROOM)
    add(stage, "stall in")
    await say(ben, event="ping")
    await until(lambda: held(stage) == 1)
    stage.cast.hub.faults.clear()
    assert await hear(ben) == PONG
    await say(ben, event="ping")
    assert await hear(ben) == PONG


@pytest.mark.parametrize("trigger", ["in", "out"])
async def test_a_fault_closes_with_its_code(stage: Stage, trigger: str) -> None:
    ben = await stage.join("ben", ROOM)
    add(stage, f"close 4401 {trigger}")
    if trigger == "in":
        await say(ben, event="ping")
    else:
        stage.publish("1")
    assert await end_of(ben) == (4401, "token_missing")
    await stage.until(lambda: not stage.cast.hub.connections)


@pytest.mark.parametrize("trigger", ["in", "out"])
async def test_a_fault_resets_the_connection(stage: Stage, trigger: str) -> None:
    ben = await stage.join_raw("ben", ROOM)
    add(stage, f"reset {trigger}")
    if trigger == "in":
        await ben.send(TEXT, json.dumps({"event": "ping"}).encode())
    else:
        stage.publish("1")
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(ben.read(), 5)
    await stage.until(lambda: not stage.cast.hub.connections)
    await stage.until(lambda: any(line.get("reason") == "fault_reset" for line in stage.log))


async def test_the_next_connections_are_refused(stage: Stage) -> None:
    add(stage, "refuse 2 @ben", "ben")
    await stage.join("ana")
    for _ in range(2):
        with pytest.raises(InvalidStatus) as refused:
            await stage.dial("ben")
        assert refused.value.response.status_code == 503
    await stage.join("ben")


async def test_without_a_word_for_a_reset_it_is_a_close(make_stage: MakeStage) -> None:
    sent: list[object] = []

    async def asgi_send(message: object) -> None:
        sent.append(message)

    async def nothing() -> None:
        await asyncio.Event().wait()

    transport = PortableTransport(asgi_send)
    transport.reset()
    await transport.accompany(nothing())
    assert sent == [{"type": "websocket.close", "code": 1011, "reason": "internal"}]


def held(stage: Stage) -> int:
    """Count the frames that faults hold up."""
    lines = stage.cast.hub.faults._lines.values()
    return sum(len(line) for some in lines for line in some)
