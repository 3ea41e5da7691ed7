"""Servers under test as processes: they start, say where they listen, and end with their run."""

from __future__ import annotations

import pytest

from benchmarks.contestants import BATCHED_LIMIT, LIMIT, NAIVE, OURS, Stable
from benchmarks.driver import keep_outstanding
from benchmarks.machine import cpu_seconds, resident_bytes
from benchmarks.posting import open_posters, post_for
from benchmarks.servers.control import Control
from tribe_ws.running import is_alive


@pytest.mark.parametrize("name", [OURS, NAIVE, LIMIT, BATCHED_LIMIT])
async def test_contestant_publishes_stores_and_ends(name, tmp_path):
    with Stable(tmp_path).started(name) as server:
        crowd, control = server.crowd(), await Control.connect(server.control_port)
        posters = await open_posters(2, server.port, server.conversation_id, server.senders)
        try:
            await crowd.grow(3)
            run = await keep_outstanding(crowd, control, server.pid, window=2, seconds=0)
            sends = await post_for(posters, 0)
        finally:
            crowd.close()
            control.close()
            for poster in posters:
                poster.close()
        assert run.deliveries == 6
        assert sends.count == 2
        assert cpu_seconds(server.pid) > 0
        assert resident_bytes(server.pid) > 1024 * 1024
    assert not is_alive(server.pid)
