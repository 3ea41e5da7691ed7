"""Durations as people write them: ``250ms``, ``5s``, ``60m``, ``2h``, ``30d``, or bare seconds."""

from __future__ import annotations

import re

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "": 1.0}
LONGEST = 100 * 366 * 86400.0
"""Durations end here: beyond it, ``datetime`` does not add them up."""
_DURATION = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|)\s*", re.IGNORECASE)


def parse_duration(text: str) -> float:
    """Read a duration in seconds; raises ``ValueError`` with a sentence that shows the accepted forms."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError(f"not a duration: {text!r} (write 250ms, 5s, 60m, 2h or 30d)")
    seconds = float(match[1]) * _SECONDS[match[2].lower()]
    if seconds > LONGEST:
        raise ValueError(f"longer than a century: {text.strip()!r}")
    return seconds


def format_duration(seconds: float) -> str:
    """Write a duration the short way: ``9 ms``, ``1.4 s``, ``12 min``."""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"
