from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from tribe_ws import running
from tribe_ws.running import RunningServer, announce, is_alive, running_server, withdraw, write_private

SERVER = RunningServer(
    url="http://127.0.0.1:8123",
    ws_url="ws://127.0.0.1:8123/api/v1/ws",
    pid=os.getpid(),
    port=8123,
    version="0.1.0",
    database="tribe.db",
    world="demo",
)
GONE = 2**22 + 1
"""A process number beyond what the kernel gives out."""


@pytest.fixture(autouse=True)
def _own_runtime_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(running, "runtime_folder", lambda: tmp_path / "runtime")


def test_a_running_server_is_found_by_its_port():
    announce(SERVER)
    assert running_server(8123) == SERVER
    assert running_server(8124) is None


def test_the_record_is_readable_by_its_owner_only():
    path = announce(SERVER)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["server-8123.json"]


def test_a_server_that_ends_takes_its_record_along():
    announce(SERVER)
    withdraw(SERVER)
    withdraw(SERVER)
    assert running_server(8123) is None


def test_a_server_leaves_the_record_of_another_that_took_the_port():
    announce(SERVER)
    withdraw(replace(SERVER, pid=GONE))
    assert running_server(8123) == SERVER


def test_the_record_of_a_dead_process_counts_for_nothing():
    announce(replace(SERVER, pid=GONE))
    assert running_server(8123) is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": "x"}', "null", '{"pid": 1, "more": 2}'])
def test_a_broken_record_counts_for_nothing(text: str):
    announce(SERVER).write_text(text)
    assert running_server(8123) is None


def test_a_process_of_another_user_is_alive(monkeypatch: pytest.MonkeyPatch):
    def forbidden(pid: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbidden)
    assert is_alive(1)


def test_a_private_file_is_replaced_in_one_step(tmp_path: Path):
    path = tmp_path / "new" / "secret"
    write_private(path, "one")
    path.chmod(0o644)
    write_private(path, "two")
    assert path.read_text() == "two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_left_over_draft_does_not_stand_in_the_way(tmp_path: Path):
    path = tmp_path / "secret"
    (tmp_path / f".secret.{os.getpid()}").symlink_to(tmp_path / "elsewhere")
    write_private(path, "one")
    assert path.read_text() == "one"
    assert not (tmp_path / "elsewhere").exists()


def test_the_folders_are_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.undo()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "runtime"))
    for folder in (running.data_folder(), running.runtime_folder()):
        assert running.APPLICATION in folder.parts
        assert not folder.exists()
