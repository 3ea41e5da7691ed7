"""The installed ``tribe-ws`` as a person has it: a program, a home folder of its own, and no checkout.

``TRIBE_WS_TEST_PROGRAM`` names the program under test; without it, it is the one beside the running Python.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

PROGRAM = os.environ.get("TRIBE_WS_TEST_PROGRAM") or str(Path(sys.executable).with_name("tribe-ws"))
PATIENCE = 60.0


class Person:
    """Somebody at a shell, in a home folder that nobody else uses."""

    def __init__(self, home):
        self.home = home
        foreign = ("TRIBE_WS_", "XDG_")
        self.environ = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(foreign) and not name.lower().endswith("_proxy")
        }
        self.environ |= {"HOME": str(home), "NO_COLOR": "1", "PYTHONIOENCODING": "utf-8"}
        # The folder of running servers must be ours too, wherever the platform keeps it.
        self.environ |= {"XDG_RUNTIME_DIR": str(home / "run"), "TRIBE_WS_SECRET": "smoke-" * 6}
        (home / "run").mkdir(mode=0o700)
        self.started = []

    def run(self, *arguments, stdin=""):
        """Run a command to its end."""
        return subprocess.run(
            [PROGRAM, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=PATIENCE,
            env=self.environ,
            cwd=self.home,
        )

    def start(self, *arguments):
        """Start a command that runs on."""
        self.started.append(Running(arguments, self.environ, self.home))
        return self.started[-1]

    def leave(self):
        for running in self.started:
            running.end()


class Running:
    """A command that runs on, and what it has said so far."""

    def __init__(self, arguments, environ, folder):
        self.process = subprocess.Popen(
            [PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=environ,
            cwd=folder,
        )
        self.said = threading.Condition()
        self.stdout: list[str] = []
        self.stderr: list[str] = []
        pipes = ((self.process.stdout, self.stdout), (self.process.stderr, self.stderr))
        self.open_pipes = len(pipes)
        self.readers = [threading.Thread(target=self._read, args=pipe, daemon=True) for pipe in pipes]
        for reader in self.readers:
            reader.start()

    def _read(self, pipe, lines):
        with pipe:
            for line in pipe:
                with self.said:
                    lines.append(line.rstrip("\n"))
                    self.said.notify_all()
        with self.said:
            self.open_pipes -= 1
            self.said.notify_all()

    def wait_for(self, text):
        """Wait until a line on stdout or stderr holds that text, and tell the line."""
        with self.said:
            self.said.wait_for(lambda: self._find(text) or not self.open_pipes, PATIENCE)
            return self._find(text) or pytest.fail(self.everything())

    def _find(self, text):
        return next((line for line in (*self.stdout, *self.stderr) if text in line), None)

    def stop(self, number=signal.SIGTERM):
        """Send a signal, and tell the exit code."""
        self.process.send_signal(number)
        return self.exit_code()

    def exit_code(self):
        """Wait for the end, and tell the exit code."""
        code = self.process.wait(PATIENCE)
        for reader in self.readers:
            reader.join()
        return code

    def everything(self):
        return "\n".join(["stdout:", *self.stdout, "stderr:", *self.stderr])

    def end(self):
        self.process.kill()
        self.exit_code()


class Server(Running):
    """A running ``tribe-ws serve`` on a free port."""

    def __init__(self, person):
        self.file = person.home / "ready.json"
        self.file.unlink(missing_ok=True)
        arguments = (
            "serve",
            "--port",
            "0",
            "--db",
            str(person.home / "tribe.db"),
            "--ready-file",
            str(self.file),
        )
        super().__init__(arguments, person.environ, person.home)
        person.started.append(self)
        self.ready = self._wait_until_ready()
        self.url = self.ready["url"]

    def _wait_until_ready(self):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                self.exit_code()
                pytest.fail(f"the server ended\n{self.everything()}")
            if self.file.exists() and (text := self.file.read_text("utf-8")).endswith("\n"):
                return json.loads(text)
            time.sleep(0.02)
        pytest.fail(f"the server did not get ready\n{self.everything()}")


@pytest.fixture(scope="module")
def person(tmp_path_factory):
    someone = Person(tmp_path_factory.mktemp("person"))
    yield someone
    someone.leave()


@pytest.fixture(scope="module")
def server(person):
    """Run a server for all tests of a module, which the person's commands talk to."""
    started = Server(person)
    person.environ["TRIBE_WS_URL"] = started.url
    return started


@pytest.fixture
def another_person(tmp_path):
    """Be somebody who may stop the server."""
    someone = Person(tmp_path)
    yield someone
    someone.leave()


@pytest.fixture
def another_server(another_person):
    """Run a server that the test stops."""
    started = Server(another_person)
    another_person.environ["TRIBE_WS_URL"] = started.url
    return started
