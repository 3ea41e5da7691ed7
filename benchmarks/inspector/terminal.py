"""A pseudo-terminal with the inspector in it: reads what it draws, presses keys, hears its report."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios
import time
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from benchmarks.machine import SERVER_CORE, pin
from benchmarks.sockets import DriverError

COLUMNS, ROWS = 120, 40
UNBOUND_KEY = b"\x1b[20~"
"""F9: it changes nothing, and makes the log draw as often as after any key."""
_DEADLINE = 60.0


class InspectorTerminal:
    """The child in its terminal; an asynchronous context manager."""

    def __init__(self, port: int, held: int) -> None:
        self.drawn = 0
        self.facts: dict[str, Any] = {}
        self.waits: list[float] = []
        self._pressed: list[int] = []
        self._arguments = (port, held)
        self._news = asyncio.Event()
        self._rest = b""

    async def __aenter__(self) -> Self:
        port, held = self._arguments
        self._screen, screen = pty.openpty()
        fcntl.ioctl(screen, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._report, report = os.pipe()
        environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        environment.pop("NO_COLOR", None)
        self.process = subprocess.Popen(  # noqa: ASYNC220 - nothing is measured yet
            [sys.executable, "-m", "benchmarks.inspector.child", str(port), str(report), str(held)],
            stdin=screen,
            stdout=screen,
            stderr=screen,
            pass_fds=(report,),
            start_new_session=True,
            env=environment,
        )
        pin(self.process.pid, SERVER_CORE)
        os.close(screen)
        os.close(report)
        loop = asyncio.get_running_loop()
        for descriptor, reader in ((self._screen, self._read_screen), (self._report, self._read_report)):
            os.set_blocking(descriptor, False)
            loop.add_reader(descriptor, reader)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for descriptor in (self._screen, self._report):
            asyncio.get_running_loop().remove_reader(descriptor)
            os.close(descriptor)

    async def reported(self, name: str) -> Any:
        """Wait until the child has reported something; raises ``DriverError`` where it does not."""
        try:
            async with asyncio.timeout(_DEADLINE):
                while name not in self.facts:
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise DriverError(f"the inspector did not report {name!r} within {_DEADLINE:g} s") from None
        return self.facts[name]

    async def taken(self, count: int) -> None:
        """Press keys until the inspector says that it holds so many events; raises ``DriverError``."""
        try:
            async with asyncio.timeout(_DEADLINE):
                while self.facts.get("taken", 0) < count:
                    self.press()
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise DriverError(f"the inspector took {self.facts.get('taken')} of {count} events") from None

    def press(self) -> None:
        """Press a key; its wait is in ``waits`` as soon as it was handled."""
        self._pressed.append(time.monotonic_ns())
        os.write(self._screen, UNBOUND_KEY)

    def _read_screen(self) -> None:
        with suppress(BlockingIOError, OSError):
            self.drawn += len(os.read(self._screen, 1 << 16))

    def _read_report(self) -> None:
        data = b""
        with suppress(BlockingIOError):
            data = os.read(self._report, 1 << 16)
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            facts = json.loads(line)
            handled_at = facts.pop("key", None)
            if handled_at is not None and self._pressed:
                self.waits.append((handled_at - self._pressed.pop(0)) / 1e6)
            self.facts |= facts
        self._news.set()
