"""What happens when the inspector's own code fails: it says so, writes the story down, and goes on.

Handlers of every widget and screen, callbacks, timers and workers are held to that; so are the tasks of the
sessions, which post ``Broke``.
"""

from __future__ import annotations

import traceback
from datetime import datetime
from pathlib import Path
from typing import Any

from textual.app import App
from textual.dom import DOMNode
from textual.message import Message
from textual.message_pump import MessagePump
from textual.widget import Widget
from textual.worker import WorkerFailed

from tribe_ws.protocol.urls import redact

MOST_BUGS = 20
"""Different failures after which going on is no use any more."""


class Sturdy(App[None]):
    """An app that outlives a failure of its own code; what is lost is the one message, or the one call."""

    def report_bug(self, error: Exception) -> bool:
        """Tell a failure of our own code; tells whether the app goes on."""
        raise NotImplementedError

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except Exception as error:
            if not self.report_bug(error):
                raise

    def _register(self, parent: DOMNode, *widgets: Widget, **places: Any) -> list[Widget]:
        # A widget whose handler fails would hear nothing any more.
        for widget in widgets:
            self._make_sturdy(widget)
        return super()._register(parent, *widgets, **places)

    def _handle_exception(self, error: Exception) -> None:
        cause = error.error if isinstance(error, WorkerFailed) else error
        if not (isinstance(cause, Exception) and self.report_bug(cause)):
            super()._handle_exception(error)

    def _make_sturdy(self, pump: MessagePump) -> None:
        if "_dispatch_message" in vars(pump):
            return
        dispatch = pump._dispatch_message  # noqa: SLF001 - Textual has no other place for it

        async def survive(message: Message) -> None:
            try:
                await dispatch(message)
            except Exception as error:
                if not self.report_bug(error):
                    raise

        pump._dispatch_message = survive  # type: ignore[method-assign]  # noqa: SLF001 - as above


class BugLog:
    """A file that takes the tracebacks, tokens hidden; each bug once, however often it comes."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._known: set[tuple[str, str, int]] = set()

    @property
    def count(self) -> int:
        """How many different bugs there were."""
        return len(self._known)

    def is_new(self, error: BaseException) -> bool:
        """Tell whether this bug comes for the first time; from then on it is known."""
        place = _place_of(error)
        is_new = place not in self._known
        self._known.add(place)
        return is_new

    def write(self, error: BaseException) -> bool:
        """Write a traceback down; tells whether that worked."""
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


def _place_of(error: BaseException) -> tuple[str, str, int]:
    """Tell which bug it is: the kind of the error, and where it was raised."""
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    where = (step.tb_frame.f_code.co_filename, step.tb_lineno) if step is not None else ("", 0)
    return (type(error).__name__, *where)
