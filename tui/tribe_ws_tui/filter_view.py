"""``FilterView``: which events of a store are shown, as rows, without ever looking at all of them at once.

A new filter is tried on the newest events first and goes back in slices, so that the visible page fills at
once; what arrives meanwhile is taken first. The view holds numbers only. Runs of heartbeats are folded into
one row; with two lanes on one time axis, what happened at the same moment shares a row.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable
from datetime import UTC, datetime

from tribe_ws.capture.filter import Filter, parse_filter
from tribe_ws_tui.event_store import CaptureStore, Kind
from tribe_ws_tui.held import HeldRecord
from tribe_ws_tui.rows import Fold, Numbers, Row

SLICE = 10_000
"""How many events one ``advance`` looks at by default."""
SAME_MOMENT = 5_000
"""Microseconds between two events that may share a line."""
_LONGEST_LOOK = 8
_HEARTBEATS = frozenset({"ping", "pong"})
_ASKS_FOR_HEARTBEATS = re.compile(r"\b(ping|pong)\b", re.IGNORECASE)


def lane_of(kind: Kind) -> str:
    """Tell in which lane an event runs: its session's or its connection's label."""
    return kind.connection or kind.as_user


class FilterView:
    """The shown events of a store; ``lanes`` limits it to some lanes, none means all.

    ``pairs`` puts events of two lanes that happened at the same moment into one row.
    """

    def __init__(
        self,
        store: CaptureStore,
        text: str = "",
        *,
        lanes: frozenset[str] = frozenset(),
        folds: bool = True,
        pairs: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.store = store
        self.filter: Filter = parse_filter(text)
        self.lanes = lanes
        self.folds = folds
        self.pairs = pairs
        self.shown = 0
        self.revision = 0
        self._now = now
        self._held = HeldRecord(store)
        self._rows = Numbers()
        self._folds: dict[int, Fold] = {}
        self._partners: dict[int, int] = {}
        self._floor = 1
        self._low = self._high = 0
        self._begin_anew()

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def text(self) -> str:
        """The filter as it was written."""
        return self.filter.text

    @property
    def is_complete(self) -> bool:
        """Whether every event held was looked at."""
        return self._high > self.store.total and self._low < self._oldest

    @property
    def is_behind(self) -> bool:
        """Whether one step will not do: older events are still to be looked at, or very many new ones."""
        return self._low >= self._oldest or self.store.total - self._high >= SLICE

    @property
    def held(self) -> int:
        """How many events could be shown: all that are held since the view was cleared."""
        return max(0, self.store.total - self._oldest + 1)

    @property
    def counts(self) -> str:
        """Say how many are shown, as in ``18 of 4,210 shown``."""
        return f"{self.shown:,} of {self.held:,} shown"

    @property
    def hidden(self) -> int:
        """How many of the events looked at the filter hides."""
        looked_at = (self._high - 1) - max(self._low + 1, self._oldest) + 1
        return max(0, looked_at - self.shown)

    # ── what is shown ─────────────────────────────────────────────────────────────────────────────────────

    def set_filter(self, text: str) -> None:
        """Show what another filter passes; raises ``FilterError`` and keeps the old one."""
        self.filter = parse_filter(text)
        self._begin_anew()

    def set_lanes(self, lanes: frozenset[str], *, pairs: bool) -> None:
        """Show other lanes, on a common time axis or not."""
        self.lanes, self.pairs = lanes, pairs
        self._begin_anew()

    def set_folding(self, folds: bool) -> None:
        """Fold runs of heartbeats, or show each."""
        self.folds = folds
        self._begin_anew()

    def clear(self) -> None:
        """Show only what comes from now on; the store keeps everything."""
        self._floor = self.store.total + 1
        self._begin_anew()

    def show_all(self) -> None:
        """Take ``clear`` back."""
        self._floor = 1
        self._begin_anew()

    def refresh(self) -> None:
        """Look at everything again: marks or the time of day have changed what the filter passes."""
        self._begin_anew()

    def advance(self, budget: int = SLICE) -> bool:
        """Look at up to ``budget`` more events, new ones first; tells whether rows changed."""
        before = self.revision
        self._drop_forgotten()
        passes = self._test()
        self._high = max(self._high, self._oldest)
        newest = min(self.store.total, self._high + budget - 1)
        for number in range(self._high, newest + 1):
            if passes(number):
                self._add_newer(number)
        budget -= newest - self._high + 1
        self._high = newest + 1
        oldest = max(self._oldest, self._low - budget + 1)
        for number in range(self._low, oldest - 1, -1):
            if passes(number):
                self._add_older(number)
        self._low = min(self._low, oldest - 1)
        return self.revision != before

    def complete(self) -> None:
        """Look at everything there is, however long it takes."""
        while not self.is_complete:
            self.advance()

    # ── rows ──────────────────────────────────────────────────────────────────────────────────────────────

    def row(self, index: int) -> Row:
        """Give a row, the oldest is 0; raises ``IndexError``."""
        number = self._rows[index]
        return Row(number, self._folds.get(number), self._partners.get(number))

    def row_of(self, number: int) -> int:
        """Tell the row of an event, or of the next one that is shown; the last where there is none."""
        return min(bisect_left(self._rows, number), len(self._rows) - 1)

    def is_shown(self, number: int) -> bool:
        """Tell whether an event has a row."""
        index = self.row_of(number)
        return index >= 0 and self.row(index).holds(number)

    def numbers(self) -> list[int]:
        """Give the numbers of all shown events, oldest first, those of folded rows among them."""
        found: list[int] = []
        passes = self._test()
        for head in self._rows:
            fold, partner = self._folds.get(head), self._partners.get(head)
            if fold is not None:
                run = range(max(fold.first, self.store.first), head + 1)
                found.extend(number for number in run if self._is_beat(number) and passes(number))
            else:
                found.extend(sorted({head} if partner is None else {head, partner}))
        return [number for number in found if number >= self.store.first]

    # ── going about ───────────────────────────────────────────────────────────────────────────────────────

    def find(self, words: str, row: int, *, backwards: bool = False) -> int | None:
        """Tell the next row, around the end, whose frame holds the words in any case."""
        folded = words.casefold()
        count = len(self._rows)
        if not folded or not count:
            return None
        step = -1 if backwards else 1
        for distance in range(1, count + 1):
            index = (row + step * distance) % count
            if self._holds(self.row(index), folded):
                return index
        return None

    def next_violation(self, row: int, *, backwards: bool = False) -> int | None:
        """Tell the next shown row after (or before) a row that breaks the contract."""
        return self._next_row(self.store.next_violation, row, backwards=backwards)

    def next_mark(self, row: int, *, backwards: bool = False) -> int | None:
        """Tell the next shown row after (or before) a row that is marked; around the end."""
        found = self._next_row(self.store.next_mark, row, backwards=backwards)
        if found is not None or not self._rows:
            return found
        edge = self._rows[-1] + 1 if backwards else 0
        return self._next_shown(self.store.next_mark, edge, backwards=backwards)

    def jump(self, row: int, minutes: float) -> int:
        """Tell the row that is some minutes later, or with a negative number earlier, than a row."""
        if not self._rows:
            return 0
        row = min(row, len(self._rows) - 1)
        wanted = self.store.microseconds(self._rows[row]) + int(minutes * 60_000_000)
        index = bisect_left(self._rows, wanted, key=self.store.microseconds)
        return max(0, min(index, len(self._rows) - 1))

    def row_at(self, moment: datetime) -> int:
        """Tell the first row at or after a moment; the last where there is none."""
        wanted = int(moment.timestamp() * 1_000_000)
        index = bisect_left(self._rows, wanted, key=self.store.microseconds)
        return max(0, min(index, len(self._rows) - 1))

    # ── inside ────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def _oldest(self) -> int:
        return max(self.store.first, self._floor)

    def _begin_anew(self) -> None:
        self.revision += 1
        self.shown = 0
        self._rows.clear()
        self._folds.clear()
        self._partners.clear()
        self._low = self.store.total
        self._high = self.store.total + 1

    def _test(self) -> Callable[[int], bool]:
        matches, held, now, lanes = self.filter.matches, self._held, self._now(), self.lanes
        has_filter = bool(self.text.strip())

        def passes(number: int) -> bool:
            if lanes and lane_of(self.store.kind(number)) not in lanes:
                return False
            return not has_filter or matches(held.look_at(number), now)

        return passes

    def _drop_forgotten(self) -> None:
        oldest = self._oldest
        while self._rows and self._rows[0] < oldest:
            self.shown -= self._take(self._rows.pop_left())
            self.revision += 1

    def _take(self, number: int) -> int:
        """Forget what a row stands for; tells how many events it showed."""
        fold = self._folds.pop(number, None)
        if fold is not None:
            return fold.events
        return 1 + (self._partners.pop(number, None) is not None)

    # ── adding ────────────────────────────────────────────────────────────────────────────────────────────

    def _add_newer(self, number: int) -> None:
        self.revision += 1
        self.shown += 1
        if self._is_foldable(number):
            if self._fold_newer(number):
                return
        elif self.pairs and self._rows and self._is_pair(self._rows[-1], number):
            self._partners[number] = self._rows.pop()
        self._rows.append(number)

    def _add_older(self, number: int) -> None:
        self.revision += 1
        self.shown += 1
        if self._is_foldable(number):
            if self._fold_older(number):
                return
        elif self.pairs and self._rows and self._is_pair(self._rows[0], number):
            self._partners[self._rows[0]] = number
            return
        self._rows.append_left(number)

    def _fold_newer(self, number: int) -> bool:
        is_pong, latency = self._beat(number)
        if self._rows and self._continues(self._rows[-1], number):
            fold = self._folds.pop(self._rows.pop())
            self._folds[number] = fold.later(is_pong=is_pong, latency=latency)
            self._rows.append(number)
            return True
        run = self._run_at_end(number, from_end=True) if is_pong else []
        if not any(self._beat(one)[0] for one in run):
            return False
        for _ in run:
            self._rows.pop()
        self._folds[number] = self._fold_of([*run, number])
        self._rows.append(number)
        return True

    def _fold_older(self, number: int) -> bool:
        is_pong, latency = self._beat(number)
        if self._rows and self._continues(self._rows[0], number):
            head = self._rows[0]
            self._folds[head] = self._folds[head].earlier(number, is_pong=is_pong, latency=latency)
            return True
        run = self._run_at_end(number, from_end=False) if is_pong else []
        if not any(self._beat(one)[0] for one in run):
            return False
        for _ in run:
            self._rows.pop_left()
        self._folds[run[-1]] = self._fold_of([number, *run])
        self._rows.append_left(run[-1])
        return True

    def _continues(self, head: int, number: int) -> bool:
        fold = self._folds.get(head)
        return fold is not None and fold.lane == lane_of(self.store.kind(number))

    def _run_at_end(self, number: int, *, from_end: bool) -> list[int]:
        """Give the single heartbeats next to an event, oldest first."""
        lane = lane_of(self.store.kind(number))
        run: list[int] = []
        for distance in range(min(_LONGEST_LOOK, len(self._rows))):
            head = self._rows[-1 - distance if from_end else distance]
            if head in self._folds or not self._is_foldable(head) or lane_of(self.store.kind(head)) != lane:
                break
            run.append(head)
        return run[::-1] if from_end else run

    def _fold_of(self, run: list[int]) -> Fold:
        beats = [self._beat(number) for number in run]
        measured = [latency for _, latency in beats if latency is not None]
        return Fold(
            lane=lane_of(self.store.kind(run[0])),
            first=run[0],
            events=len(run),
            pongs=sum(is_pong for is_pong, _ in beats),
            latency=measured[-1] if measured else None,
        )

    def _is_foldable(self, number: int) -> bool:
        if not self.folds or not self._is_beat(number) or _ASKS_FOR_HEARTBEATS.search(self.text):
            return False
        return not self.store.violations(number) and not self.store.is_marked(number)

    def _is_beat(self, number: int) -> bool:
        kind = self.store.kind(number)
        return kind.event in _HEARTBEATS and kind.direction in ("in", "out")

    def _beat(self, number: int) -> tuple[bool, float | None]:
        return self.store.kind(number).event == "pong", self.store.latency(number)

    def _is_pair(self, head: int, number: int) -> bool:
        if head in self._folds or head in self._partners or self._is_beat(head):
            return False
        if lane_of(self.store.kind(head)) == lane_of(self.store.kind(number)):
            return False
        return abs(self.store.microseconds(head) - self.store.microseconds(number)) <= SAME_MOMENT

    # ── finding ───────────────────────────────────────────────────────────────────────────────────────────

    def _holds(self, row: Row, folded: str) -> bool:
        numbers = [row.number] if row.partner is None else [row.number, row.partner]
        for number in numbers:
            if number < self.store.first:
                continue
            kind = self.store.kind(number)
            words = f"{self.store.text(number)}\n{kind.event}\n{kind.sender}\n{kind.conversation}"
            if folded in words.casefold():
                return True
        return False

    def _next_row(self, following: Callable[..., int | None], row: int, *, backwards: bool) -> int | None:
        if not self._rows:
            return None
        number = self._rows[row] if row < len(self._rows) else self.store.total + 1
        return self._next_shown(following, number, backwards=backwards)

    def _next_shown(
        self, following: Callable[..., int | None], number: int, *, backwards: bool
    ) -> int | None:
        found = following(number, backwards=backwards)
        while found is not None and not self.is_shown(found):
            found = following(found, backwards=backwards)
        return None if found is None else self.row_of(found)
