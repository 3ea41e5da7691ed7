"""Writes a capture: one record a line, readable by its owner only, free of secrets, safe to look at.

Every line is on its way to the disk when ``write`` returns, so that a session which is killed leaves all but
its last line. A full disk does not end the session that is recorded: the capture stops, and says so once.
"""

from __future__ import annotations

import os
import stat
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Self

from tribe_ws.capture.record import Record
from tribe_ws.capture.redaction import redact_record
from tribe_ws.capture.visible import visible_json
from tribe_ws.errors import TribeError

_BLOCK = 65_536


class CaptureError(TribeError):
    """A capture cannot be read or written.

    ``line`` is the number of the line that is wrong, from 1; 0 where it is the file.
    """

    code = "capture"

    def __init__(self, message: str, *, line: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.line = line


class CaptureWriter:
    """One open capture; a context manager, or to be ended by ``close``.

    An existing file is gone on with. ``count`` and ``bytes`` are what was written so far by this writer.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.count = 0
        self.bytes = 0
        self.error: CaptureError | None = None
        self._file: FileIO | None = _open(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_open(self) -> bool:
        """Whether it still writes."""
        return self._file is not None

    def write(self, record: Record) -> None:
        """Write one record.

        Raises ``CaptureError`` the first time the disk refuses; from then on nothing is written, and nothing
        raised.
        """
        if self._file is None:
            return
        line = capture_line(record)
        try:
            self._append(line)
        except OSError as error:
            self.close()
            self.error = CaptureError(
                f"{self.path}: {error.strerror or error}; the capture ends after {self.count} lines",
                hint="the session goes on; make room, then record into another file",
            )
            raise self.error from None
        self.count += 1
        self.bytes += len(line)

    def close(self) -> None:
        """End the capture; idempotent."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _append(self, line: bytes) -> None:
        """Write all of a line: a nearly full disk takes a part of it without complaint."""
        rest = memoryview(line)
        while rest and self._file is not None:
            rest = rest[self._file.write(rest) or 0 :]


def capture_line(record: Record) -> bytes:
    """Give the line of a record, redacted, with its line feed."""
    return (visible_json(redact_record(record).as_json()) + "\n").encode()


def _open(path: Path) -> FileIO:
    """Open a file to append to, unbuffered: what was written is the kernel's, whatever becomes of us.

    A line in it that was cut off goes: nobody could read past it.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o600)
    if stat.S_ISREG(os.fstat(handle).st_mode):
        _drop_cut_line(handle)
    return FileIO(handle, "ab")


def _drop_cut_line(handle: int) -> None:
    size = end = os.fstat(handle).st_size
    while end:
        start = max(0, end - _BLOCK)
        found = os.pread(handle, end - start, start).rfind(b"\n")
        if found >= 0:
            os.truncate(handle, start + found + 1)
            return
        end = start
    if size:
        os.truncate(handle, 0)
