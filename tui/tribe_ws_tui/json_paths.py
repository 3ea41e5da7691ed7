"""JSON as paths and values: for a tree that unfolds on demand, and for telling two frames apart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

LONGEST_VALUE = 400
"""Characters of a value that are shown at once; the raw view has all of them."""
MOST_PATHS = 2000


class Change(NamedTuple):
    """One path of two frames: what it was, what it is."""

    kind: Literal["same", "changed", "added", "removed"]
    path: str
    before: str
    after: str


def short_json(value: Any) -> str:
    """Write a value as JSON, cut where it is long."""
    if isinstance(value, str) and len(value) > LONGEST_VALUE:
        shown = json.dumps(value[:LONGEST_VALUE], ensure_ascii=False)
        return f"{shown}… ({len(value):,} characters)"
    return json.dumps(value, ensure_ascii=False)


def children(value: Any) -> list[tuple[str, Any]]:
    """Give what a value holds, under the name of each; nothing for a plain value."""
    if isinstance(value, dict):
        return [(str(key), inner) for key, inner in value.items()]
    if isinstance(value, list):
        return [(str(place), inner) for place, inner in enumerate(value)]
    return []


def summary(value: Any) -> str:
    """Say what a value holds: ``{4 keys}``, ``[2 items]``, or the value itself."""
    if isinstance(value, dict):
        return f"{{{len(value)} key{'' if len(value) == 1 else 's'}}}"
    if isinstance(value, list):
        return f"[{len(value)} item{'' if len(value) == 1 else 's'}]"
    return short_json(value)


def differences(before: Any, after: Any) -> list[Change]:
    """Compare two frames path by path, in the order of the newer one; what is gone comes last."""
    old, new = dict(_paths(before)), dict(_paths(after))
    found: list[Change] = []
    for path, value in new.items():
        if path not in old:
            found.append(Change("added", path, "", value))
        else:
            found.append(Change("same" if old[path] == value else "changed", path, old[path], value))
    found += [Change("removed", path, value, "") for path, value in old.items() if path not in new]
    return found


def _paths(value: Any) -> Iterator[tuple[str, str]]:
    waiting: list[tuple[str, Any]] = [("", value)]
    given = 0
    while waiting and given < MOST_PATHS:
        path, inner = waiting.pop()
        below = children(inner)
        if below:
            waiting += [(f"{path}.{name}" if path else name, one) for name, one in reversed(below)]
        else:
            given += 1
            yield path, summary(inner)
