"""What is exported can be read by what it is for, and holds no secret."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tui.records import GENERAL, at, incoming, message, note, outgoing, posted
from tribe_ws.capture.reader import read_capture
from tribe_ws.capture.record import Record
from tribe_ws.errors import TribeError
from tribe_ws.protocol.urls import ServerAddress
from tribe_ws.scenario.language.loading import load_scenario
from tribe_ws_tui.exporting import Form, export

EVENTS = [
    incoming("connected", 0),
    outgoing("subscribe", 1),
    incoming("subscribed", 1.1, latency=0.003),
    posted(2, "mail me at alice@tribe.test", latency=0.009, path=f"/api/v1/conversations/{GENERAL}/messages"),
    message(3, "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.bm90IG91cnM"),
    note("well", 4),
]


def written(form: Form, tmp_path: Path, records: list[Record] | None = None) -> str:
    path = tmp_path / f"out.{form}"
    count = export(records or EVENTS, form, path, address=ServerAddress("http://127.0.0.1:8000"))
    assert count == len(records or EVENTS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    return path.read_text("utf-8")


@pytest.mark.parametrize("form", ["ndjson", "har", "markdown", "scenario"])
def test_no_form_holds_a_secret(form: Form, tmp_path: Path) -> None:
    text = written(form, tmp_path)
    assert "eyJ" not in text
    assert "alice@tribe.test" not in text


def test_ndjson_is_a_capture(tmp_path: Path) -> None:
    written("ndjson", tmp_path)
    records = read_capture(tmp_path / "out.ndjson").records
    assert [record.event for record in records] == [record.event for record in EVENTS]
    assert records[2].at == at(1.1)


def test_har_has_the_frames_and_the_calls(tmp_path: Path) -> None:
    entries = json.loads(written("har", tmp_path))["log"]["entries"]
    assert any("_webSocketMessages" in entry for entry in entries)
    assert any(entry["request"]["method"] == "POST" for entry in entries)


def test_markdown_is_a_report(tmp_path: Path) -> None:
    assert "message.new" in written("markdown", tmp_path)


def test_a_scenario_can_be_loaded(tmp_path: Path) -> None:
    written("scenario", tmp_path)
    assert load_scenario(tmp_path / "out.scenario").steps


def test_a_frame_that_no_text_file_can_hold_is_written_all_the_same(tmp_path: Path) -> None:
    odd = replace(message(1, "\ud800"), text='{"content":"\ud800"}')
    for form in ("ndjson", "har", "markdown"):
        export([odd], form, tmp_path / form)


def test_what_cannot_be_written_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "out.ndjson"
    path.write_text("old")

    def broken(self: Path, target: Path) -> Path:
        raise OSError("no")

    monkeypatch.setattr(Path, "replace", broken)
    with pytest.raises(OSError, match="no"):
        export(EVENTS, "ndjson", path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_form_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    with pytest.raises(TribeError):
        export([note("nothing to do")], "scenario", tmp_path / "x.yaml")
    assert not list(tmp_path.iterdir())
