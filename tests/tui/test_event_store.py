"""The store gives back what was put in, forgets the oldest first, and keeps numbers for ever."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.records import BROKEN, at, incoming, message, note, outgoing, posted
from tribe_ws.capture.filter import parse_filter
from tribe_ws.capture.record import Record
from tribe_ws_tui import event_store, packed_texts
from tribe_ws_tui.event_store import CaptureStore
from tribe_ws_tui.held import HeldRecord
from tribe_ws_tui.packed_texts import PackedTexts

SAMPLES = [
    message(1, latency=0.014, violations=(BROKEN,)),
    message(2, "\ud800 \x1b[31m", latency=1.0, timing="guessed"),
    outgoing("typing", 3),
    posted(4, latency=0.009),
    note("gap 6.2 s", 5, event="gap", tags=frozenset({"gap"})),
    incoming("pong", 6, latency=0.001),
    replace(message(7), text="not JSON at all", frame=None, event="?"),
    replace(message(8), text='{"event":"auth","token":"***"}', frame={"event": "auth", "token": "***"}),
    replace(message(9), text="[1, 2]", frame=None),
    note("marked", 10, tags=frozenset({"marked"})),
]


def stored(*records: Record, keep: int = 100) -> CaptureStore:
    store = CaptureStore(keep)
    for record in records:
        store.append(record)
    return store


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample.direction} {sample.event}")
def test_an_event_comes_back_as_it_was_but_for_its_number(sample: Record) -> None:
    store = stored(note("before"), sample)
    assert store.record(2) == replace(sample, seq=2)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample.direction} {sample.event}")
def test_a_look_at_a_held_event_sees_what_its_record_says(sample: Record) -> None:
    store = stored(note("before"), sample)
    held = HeldRecord(store).look_at(2)
    assert held.as_json() == replace(sample, seq=2).as_json()
    for text in ("event:message.*", "data.content~morning", "is:marked | is:violation", "latency>1ms", "ng!"):
        assert parse_filter(text).matches(held) == parse_filter(text).matches(replace(sample, seq=2)), text


@given(st.lists(st.sampled_from(SAMPLES), max_size=40), st.integers(1, 12))
def test_the_newest_events_are_held_whatever_came_before(samples: list[Record], keep: int) -> None:
    store = stored(*samples, keep=keep)
    expected = [replace(sample, seq=number) for number, sample in enumerate(samples, 1)][-keep:]
    assert list(store.records()) == expected
    assert len(store) == len(expected)
    assert store.violating == tuple(one.seq for one in expected if one.violations)
    assert store.marked == tuple(one.seq for one in expected if "marked" in one.tags)
    assert store.record(store.first - 1) is None
    assert store.record(store.total + 1) is None


def test_a_mark_comes_and_goes_and_ends_with_its_event() -> None:
    store = stored(*(note(str(number)) for number in range(3)), keep=3)
    assert store.mark(2)
    assert store.marked == (2,)
    record = store.record(2)
    assert record is not None
    assert "marked" in record.tags
    assert not store.mark(2)
    assert not store.mark(99)
    store.mark(1)
    store.append(note("pushes the first out"))
    assert not store.marked


def test_the_nearest_mark_and_violation_are_found_both_ways() -> None:
    store = stored(*(message(number, violations=(BROKEN,) * (number in (2, 5))) for number in range(8)))
    assert [store.next_violation(0), store.next_violation(3), store.next_violation(6)] == [3, 6, None]
    assert store.next_violation(6, backwards=True) == 3
    assert store.next_violation(3, backwards=True) is None
    store.mark(4)
    assert store.next_mark(1) == 4
    assert store.next_mark(8, backwards=True) == 4


def test_a_latency_that_is_known_later_replaces_a_guess() -> None:
    store = stored(message(1, latency=1.0, timing="guessed"))
    store.measure(1, 0.011)
    store.measure(7, 1.0)
    record = store.record(1)
    assert record is not None
    assert (record.latency, record.timing) == (0.011, "measured")


def test_all_events_about_a_message_are_found() -> None:
    store = stored(posted(1, message_id="m-1"), message(2, message_id="m-1"), message(3, message_id="m-2"))
    assert store.about_message("m-1", 1) == (1, 2)
    assert store.about_message("", 1) == ()


def test_ever_new_event_names_of_a_hostile_server_are_held_but_not_shared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_store, "_MOST_KINDS", 3)
    store = stored(*(incoming(f"e{number}") for number in range(20)), keep=5)
    assert [store.kind(number).event for number in store.numbers] == [
        f"e{number}" for number in range(15, 20)
    ]
    assert len(store._kinds) == 3
    assert len(store._odd_kinds) == 5


def test_a_cleared_store_never_gives_a_number_twice() -> None:
    store = stored(*(note(str(number)) for number in range(7)), keep=5)
    store.clear()
    assert len(store) == 0
    assert list(store.numbers) == []
    number = store.append(message(3, violations=(BROKEN,)))
    assert number > 7
    record = store.record(number)
    assert record is not None
    assert record.at == at(3)
    assert store.violating == (number,)
    for extra in range(9):
        store.append(note(str(extra)))
    assert len(store) == 5


@given(st.lists(st.binary(max_size=20), max_size=40), st.integers(1, 9), st.integers(0, 45))
def test_packed_texts_come_back_until_they_are_forgotten(texts: list[bytes], block: int, first: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed_texts, "BLOCK", block)
        patch.setattr(packed_texts, "BLOCK_BYTES", 64)
        patch.setattr(packed_texts, "UNPACKED", 2)
        patch.setattr(packed_texts, "_STALE", 3)
        packed = PackedTexts()
        for number, text in enumerate(texts, 1):
            packed.append(number, text)
            assert packed.get(number) == text
        packed.forget_before(first)
        for number, text in enumerate(texts, 1):
            if number >= first:
                assert packed.get(number) == text
        assert packed.bytes == sum(len(one.packed) for one in packed._blocks.values())
        assert len(packed._unpacked) <= 2


def test_huge_frames_leave_room_for_fewer_events(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_store, "MOST_BYTES", 4_000)
    monkeypatch.setattr(packed_texts, "BLOCK_BYTES", 1_000)
    store = CaptureStore()
    for number in range(50):
        store.append(note(random.Random(number).randbytes(500).hex()))
    assert 1 < len(store) < 20
    assert store._texts.bytes <= 4_000
    assert [record.seq for record in store.records()] == list(range(store.first, 51))


def test_frames_that_differ_from_their_text_are_held_besides() -> None:
    frame: dict[str, Any] = {"event": "auth", "token": "***"}
    store = stored(replace(message(1), text='{"event":"auth","token":"***"}', frame=frame), message(2))
    assert list(store._bodies) == [1]
