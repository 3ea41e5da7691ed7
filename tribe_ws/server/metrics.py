"""The figures of one server for Prometheus, in a registry of its own.

Hub and storage report through plain calls on the hot path; what they keep themselves is read when somebody
asks.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tribe_ws.hub.hub import Hub

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_FAN_OUT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_COMMIT_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Counts what happens; an observer of the hub and of the storage."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._frames_in = _ByLabel(
            Counter("tribe_frames_in", "Client frames understood.", ["event"], registry=self.registry)
        )
        self._frames_out = _ByLabel(
            Counter(
                "tribe_frames_out", "Server frames handed to connections.", ["event"], registry=self.registry
            )
        )
        self._drops = _ByLabel(
            Counter(
                "tribe_drops",
                "Client frames ignored and connections given up, by reason.",
                ["reason"],
                registry=self.registry,
            )
        )
        self._requests = _ByLabel(
            Counter("tribe_requests", "REST requests answered.", ["status"], registry=self.registry)
        )
        self._fan_out = Histogram(
            "tribe_fan_out_seconds",
            "From publishing to the last socket.",
            buckets=_FAN_OUT_SECONDS,
            registry=self.registry,
        )
        self._commit_size = Histogram(
            "tribe_commit_batch_size",
            "Writes that shared one commit.",
            buckets=_BATCH_SIZES,
            registry=self.registry,
        )
        self._commit_seconds = Histogram(
            "tribe_commit_seconds", "Time of a commit.", buckets=_COMMIT_SECONDS, registry=self.registry
        )

    def watch(self, hub: Hub) -> None:
        """Show the hub's own figures too: connections, subscriptions, outbox depth."""
        self.registry.register(_HubFigures(hub))

    def frame_in(self, event: str) -> None:
        """Count a client's frame that was understood."""
        self._frames_in.add(event, 1)

    def frame_out(self, event: str, n: int) -> None:
        """Count a frame that was handed to ``n`` connections."""
        self._frames_out.add(event, n)

    def dropped(self, reason: str) -> None:
        """Count a frame that was ignored, or a connection that was given up."""
        self._drops.add(reason, 1)

    def fan_out(self, seconds: float) -> None:
        """Note how long a batch took from its publishing to the last socket."""
        self._fan_out.observe(seconds)

    def on_commit(self, batch_size: int, seconds: float) -> None:
        """Note how many writes shared a commit and how long it took."""
        self._commit_size.observe(batch_size)
        self._commit_seconds.observe(seconds)

    def request(self, status: int) -> None:
        """Count a REST request by the status of its answer."""
        self._requests.add(str(status), 1)

    def text(self) -> bytes:
        """Write all figures down as Prometheus reads them."""
        return generate_latest(self.registry)


class _ByLabel:
    """A counter with one label whose children are looked up once, not on every frame."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._children: dict[str, Counter] = {}

    def add(self, label: str, amount: int) -> None:
        child = self._children.get(label)
        if child is None:
            child = self._children[label] = self._counter.labels(label)
        child.inc(amount)


class _HubFigures(Collector):
    """Reads the hub at the moment somebody asks for the figures."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def collect(self) -> Iterator[Metric]:
        waiting_bytes, waiting_frames = self._hub.outbox
        yield GaugeMetricFamily("tribe_connections", "Open sockets.", self._hub.connection_count)
        yield GaugeMetricFamily(
            "tribe_subscriptions", "Subscriptions of all sockets.", self._hub.subscription_count
        )
        yield GaugeMetricFamily("tribe_outbox_bytes", "Bytes that wait for slow readers.", waiting_bytes)
        yield GaugeMetricFamily("tribe_outbox_frames", "Frames that wait for slow readers.", waiting_frames)
