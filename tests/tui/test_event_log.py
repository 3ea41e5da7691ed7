"""The stream on a screen: it follows or stands still, paints only what changed, and finds its way about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.app import App, ComposeResult
from textual.geometry import Offset
from textual.pilot import Pilot
from textual.selection import Selection

from tests.tui.records import BROKEN, START, incoming, message, note, posted
from tests.tui.waiting import until
from tribe_ws_tui.event_store import CaptureStore
from tribe_ws_tui.filter_view import FilterView
from tribe_ws_tui.widgets import row_scroll
from tribe_ws_tui.widgets.event_log import Columns, EventLog
from tribe_ws_tui.widgets.event_painter import CACHED

CLOCK = f"{START.astimezone():%M}"


class Page(App[None]):
    """Nothing but a log; it remembers what the log said."""

    def __init__(
        self, store: CaptureStore, lane: str = "", text: str = "", lanes: frozenset[str] = frozenset()
    ):
        super().__init__()
        self.store = store
        self.log_view = EventLog(FilterView(store, text, lanes=lanes, pairs=bool(lanes)), lane=lane)
        self.heard: list[object] = []

    def compose(self) -> ComposeResult:
        yield self.log_view

    def on_event_log_selected(self, event: EventLog.Selected) -> None:
        self.heard.append(event.number)

    def on_event_log_opened(self, event: EventLog.Opened) -> None:
        assert event.control is self.log_view
        self.heard.append(("opened", event.number))

    def lines(self) -> list[str]:
        """Give the lines of the screen, without what stands empty at their ends."""
        shown = [
            "".join(segment.text for segment in self.log_view.render_line(y)) for y in range(self.size.height)
        ]
        return [one.rstrip() for one in shown]


@asynccontextmanager
async def page(
    store: CaptureStore, size: tuple[int, int] = (80, 10), **options: object
) -> AsyncIterator[tuple[Page, EventLog, Pilot[None]]]:
    app = Page(store, **options)  # type: ignore[arg-type]
    async with app.run_test(size=size) as pilot:
        app.log_view.focus()
        await pilot.pause()
        yield app, app.log_view, pilot


def stored(count: int, keep: int = 1000) -> CaptureStore:
    store = CaptureStore(keep)
    for number in range(count):
        store.append(message(number, f"number {number}"))
    return store


async def test_it_follows_what_comes() -> None:
    store = stored(3)
    async with page(store) as (app, log, _):
        assert [one[-8:] for one in app.lines()[:3]] == ["number 0", "number 1", "number 2"]
        for number in range(3, 50):
            store.append(message(number, f"number {number}"))
        await until(lambda: app.lines()[-1].endswith("number 49"))
        assert log.is_following
        assert app.lines()[0].endswith("number 40")


async def test_standing_still_it_counts_what_comes() -> None:
    store = stored(50)
    async with page(store) as (app, log, _):
        log.freeze()
        before = app.lines()
        for number in range(50, 178):
            store.append(message(number))
        await until(lambda: log.new_below == 128)
        assert app.lines() == before
        assert log.is_frozen
        log.follow()
        assert log.new_below == 0
        assert app.lines() != before


async def test_what_is_forgotten_does_not_move_what_is_looked_at() -> None:
    store = stored(100, keep=100)
    async with page(store) as (app, log, _):
        log.select_row(50)
        before = app.lines()
        for number in range(30):
            store.append(message(200 + number))
        await until(lambda: log.view.held == 100 and log.new_below == 30)
        assert app.lines() == before


async def test_keys_go_about_and_the_selected_row_has_bars() -> None:
    async with page(stored(50)) as (app, log, pilot):
        log.move(-1)
        assert log.selected == 50
        log.move(-1)
        await pilot.pause()
        assert log.selected == 49
        [bars] = [one for one in app.lines() if "▌" in one]
        assert bars.startswith(f"▌{CLOCK}:")
        assert bars.endswith("▐")
        log.page(-1)
        assert log.selected == 40
        log.top()
        await pilot.pause()
        assert log.selected == 1
        assert app.lines()[0].startswith("▌")
        log.move(-1)
        assert log.selected == 1
        log.page(100)
        assert log.selected == 50
        log.move(1)
        assert log.selected == 50
        log.select(None)
        assert log.record is None
        assert log.selected_row is None
        await pilot.pause()
        assert app.heard == [50, 49, 40, 1, 50, None]


async def test_an_empty_log_has_nothing_to_select() -> None:
    async with page(CaptureStore()) as (app, log, _):
        log.move(-1)
        log.page(1)
        log.top()
        log.freeze()
        assert log.mark() is None
        assert log.selected is None
        assert set(app.lines()) == {""}
        assert log.get_selection(Selection(None, None)) is None


async def test_a_click_selects_and_a_second_opens() -> None:
    async with page(stored(5)) as (app, log, pilot):
        await pilot.click(EventLog, offset=(20, 2))
        assert log.selected == 3
        await pilot.click(EventLog, offset=(20, 8))
        assert log.selected == 3
        await pilot.click(EventLog, offset=(20, 3), times=2)
        await pilot.pause()
        assert ("opened", 4) in app.heard


async def test_scrolling_up_stands_still_and_to_the_end_follows() -> None:
    async with page(stored(50)) as (_, log, pilot):
        log.scroll_to(y=10, animate=False, immediate=True)
        assert log.is_frozen
        log.flush()
        assert round(log.scroll_y) == 10
        log.scroll_end(animate=False, immediate=True)
        await pilot.pause()
        assert log.is_following


async def test_a_filter_keeps_the_selected_event_in_sight() -> None:
    store = stored(100)
    async with page(store) as (app, log, pilot):
        log.select(51)
        log.view.set_filter('"number 5"')
        log.reload()
        await pilot.pause()
        assert any("number 50" in one and one.startswith("▌") for one in app.lines())
        assert log.view.counts == "11 of 100 shown"


async def test_marks_and_later_latencies_are_painted() -> None:
    store = stored(3)
    async with page(store) as (app, log, _):
        log.select(2)
        assert log.mark()
        assert "← * message.new" in app.lines()[1]
        store.measure(1, 0.011)
        log.flush()
        assert app.lines()[0].endswith("11 ms")
        log.view.set_filter("is:marked")
        log.reload()
        assert log.mark() is False
        assert app.lines()[0] == ""


async def test_only_lines_that_differ_are_painted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    store = stored(3)
    async with page(store, size=(80, 30)) as (_, log, pilot):
        painted: list[tuple[int, int]] = []
        monkeypatch.setattr(log, "refresh_lines", lambda start, count=1: painted.append((start, count)))
        monkeypatch.setattr(log, "refresh", lambda *_args, **_options: painted.append((-1, -1)))
        log.flush()
        log.flush()
        assert painted == []
        for _ in range(5):
            store.append(message(9))
        log.flush()
        assert painted == [(-1, -1)]
        painted.clear()
        store.append(message(10))
        log.flush()
        assert painted == [(8, 1)]
        await pilot.pause()


async def test_looks_can_be_changed() -> None:
    store = stored(2)
    store.append(message(2, "word " * 40))
    async with page(store) as (app, log, pilot):
        log.set_wrapped(True)
        await pilot.pause()
        assert len([one for one in app.lines() if one]) > 5
        log.set_wrapped(False)
        log.set_raw(True)
        assert '{"event": "message.new"' in app.lines()[0]
        log.set_raw(False)
        log.set_time("delta")
        assert app.lines()[1].startswith("    +1.000")
        log.set_time("relative")
        assert app.lines()[1].startswith("     1.000")
        log.set_columns(Columns(time=False))
        assert app.lines()[0].startswith(" ←   message.new")
        log.set_labels(lambda kind: f"@{kind.conversation}")
        assert "@general" in app.lines()[0]
        log.highlight("number")
        styles = {segment.text: segment.style for segment in log.render_line(0)}
        assert styles["number"] is not None
        assert styles["number"].reverse


async def test_wrapped_lines_follow_to_the_last_one() -> None:
    store = CaptureStore()
    for number in range(20):
        store.append(message(number, f"number {number} " + "word " * 20))
    async with page(store) as (app, log, pilot):
        log.set_wrapped(True)
        await pilot.pause()
        assert app.lines()[-1].strip()
        log.move(-1)
        for _ in range(12):
            log.move(-1)
        await pilot.pause()
        assert any(one.startswith("▌") and "number 7 " in one for one in app.lines())
        log.follow()
        await pilot.pause()
        assert any("number 19 " in one for one in app.lines())


async def test_two_lanes_face_each_other_and_the_sender_is_told_why_nothing_came() -> None:
    store = CaptureStore()
    store.append(posted(0, "Did it land?"))
    store.append(message(0.020, "Did it land?", sender="alice", connection="B", as_user="bob"))
    store.append(incoming("pong", 1, connection="B"))
    lanes = frozenset({"A", "B"})
    async with page(store, lane="A", lanes=lanes) as (app, log, pilot):
        log.set_view(log.view, lane="A", lane_user="alice")
        assert "POST message" in app.lines()[0]
        assert app.lines()[1].strip() == "(not echoed to the sender)"
        assert app.lines()[2] == ""
        log.move(-1)
        assert log.selected == 1
        log.set_view(log.view, lane="B", lane_user="bob")
        await pilot.pause()
        assert app.lines()[0] == ""
        assert "message.new" in app.lines()[1]


async def test_no_more_strips_are_kept_than_promised() -> None:
    store = stored(CACHED + 500, keep=CACHED + 500)
    async with page(store) as (_, log, _pilot):
        log.view.complete()
        for index in range(len(log.view)):
            log.painter.strips(index, 80, None)
        assert len(log.painter._strips) <= CACHED


async def test_text_is_taken_out_by_the_mouse() -> None:
    async with page(stored(5)) as (_, log, _pilot):
        found = log.get_selection(Selection(Offset(1, 1), Offset(10, 2)))
        assert found is not None
        first, second = found[0].split("\n")
        assert first.startswith(f"{CLOCK}:12.000 ←   message.new  #general  bob: number 1")
        assert second == f" {CLOCK}:13.000"
        whole = log.get_selection(Selection(None, None))
        assert whole is not None
        assert whole[0].count("\n") == 4


async def test_a_narrow_or_shrinking_screen_is_survived() -> None:
    store = stored(5)
    store.append(note("gap", event="gap", tags=frozenset({"gap"})))
    async with page(store) as (_, _log, pilot):
        for size in ((40, 10), (10, 3), (1, 1), (3, 2), (200, 60), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()


async def test_it_draws_more_often_after_a_key_and_less_when_the_machine_is_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with page(stored(1)) as (_, log, pilot):
        now = 1000.0
        monkeypatch.setattr(log, "_clock", lambda: now)
        log._ticked_at, log._key_at = now, 0.0
        log._tick()
        assert log.fps == row_scroll.FPS
        await pilot.press("z")
        log._tick()
        assert log.fps == row_scroll.FPS_AFTER_KEY
        for _ in range(20):
            now += 1.5
            log._tick()
        assert log.fps == row_scroll.FPS_WHEN_SLOW


async def test_new_events_are_drawn_ten_times_a_second_however_often_they_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = stored(1)
    async with page(store) as (_, log, _pilot):
        now, drawn = 1000.0, []
        monkeypatch.setattr(log, "_clock", lambda: now)
        monkeypatch.setattr(log.view, "advance", lambda: drawn.append(now))
        log._ticked_at = log._flushed_at = now
        log._key_at = 0.0
        for _ in range(20):
            now += row_scroll.TICK
            store.append(message(0))
            log._tick()
        assert len(drawn) <= row_scroll.FPS * 20 * row_scroll.TICK + 1


async def test_violations_stand_out_without_colour() -> None:
    store = CaptureStore()
    store.append(message(0, violations=(BROKEN,)))
    async with page(store) as (app, _log, _pilot):
        assert "← ✗ message.new" in app.lines()[0]
