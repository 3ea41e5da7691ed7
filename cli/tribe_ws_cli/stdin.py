"""Lines from a pipe or a file on stdin, without ever blocking the loop or the end of the process."""

from __future__ import annotations

import asyncio
import io
import os
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

_WAITING = 100
"""Lines that may wait to be carried out before reading pauses."""


async def stdin_lines() -> AsyncIterator[str]:
    """Give the lines of stdin until it ends."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[str | None] = asyncio.Queue()
    room = threading.Semaphore(_WAITING)

    def pump() -> None:
        # The loop may have ended meanwhile, and then nobody wants more lines.
        with suppress(RuntimeError):
            for line in _raw_lines():
                room.acquire()
                loop.call_soon_threadsafe(queue.put_nowait, line)
            loop.call_soon_threadsafe(queue.put_nowait, None)

    # A daemon, since a read from a terminal cannot be called off. It reads the bare handle: Python's own
    # buffer would be locked by it when the interpreter ends.
    threading.Thread(target=pump, name="stdin", daemon=True).start()
    while (line := await queue.get()) is not None:
        room.release()
        yield line


def _raw_lines() -> Iterator[str]:
    try:
        handle = sys.stdin.fileno()
    except (OSError, io.UnsupportedOperation, AttributeError):
        yield from sys.stdin or ()
        return
    rest = b""
    while chunk := _read(handle):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line.decode("utf-8", "replace")
    if rest:
        yield rest.decode("utf-8", "replace")


def _read(handle: int) -> bytes:
    try:
        return os.read(handle, 65536)
    except OSError:
        return b""
