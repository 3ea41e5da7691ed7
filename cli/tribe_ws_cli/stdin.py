"""Lines from a pipe or a file on stdin, without ever blocking the loop or the end of the process."""

from __future__ import annotations

import asyncio
import io
import os
import sys
import threading
from collections.abc import AsyncIterator, Iterator

_WAITING = 100
"""Lines that may wait to be carried out before reading pauses."""


async def stdin_lines() -> AsyncIterator[str]:
    """Give the lines of stdin until it ends."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[str | None] = asyncio.Queue(_WAITING)

    def hand_over(line: str | None) -> bool:
        try:
            asyncio.run_coroutine_threadsafe(queue.put(line), loop).result()
        except (RuntimeError, asyncio.CancelledError):
            # The loop has ended: nobody wants more lines.
            return False
        return True

    def pump() -> None:
        for line in _raw_lines():
            if not hand_over(line):
                return
        hand_over(None)

    # A daemon, since a read from a terminal cannot be called off. It reads the bare handle: Python's own
    # buffer would be locked by it when the interpreter ends.
    threading.Thread(target=pump, name="stdin", daemon=True).start()
    while (line := await queue.get()) is not None:
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
