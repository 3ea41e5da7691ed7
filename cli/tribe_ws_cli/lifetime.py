"""Runs a command's coroutine from its start to its end, whatever ends it: itself, Ctrl+C or TERM."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Coroutine
from contextlib import suppress

from typer.exceptions import Exit

from tribe_ws_cli.exit_codes import ExitCode


class Interrupted(Exception):
    """Somebody pressed Ctrl+C where it is a key and not a signal."""


def run_to_end(main: Coroutine[None, None, ExitCode | None]) -> ExitCode:
    """Run a coroutine on a loop of its own and give its exit code.

    SIGINT, SIGTERM and the end of its terminal cancel it, let it clean up, and decide the exit code.
    """
    result, stopped_by = asyncio.run(_with_signals(main))
    if stopped_by is not None:
        raise Exit(int(stopped_by))
    return result or ExitCode.DONE


async def _with_signals(
    main: Coroutine[None, None, ExitCode | None],
) -> tuple[ExitCode | None, ExitCode | None]:
    stopped_by: list[ExitCode] = []
    task = asyncio.ensure_future(main)

    def stop(code: ExitCode) -> None:
        # A second signal finds the task already cancelled and interrupts its cleaning up.
        stopped_by.append(code)
        task.cancel()

    loop = asyncio.get_running_loop()
    if sys.platform != "win32":
        loop.add_signal_handler(signal.SIGINT, stop, ExitCode.INTERRUPTED)
        loop.add_signal_handler(signal.SIGTERM, stop, ExitCode.TERMINATED)
        # ``nohup`` asks to go on without a terminal.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            loop.add_signal_handler(signal.SIGHUP, stop, ExitCode.TERMINATED)
    try:
        with suppress(asyncio.CancelledError):
            result = await task
            return result, stopped_by[0] if stopped_by else None
    except Interrupted:
        return None, ExitCode.INTERRUPTED
    if not stopped_by:
        raise asyncio.CancelledError
    return None, stopped_by[0]
