"""How long a scenario waits and how much it may do: the defaults and the ends (durations in seconds)."""

from __future__ import annotations

DEFAULT_WITHIN = 5.0
LONGEST_WAIT = 600.0
DEFAULT_TIMEOUT = 60.0
LONGEST_TIMEOUT = 3600.0
MOST_REPEATS = 10_000
MOST_STEPS = 100_000
"""So many steps a scenario may come to when every ``repeat`` and ``include`` is counted out."""
