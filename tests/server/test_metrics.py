"""The figures, one by one and without a server."""

from __future__ import annotations

import pytest

from tribe_ws.clock import SystemClock
from tribe_ws.hub.hub import Hub
from tribe_ws.server.metrics import Metrics


@pytest.fixture
def metrics():
    return Metrics()


def value(metrics, name, **labels):
    return metrics.registry.get_sample_value(name, labels)


def test_frames_and_drops_are_counted_by_their_kind(metrics):
    metrics.frame_in("ping")
    metrics.frame_in("ping")
    metrics.frame_out("message.new", 1000)
    metrics.dropped("slow_consumer")
    metrics.request(201)
    assert value(metrics, "tribe_frames_in_total", event="ping") == 2
    assert value(metrics, "tribe_frames_out_total", event="message.new") == 1000
    assert value(metrics, "tribe_drops_total", reason="slow_consumer") == 1
    assert value(metrics, "tribe_requests_total", status="201") == 1


def test_times_and_sizes_are_kept_as_histograms(metrics):
    metrics.fan_out(0.003)
    metrics.on_commit(16, 0.002)
    assert value(metrics, "tribe_fan_out_seconds_bucket", le="0.005") == 1
    assert value(metrics, "tribe_commit_batch_size_bucket", le="16.0") == 1
    assert value(metrics, "tribe_commit_batch_size_sum") == 16
    assert value(metrics, "tribe_commit_seconds_count") == 1


async def test_hub_is_read_when_somebody_asks(metrics):
    hub = Hub(clock=SystemClock())
    metrics.watch(hub)
    text = metrics.text().decode()
    for name in ("connections", "subscriptions", "outbox_bytes", "outbox_frames"):
        assert f"tribe_{name} 0.0" in text
    await hub.stop()


def test_process_wide_figures_are_left_out(metrics):
    assert b"python_info" not in metrics.text()
