"""Reads a capture back, line by line; one that was cut off in the middle of its last line up to there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tribe_ws.capture.record import Record
from tribe_ws.capture.writer import CaptureError

LONGEST_LINE = 4 * 1024 * 1024
"""Bytes: a line longer than this is no record, whatever it is."""

__all__ = ["LONGEST_LINE", "Capture", "CaptureError", "CaptureReader", "read_capture"]


@dataclass(frozen=True, slots=True)
class Capture:
    """What a capture holds; ``is_cut`` tells that its last line was cut off, and is not among them."""

    path: Path
    records: tuple[Record, ...]
    is_cut: bool = False

    @property
    def users(self) -> tuple[str, ...]:
        """Whose sessions it holds, in the order in which they come up."""
        return tuple(dict.fromkeys(record.as_user for record in self.records if record.as_user))

    @property
    def seconds(self) -> float:
        """From the first record to the last."""
        if not self.records:
            return 0.0
        return max(0.0, (self.records[-1].at - self.records[0].at).total_seconds())


class CaptureReader:
    """Yields the records of a file one by one, so that a big one need not fit into memory.

    ``is_cut`` is known when the iteration is over. Iterating raises ``CaptureError`` with the number of the
    line where one is no record, and ``OSError`` where the file cannot be read.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.is_cut = False

    def __iter__(self) -> Iterator[Record]:
        with self.path.open("rb") as file:
            number = 0
            while line := file.readline(LONGEST_LINE + 1):
                number += 1
                has_end = line.endswith(b"\n")
                if len(line) > LONGEST_LINE:
                    raise self._error(number, "the line is longer than any record")
                if not line.strip():
                    continue
                try:
                    record = _record_of(line)
                except ValueError as error:
                    # A whole line that makes no sense is an error; half a line at the end is only the end.
                    if not has_end and not file.peek(1):
                        self.is_cut = True
                        return
                    raise self._error(number, str(error)) from None
                yield record

    def _error(self, number: int, why: str) -> CaptureError:
        return CaptureError(
            f"{self.path}, line {number}: {why}",
            line=number,
            hint="a capture has one JSON object a line:  tribe-ws record FILE  writes one",
        )


def read_capture(path: Path | str) -> Capture:
    """Read a whole capture; raises ``CaptureError`` with the line's number, or ``OSError``."""
    reader = CaptureReader(path)
    records = tuple(reader)
    return Capture(reader.path, records, reader.is_cut)


def _record_of(line: bytes) -> Record:
    try:
        form: Any = json.loads(line.decode())
    except (ValueError, RecursionError):
        raise ValueError("not JSON") from None
    return Record.from_json(form)
