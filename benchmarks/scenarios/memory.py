"""Resident memory per idle, subscribed connection."""

from __future__ import annotations

import asyncio

from benchmarks.contestants import LIMIT, NAIVE, OURS, Running, Stable
from benchmarks.figures import Figure
from benchmarks.machine import resident_bytes
from benchmarks.scenarios.turns import in_turn

# The first connections also pay for what a server allocates once.
_FIRST, _MORE = 100, 2000
_SETTLE = 0.5


async def measure(stable: Stable, number: int) -> list[Figure]:
    """Measure one pass."""
    figures: list[Figure] = []
    for name in in_turn((OURS, NAIVE, LIMIT), number):
        with stable.started(name) as server:
            figures.append(Figure("memory", name, number, await _kibibytes_per_connection(server)))
    return figures


async def _kibibytes_per_connection(server: Running) -> float:
    crowd = server.crowd()
    try:
        await crowd.grow(_FIRST)
        await asyncio.sleep(_SETTLE)
        before = resident_bytes(server.pid)
        await crowd.grow(_FIRST + _MORE)
        await asyncio.sleep(_SETTLE)
        return (resident_bytes(server.pid) - before) / _MORE / 1024
    finally:
        crowd.close()
