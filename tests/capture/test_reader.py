"""A capture read back: whole, cut off, broken, big, and one that the tool itself recorded."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tribe_ws.capture.filter import parse_filter
from tribe_ws.capture.reader import LONGEST_LINE, CaptureError, CaptureReader, read_capture
from tribe_ws.capture.record import Record
from tribe_ws.capture.writer import CaptureWriter, capture_line

CAPTURES = Path(__file__).parents[2] / "fixtures" / "captures"
AT = datetime(2026, 11, 23, 1, 22, tzinfo=UTC)
LINES = [capture_line(Record(number, AT, "in", "pong", frame={"event": "pong"})) for number in (1, 2, 3)]


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "capture.ndjson"
    path.write_bytes(content)
    return path


def test_what_was_written_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "c"
    records = [
        Record(1, AT, "in", "pong", text='{"event":"pong"}', frame={"event": "pong"}, as_user="bob"),
        Record(2, AT, "note", "note", text="look", as_user="alice"),
    ]
    with CaptureWriter(path) as writer:
        for record in records:
            writer.write(record)
    capture = read_capture(path)
    assert capture.records == tuple(records)
    assert not capture.is_cut
    assert capture.users == ("bob", "alice")
    assert capture.seconds == 0


@given(st.integers(min_value=0, max_value=len(b"".join(LINES))))
def test_a_capture_cut_off_anywhere_is_read_up_to_there(
    tmp_path_factory: pytest.TempPathFactory, at: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / "c"
    path.write_bytes(b"".join(LINES)[:at])
    capture = read_capture(path)
    ends = [0, *(len(b"".join(LINES[:number])) for number in (1, 2, 3))]
    # A last line that lacks only its line feed is whole.
    assert len(capture.records) == sum(at >= end - 1 for end in ends[1:])
    assert capture.is_cut == all(at not in {end, end - 1} for end in ends)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"nonsense", "not JSON"),
        (b"[" * 5_000, "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[]", "a record is a JSON object"),
        (b"{}", "expected a record of version 1, got v None"),
        (b'{"v":2}', "expected a record of version 1, got v 2"),
        (b'{"v":1,"dir":"up"}', "dir is one of in, out, rest, note, got 'up'"),
        (b'{"v":1,"dir":"in"}', "t: not a time: ''"),
        (b'{"v":1,"dir":"in","t":"now"}', "t: not a time: 'now'"),
        (b'{"v":1,"dir":"in","t":"2026-11-23T01:22:00Z","seq":"1"}', "seq: expected int, got str"),
        (b'{"v":1,"dir":"in","t":"2026-11-23T01:22:00Z","violations":[7]}', "a violation is an object"),
        (b'{"v":1,"dir":"in","t":"2026-11-23T01:22:00Z","latency_ms":"1"}', "latency_ms: expected a number"),
        (b'{"v":1,"dir":"in","t":"2026-11-23T01:22:00Z","timing":"x"}', "timing is one of"),
    ],
)
def test_a_line_that_is_no_record_is_named_by_its_number(tmp_path: Path, line: bytes, why: str) -> None:
    path = written(tmp_path, LINES[0] + b"\n" + line + b"\n" + LINES[1])
    with pytest.raises(CaptureError, match="line 3") as caught:
        read_capture(path)
    assert caught.value.line == 3
    assert why in str(caught.value)


def test_half_a_line_in_the_middle_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="line 1: not JSON"):
        read_capture(written(tmp_path, LINES[0][:20] + b"\n" + LINES[1]))


def test_a_line_without_end_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="longer than any record"):
        read_capture(written(tmp_path, b"x" * (LONGEST_LINE + 2)))


def test_an_empty_file_is_an_empty_capture(tmp_path: Path) -> None:
    capture = read_capture(written(tmp_path, b""))
    assert (capture.records, capture.is_cut, capture.seconds) == ((), False, 0.0)


def test_a_missing_file_is_told_by_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_capture(tmp_path / "none")


def test_a_reader_gives_records_one_by_one(tmp_path: Path) -> None:
    reader = CaptureReader(written(tmp_path, LINES[0] + b"broken\n"))
    records = iter(reader)
    assert next(records).event == "pong"
    with pytest.raises(CaptureError):
        next(records)


# ── a real evening ────────────────────────────────────────────────────────────────────────────────────────


def asked(name: str, text: str) -> list[Record]:
    chosen = parse_filter(text)
    return [record for record in read_capture(CAPTURES / name).records if chosen.matches(record)]


def test_an_evening_of_a_whole_server() -> None:
    capture = read_capture(CAPTURES / "evening.ndjson")
    assert set(capture.users) == {"alice", "bob", "cara"}
    assert not capture.is_cut
    assert [record.seq for record in capture.records] == list(range(1, len(capture.records) + 1))
    to_bob = [r.frame["data"]["content"] for r in asked("evening.ndjson", "event:message.new dir:in as:bob")]
    assert to_bob == ["Is the bridge open again?", "See you at eight", "Good. bye"]
    assert len({record.connection for record in asked("evening.ndjson", "dir:in")}) == 2
    assert [r.event for r in asked("evening.ndjson", "is:violation")] == ["subscribe"]
    told = [record.text for record in asked("evening.ndjson", "event:delivery")]
    assert any("alice 1 not sent: it is the user's own" in text for text in told)


def test_the_same_evening_as_one_session_saw_it() -> None:
    capture = read_capture(CAPTURES / "bobs_evening.ndjson")
    assert capture.users == ("bob",)
    assert [r.event for r in capture.records if r.direction == "out"] == ["subscribe"]
    assert asked("bobs_evening.ndjson", "is:violation") == []
    [login] = asked("bobs_evening.ndjson", 'dir:rest event:"POST login"')
    assert login.request == {"email": "***", "password": "***"}
    assert (login.method, login.path, login.status) == ("POST", "/api/v1/auth/login", 200)


@pytest.mark.parametrize("path", sorted(CAPTURES.glob("*.ndjson")), ids=lambda path: path.name)
def test_recorded_captures_hold_no_secret_and_read_back_exactly(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not any(secret in text for secret in ("eyJ", "@tribe.test", "Tribe-demo-1"))
    assert b"".join(map(capture_line, read_capture(path).records)) == path.read_bytes()
    assert all(json.loads(line)["v"] == 1 for line in text.splitlines())
