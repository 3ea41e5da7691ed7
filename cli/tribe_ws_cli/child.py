"""Runs somebody's command as a job of its own: it gets our signals, we its exit code; nothing of it stays.

The command leads a process group, as a shell's job does. A terminal is lent to that group, so that Ctrl+C and
reading work there as without us. Whatever of the group still lives at the end is ended too.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Self

from tribe_ws_cli.diagnostics import UsageProblem

PASSED_ON = tuple(
    number
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
    if (number := getattr(signal, name, None)) is not None
)
"""The signals that the command gets in our place."""
# How long what the command left behind may take to end after TERM.
_GRACE = 2.0
_LOOK_EVERY = 0.02
_IS_POSIX = sys.platform != "win32"


class Signals:
    """Takes the signals meant for the command as long as a ``with`` lasts; those before its start wait."""

    def __init__(self) -> None:
        self.waiting: list[int] = []
        self.group: int | None = None

    def __enter__(self) -> Self:
        if _IS_POSIX:
            loop = asyncio.get_running_loop()
            for number in PASSED_ON:
                loop.add_signal_handler(number, self._take, number)
        return self

    def __exit__(self, *_: object) -> None:
        if _IS_POSIX:
            loop = asyncio.get_running_loop()
            for number in PASSED_ON:
                loop.remove_signal_handler(number)

    def _take(self, number: int) -> None:
        if self.group is None:
            self.waiting.append(number)
        else:
            _signal_group(self.group, number)


async def run_child(command: Sequence[str], environ: Mapping[str, str], signals: Signals) -> int:
    """Run a command to its end; tell its exit code, ``128 + N`` for one that signal N ended.

    It is not even started when a signal came already. Raises ``UsageProblem`` for a command that cannot be
    started.
    """
    if signals.waiting:
        return 128 + signals.waiting[0]
    options: dict[str, Any] = {"process_group": 0} if _IS_POSIX else {}
    try:
        child = await asyncio.create_subprocess_exec(*command, env=dict(environ), **options)
    except OSError as error:
        raise UsageProblem(
            f"cannot run {command[0]!r}: {error.strerror or error}",
            hint="tribe-ws exec -- CMD ARGS…        for a pipe or a variable:  tribe-ws exec -- sh -c '…'",
        ) from None
    signals.group = child.pid
    for number in signals.waiting:
        _signal_group(child.pid, number)
    with _terminal_lent_to(child.pid):
        try:
            code = await child.wait()
        finally:
            await _end_group(child.pid)
    return code if code >= 0 else 128 - code


@contextmanager
def _terminal_lent_to(group: int) -> Iterator[None]:
    """Make the command the terminal's foreground job, if we are that ourselves, and take it back after."""
    terminal = _our_terminal()
    if terminal is None:
        yield
        return
    # A background job that touches the terminal's owner is stopped by this signal, and that will be us.
    before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    try:
        with suppress(OSError):
            os.tcsetpgrp(terminal, group)
        # It may have read before it was allowed to, and been stopped for that.
        _signal_group(group, signal.SIGCONT)
        yield
    finally:
        with suppress(OSError):
            os.tcsetpgrp(terminal, os.getpgrp())
        signal.signal(signal.SIGTTOU, before)


def _our_terminal() -> int | None:
    if not _IS_POSIX or sys.stdin is None:
        return None
    with suppress(OSError, ValueError):
        terminal = sys.stdin.fileno()
        if os.isatty(terminal) and os.tcgetpgrp(terminal) == os.getpgrp():
            return terminal
    return None


async def _end_group(group: int) -> None:
    """End what the command started and did not wait for."""
    if not _IS_POSIX or not _signal_group(group, signal.SIGTERM):
        return
    deadline = asyncio.get_running_loop().time() + _GRACE
    while asyncio.get_running_loop().time() < deadline:
        if not _signal_group(group, 0):
            return
        await asyncio.sleep(_LOOK_EVERY)
    _signal_group(group, signal.SIGKILL)


def _signal_group(group: int, number: int) -> bool:
    """Send a signal to a process group; tells whether there still is one."""
    try:
        if _IS_POSIX:
            os.killpg(group, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True
