"""What is measured and what is demanded of it, as data: the report is drawn from these tables alone."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.figures import Figures

OURS, NAIVE, LIMIT, PYTHON = "ours", "naive", "limit", "python"


@dataclass(frozen=True, slots=True)
class Metric:
    """One thing that is measured, in the unit in which it is shown."""

    key: str
    title: str
    unit: str
    digits: int = 0


@dataclass(frozen=True, slots=True)
class Chapter:
    """Metrics that one scenario measures, beside whom, and what a reader must know about them."""

    scenario: str
    title: str
    contestants: tuple[str, ...]
    metrics: tuple[Metric, ...]
    note: str


@dataclass(frozen=True, slots=True)
class Target:
    """What ours must reach: in the metric's unit, or as a ratio to ``against``."""

    title: str
    metric: str
    against: str = ""
    at_least: float | None = None
    at_most: float | None = None
    digits: int = 2
    unit: str = ""

    def measured(self, figures: Figures) -> float | None:
        """Tell the median that counts; ``None`` if this run did not measure it."""
        spread = (
            figures.ratio(self.metric, OURS, self.against)
            if self.against
            else figures.spread(self.metric, OURS)
        )
        return None if spread is None else spread.median

    def is_reached(self, figures: Figures) -> bool | None:
        """Tell whether the target is reached; ``None`` if this run did not measure it."""
        value = self.measured(figures)
        if value is None:
            return None
        return (self.at_least is None or value >= self.at_least) and (
            self.at_most is None or value <= self.at_most
        )

    @property
    def demand(self) -> str:
        """Say what is demanded."""
        sign, bound = ("≥", self.at_least) if self.at_least is not None else ("≤", self.at_most)
        return f"{sign} {bound:,.{self.digits}f}{self.suffix}"

    @property
    def suffix(self) -> str:
        """Say what the number counts."""
        return f" × {self.against}" if self.against else f" {self.unit}".rstrip()


