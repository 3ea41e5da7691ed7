"""What all sessions share: exact latencies across them, one recording, and who received what."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tui.records import message, note, posted
from tribe_ws.capture.reader import read_capture
from tribe_ws.capture.writer import CaptureError, CaptureWriter
from tribe_ws_tui.inspection import Inspection, message_id_of


@pytest.mark.parametrize("arrives_first", [True, False])
def test_a_message_is_measured_from_the_begin_of_its_post_whichever_is_known_first(
    arrives_first: bool,
) -> None:
    inspection = Inspection()

    def post() -> None:
        inspection.take(posted(1, message_id="m", latency=0.009), monotonic=10.0)

    def arrive() -> None:
        incoming = message(1, message_id="m", latency=1.0, timing="guessed", connection="B", as_user="bob")
        inspection.take(incoming, monotonic=10.011)

    for act in (arrive, post) if arrives_first else (post, arrive):
        act()
    post_number = 2 if arrives_first else 1
    [delivery] = inspection.deliveries(post_number)
    assert (delivery.lane, delivery.username, delivery.number) == ("B", "bob", 3 - post_number)
    assert delivery.latency == pytest.approx(0.011)
    assert inspection.store.kind(delivery.number).timing == "measured"


def test_a_message_nobody_of_ours_sent_keeps_the_latency_it_came_with() -> None:
    inspection = Inspection()
    record = inspection.take(message(1, latency=0.5, timing="stamped"), monotonic=3.0)
    assert (record.latency, record.timing, record.seq) == (0.5, "stamped", 1)


def test_what_was_fetched_after_a_gap_is_not_measured() -> None:
    inspection = Inspection()
    inspection.take(posted(1, message_id="m"), monotonic=1.0)
    inspection.take(message(1, message_id="m", tags=frozenset({"gap"})), monotonic=9.0)
    assert inspection.store.latency(2) is None


def test_what_is_no_message_has_no_deliveries() -> None:
    inspection = Inspection()
    inspection.take(note("well"), monotonic=1.0)
    assert inspection.deliveries(1) == ()
    assert inspection.deliveries(7) == ()
    assert message_id_of(message(1, message_id=None)) == ""


def test_old_sends_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tribe_ws_tui.inspection._MOST_SENDS", 3)
    inspection = Inspection()
    for number in range(10):
        inspection.take(posted(number), monotonic=float(number))
        inspection.take(message(number), monotonic=float(number))
    assert len(inspection._posted) == len(inspection._arrived) == 3


def test_everything_goes_into_the_recording_until_it_is_stopped(tmp_path: Path) -> None:
    inspection = Inspection()
    path = tmp_path / "capture.ndjson"
    inspection.take(note("before"))
    inspection.start_recording(path)
    assert inspection.is_recording
    inspection.take(message(1))
    inspection.write(note("only for the file"))
    writer = inspection.stop_recording()
    inspection.take(note("after"))
    assert writer is not None
    assert writer.count == 2
    assert not inspection.is_recording
    assert inspection.stop_recording() is None
    assert [record.event for record in read_capture(path).records] == ["message.new", "note"]
    assert json.loads(path.read_text().splitlines()[0])["seq"] == 2


def test_a_full_disk_is_told_once_and_the_capture_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    troubles: list[CaptureError] = []
    inspection = Inspection(on_trouble=troubles.append)
    inspection.start_recording(tmp_path / "capture.ndjson")

    def full(self: CaptureWriter, line: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(CaptureWriter, "_append", full)
    inspection.take(message(1))
    inspection.take(message(2))
    assert len(troubles) == 1
    assert len(inspection.store) == 2
    assert not inspection.is_recording
