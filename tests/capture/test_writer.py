"""A capture on the disk: private, redacted, whole line by line, and no danger to what is recorded."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tribe_ws.capture.record import Record
from tribe_ws.capture.writer import CaptureError, CaptureWriter

AT = datetime(2026, 11, 23, 1, 22, tzinfo=UTC)


def record(number: int = 1, content: str = "Hello") -> Record:
    frame = {"event": "message.new", "data": {"content": content}}
    text = json.dumps(frame, ensure_ascii=False, separators=(",", ":"))
    return Record(number, AT, "in", "message.new", text=text, frame=frame)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_one_line_a_record_at_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "capture.ndjson"
    with CaptureWriter(path) as writer:
        writer.write(record(1))
        assert [line["seq"] for line in lines(path)] == [1]
        writer.write(record(2))
        assert (writer.count, writer.bytes) == (2, path.stat().st_size)
        assert writer.is_open
    assert not writer.is_open
    assert path.stat().st_mode & 0o777 == 0o600


def test_secrets_are_left_out(tmp_path: Path) -> None:
    with CaptureWriter(tmp_path / "c") as writer:
        writer.write(record(content="mail bob@tribe.test"))
    assert "bob@tribe.test" not in (tmp_path / "c").read_text()


@pytest.mark.parametrize("content", ["\x1b]0;evil\x07", "\u202eevil", "\ud83d", "ünï 🚀", "a\u2028b", "\x7f"])
def test_a_line_is_safe_to_look_at_and_reads_back(tmp_path: Path, content: str) -> None:
    with CaptureWriter(tmp_path / "c") as writer:
        writer.write(record(content=content))
    text = (tmp_path / "c").read_text("utf-8")
    assert text.count("\n") == 1
    assert not set("\x1b\x07\u202e\u2028\x7f").intersection(text)
    assert json.loads(text)["frame"]["data"]["content"] == content


def test_it_goes_on_with_a_file_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "c"
    for number in (1, 2):
        with CaptureWriter(path) as writer:
            writer.write(record(number))
    assert [line["seq"] for line in lines(path)] == [1, 2]


@pytest.mark.parametrize("size", [10, 70_000, 200_000])
def test_a_line_that_was_cut_off_goes(tmp_path: Path, size: int) -> None:
    path = tmp_path / "c"
    with CaptureWriter(path) as writer:
        writer.write(record(1))
    with path.open("a") as file:
        file.write('{"v":1,"t"' + "x" * size)
    with CaptureWriter(path) as writer:
        writer.write(record(2))
    assert [line["seq"] for line in lines(path)] == [1, 2]


def test_a_file_of_one_cut_line_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "c"
    path.write_text('{"v":1')
    with CaptureWriter(path) as writer:
        writer.write(record(1))
    assert [line["seq"] for line in lines(path)] == [1]


def test_where_it_cannot_be_opened_the_system_says_why(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        CaptureWriter(tmp_path)
    with pytest.raises(FileNotFoundError):
        CaptureWriter(tmp_path / "no" / "such" / "folder")


@pytest.mark.skipif(sys.platform != "linux", reason="needs /dev/full")
def test_a_full_disk_is_told_once_and_ends_the_capture_alone() -> None:
    with CaptureWriter("/dev/full") as writer:
        with pytest.raises(
            CaptureError, match="No space left on device; the capture ends after 0 lines"
        ) as told:
            writer.write(record(1))
        assert "the session goes on" in told.value.hint
        assert writer.error is told.value
        writer.write(record(2))
        assert (writer.count, writer.is_open) == (0, False)


def test_a_line_goes_out_whole_where_the_system_takes_it_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with CaptureWriter(path) as writer:
        writer.write(record(1, "x" * 30_000))
    assert len(os.read(reader, 100_000)) == writer.bytes
    os.close(reader)
