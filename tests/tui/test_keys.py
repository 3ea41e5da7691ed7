"""Every key of the table does what its sentence says; the checks themselves are in ``key_checks``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.tui.key_checks import CHECKS, reset
from tests.tui.stage import WIDE, Stage, conversation, staged
from tribe_ws.errors import ConfigurationError
from tribe_ws_tui.keymap import KEYS, Key, Scope, checked_keymap, shown_key, shown_keys

ELSEWHERE = {"app.quit", "app.interrupt", *(key.id for key in KEYS if key.scope is Scope.REPLAY)}
"""Keys with tests of their own, because they end the app or need a capture."""


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))


@pytest.mark.parametrize("scope", [scope for scope in Scope if scope is not Scope.REPLAY], ids=str)
async def test_each_key_does_what_it_says(scope: Scope) -> None:
    async with staged() as stage:
        conversation(stage)
        for key in KEYS:
            if key.scope is scope and key.id in CHECKS:
                await check_all(stage, key)


async def check_all(stage: Stage, key: Key) -> None:
    for pressed in key.keys.split(","):
        await reset(stage)
        try:
            await CHECKS[key.id](stage, pressed)
        except AssertionError as error:
            raise AssertionError(f"{key.id} by {pressed!r}: {error}\n{stage.shown()}") from error


def test_every_key_has_a_check() -> None:
    assert set(CHECKS) | ELSEWHERE == {key.id for key in KEYS}


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_quit_leaves(key: str) -> None:
    async with staged() as stage:
        await stage.press(key)
        assert stage.app._exit


async def test_quit_asks_while_something_is_recorded(tmp_path: Path) -> None:
    async with staged() as stage:
        stage.screen.record(tmp_path / "capture.ndjson")
        await stage.press("q")
        assert not stage.app._exit
        await stage.sees("Enter stops the recording and leaves")
        await stage.press("escape")
        assert stage.inspection.is_recording
        await stage.press("q", "enter")
        assert stage.app._exit


async def test_ctrl_c_leaves_when_pressed_twice() -> None:
    async with staged() as stage:
        await stage.press("ctrl+c")
        assert not stage.app._exit
        await stage.sees("Ctrl+C again leaves")
        await stage.press("ctrl+c")
        assert stage.app._exit


async def test_keys_of_a_replay(tmp_path: Path) -> None:
    path = tmp_path / "capture.ndjson"
    async with staged() as stage:
        stage.screen.record(path)
        conversation(stage)
        stage.screen.record(None)
        stage.screen.play(path)
        replay = stage.screen.replay
        assert replay is not None
        await stage.press("space")
        assert not replay.is_playing
        before = replay.played
        await stage.press("full_stop", "full_stop")
        assert replay.played == before + 2
        await stage.press("comma")
        assert replay.played == before + 1
        await stage.press("greater_than_sign")
        assert replay.speed == 2
        await stage.press("less_than_sign", "less_than_sign")
        assert replay.speed == 0.5
        assert "replay is read-only" in stage.shown()
        await stage.press("ctrl+r")
        assert stage.screen.replay is None


async def test_a_capture_is_played_apart_from_the_live_one_which_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "capture.ndjson"
    async with staged(users=("alice", "bob")) as stage:
        stage.screen.record(path)
        stage.alice.hear_message("cara", "In file")
        stage.screen.record(None)
        live = stage.inspection.store
        for leaves in ("escape", "ctrl+r"):
            held = len(live)
            stage.screen.play(path)
            replay = stage.screen.replay
            assert replay is not None
            await stage.until(lambda: replay.played > 0)  # noqa: B023 - awaited here
            stage.clock.advance(1)
            stage.alice.hear_message("cara", "Later")
            await stage.settle()
            assert len(live) == held + 1
            assert "Later" not in stage.shown()
            await stage.press(leaves)
            assert stage.screen.replay is None
            assert len(live) == held + 1
            await stage.sees("Later")
            assert all(session.state.link.is_open for session in stage.screen.sessions)


async def test_coming_back_from_a_capture_connects_every_user(tmp_path: Path) -> None:
    path = tmp_path / "capture.ndjson"
    async with staged(users=("alice", "bob")) as stage:
        stage.screen.record(path)
        conversation(stage)
        stage.screen.record(None)
        stage.screen.play(path)
        for session in stage.screen.sessions:
            session.disconnect()
        await stage.press("ctrl+r")
        await stage.until(lambda: all(one.state.link.is_open for one in stage.screen.sessions))


async def test_the_settings_give_a_key_another_place() -> None:
    async with staged(keymap=checked_keymap({"stream.freeze": "z", "app.help": "f11"})) as stage:
        await stage.press("space")
        assert stage.log.is_following
        await stage.press("z")
        assert stage.log.is_frozen
        assert "z Follow" in stage.shown()
        assert "F11 Help" in stage.shown()


async def test_a_click_on_the_key_bar_presses_the_key() -> None:
    async with staged(WIDE) as stage:
        column = stage.shown().split("\n")[-1].index("Freeze")
        await stage.pilot.click("#keys", offset=(column, 0))
        await stage.until(lambda: stage.log.is_frozen)
        await stage.press("i", *"Hi")
        column = stage.shown().split("\n")[-1].index("Send")
        await stage.pilot.click("#keys", offset=(column, 0))
        await stage.until(lambda: bool(stage.calls("say")))


def test_the_settings_name_only_keys_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"no key is called .stream\.freze.") as caught:
        checked_keymap({"stream.freze": "z"})
    assert caught.value.hint == "did you mean stream.freeze?"
    with pytest.raises(ConfigurationError, match="needs a key as text"):
        checked_keymap({"stream.freeze": 7})


def test_ids_are_unique_and_so_are_the_keys_of_a_place() -> None:
    assert len({key.id for key in KEYS}) == len(KEYS)
    for scopes in ({Scope.STREAM, Scope.EVERYWHERE, Scope.REPLAY}, {Scope.FILTER}, {Scope.COMPOSER}):
        keys = [one for key in KEYS if key.scope in scopes for one in key.keys.split(",") if one]
        assert len(keys) == len(set(keys))


def test_keys_are_written_as_people_write_them() -> None:
    written = {"slash": "/", "ctrl+f": "Ctrl+F", "space": "Space", "f2": "F2", "G": "G"}
    assert {key: shown_key(key) for key in written} == written
    assert shown_keys("down,j") == "↓ j"
    assert shown_keys("") == ""
