"""A home of its own for every test, one server for all of them, and three ways to run the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tribe_ws import running
from tribe_ws.running import RunningServer
from tribe_ws.server.local import LocalServer
from tribe_ws_cli.application import app

Cli = Callable[..., Result]
DEADLINE = 60.0


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every test away from the user's own files and settings."""
    for name in list(os.environ):
        if name.startswith("TRIBE_WS_") or name in {"NO_COLOR", "API_BASE_URL"}:
            monkeypatch.delenv(name)
    for name in ("DATA", "CONFIG", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TZ", "UTC")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return tmp_path


@pytest.fixture
def cli() -> Cli:
    """Run the command line in this process, with its output caught."""

    def invoke(*args: str, input: str = "", env: Mapping[str, str] | None = None) -> Result:  # noqa: A002
        return CliRunner().invoke(app, list(args), input=input, env=env)

    return invoke


@pytest.fixture(scope="session")
def running_demo_server() -> Iterator[LocalServer]:
    with LocalServer() as server:
        yield server


def record_of(server: LocalServer) -> RunningServer:
    return RunningServer(
        url=server.url,
        ws_url=server.ws_url,
        pid=os.getpid(),
        port=server.port,
        version="0",
        database=":memory:",
        world="demo",
    )


@pytest.fixture
def server(running_demo_server: LocalServer, home: Path, monkeypatch: pytest.MonkeyPatch) -> LocalServer:
    """A demo server that tribe-ws knows as its own, and that commands find without being told."""
    running.announce(record_of(running_demo_server))
    monkeypatch.setenv("TRIBE_WS_URL", running_demo_server.url)
    return running_demo_server


def spawn(*args: str, **options: Any) -> subprocess.Popen[str]:
    """Start the command line as a process of its own."""
    defaults: dict[str, Any] = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "text": True,
        "encoding": "utf-8",
    }
    return subprocess.Popen([sys.executable, "-m", "tribe_ws_cli", *args], **(defaults | options))


def run(*args: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process of its own and wait for its end."""
    if "input" not in options:
        options.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(
        [sys.executable, "-m", "tribe_ws_cli", *args],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=DEADLINE,
        check=False,
        **options,
    )
