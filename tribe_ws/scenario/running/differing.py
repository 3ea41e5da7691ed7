"""How far a frame is from what was wanted, and that in lines a person can read at a glance."""

from __future__ import annotations

from collections.abc import Sequence

from tribe_ws.scenario.matchers import Difference, shown

_MOST_LINES = 8


def difference_lines(differences: Sequence[Difference]) -> list[str]:
    """Write differences in columns: the path, what was wanted there, and below it what was got."""
    some = differences[:_MOST_LINES]
    width = max((len(one.path) for one in some), default=0)
    lines = []
    for one in some:
        path = f"{one.path:<{width}}  " if width else ""
        lines.append(f"{path}wanted {one.wanted}")
        lines.append(f"{' ' * len(path)}   got {shown(one.got)}")
    if len(differences) > len(some):
        lines.append(f"and {len(differences) - len(some)} more differences")
    return lines


def is_of_another_kind(differences: Sequence[Difference]) -> bool:
    """Tell whether a frame is not even of the event that was wanted."""
    return any(difference.path in {"event", ""} for difference in differences)
