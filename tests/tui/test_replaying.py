"""A capture plays into the store: in time, step by step, back and forth, or at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.message import Message

from tests.tui.records import message
from tests.tui.waiting import until
from tribe_ws.capture.reader import Capture, CaptureError
from tribe_ws_tui.exporting import export
from tribe_ws_tui.inspection import Inspection
from tribe_ws_tui.messages import ReplayMoved
from tribe_ws_tui.replaying import SPEEDS, Replay, open_capture

RECORDS = tuple(replace(message(second), seq=second + 1) for second in range(0, 50, 10))


class Stage:
    """A capture of five messages, ten seconds apart, and a clock that a test moves."""

    def __init__(self, speed: float = 1.0) -> None:
        self.now = 100.0
        self.posted: list[Message] = []
        self.inspection = Inspection()
        self.replay = Replay(
            Capture(Path("x.ndjson"), RECORDS),
            self.inspection,
            self.posted.append,
            now=lambda: self.now,
            speed=speed,
        )

    @property
    def shown(self) -> list[str]:
        store = self.inspection.store
        return [f"{record.at:%S}" for record in store.records()]


async def test_time_brings_what_is_due_and_the_end_stops_it() -> None:
    stage = Stage(speed=2.0)
    stage.replay.play()
    stage.replay.play()
    await until(lambda: stage.replay.played == 1)
    stage.now += 10
    await until(lambda: stage.replay.played == 3)
    assert stage.replay.position == 20
    assert stage.replay.is_playing
    stage.now += 60
    await until(lambda: not stage.replay.is_playing)
    assert stage.replay.is_at_end
    assert stage.shown == ["11", "21", "31", "41", "51"]
    assert any(isinstance(one, ReplayMoved) for one in stage.posted)


async def test_paused_no_time_goes_by() -> None:
    stage = Stage()
    stage.replay.play()
    await until(lambda: stage.replay.played == 1)
    stage.replay.pause()
    stage.now += 100
    assert not stage.replay.is_playing
    stage.replay.play()
    await until(lambda: stage.replay.is_playing)
    stage.now += 10
    await until(lambda: stage.replay.played == 2)
    await stage.replay.stop()
    await stage.replay.stop()


async def test_at_once_shows_everything_and_playing_again_begins_anew() -> None:
    stage = Stage(speed=0.0)
    stage.replay.play()
    await until(lambda: stage.replay.is_at_end)
    stage.replay.play()
    await until(lambda: not stage.replay.is_playing)
    assert stage.shown == ["11", "21", "31", "41", "51"]


def test_one_steps_on_and_back() -> None:
    stage = Stage()
    stage.replay.step(3)
    assert (stage.replay.played, stage.shown) == (3, ["11", "21", "31"])
    stage.replay.step(-1)
    assert (stage.replay.played, stage.replay.position, stage.shown) == (2, 10.0, ["11", "21"])
    stage.replay.step(-9)
    assert stage.shown == []
    stage.replay.step(99)
    assert len(stage.shown) == len(stage.replay) == 5


def test_one_seeks_forward_and_back() -> None:
    stage = Stage()
    stage.replay.seek(25)
    assert stage.shown == ["11", "21", "31"]
    stage.replay.seek(5)
    assert stage.shown == ["11"]
    assert stage.replay.duration == 40


def test_speeds_go_up_to_at_once_and_down_again() -> None:
    stage = Stage()
    seen = []
    for _ in range(20):
        stage.replay.faster()
        seen.append(stage.replay.speed)
    assert seen[-1] == SPEEDS[-1] == 0
    assert seen[: len(SPEEDS) - 3] == list(SPEEDS[3:])
    stage.replay.slower()
    assert stage.replay.speed == SPEEDS[-2]
    stage.replay.set_speed(4.0)
    assert stage.replay.speed == 4.0


def test_a_file_is_opened_or_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "capture.ndjson"
    export(RECORDS, "ndjson", path)
    assert len(open_capture(path).records) == 5
    path.write_text("nonsense\n")
    with pytest.raises(CaptureError):
        open_capture(path)
