"""An event that was selected before a filter hid it is not what the keys are about any more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.key_checks import select
from tests.tui.stage import conversation, staged


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


async def test_opening_takes_an_event_that_is_to_be_seen() -> None:
    async with staged() as stage:
        conversation(stage)
        await select(stage, "typing")
        stage.screen.set_filter("event:message.new")
        await stage.settle()
        await stage.press("enter")
        assert stage.log.record is not None
        assert stage.log.record.event == "message.new"
