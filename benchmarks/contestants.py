"""The contestants: each server under test is a process of its own with a database of its own."""

from __future__ import annotations

import json
import selectors
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import wire
from benchmarks.machine import SERVER_CORE, pin
from benchmarks.sockets import Crowd, DriverError

OURS, NAIVE, LIMIT, BATCHED_LIMIT = "ours", "naive", "limit", "batched limit"

_START_DEADLINE = 60.0
_STOP_DEADLINE = 15.0
_MODULES = {
    OURS: ["benchmarks.servers.ours"],
    NAIVE: ["benchmarks.servers.naive"],
    LIMIT: ["benchmarks.servers.limit"],
    BATCHED_LIMIT: ["benchmarks.servers.limit", "--batched"],
}


@dataclass(frozen=True, slots=True)
class World:
    """Whom our server knows: one conversation, the tokens of its readers and of its senders."""

    database: Path
    conversation_id: str
    readers: tuple[str, ...]
    senders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Running:
    """A server that takes connections now."""

    name: str
    pid: int
    port: int
    control_port: int
    conversation_id: str
    readers: tuple[str, ...]
    senders: tuple[str, ...]

    def crowd(self) -> Crowd:
        """Make an empty crowd for its conversation."""
        return Crowd(self.port, self.conversation_id, self.readers)


class Stable:
    """Starts contestants, each time afresh, in a folder that is thrown away afterwards."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._starts = 0
        self._world: World | None = None

    @contextmanager
    def started(self, name: str) -> Iterator[Running]:
        """Run that server for as long as the context lasts."""
        self._starts += 1
        database = self._folder / f"{self._starts}.db"
        world = World(database, wire.CONVERSATION, ("none",), ("none",))
        if name == OURS:
            world = self._our_world()
            shutil.copyfile(world.database, database)
        log = self._folder / f"{self._starts}.log"
        module, *flags = _MODULES[name]
        with log.open("wb") as errors:
            process = _spawn([sys.executable, "-m", module, str(database), *flags], errors)
        try:
            ready = _first_line(process, name, log)
            yield Running(
                name,
                process.pid,
                ready["port"],
                ready["control_port"],
                world.conversation_id,
                world.readers,
                world.senders,
            )
        finally:
            _end(process)

    def _our_world(self) -> World:
        """Make, once a run, the database in which our server finds its users."""
        if self._world is None:
            database = self._folder / "world.db"
            command = [sys.executable, "-m", "benchmarks.servers.seed", str(database)]
            done = subprocess.run(command, check=False, capture_output=True, timeout=120)
            if done.returncode:
                raise DriverError(f"the world could not be made: {done.stderr.decode()[-2000:]}")
            facts = json.loads(done.stdout)
            self._world = World(
                database, facts["conversation_id"], tuple(facts["readers"]), tuple(facts["senders"])
            )
        return self._world


def _spawn(command: list[str], errors: Any) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True
    )
    pin(process.pid, SERVER_CORE)
    return process


def _first_line(process: subprocess.Popen[bytes], name: str, log: Path) -> dict[str, int]:
    assert process.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        line = process.stdout.readline() if selector.select(_START_DEADLINE) else b""
    if not line:
        raise DriverError(f"{name} did not start: {log.read_text('utf-8', 'replace')[-2000:]}")
    facts: dict[str, int] = json.loads(line)
    return facts


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    try:
        process.wait(_STOP_DEADLINE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