CHAPTERS = (
    Chapter(
        "fan-out",
        "Fan-out: one sender, many subscribers",
        (OURS, NAIVE, LIMIT),
        (
            Metric("fan-out/100/1", "100 subscribers, 1 message outstanding", "deliveries/CPU-s"),
            Metric("fan-out/100/16", "100 subscribers, 16 outstanding", "deliveries/CPU-s"),
            Metric("fan-out/1000/1", "1,000 subscribers, 1 message outstanding", "deliveries/CPU-s"),
            Metric("fan-out/1000/16", "1,000 subscribers, 16 outstanding", "deliveries/CPU-s"),
            Metric("latency/p50", "1,000 subscribers, 10 messages/s: p50 of a delivery", "ms", 1),
            Metric("latency/p99", "1,000 subscribers, 10 messages/s: p99 of a delivery", "ms", 1),
        ),
        "Deliveries per second of the server's processor time, system calls included. A publisher in each "
        "server keeps 1 or 16 messages outstanding, each until all subscribers have it. The limit is a bare "
        "`asyncio.Protocol` that writes one prebuilt frame per socket; with 16 outstanding it joins the "
        "frames of a loop turn. Latency runs from the order to publish until the driver has read the frame.",
    ),
    Chapter(
        "sends",
        "Sends: POST, durable commit, 201",
        (OURS, NAIVE, LIMIT),
        (
            Metric("sends/1", "1 client", "sends/s"),
            Metric("sends/16", "16 clients", "sends/s"),
            Metric("sends/64", "64 clients", "sends/s"),
            Metric("sends/1/p50", "1 client: p50", "ms", 2),
            Metric("sends/1/p99", "1 client: p99", "ms", 2),
            Metric("sends/16/p50", "16 clients: p50", "ms", 1),
            Metric("sends/16/p99", "16 clients: p99", "ms", 1),
            Metric("sends/64/p50", "64 clients: p50", "ms", 1),
            Metric("sends/64/p99", "64 clients: p99", "ms", 1),
        ),
        "SQLite in WAL mode with `synchronous=FULL` everywhere; ours authenticates, checks the participant "
        "and assigns a sequence number besides. The naive server takes an ORM session per request. The limit "
        "stores the requests of a loop turn in one transaction of plain `sqlite3` and knows no users, nor "
        "HTTP beyond the header it reads.",
    ),
    Chapter(
        "broadcast",
        "Send and fan-out together: 16 clients, 1,000 subscribers",
        (OURS, NAIVE, LIMIT),
        (
            Metric("broadcast/16", "sends", "sends/s"),
            Metric("broadcast/16/p99", "p99 of the 201", "ms", 0),
        ),
        "The real path: POST, commit, 201, and every message read by every subscriber before the clock "
        "stops.",
    ),
    Chapter(
        "stalled",
        "Two stalled readers of twenty, 400 messages/s of 4 kB",
        (OURS, NAIVE, LIMIT),
        (
            Metric("stalled/share", "share that reaches the healthy", "%", 1),
            Metric("stalled/p99", "p99 of their deliveries", "ms", 1),
            Metric("stalled/growth", "memory the server has gained", "MB", 1),
        ),
        "Counted after the stalled sockets' buffers are full. The limit has no bound: it buffers for the "
        "stalled as long as they stay.",
    ),
    Chapter(
        "memory",
        "An idle connection",
        (OURS, NAIVE, LIMIT),
        (Metric("memory", "resident memory per connection", "KiB", 1),),
        "2,000 subscribed connections, in ours of 1,000 users who share a conversation; the kernel's buffers "
        "are not in it.",
    ),
    Chapter(
        "start",
        "Start of the command line",
        (OURS, PYTHON),
        (
            Metric("start/version", "`tribe-ws --version`", "ms", 1),
            Metric("start/help", "`tribe-ws --help`", "ms", 1),
        ),
        "Wall time of the whole process, medians; beside it `python -c pass`.",
    ),
    Chapter(
        "crowd",
        "A scenario of 200 actors in 50 conversations",
        (OURS,),
        (Metric("crowd/scenario", "the whole run", "s", 1),),
        "200 logins, 50 conversations made, 200 connections, 200 subscriptions, 200 messages sent by REST, "
        "600 deliveries expected, and everything taken down. The throw-away server runs in the process of "
        "the scenario, so both share one core.",
    ),
    Chapter(
        "inspector",
        "The chat inspector, 120 columns by 40 rows",
        (OURS,),
        (
            Metric("inspector/load", "100,000 events, from records to the screen", "s of CPU", 2),
            Metric("inspector/cpu", "2,000 events/s, followed: processor time", "% of a core", 0),
            Metric("inspector/key/p50", "2,000 events/s: median wait of a key", "ms", 1),
            Metric("inspector/key/p99", "2,000 events/s: p99 of the wait of a key", "ms", 0),
            Metric("inspector/memory", "resident memory after that, 100,000 events held", "MB", 0),
        ),
        "The real app in a pseudo-terminal. Ten seconds of messages of 420 bytes come over a WebSocket in "
        "batches of 50 ms, are read, held against the contract, kept and shown; ten keys a second are "
        "pressed, and each waits from its byte in the terminal until the app handles it. Processor time "
        "is that of the whole process, until every event is held.",
    ),
)

TARGETS = (
    Target(
        "fan-out to 1,000, 1 outstanding, per CPU-second", "fan-out/1000/1", NAIVE, at_least=1.9, digits=1
    ),
    Target(
        "fan-out to 1,000, 16 outstanding, per CPU-second", "fan-out/1000/16", NAIVE, at_least=15, digits=1
    ),
    Target("p99 of a delivery at 10 messages/s × 1,000", "latency/p99", NAIVE, at_most=0.6),
    Target("share of the healthy beside stalled readers", "stalled/share", at_least=100, unit="%", digits=1),
    Target("memory per idle connection", "memory", at_most=26, unit="KiB", digits=1),
    Target("sends at 16 clients, durable", "sends/16", at_least=2000, unit="/s", digits=0),
    Target("p99 of a send at 64 clients", "sends/64/p99", at_most=80, unit="ms", digits=0),
    Target("send + fan-out to 1,000 at 16 clients", "broadcast/16", at_least=250, unit="/s", digits=0),
    # Demanded in milliseconds on a machine whose bare Python takes 17.
    Target("`tribe-ws --version`", "start/version", PYTHON, at_most=30 / 17),
    Target("`tribe-ws --help`", "start/help", PYTHON, at_most=110 / 17),
    Target("a scenario of 200 actors", "crowd/scenario", at_most=10, unit="s", digits=1),
    Target("inspector: 100,000 events loaded", "inspector/load", at_most=1.0, unit="s of CPU", digits=2),
    Target("inspector: 2,000 events/s", "inspector/cpu", at_most=50, unit="% of a core", digits=0),
    Target("inspector: median wait of a key", "inspector/key/p50", at_most=20, unit="ms", digits=1),
    Target("inspector: memory at 100,000 events", "inspector/memory", at_most=100, unit="MB", digits=0),
)
