"""One event is one line of the width asked for, with nothing in it that a terminal would obey."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.tui.records import BROKEN, START, at, incoming, message, note, outgoing, posted
from tribe_ws.capture.record import Record
from tribe_ws_tui.event_lines import (
    MOST_LINES,
    Columns,
    LineStyle,
    Moments,
    Part,
    empty_line,
    fold_line,
    line_of,
    wrapped,
)
from tribe_ws_tui.rows import Fold

MOMENTS = Moments(START, at(0.5))
HOSTILE = [
    "\x1b[2J\x1b]0;title\x07",
    "x" * 5000,
    "\u202egnp.exe",
    "a\x00b",
    "[red]not markup[/red]",
    "你好" * 80,
    "e\u0301" * 90,
]


def text_of(parts: list[Part]) -> str:
    return "".join(part.text for part in parts)


def line(record: Record, width: int = 78, **style: object) -> str:
    return text_of(line_of(record, LineStyle(width, **style), MOMENTS, "#general"))  # type: ignore[arg-type]


CLOCK = f"{START.astimezone():%M:%S}"


@pytest.mark.parametrize(
    ("record", "head", "body", "tail"),
    [
        (
            message(0, "Did it land?", latency=0.011),
            "←   message.new  #general ",
            "bob: Did it land?",
            "11 ms",
        ),
        (
            message(0, "well", latency=1.2, timing="guessed"),
            "←   message.new  #general ",
            "bob: well",
            "~1 s",
        ),
        (outgoing("ping"), "→   ping         #general ", "", ""),
        (posted(0, "yes", latency=0.009), "⇡   POST message #general ", "alice: yes", "201  9 ms"),
        (posted(0, "no", status=404), "⇡ ✗ POST message #general ", "alice: no", "404"),
        (note("you sent this"), "•   note        ", "you sent this", ""),
        (note("lost", event="closed", tags=frozenset({"error"})), "• ✗ closed      ", "lost", ""),
        (
            message(0, violations=(BROKEN,)),
            "← ✗ message.new  #general ",
            "created_at is not RFC 3339 UTC",
            "",
        ),
        (message(0, tags=frozenset({"marked"})), "← * message.new  #general ", "bob: Morning!", ""),
    ],
)
def test_a_line_says_when_which_way_what_and_how_long(
    record: Record, head: str, body: str, tail: str
) -> None:
    start, end = f"{CLOCK}.000 {head} ", f"  {tail}" if tail else ""
    assert line(record) == start + body.ljust(78 - cell_len(start) - cell_len(end)) + end


def test_more_violations_than_one_are_counted() -> None:
    assert "UTC  (and 1 more)" in line(message(0, violations=(BROKEN, BROKEN)), width=100)


@given(
    st.one_of(st.sampled_from(HOSTILE), st.text(max_size=200)),
    st.integers(0, 140),
    st.booleans(),
    st.sampled_from(["clock", "relative", "delta"]),
    st.builds(Columns, st.booleans(), st.booleans(), st.booleans(), st.booleans()),
)
def test_whatever_a_frame_holds_the_line_is_as_wide_as_asked_and_safe(
    content: str, width: int, is_raw: bool, time: str, columns: Columns
) -> None:
    record = message(1, content, sender=content[:30], latency=0.014, connection=content[:9])
    style = LineStyle(width, columns, time, is_raw)  # type: ignore[arg-type]
    for parts in ([line_of(record, style, MOMENTS, content)], wrapped(record, style, MOMENTS, content)):
        assert len(parts) <= MOST_LINES
        for one in parts:
            text = text_of(one)
            assert cell_len(text) == width
            assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in text)
            assert "\u202e" not in text


def test_long_words_are_cut_with_a_sign_and_wide_ones_at_their_edge() -> None:
    assert "…" in line(message(0, "x" * 500))
    assert cell_len(line(message(0, "你好" * 80))) == 78


def test_wrapped_words_go_on_below_themselves() -> None:
    lines = [text_of(one) for one in wrapped(message(0, "word " * 40), LineStyle(78), MOMENTS, "#general")]
    assert len(lines) > 2
    assert all(one.startswith(" " * 30) for one in lines[1:])
    assert len(wrapped(message(0, "short"), LineStyle(78), MOMENTS, "#general")) == 1
    assert len(wrapped(note("gap", event="gap"), LineStyle(78), MOMENTS, "")) == 1


def test_a_narrow_line_shows_the_conversation_only_where_nothing_else_is_said() -> None:
    assert "#general" not in line(message(0), width=56)
    assert "#general" in line(outgoing("subscribe"), width=56)


def test_a_gap_goes_right_across() -> None:
    text = line(note("gap 6.2 s: 2 missed messages fetched", event="gap", tags=frozenset({"gap"})))
    assert text.startswith("──")
    assert text.endswith("──")
    assert " gap 6.2 s: 2 missed messages fetched " in text


def test_a_gap_says_the_whole_sentence_in_fewer_words_where_the_column_is_narrow() -> None:
    gap = note(
        "gap 6.2 s: 2 missed messages fetched, typing and presence in it are lost",
        event="gap",
        tags=frozenset({"gap"}),
    )
    assert " gap 6.2 s: 2 missed messages fetched, typing and presence in it are lost " in line(gap, width=78)
    narrow = line(gap, width=54)
    assert " gap 6.2 s: 2 fetched, typing and presence lost " in narrow
    assert cell_len(narrow) == 54


def test_times_count_from_the_start_or_from_the_line_above() -> None:
    assert line(message(75.25), time="relative").startswith("   1:15.2")
    assert line(message(0.75), time="delta").startswith("   +0.250")
    assert line(message(4000), time="relative").startswith("  1h06:40")


def test_columns_can_be_left_out_and_lanes_shown() -> None:
    bare = line(message(0, latency=0.011), columns=Columns(time=False, conversation=False, latency=False))
    assert bare.startswith("←   message.new  bob: Morning!")
    assert "ms" not in bare
    assert " A        message.new" in line(message(0), columns=Columns(lane=True))


def test_raw_frames_are_shown_as_they_came() -> None:
    assert '{"event": "typing", "conversation_id"' in line(incoming("typing"), width=100, is_raw=True)


def test_a_run_of_heartbeats_is_told_in_one_line() -> None:
    parts = fold_line(Fold("A", 1, 24, 12, 0.001), START, LineStyle(60), MOMENTS)
    assert text_of(parts).split()[1:] == ["↔", "12", "heartbeats", "1", "ms"]
    assert cell_len(text_of(fold_line(Fold("A", 1, 24, 12, None), START, LineStyle(60), MOMENTS))) == 60


def test_an_empty_lane_can_hold_a_remark() -> None:
    assert (
        text_of(empty_line("(not echoed to the sender)", LineStyle(60))).strip()
        == "(not echoed to the sender)"
    )
