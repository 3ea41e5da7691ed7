"""Two of twenty subscribers stop reading; what the other eighteen still get, and how late."""

from __future__ import annotations

from benchmarks.contestants import LIMIT, NAIVE, OURS, Running, Stable
from benchmarks.driver import publish_steadily
from benchmarks.figures import Figure, percentile
from benchmarks.machine import resident_bytes
from benchmarks.scenarios.turns import in_turn
from benchmarks.servers.control import Control

_HEALTHY, _STALLED = 18, 2
_RATE, _CONTENT = 400.0, 4000
_UNTIL_STALLED, _SECONDS = 4.0, 2.0


async def measure(stable: Stable, number: int) -> list[Figure]:
    """Measure one pass."""
    figures: list[Figure] = []
    for name in in_turn((OURS, NAIVE, LIMIT), number):
        with stable.started(name) as server:
            values = await _measure_server(server)
        figures.extend(Figure(metric, name, number, value) for metric, value in values.items())
    return figures


async def _measure_server(server: Running) -> dict[str, float]:
    crowd, control = server.crowd(), await Control.connect(server.control_port)
    try:
        # The stalled come first: a server that serves in order meets them before everybody else.
        for _ in range(_STALLED):
            await crowd.add_stalled()
        await crowd.grow(_HEALTHY)
        before = resident_bytes(server.pid)
        await publish_steadily(crowd, control, rate=_RATE, seconds=_UNTIL_STALLED, size=_CONTENT)
        run = await publish_steadily(crowd, control, rate=_RATE, seconds=_SECONDS, size=_CONTENT)
        growth = resident_bytes(server.pid) - before
    finally:
        crowd.close()
        control.close()
    values = {
        "stalled/share": 100 * run.deliveries / (run.published * _HEALTHY),
        "stalled/growth": growth / 1e6,
    }
    return values | ({"stalled/p99": percentile(run.latencies, 0.99) * 1000} if run.latencies else {})
