"""One slow, hostile or broken client changes nothing for the others (contract 3.6, 6.4)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import pytest

from tests.server.raw_client import CLOSE, PING, RawClient, frame
from tests.server.socket_stage import LOOPS, ROOM, MakeStage, Stage, hear_json, until
from tribe_ws.protocol.close_codes import SLOW_CONSUMER

LOOP_FACTORIES = LOOPS
BIG = "x" * 16_000


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tribe_ws.server.socket_protocol.CLOSE_GRACE", 0.2)
    monkeypatch.setattr("tribe_ws.server.portable_socket.CLOSE_GRACE", 0.2)


async def congest(stage: Stage, user: str) -> None:
    """Publish until frames wait for a user who does not read."""
    connection = stage.connection(user)
    for number in range(2000):
        stage.publish(f"fill{number}", content=BIG)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if connection.transport.waiting()[0]:
            return
    raise AssertionError("the kernel took everything")


async def overfill(stage: Stage, user: str, *, but_see: Callable[[str], object] | None = None) -> None:
    """Publish until a user who does not read is given up."""
    connection = stage.connection(user)
    number = 0
    while connection.ended is None:
        stage.publish(f"m{number}", content=BIG)
        await asyncio.sleep(0)
        number += 1
        assert number < 2000, "never given up"
    assert connection.ended is SLOW_CONSUMER


async def test_who_never_reads_is_closed_with_4413_and_the_others_get_everything(
    make_stage: MakeStage,
) -> None:
    async with make_stage() as stage:
        stalled = await stage.join_raw("cara", ROOM)
        ben = await stage.join("ben", ROOM)
        published = 0
        connection = stage.connection("cara")
        while connection.ended is None:
            stage.publish(f"m{published}", content=BIG)
            assert (await hear_json(ben))["data"]["id"] == f"m{published}"
            published += 1
        for number in range(published, published + 20):
            stage.publish(f"m{number}", content=BIG)
            assert (await hear_json(ben))["data"]["id"] == f"m{number}"
        texts, close = await stalled.read_until_close()
        assert close == (4413, "slow_consumer")
        names = [json.loads(text)["data"]["id"] for text in texts]
        assert names == [f"m{number}" for number in range(len(names))]
        await until(lambda: stage.cast.hub.recipients(ROOM) == 1)
        assert stage.cast.counts.reasons == ["slow_consumer"]


async def test_who_never_reads_at_all_is_cut_off(make_stage: MakeStage, short_grace) -> None:
    async with make_stage() as stage:
        await stage.join_raw("cara", ROOM)
        await overfill(stage, "cara")
        await until(lambda: not stage.cast.hub.connection_count)
        await until(lambda: not stage.server.server_state.connections)
        await until(lambda: not stage.server.server_state.tasks)


async def test_too_many_frames_are_too_many_even_if_they_are_short(make_stage: MakeStage) -> None:
    async with make_stage(limit_outbox_bytes=0, limit_outbox_frames=50) as stage:
        await stage.join_raw("cara", ROOM)
        await congest(stage, "cara")
        connection = stage.connection("cara")
        waiting = connection.transport.waiting()[1]
        for number in range(waiting, 50):
            stage.publish(f"m{number}")
            stage.cast.hub.flush()
            await asyncio.sleep(0)
        assert connection.ended is None
        assert connection.transport.waiting()[1] == 50
        stage.publish("one too many")
        stage.cast.hub.flush()
        assert connection.ended is SLOW_CONSUMER


async def test_a_client_that_catches_up_in_time_loses_nothing(make_stage: MakeStage) -> None:
    async with make_stage() as stage:
        slow = await stage.join_raw("cara", ROOM)
        await congest(stage, "cara")
        connection = stage.connection("cara")
        size, frames = connection.transport.waiting()
        assert size > 0
        assert 0 < frames < 200
        stage.publish("last")
        names: list[str] = []
        while not names or names[-1] != "last":
            names.append(json.loads((await slow.read()).payload)["data"]["id"])
        assert names == [*(f"fill{number}" for number in range(len(names) - 1)), "last"]
        await until(lambda: connection.transport.waiting() == (0, 0))
        assert connection.ended is None


async def test_thousands_of_short_frames_at_once_are_no_reason_to_close(make_stage: MakeStage) -> None:
    async with make_stage() as stage:
        ben = await stage.join("ben", ROOM)
        for number in range(3000):
            stage.publish(f"m{number}")
        assert [(await hear_json(ben))["data"]["id"] for _ in range(3000)] == [
            f"m{number}" for number in range(3000)
        ]
        assert stage.connection("ben").ended is None


async def test_a_client_that_floods_with_pings_and_reads_nothing_piles_nothing_up(
    make_stage: MakeStage,
) -> None:
    async with make_stage() as stage:
        hostile = await stage.join_raw("cara", ROOM)
        await congest(stage, "cara")
        pings = frame(PING, b"p" * 125) * 500
        protocol = stage.protocol
        before = protocol.transport.get_write_buffer_size()
        for _ in range(40):
            await hostile.write(pings)
        await asyncio.sleep(0)
        assert protocol.transport.get_write_buffer_size() < before + 400_000


@pytest.mark.parametrize("way", ["half-close", "close frame"])
async def test_a_stalled_client_that_says_goodbye_is_forgotten_and_cut_off(
    make_stage: MakeStage, short_grace, way: str
) -> None:
    async with make_stage() as stage:
        stalled: RawClient = await stage.join_raw("cara", ROOM)
        await congest(stage, "cara")
        if way == "half-close":
            stalled.socket.shutdown(1)
        else:
            await stalled.send(CLOSE, b"\x03\xe8")
        await until(lambda: not stage.cast.hub.connection_count)
        await until(lambda: not stage.server.server_state.connections)


async def test_a_stalled_client_does_not_hold_up_a_stop(make_stage: MakeStage, short_grace) -> None:
    async with make_stage(stop_timeout=4) as stage:
        await stage.join_raw("cara", ROOM)
        await congest(stage, "cara")
        await asyncio.wait_for(stage.stop(), 4)
        assert stage.cast.hub.connection_count == 0
