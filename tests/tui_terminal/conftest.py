"""The inspector as its user has it: in a terminal of tmux, beside a server that is a process of its own.

Where a program is missing the test is skipped with the reason, unless ``TRIBE_WS_TEST_TERMINAL=required``
says that this run is the one which guards the promise.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.tui_terminal.backend import Backend
from tests.tui_terminal.terminal import Terminal

HERE = Path(__file__).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.terminal)
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture
def home(tmp_path):
    """Make a home that no program of the test leaves, as its environment."""
    folder = tmp_path / "home"
    folder.mkdir()
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    places = {f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("DATA", "CONFIG", "STATE", "CACHE")}
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    covered = {name: value for name, value in os.environ.items() if name.startswith("COV")}
    plain = {
        "HOME": str(folder),
        "XDG_RUNTIME_DIR": str(runtime),
        "PATH": programs,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
    }
    return covered | places | plain


@pytest.fixture
def serve(home, tmp_path):
    """Start a server, with options."""
    started: list[Backend] = []

    def start(*options, environment=home):
        folder = tmp_path / f"server{len(started)}"
        folder.mkdir()
        started.append(Backend(environment, folder, *options))
        return started[-1]

    yield start
    for backend in started:
        backend.close()


@pytest.fixture
def open_terminal(home):
    """Open a terminal."""
    program("tmux")
    opened = []

    def open_one(columns=120, rows=40, **environment):
        opened.append(Terminal(home | environment, columns, rows))
        opened[-1].is_ready()
        return opened[-1]

    yield open_one
    for terminal in opened:
        terminal.close()


@pytest.fixture
def inspect(open_terminal, serve):
    """Open the inspector beside a server, with some options of its own."""

    def open_inspector(*options, backend=None, size=(120, 40), **environment):
        backend = backend or serve()
        terminal = open_terminal(*size, **environment)
        terminal.run(f"tribe-ws tui --url {backend.url} {' '.join(options)}".rstrip())
        return terminal, backend

    return open_inspector


def program(*names):
    found = next(filter(None, map(shutil.which, names)), None)
    return found or missing(f"{' or '.join(names)} is not installed")


def missing(reason):
    if os.environ.get("TRIBE_WS_TEST_TERMINAL") == "required":
        pytest.fail(reason)
    pytest.skip(reason)
