"""A capture as a report for an issue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tribe_ws.capture.markdown import MOST_BROKEN, MOST_LINES, to_markdown
from tribe_ws.capture.reader import read_capture
from tribe_ws.capture.record import Record
from tribe_ws.capture.violation import Violation

CAPTURES = Path(__file__).parents[2] / "fixtures" / "captures"
AT = datetime(2026, 11, 23, 1, 22, 24, 902_000, tzinfo=UTC)
TIME = Violation(
    "message.timestamp",
    "data.created_at",
    '"now" is not an RFC 3339 UTC time',
    '"now"',
    "2024-01-01T12:00:00Z",
)
BROKEN = Record(
    9, AT, "in", "message.new", text="x",
    frame={"event": "message.new", "data": {"content": "hi", "created_at": "now"}},
    as_user="bob", conversation="general", sender="alice", violations=(TIME,),
)  # fmt: skip


def test_a_report_names_the_clause_its_sentence_and_the_frame() -> None:
    text = to_markdown([BROKEN])
    assert "in: 1, out: 0, REST calls: 0, with a violation: 1" in text
    assert "01:22:24.902 < ! bob      message.new    general    alice: hi" in text
    assert "### message.new 9" in text
    assert "**message.timestamp** data.created\\_at: " in text
    assert "the contract: created\\_at is UTC with milliseconds and Z. (contract 3.3)" in text
    assert 'got "now", want 2024-01-01T12:00:00Z' in text
    assert '    "created_at": "now"' in text


def test_an_evening_is_told_line_by_line() -> None:
    text = to_markdown(read_capture(CAPTURES / "bobs_evening.ndjson").records)
    assert "as bob" in text
    assert "bob      message.new    general    alice: Is the bridge open again?" in text
    assert "POST login                /api/v1/auth/login  200" in text


def test_what_strangers_wrote_cannot_leave_its_place() -> None:
    evil = "```\n# <script>\x1b[31m @everyone"
    hostile = Record(
        1, AT, "in", f"novel{evil}", text=evil, frame=None, as_user="bob",
        violations=(Violation("x.y", "", evil),),
    )  # fmt: skip
    text = to_markdown([hostile])
    assert "\x1b" not in text
    outside = text.split("\n````")[::2]
    assert len(outside) == 3
    assert not any("<script>" in part or " @everyone" in part for part in outside)


def test_secrets_are_taken_out() -> None:
    text = to_markdown([Record(1, AT, "note", "note", text="mail bob@tribe.test")])
    assert "bob@tribe.test" not in text
    assert "***" in text


def test_long_captures_are_told_from_their_end() -> None:
    records = [
        Record(n, AT + timedelta(seconds=n), "in", "pong", frame={"event": "pong"}) for n in range(999)
    ]
    text = to_markdown(records)
    assert f"… {999 - MOST_LINES} before" in text
    assert text.count(" pong") == MOST_LINES
    assert f"and {5} more frames" in to_markdown([BROKEN] * (MOST_BROKEN + 5))


def test_a_long_body_is_cut() -> None:
    text = to_markdown([Record(1, AT, "note", "note", text="x" * 5_000)])
    assert max(map(len, text.splitlines())) < 300


def test_nothing_is_a_report_too() -> None:
    assert "in: 0" in to_markdown([])
