"""What a session writes down while it goes on: a capture, and perhaps a HAR file at the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tribe_ws.capture.record import Record
from tribe_ws.capture.writer import CaptureError, CaptureWriter


class Recording:
    """The capture that is written now, if any; a disk that refuses ends it, and never the session."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        self.writer: CaptureWriter | None = None
        self._complain = complain

    def start(self, path: Path) -> None:
        """Write every record from now on into a file, beside nothing else; an open capture ends."""
        self.stop()
        self.writer = CaptureWriter(path)

    def stop(self) -> None:
        """End the capture; idempotent."""
        if self.writer is not None:
            self.writer.close()
            self.writer = None

    def write(self, record: Record) -> None:
        """Write one record if something is written; say once that the disk refuses."""
        if self.writer is None:
            return
        try:
            self.writer.write(record)
        except CaptureError as error:
            self.writer = None
            self._complain(f"{error}. {error.hint}")
