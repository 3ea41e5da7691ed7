"""Fan-out from one sender to 100 and to 1,000 subscribers: cost, and latency at a steady rate."""

from __future__ import annotations

from benchmarks.contestants import BATCHED_LIMIT, LIMIT, NAIVE, OURS, Running, Stable
from benchmarks.driver import keep_outstanding, publish_steadily
from benchmarks.figures import Figure, percentile
from benchmarks.scenarios.turns import in_turn
from benchmarks.servers.control import Control
from benchmarks.sockets import Crowd, DriverError

_WINDOWS = {OURS: (1, 16), NAIVE: (1, 16), LIMIT: (1,), BATCHED_LIMIT: (16,)}
_SHOWN_AS = {BATCHED_LIMIT: LIMIT}
_SECONDS = {100: 1.0, 1000: 1.5}
_WARM_UP = 0.25
_RATE, _RATE_SECONDS = 10.0, 4.0


async def measure(stable: Stable, number: int) -> list[Figure]:
    """Measure one pass."""
    figures: list[Figure] = []
    for name in in_turn((OURS, NAIVE, LIMIT, BATCHED_LIMIT), number):
        with stable.started(name) as server:
            for metric, value in (await _measure_server(server)).items():
                figures.append(Figure(metric, _SHOWN_AS.get(name, name), number, value))
    return figures


async def _measure_server(server: Running) -> dict[str, float]:
    crowd, control = server.crowd(), await Control.connect(server.control_port)
    values: dict[str, float] = {}
    try:
        for size, seconds in _SECONDS.items():
            await crowd.grow(size)
            for window in _WINDOWS[server.name]:
                await keep_outstanding(crowd, control, server.pid, window=window, seconds=_WARM_UP)
                run = await keep_outstanding(crowd, control, server.pid, window=window, seconds=seconds)
                values[f"fan-out/{size}/{window}"] = run.per_cpu_second
        if server.name != BATCHED_LIMIT:
            values |= await _latency(crowd, control)
    finally:
        crowd.close()
        control.close()
    return values


async def _latency(crowd: Crowd, control: Control) -> dict[str, float]:
    run = await publish_steadily(crowd, control, rate=_RATE, seconds=_RATE_SECONDS)
    wanted = run.published * len(crowd.members)
    if run.deliveries != wanted:
        raise DriverError(f"{wanted} deliveries were due, {run.deliveries} came")
    return {f"latency/p{share}": percentile(run.latencies, share / 100) * 1000 for share in (50, 99)}
