"""Durable sends at 1, 16 and 64 concurrent clients, with nobody subscribed."""

from __future__ import annotations

from benchmarks.contestants import LIMIT, NAIVE, OURS, Running, Stable
from benchmarks.figures import Figure, percentile
from benchmarks.posting import open_posters, post_for
from benchmarks.scenarios.turns import in_turn

_CLIENTS = (1, 16, 64)
_SECONDS, _WARM_UP = 1.5, 0.3


async def measure(stable: Stable, number: int) -> list[Figure]:
    """Measure one pass."""
    figures: list[Figure] = []
    for name in in_turn((OURS, NAIVE, LIMIT), number):
        with stable.started(name) as server:
            for clients in _CLIENTS:
                values = await _measure_clients(server, clients)
                figures.extend(Figure(metric, name, number, value) for metric, value in values.items())
    return figures


async def _measure_clients(server: Running, clients: int) -> dict[str, float]:
    posters = await open_posters(clients, server.port, server.conversation_id, server.senders)
    try:
        await post_for(posters, _WARM_UP)
        sends = await post_for(posters, _SECONDS)
    finally:
        for poster in posters:
            poster.close()
    return {
        f"sends/{clients}": sends.count / sends.seconds,
        f"sends/{clients}/p50": percentile(sends.latencies, 0.50) * 1000,
        f"sends/{clients}/p99": percentile(sends.latencies, 0.99) * 1000,
    }
