"""What happens when the inspector's own code fails: it says so, writes the story down, and goes on."""

from __future__ import annotations

import traceback
from datetime import datetime
from pathlib import Path

from textual.message import Message
from textual.message_pump import MessagePump

from tribe_ws.protocol.urls import redact

MOST_BUGS = 20
"""Failures after which going on is no use any more."""


class Sturdy(MessagePump):
    """Lets a handler fail without ending the app; what is lost is the one message."""

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:
            report = getattr(self.app, "report_bug", None)
            if report is None or not report(error):
                raise


class BugLog:
    """A file that takes the tracebacks, tokens hidden; made when the first one is written."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.count = 0

    def write(self, error: BaseException) -> bool:
        """Write a traceback down; tells whether that worked."""
        self.count += 1
        if self.path is None:
            return False
        story = redact("".join(traceback.format_exception(error)))
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path.touch(mode=0o600)
            with self.path.open("a", encoding="utf-8", errors="backslashreplace") as file:
                file.write(f"{datetime.now():%Y-%m-%d %H:%M:%S}\n{story}\n")  # noqa: DTZ005 - for people here
        except OSError:
            return False
        return True


def bug_words(log: BugLog, is_written: bool) -> str:
    """Say that the inspector itself failed, and where the story is."""
    where = f"log at {log.path}" if is_written else "no log could be written"
    return f"Bug in tribe-ws, {where}; keeps running"
