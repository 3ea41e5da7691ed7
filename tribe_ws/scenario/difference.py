"""Finds, among the frames that came, the one that was almost what a scenario wanted, and what parts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tribe_ws.scenario.matchers import Difference, Keys, Literal, Matcher, shown
from tribe_ws.scenario.special_matchers import AllOf
from tribe_ws.scenario.substitution import Variables

MOST_FRAMES = 1_000
"""Only so many frames, the newest, are compared: a failure is told at once."""
_WRONG_EVENT = 100
_MOST_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Nearest:
    """The frame that came nearest to a pattern: which of the frames, the frame itself, what parts it."""

    position: int
    frame: Any
    differences: tuple[Difference, ...]

    def lines(self) -> list[str]:
        """Write every difference on a line of its own: the path, what was wanted, what was got."""
        return difference_lines(self.differences)


def nearest(pattern: Matcher, frames: Sequence[Any], variables: Variables) -> Nearest | None:
    """Give the frame with the fewest differences, the newest of equals; ``None`` where nothing came.

    A frame of another event is further away than any of the same event.
    """
    best: tuple[int, int] | None = None
    found: Nearest | None = None
    first = max(0, len(frames) - MOST_FRAMES)
    for position in range(len(frames) - 1, first - 1, -1):
        differences = pattern.differences(frames[position], variables)
        distance = (sum(map(_weight, differences)), first - position)
        if best is None or distance[0] < best[0]:
            best, found = distance, Nearest(position, frames[position], differences)
    return found


def difference_lines(differences: Sequence[Difference]) -> list[str]:
    """Write differences in columns: the path, ``wanted``, ``got``."""
    some = differences[:_MOST_SHOWN]
    width = max((len(one.path) for one in some), default=0)
    lines = []
    for one in some:
        path = f"{one.path:<{width}}  " if width else ""
        lines.append(f"{path}wanted {one.wanted}")
        lines.append(f"{' ' * len(path)}   got {shown(one.got)}")
    if len(differences) > len(some):
        lines.append(f"and {len(differences) - len(some)} more differences")
    return lines


def wanted_event(pattern: Matcher) -> str:
    """Tell which event a pattern asks for; empty where it does not say, or says it by a variable."""
    match pattern:
        case Keys(entries=entries) if isinstance(event := entries.get("event"), Literal):
            return event.value if isinstance(event.value, str) else ""
        case AllOf(matchers=matchers):
            return next(filter(None, map(wanted_event, matchers)), "")
    return ""


def _weight(difference: Difference) -> int:
    return _WRONG_EVENT if difference.path in {"event", ""} else 1
