"""The view shows what the filter passes, whatever came when, and finds its way about in it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.records import BROKEN, START, at, incoming, message, note, outgoing
from tribe_ws.capture.filter import FilterError, parse_filter
from tribe_ws.capture.record import Record
from tribe_ws_tui.event_store import CaptureStore
from tribe_ws_tui.filter_view import FilterView
from tribe_ws_tui.rows import Numbers

FILTERS = ["", "event:message.*", "!from:bob", "is:marked", "event:ping,pong", "deploy"]


def ping(seconds: float, lane: str = "A") -> Record:
    return outgoing("ping", seconds, connection=lane)


def pong(seconds: float, lane: str = "A") -> Record:
    return incoming("pong", seconds, latency=0.001, connection=lane)


def stored(*records: Record, keep: int = 1000) -> CaptureStore:
    store = CaptureStore(keep)
    for record in records:
        store.append(record)
    return store


def viewed(store: CaptureStore, text: str = "", **options: object) -> FilterView:
    view = FilterView(store, text, now=lambda: START, **options)  # type: ignore[arg-type]
    view.complete()
    return view


def heads(view: FilterView) -> list[int]:
    return [view.row(index).number for index in range(len(view))]


kinds = st.sampled_from(
    [
        message(1),
        message(1, sender="cara", content="the deploy"),
        message(1, connection="B"),
        ping(1),
        pong(1),
        pong(1, "B"),
        note("well"),
        note("look", tags=frozenset({"marked"})),
    ]
)


@given(
    st.sampled_from(FILTERS),
    st.lists(st.tuples(kinds, st.integers(0, 3)), max_size=60),
    st.integers(3, 30),
    st.booleans(),
    st.sampled_from([frozenset[str](), frozenset({"A"}), frozenset({"A", "B"})]),
)
def test_every_event_the_filter_passes_is_shown_once_and_no_other(
    text: str, story: list[tuple[Record, int]], keep: int, folds: bool, lanes: frozenset[str]
) -> None:
    store = CaptureStore(keep)
    view = FilterView(store, text, lanes=lanes, folds=folds, pairs=len(lanes) == 2, now=lambda: START)
    for seconds, (record, budget) in enumerate(story):
        store.append(replace(record, at=at(seconds / 500)))
        if budget:
            view.advance(budget)
    view.complete()
    test = parse_filter(text)
    expected = [
        record.seq
        for record in store.records()
        if (not lanes or record.connection in lanes) and test.matches(record, START)
    ]
    assert view.numbers() == expected
    assert heads(view) == sorted(set(heads(view)))
    assert view.is_complete
    if not folds or not view.text:
        assert all(view.is_shown(number) for number in expected)


def test_the_newest_events_are_looked_at_first() -> None:
    view = FilterView(stored(*(message(number) for number in range(100))))
    assert view.advance(10)
    assert heads(view) == list(range(91, 101))
    assert not view.is_complete
    view.advance(20)
    assert heads(view) == list(range(71, 101))
    view.store.append(message(101))
    view.advance(5)
    assert heads(view)[-1] == 101
    assert heads(view)[0] == 67


def test_it_says_how_many_of_how_many_are_shown() -> None:
    store = stored(
        *(message(number) if number % 100 == 0 else ping(number) for number in range(4210)), keep=5000
    )
    view = viewed(store, "event:message.*")
    assert view.counts == "43 of 4,210 shown"
    assert view.hidden == 4210 - 43


def test_a_wrong_filter_is_refused_and_the_old_one_stays() -> None:
    view = viewed(stored(message(1)), "from:bob")
    with pytest.raises(FilterError):
        view.set_filter("form:bob")
    assert view.text == "from:bob"
    assert len(view) == 1


def test_a_run_of_heartbeats_is_one_row_and_grows() -> None:
    store = stored(message(1), ping(2), pong(3))
    view = viewed(store)
    assert heads(view) == [1, 2, 3]
    for record in (ping(4), pong(5), ping(6), pong(7)):
        store.append(record)
    view.complete()
    assert heads(view) == [1, 7]
    fold = view.row(1).fold
    assert fold is not None
    assert (fold.first, fold.events, fold.pongs, fold.latency) == (2, 6, 3, 0.001)
    assert view.shown == 7
    assert view.row_of(4) == 1


def test_a_run_is_folded_the_same_whether_it_is_found_forwards_or_backwards() -> None:
    records = [message(0), *(one for number in range(5) for one in (ping(number), pong(number))), message(9)]
    backwards = viewed(stored(*records))
    store = CaptureStore(100)
    forwards = FilterView(store)
    for record in records:
        store.append(record)
        forwards.advance()
    assert [backwards.row(index) for index in range(3)] == [forwards.row(index) for index in range(3)]
    assert len(backwards) == len(forwards) == 3


def test_what_breaks_the_contract_or_is_marked_is_never_folded() -> None:
    store = stored(pong(1), pong(2), replace(pong(3), violations=(BROKEN,)), pong(4), pong(5), pong(6))
    store.mark(5)
    assert heads(viewed(store)) == [2, 3, 4, 5, 6]


def test_whoever_asks_for_heartbeats_sees_each() -> None:
    store = stored(*(pong(number) for number in range(5)))
    assert len(viewed(store, "event:pong")) == 5
    view = viewed(store)
    assert len(view) == 1
    view.set_folding(False)
    view.complete()
    assert len(view) == 5


def test_two_lanes_share_a_line_where_something_happened_at_the_same_moment() -> None:
    store = stored(
        message(1.000),
        message(1.001, connection="B"),
        message(2),
        message(2.5, connection="B"),
        message(2.504),
    )
    view = viewed(store, lanes=frozenset({"A", "B"}), pairs=True)
    rows = [(view.row(index).number, view.row(index).partner) for index in range(len(view))]
    assert rows == [(2, 1), (3, None), (5, 4)]
    view.set_lanes(frozenset({"A"}), pairs=False)
    view.complete()
    assert heads(view) == [1, 3, 5]


def test_a_cleared_view_shows_what_comes_and_the_store_keeps_all() -> None:
    store = stored(message(1), message(2))
    view = viewed(store)
    view.clear()
    store.append(message(3))
    view.complete()
    assert heads(view) == [3]
    assert view.held == 1
    assert len(store) == 3
    view.show_all()
    view.complete()
    assert heads(view) == [1, 2, 3]


def test_search_goes_round_and_looks_into_frames_names_and_people() -> None:
    store = stored(message(1, "the deploy"), message(2), message(3, "DEPLOYED"), note("nothing"))
    view = viewed(store)
    assert view.find("deploy", 0) == 2
    assert view.find("deploy", 2) == 0
    assert view.find("deploy", len(view), backwards=True) == 2
    assert view.find("no such thing", 0) is None
    assert view.find("", 0) is None
    assert viewed(stored()).find("x", 0) is None


def test_the_next_violation_and_mark_are_those_that_are_shown() -> None:
    store = stored(
        *(
            message(number, sender="bob" if number % 2 else "cara", violations=(BROKEN,))
            for number in range(6)
        )
    )
    view = viewed(store, "from:bob")
    assert heads(view) == [2, 4, 6]
    assert view.next_violation(0) == 1
    assert view.next_violation(2) is None
    assert view.next_violation(len(view), backwards=True) == 2
    store.mark(1)
    assert view.next_mark(0) is None
    store.mark(4)
    assert view.next_mark(0) == 1
    assert view.next_mark(1) == 1
    assert view.next_mark(2) == 1
    assert viewed(stored()).next_mark(0) is None


def test_one_jumps_by_minutes_and_to_a_moment() -> None:
    store = stored(*(message(number * 30) for number in range(10)))
    view = viewed(store)
    assert view.jump(2, 1) == 4
    assert view.jump(len(view), -1) == 7
    assert view.jump(2, -10) == 0
    assert view.jump(2, 100) == 9
    assert view.row_at(at(65)) == 3
    assert viewed(stored()).jump(0, 1) == 0


@given(st.lists(st.sampled_from(["append", "append_left", "pop", "pop_left"]), max_size=200))
def test_numbers_grow_and_shrink_at_both_ends(verbs: list[str]) -> None:
    numbers, model, newest, oldest = Numbers(), [], 5000, 5000
    for verb in verbs:
        if verb == "append":
            newest += 1
            numbers.append(newest)
            model.append(newest)
        elif verb == "append_left":
            oldest -= 1
            numbers.append_left(oldest)
            model.insert(0, oldest)
        elif model:
            expected = model.pop() if verb == "pop" else model.pop(0)
            assert (numbers.pop() if verb == "pop" else numbers.pop_left()) == expected
    assert list(numbers) == model
    assert numbers[:2] == model[:2]
    if model:
        assert numbers[-1] == model[-1]


def test_numbers_give_back_what_was_taken_away_in_front() -> None:
    numbers = Numbers()
    for number in range(10_000):
        numbers.append(number)
    for number in range(5_000):
        assert numbers.pop_left() == number
    assert len(numbers._back) < 6_000
    assert list(numbers) == list(range(5_000, 10_000))
    with pytest.raises(IndexError):
        numbers[5_000]
