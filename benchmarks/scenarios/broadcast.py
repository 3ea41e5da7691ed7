"""The real path, whole: sixteen clients post, a thousand subscribers read every message."""

from __future__ import annotations

import time

from benchmarks.contestants import LIMIT, NAIVE, OURS, Running, Stable
from benchmarks.driver import all_delivered
from benchmarks.figures import Figure, percentile
from benchmarks.posting import Poster, Sends, open_posters, post_for
from benchmarks.scenarios.turns import in_turn
from benchmarks.sockets import Crowd

_CLIENTS, _SUBSCRIBERS = 16, 1000
_SECONDS, _WARM_UP = 2.0, 0.3


async def measure(stable: Stable, number: int) -> list[Figure]:
    """Measure one pass."""
    figures: list[Figure] = []
    for name in in_turn((OURS, NAIVE, LIMIT), number):
        with stable.started(name) as server:
            values = await _measure_server(server)
        figures.extend(Figure(metric, name, number, value) for metric, value in values.items())
    return figures


async def _measure_server(server: Running) -> dict[str, float]:
    crowd = server.crowd()
    await crowd.grow(_SUBSCRIBERS)
    posters = await open_posters(_CLIENTS, server.port, server.conversation_id, server.senders)
    try:
        await _post_and_deliver(crowd, posters, _WARM_UP)
        sends, seconds = await _post_and_deliver(crowd, posters, _SECONDS)
    finally:
        crowd.close()
        for poster in posters:
            poster.close()
    return {
        "broadcast/16": sends.count / seconds,
        "broadcast/16/p99": percentile(sends.latencies, 0.99) * 1000,
    }


async def _post_and_deliver(crowd: Crowd, posters: list[Poster], seconds: float) -> tuple[Sends, float]:
    """Post for so long; tells what was sent and how long it took until everybody had all of it."""
    crowd.begin()
    started = time.monotonic()
    sends = await post_for(posters, seconds)
    await all_delivered(crowd, sends.count)
    return sends, time.monotonic() - started
