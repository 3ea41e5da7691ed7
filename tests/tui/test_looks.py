"""What the inspector looks like in every state, at three sizes, in colour and with NO_COLOR.

Every day each state is seen once in colour and once without, the other pairs of mode and size are slow.
The looks are stored beside this file as text. ``TRIBE_WS_UPDATE_LOOKS=1 pytest tests/tui/test_looks.py``
writes them anew; the difference is to be looked at before it is committed.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.tui.fake_session import DESIGN, GENERAL
from tests.tui.looks import compare, look_of
from tests.tui.stage import MEDIUM, NARROW, WIDE, Stage, conversation, staged
from tribe_ws.client.events import Lost, Reconnected, Reconnecting
from tribe_ws_tui.state import Link, LinkKind
from tribe_ws_tui.store import Backlog
from tribe_ws_tui.widgets import row_scroll

SLOW = pytest.mark.slow
EACH = pytest.mark.parametrize(
    ("mode", "size"),
    [
        pytest.param("color", NARROW, id="color-80x24", marks=SLOW),
        pytest.param("color", MEDIUM, id="color-120x40"),
        pytest.param("color", WIDE, id="color-200x60", marks=SLOW),
        pytest.param("no-color", NARROW, id="no-color-80x24"),
        pytest.param("no-color", MEDIUM, id="no-color-120x40", marks=SLOW),
        pytest.param("no-color", WIDE, id="no-color-200x60", marks=SLOW),
    ],
)


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the times on the screen be the same everywhere."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture(autouse=True)
def steady_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a busy machine draw no slower: the pace is on the screen."""
    monkeypatch.setattr(row_scroll, "FPS_WHEN_SLOW", row_scroll.FPS)
    monkeypatch.setattr(row_scroll, "FPS_AFTER_KEY", row_scroll.FPS)


@pytest.fixture
def color(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if mode == "no-color":
        monkeypatch.setenv("NO_COLOR", "1")
    else:
        monkeypatch.delenv("NO_COLOR", raising=False)


@EACH
@pytest.mark.usefixtures("color")
async def test_each_state_looks_as_it_was_reviewed(mode: str, size: tuple[int, int], tmp_path: Path) -> None:
    dialling = Link(LinkKind.DIALLING, since=-0.4)
    complaints = []
    async with staged(size, stays_away=dialling) as stage:
        async for state in story(stage, tmp_path):
            await stage.settle()
            complaints.append(compare(f"{mode}/{size[0]}x{size[1]}/{state}", look_of(stage.app)))
    assert not (told := [one for one in complaints if one]), "\n".join(told)


async def story(stage: Stage, folder: Path) -> AsyncIterator[str]:
    """Go through the states of a session, and tell the name of each when it is reached."""
    alice, clock = stage.alice, stage.clock
    yield "01-connecting"
    clock.advance(0.6)
    alice.move(Link(LinkKind.HANDSHAKEN, since=clock.monotonic() - 2))
    yield "02-waiting-for-connected"
    alice._stays_away = None
    alice.start()
    clock.advance(6)
    yield "03-open-not-subscribed"
    alice.subscribe(GENERAL)
    clock.advance(6)
    yield "04-empty-conversation"
    conversation(stage)
    yield "05-open"
    async for state in looking(stage):
        yield state
    async for state in trouble(stage):
        yield state
    async for state in further(stage, folder):
        yield state


async def looking(stage: Stage) -> AsyncIterator[str]:
    """Filter, select, write."""
    stage.screen.set_filter("from:dan")
    yield "06-filter-hides-all"
    stage.screen.set_filter("event:message.* !from:bob")
    yield "07-filter"
    await stage.press("slash", "space", *"|form:x")
    yield "08-filter-wrong"
    await stage.press("escape", "escape")
    await stage.press("V", "enter")
    yield "09-event-with-violation"
    await stage.press("escape")
    stage.alice.hear_message("cara", "Frozen, but captured")
    yield "10-frozen"
    await stage.press("end", "i", *"/su")
    yield "11-composer-completes"
    await stage.press("escape", "ctrl+u", "escape")


async def trouble(stage: Stage) -> AsyncIterator[str]:
    """Lose the connection in every way."""
    alice, clock = stage.alice, stage.clock

    def lose(code: int, reason: str = "", meaning: str = "no close frame") -> None:
        alice.hear_notice(Lost(clock.now(), code, reason, meaning))

    lose(1006)
    alice.hear_notice(Reconnecting(clock.now(), 2, 4.0))
    yield "12-reconnecting"
    clock.advance(6.2)
    alice.hear_notice(Reconnected(clock.now(), 6.2, 2, 2, (GENERAL,)))
    yield "13-back-with-a-gap"
    lose(1012, "service_restart", "the server restarts")
    alice.hear_notice(Reconnecting(clock.now(), 1, 0.6))
    yield "14-server-restarts"
    lose(4401, "token_expired", "the token ran out")
    yield "15-token-expired"
    alice.move(Link(LinkKind.LOGIN_NEEDED, since=clock.monotonic(), reason="token_expired"))
    yield "16-log-in-again"
    words = "token rejected"
    alice.move(Link(LinkKind.REFUSED, clock.monotonic(), 4401, "token_invalid", words))
    yield "17-refused"
    words = "nothing is listening on 127.0.0.1:8000"
    alice.move(Link(LinkKind.UNREACHABLE, clock.monotonic(), reason="refused", words=words))
    yield "18-unreachable"
    alice.move(Link(LinkKind.CUT_OFF, clock.monotonic(), 1013, "slow"))
    yield "19-cut-off"
    alice.reconnect()
    alice.observer.apply(Backlog(3400))
    yield "20-slow"
    alice.observer.apply(Backlog(0))
    alice.disconnect()
    yield "21-disconnected"
    alice.reconnect()


async def further(stage: Stage, folder: Path) -> AsyncIterator[str]:
    """Two users, a recording, a replay."""
    await stage.press("t")
    await stage.until(lambda: len(stage.screen.panes) == 2)
    stage.bob.subscribe(GENERAL)
    stage.clock.advance(1)
    stage.alice.say(GENERAL, "Does this arrive?")
    stage.clock.advance(0.011)
    stage.bob.hear_message("alice", "Does this arrive?")
    yield "22-two-users"
    await stage.press("t")
    await stage.until(lambda: len(stage.screen.panes) == 1)
    capture = folder / "capture.ndjson"
    stage.screen.record(capture)
    stage.clock.advance(1)
    stage.alice.hear_message("bob", "This goes into the file", DESIGN)
    stage.clock.advance(30)
    stage.alice.hear_message("cara", "This too")
    await quiet(stage)
    yield "23-recording"
    stage.screen.record(None)
    stage.screen.play(capture)
    await quiet(stage)
    assert stage.screen.replay is not None
    stage.screen.replay.pause()
    stage.screen.replay.seek(10.0)
    yield "24-replay"


async def quiet(stage: Stage) -> None:
    """Wait until nothing said in passing is on the screen; it would name a folder of this run."""
    await stage.pilot.pause()
    stage.app.clear_notifications()
    await stage.until(lambda: not stage.app.screen.query("Toast"))
