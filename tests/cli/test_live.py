"""What a session says of its connection, and what it counts; no socket is needed for that."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from tribe_ws.capture.filter import parse_filter
from tribe_ws.capture.names import Names
from tribe_ws.client.events import (
    CatchUpFailed,
    Dropped,
    Event,
    Lost,
    Opened,
    PongMissing,
    Reconnected,
    Reconnecting,
    Repeated,
    TokenRenewed,
    read_event,
)
from tribe_ws.client.exchanges import ExchangeLog
from tribe_ws.client.results import Conversation, Participant
from tribe_ws.client.tokens import FixedToken
from tribe_ws.errors import ApiError
from tribe_ws_cli.bounds import Bounds
from tribe_ws_cli.diagnostics import Talk
from tribe_ws_cli.environment import resolve
from tribe_ws_cli.lines import LineStyle
from tribe_ws_cli.live import Live, LiveOptions
from tribe_ws_cli.notices import silence_words
from tribe_ws_cli.output import Output
from tribe_ws_cli.printer import Mode, Printer

NOW = datetime(2026, 11, 23, 1, 22, tzinfo=UTC)
PEOPLE = tuple(Participant(f"id-{name}", name, name.title(), "member", None) for name in ("alice", "bob"))
GENERAL = Conversation("c1", "group", "general", PEOPLE, None, 0, None)


class Stage:
    """A session whose stream is never opened, and what it prints."""

    def __init__(self, mode: Mode = "pretty", **options: Any) -> None:
        self.stdout, self.stderr = io.StringIO(), io.StringIO()
        printer = Printer(mode, Output(self.stdout), Talk(self.stderr), LineStyle())
        rest = SimpleNamespace(source=FixedToken("x"), tokens=None)
        identity: Any = SimpleNamespace(
            environment=resolve({}, {}), rest=rest, username="alice", exchanges=ExchangeLog()
        )
        self.live = Live(identity, Names([GENERAL], "alice"), printer, LiveOptions(**options))

    @property
    def said(self) -> list[str]:
        """The printed lines, without their times and glyphs."""
        return [line[17:] for line in self.stdout.getvalue().splitlines()]

    def event(self, text: str) -> None:
        self.live.take(read_event(text, received_at=0, at=NOW))


@pytest.fixture
def stage() -> Callable[..., Stage]:
    return Stage


async def test_a_loss_and_the_return_from_it(stage: Callable[..., Stage]) -> None:
    session = stage()
    session.live.take(Opened(NOW, 0.03))
    session.live.take(TokenRenewed(NOW, None))
    session.live.take(Lost(NOW, 1006, "", "no close frame (the server process ended?)"))
    session.live.take(Reconnecting(NOW, 1, 1.0))
    session.live.take(Reconnecting(NOW, 2, 2.0))
    session.live.take(Reconnected(NOW, 6.2, 3, 2, ("c1",), ("c2",)))
    closed, reconnected = session.said
    assert (
        closed
        == "closed                 1006, no close frame (the server process ended?). Trying again in 1.0 s"
    )
    assert reconnected == (
        "reconnected            after 6.2 s, try 3, re-subscribed #general, 2 missed messages fetched;"
        " c2 was not confirmed again."
    )


async def test_a_loss_that_is_final(stage: Callable[..., Stage]) -> None:
    session = stage(reconnect=False)
    session.live.take(Lost(NOW, 4413, "slow_consumer", "the client reads too slowly"))
    assert session.said == ['closed                 4413 "slow_consumer", the client reads too slowly.']


async def test_other_notices(stage: Callable[..., Stage]) -> None:
    session = stage()
    message = read_event('{"event":"message.new","data":{"id":"m1"}}', received_at=0, at=NOW)
    session.live.take(CatchUpFailed(NOW, "c1", ApiError(500, "no")))
    session.live.take(Dropped(NOW, 7))
    session.live.take(PongMissing(NOW, 10))
    session.live.take(Repeated(NOW, message))
    assert session.said == [
        "gap                    what was missed in #general cannot be fetched: the server answered 500: no",
        "gap                    we read too slowly: 7 events were thrown away",
        "note                   the server did not answer a ping in 10 s",
        "repeated               the server sent message m1 twice (message.once)",
    ]


async def test_scripts_find_notices_on_stderr(stage: Callable[..., Stage]) -> None:
    session = stage("ndjson")
    session.live.take(Dropped(NOW, 7))
    assert session.stdout.getvalue() == ""
    assert session.stderr.getvalue() == "tribe-ws: gap: we read too slowly: 7 events were thrown away\n"


async def test_raw_prints_frames_as_they_came(stage: Callable[..., Stage]) -> None:
    session = stage("raw", shows_opening=True)
    session.event('{"event":"connected","message":"x"}')
    session.event('{"event":"novel", "x":"t"}')
    session.live.note("note", "words")
    assert session.stdout.getvalue().splitlines() == [
        '{"event":"connected","message":"x"}',
        '{"event":"novel", "x":"t"}',
    ]
    assert "words" in session.stderr.getvalue()


class Flood:
    """A stream that has more to read, at the first look, than anybody waits for."""

    def __init__(self, *texts: str) -> None:
        self._items = [read_event(text, received_at=0, at=NOW) for text in texts]

    @property
    def unread(self) -> int:
        return len(self._items)

    async def subscribe(self, _conversation_id: str) -> float:
        return 0.0

    def __aiter__(self) -> Flood:
        return self

    async def __anext__(self) -> Event:
        if not self._items:
            raise StopAsyncIteration
        return self._items.pop(0)


async def test_what_comes_after_a_bound_is_not_shown_however_early_it_came(
    stage: Callable[..., Stage],
) -> None:
    session = stage(
        "raw", bounds=Bounds(count=1, until=parse_filter("event:message.new")), subscribe=("general",)
    )
    messages = (f'{{"event":"message.new","data":{{"id":"m{number}"}}}}' for number in range(5))
    stream: Any = Flood('{"event":"connected"}', '{"event":"subscribed","conversation_id":"c1"}', *messages)
    session.live.stream = stream
    await session.live.open_subscriptions()
    await session.live.read()
    assert session.stdout.getvalue().splitlines() == ['{"event":"message.new","data":{"id":"m0"}}']


async def test_violations_are_shown_and_counted(stage: Callable[..., Stage]) -> None:
    session = stage()
    session.event('{"event":"typing","conversation_id":"c1","data":{"user_id":"id-bob"}}')
    session.event("not json")
    assert session.live.journal.counts["violation"] == 2
    assert [record.seq for record in session.live.journal.violations()] == [1, 2]
    assert "2 violations" in session.live.summary()
    assert "✗" in session.stdout.getvalue()


async def test_why_it_is_silent(stage: Callable[..., Stage]) -> None:
    session = stage()
    why = partial(silence_words, session.live)
    assert why(can_subscribe=True).endswith("Try /subscribe general")
    assert "tribe-ws watch general --as alice" in why(can_subscribe=False)
    session.live.printer.hidden = 42
    assert why(can_subscribe=True) == "The filter hides 42 events. /filter off shows them."


async def test_only_the_newest_thousand_are_kept(stage: Callable[..., Stage]) -> None:
    session = stage("raw")
    for _ in range(1001):
        session.event('{"event":"pong"}')
    journal = session.live.journal
    assert journal.find(1) is None
    assert len(journal.records()) == 1000
    assert journal.summary() == "pong 1001"


async def test_tokens_are_hidden_in_records(stage: Callable[..., Stage]) -> None:
    session = stage()
    record = session.live.journal.sent('{"event":"auth","token":"eyJhbGciOiJIUzI1NiJ9.e30.x"}')
    assert record.frame == {"event": "auth", "token": "***"}
    assert "eyJ" not in record.text
    url = session.live.journal.sent('{"event":"raw","url":"ws://h/ws?token=abc"}')
    assert "abc" not in str(url.frame)


@pytest.mark.parametrize(
    ("created_at", "timing", "shown"),
    [
        ("2026-11-23T01:21:59.900Z", "stamped", "100 ms"),
        ("2026-11-23T01:21:59Z", "guessed", "~1 s"),
        ("2026-11-23T01:22:00.500Z", "stamped", "0.0 ms"),
        ("2026-11-23T02:22:00Z", "measured", ""),
        ("nonsense", "measured", ""),
    ],
)
async def test_latency_of_a_message(
    stage: Callable[..., Stage], created_at: str, timing: str, shown: str
) -> None:
    session = stage()
    session.event(f'{{"event":"message.new","conversation_id":"c1","data":{{"created_at":"{created_at}"}}}}')
    record = session.live.journal.find(1)
    assert record is not None
    assert record.timing == timing
    assert session.stdout.getvalue().splitlines()[0].endswith(shown)
