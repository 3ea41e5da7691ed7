"""What is written down while a session, or a server, goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tribe_ws.capture.record import Record
from tribe_ws.capture.tap import TapReader
from tribe_ws.capture.writer import CaptureError, CaptureWriter


class Recording:
    """The capture that is written now, if any; a disk that refuses ends it, and never the session."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        self.writer: CaptureWriter | None = None
        self.written = 0
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
            self.written += 1
        except CaptureError as error:
            self.writer = None
            self._complain(f"{error}. {error.hint}")


class ServerRecording:
    """The capture of a whole server: every connection and call, each with its user, and who got what."""

    def __init__(self, complain: Callable[[str], None]) -> None:
        self.conversations: Mapping[str, str] = {}
        self._recording = Recording(complain)
        self._tap = TapReader(self._name_of)

    def start(self, path: Path) -> None:
        """Begin to write; ``OSError`` says why that cannot be."""
        self._recording.start(path)

    def take(self, event: dict[str, Any]) -> None:
        """Write down one line of the server's journal."""
        for record in self._tap.records_of(event):
            self._recording.write(record)
        if (delivery := self._tap.delivery_of(event)) is not None:
            self._recording.write(delivery)

    def close(self) -> None:
        """End the capture."""
        self._recording.stop()

    def _name_of(self, conversation_id: str | None) -> str:
        return self.conversations.get(conversation_id or "", "")
