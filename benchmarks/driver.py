"""The load driver: what it does to a server under test, and what it reads off it.

It runs in a process and on a core of its own. Each measurement starts and ends with nothing outstanding, so
that the deliveries and the processor time it divides belong to each other; each follows every message to
every subscriber and raises ``DriverError`` for one that is lost or doubled.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import wire
from benchmarks.machine import cpu_seconds
from benchmarks.servers.control import Control
from benchmarks.sockets import Crowd, DriverError

EVENT_CONTENT = wire.MIN_CONTENT
"""With the least content there is, an event has 419 bytes."""
DRAIN_DEADLINE = 30.0
_SETTLE = 0.05


@dataclass(frozen=True, slots=True)
class FanOut:
    """What a server delivered, and the time its process spent on a core for it."""

    deliveries: int
    cpu_seconds: float

    @property
    def per_cpu_second(self) -> float:
        """Deliveries per second of the server's processor time."""
        return self.deliveries / self.cpu_seconds


@dataclass(frozen=True, slots=True)
class PacedRun:
    """What subscribers got of messages published at a steady rate."""

    published: int
    deliveries: int
    latencies: tuple[float, ...]


async def keep_outstanding(
    crowd: Crowd, control: Control, pid: int, *, window: int, seconds: float
) -> FanOut:
    """Publish so that ``window`` messages are always on their way, each until it has reached everybody."""
    progress = crowd.begin()
    finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    published = window
    until = time.monotonic() + seconds

    def follow_up() -> None:
        nonlocal published
        if time.monotonic() < until:
            owed = progress.complete + window - published
            published += owed
            control.publish([time.monotonic_ns()] * owed, EVENT_CONTENT)
        elif progress.complete >= published and not finished.done():
            finished.set_result(None)

    crowd.on_complete = follow_up
    before = cpu_seconds(pid)
    control.publish([time.monotonic_ns()] * window, EVENT_CONTENT)
    await crowd.wait(finished, seconds + DRAIN_DEADLINE)
    await asyncio.sleep(_SETTLE)
    spent = cpu_seconds(pid) - before
    _demand_each_once(crowd, published)
    return FanOut(progress.frames, spent)


async def publish_steadily(
    crowd: Crowd, control: Control, *, rate: float, seconds: float, size: int = EVENT_CONTENT
) -> PacedRun:
    """Publish ``rate`` messages a second, whatever the server makes of it, and take each delivery's latency.

    What has not arrived a second after the end counts as not delivered.
    """
    progress = crowd.begin()
    latencies: list[float] = []
    crowd.on_event = _latency_recorder(latencies)
    count = int(rate * seconds)
    finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def check() -> None:
        if progress.complete >= count and not finished.done():
            finished.set_result(None)

    crowd.on_complete = check
    start = time.monotonic()
    for number in range(count):
        await asyncio.sleep(max(0.0, start + number / rate - time.monotonic()))
        control.publish([time.monotonic_ns()], size)
    try:
        await asyncio.wait_for(asyncio.shield(finished), timeout=1.0)
    except TimeoutError:
        finished.cancel()
    crowd.on_event = None
    return PacedRun(count, progress.frames, tuple(latencies))


async def all_delivered(crowd: Crowd, count: int) -> None:
    """Return when ``count`` messages have reached everybody since ``begin``."""
    finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def check() -> None:
        if crowd.progress.complete >= count and not finished.done():
            finished.set_result(None)

    crowd.on_complete = check
    check()
    await crowd.wait(finished, DRAIN_DEADLINE)
    await asyncio.sleep(_SETTLE)
    _demand_each_once(crowd, count)


def _latency_recorder(latencies: list[float]) -> Callable[[bytes, int, int], None]:
    """Make a reader of the stamp inside an event."""
    mark, digits = wire.STAMP_MARK, wire.STAMP_DIGITS
    skip = len(mark)

    def record(data: bytes, start: int, stop: int) -> None:
        at = data.find(mark, start, stop) + skip
        latencies.append((time.monotonic_ns() - int(data[at : at + digits])) / 1e9)

    return record


def _demand_each_once(crowd: Crowd, published: int) -> None:
    progress = crowd.progress
    if progress.complete != published or progress.furthest != published:
        raise DriverError(
            f"{published} messages were published; everybody got {progress.complete}, "
            f"one subscriber got {progress.furthest}"
        )
