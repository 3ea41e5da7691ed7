"""What a probe sent and saw, kept in order and without secrets; bounded, whatever a server sends."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from typing import Literal

from tribe_ws.protocol.redaction import redact_text

Direction = Literal["sent", "got", "note"]
_MOST_ENTRIES = 40
_LONGEST_TEXT = 600


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was sent or seen, ``at`` seconds after the probe began, on the lane ``who``."""

    at: float
    who: str
    direction: Direction
    text: str

    def __str__(self) -> str:
        arrow = {"sent": "→", "got": "←", "note": "·"}[self.direction]
        return f"{self.at:7.3f}  {self.who:<12} {arrow} {self.text}"

    def as_json(self) -> dict[str, object]:
        """Give the form for reports that programs read."""
        return {"at": round(self.at, 3), "who": self.who, "direction": self.direction, "text": self.text}


class Evidence:
    """The newest entries of one run of one probe."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._entries: deque[Entry] = deque(maxlen=_MOST_ENTRIES)
        self._count = 0

    @property
    def seconds(self) -> float:
        """How long the probe has been running."""
        return time.monotonic() - self._began

    def note(self, who: str, direction: Direction, text: str | bytes) -> None:
        """Write down one thing; what is too long is cut, and secrets are hidden."""
        said = text if isinstance(text, str) else f"{len(text)} bytes: {text[:40].hex(' ')}"
        said = redact_text(said)
        if len(said) > _LONGEST_TEXT:
            said = f"{said[:_LONGEST_TEXT]}… ({len(said)} characters)"
        self._count += 1
        self._entries.append(Entry(self.seconds, who, direction, said))

    def entries(self) -> tuple[Entry, ...]:
        """Give what is kept; the first one says so where older ones were dropped."""
        dropped = self._count - len(self._entries)
        if not dropped:
            return tuple(self._entries)
        return (Entry(0.0, "", "note", f"{dropped} earlier entries are left out"), *self._entries)
