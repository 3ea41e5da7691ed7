from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tribe_ws.client.buffer import EventBuffer, Overflow
from tribe_ws.client.events import Dropped, Opened, Reconnecting, read_event
from tribe_ws.clock import ManualClock
from tribe_ws.errors import ConnectionLost

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def item(number: int) -> Opened:
    return Opened(NOW, float(number))


def buffer(limit: int, overflow: Overflow = Overflow.PAUSE) -> EventBuffer:
    return EventBuffer(limit, overflow, ManualClock())


async def test_items_come_out_in_the_order_they_went_in() -> None:
    held = buffer(10)
    for number in range(3):
        await held.put(item(number))
    assert [await held.get() for _ in range(3)] == [item(0), item(1), item(2)]


async def test_a_reader_waits_for_the_next_item() -> None:
    held = buffer(10)
    reading = asyncio.create_task(held.get())
    await asyncio.sleep(0)
    await held.put(item(1))
    assert await reading == item(1)


async def test_pause_makes_the_writer_wait_until_there_is_room() -> None:
    held = buffer(1)
    await held.put(item(1))
    writing = asyncio.create_task(held.put(item(2)))
    await asyncio.sleep(0)
    assert held.is_stalled
    assert not writing.done()
    assert await held.get() == item(1)
    await writing
    assert await held.get() == item(2)


async def test_a_cancelled_put_has_added_nothing() -> None:
    held = buffer(1)
    await held.put(item(1))
    writing = asyncio.create_task(held.put(item(2)))
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert len(held) == 1


async def test_drop_oldest_keeps_up_and_says_how_many_are_missing() -> None:
    held = buffer(2, Overflow.DROP_OLDEST)
    for number in range(5):
        await held.put(item(number))
    assert not held.is_stalled
    first = await held.get()
    assert isinstance(first, Dropped)
    assert first.count == 3
    assert [await held.get(), await held.get()] == [item(3), item(4)]


async def test_what_is_there_can_be_read_after_the_end_and_then_the_error_comes() -> None:
    held = buffer(10)
    await held.put(item(1))
    held.finish(ConnectionLost(1006))
    held.finish(None)
    await held.put(item(2))
    assert await held.get() == item(1)
    for _ in range(2):
        with pytest.raises(ConnectionLost):
            await held.get()


async def test_without_an_error_the_iteration_just_ends() -> None:
    held = buffer(10)
    held.finish()
    with pytest.raises(StopAsyncIteration):
        await held.get()


async def test_the_end_frees_a_waiting_writer_and_a_waiting_reader() -> None:
    full, empty = buffer(1), buffer(1)
    await full.put(item(1))
    writing = asyncio.create_task(full.put(item(2)))
    reading = asyncio.create_task(anext_of(empty))
    await asyncio.sleep(0)
    full.finish()
    empty.finish()
    await writing
    assert await reading == "ended"


async def anext_of(held: EventBuffer) -> str:
    try:
        await held.get()
    except StopAsyncIteration:
        return "ended"
    return "got one"


async def test_heartbeats_and_tries_in_a_row_do_not_fill_what_nobody_reads() -> None:
    held = buffer(2)
    pong = replace(read_event('{"event":"pong"}', received_at=0.0, at=NOW), is_heartbeat=True)
    for number in range(100):
        await held.put(replace(pong, latency=float(number)))
    for number in range(100):
        await held.put(Reconnecting(NOW, number, 1.0))
    assert [await held.get(), await held.get()] == [replace(pong, latency=99.0), Reconnecting(NOW, 99, 1.0)]


async def test_pongs_that_were_asked_for_are_all_kept() -> None:
    held = buffer(10)
    pong = read_event('{"event":"pong"}', received_at=0.0, at=NOW)
    for _ in range(3):
        await held.put(pong)
    assert len(held) == 3


async def test_two_readers_at_once_are_refused() -> None:
    held = buffer(1)
    reading = asyncio.create_task(held.get())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="one reader at a time"):
        await held.get()
    await held.put(item(1))
    assert await reading == item(1)


async def test_a_cancelled_reader_leaves_the_place_to_the_next() -> None:
    held = buffer(1)
    reading = asyncio.create_task(held.get())
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    await held.put(item(1))
    assert await held.get() == item(1)
