"""The shapes of answers and frames: which keys in which order, and what kind of thing stands under each.

Of what a server sends nothing else is kept here: no text, no id, no token. Several answers to the same call
make one shape together, so that a key which is null today and an object tomorrow is both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

_DEEPEST = 8
_MOST_KEYS = 100
_MOST_ITEMS = 50
_MOST_SHAPES = 500
_ID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?")
_DIGIT = re.compile(r"\d")
# Documents describe themselves; their shape is their content.
_UNSHAPED = frozenset({"/openapi.json", "/asyncapi.json"})


@dataclass(frozen=True, slots=True)
class Shape:
    """What was seen in one place: the kinds of value, the keys of objects, and what lists hold."""

    kinds: frozenset[str]
    parts: Mapping[str, Shape] = field(default_factory=dict)
    items: Shape | None = None

    def __str__(self) -> str:
        return " or ".join(sorted(self.kinds))


@dataclass(frozen=True, slots=True)
class ShapeDifference:
    """One place in which two shapes differ, and what stands there in each."""

    place: str
    one: str
    other: str


def shape_of(value: Any, depth: int = 0) -> Shape:
    """Tell the shape of a JSON value."""
    if depth >= _DEEPEST:
        return Shape(frozenset({"…"}))
    if isinstance(value, dict):
        parts = {str(key): shape_of(part, depth + 1) for key, part in list(value.items())[:_MOST_KEYS]}
        return Shape(frozenset({"object"}), parts)
    if isinstance(value, list):
        items: Shape | None = None
        for one in value[:_MOST_ITEMS]:
            found = shape_of(one, depth + 1)
            items = found if items is None else merge(items, found)
        return Shape(frozenset({"list"}), items=items)
    return Shape(frozenset({_kind(value)}))


def merge(one: Shape, other: Shape) -> Shape:
    """Make one shape of two; keys that only one has come last."""
    parts = dict(one.parts)
    for key, part in other.parts.items():
        parts[key] = merge(parts[key], part) if key in parts else part
    items = one.items or other.items
    if one.items and other.items:
        items = merge(one.items, other.items)
    return Shape(one.kinds | other.kinds, parts, items)


def differences(one: Shape, other: Shape, place: str = "") -> Iterator[ShapeDifference]:
    """List where two shapes differ; what was always null on one side could still be anything."""
    kinds, others = one.kinds - {"null"}, other.kinds - {"null"}
    if kinds and others and not (kinds <= others or others <= kinds):
        yield ShapeDifference(place, str(replace(one, kinds=kinds)), str(replace(other, kinds=others)))
        return
    if one.parts and other.parts:
        yield from _key_differences(list(one.parts), list(other.parts), place)
    for key in one.parts:
        if key in other.parts:
            yield from differences(one.parts[key], other.parts[key], f"{place}.{key}" if place else key)
    if one.items and other.items:
        yield from differences(one.items, other.items, f"{place}[]")


class Shapes:
    """The shapes of everything one server sent during a check, by the name of the call or the event."""

    def __init__(self) -> None:
        self._seen: dict[str, Shape] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._seen)

    def __getitem__(self, name: str) -> Shape:
        return self._seen[name]

    def note_answer(self, method: str, path: str, status: int, value: Any) -> None:
        """Take note of the answer to a call."""
        if path not in _UNSHAPED:
            self._note(f"{method} {_ID.sub('{id}', path)} → {status}", value)

    def note_frames(self, frames: Iterable[Mapping[str, Any]], subprotocol: str | None) -> None:
        """Take note of the frames of a connection."""
        where = f" ({subprotocol})" if subprotocol else ""
        for frame in frames:
            if isinstance(event := frame.get("event"), str):
                self._note(f"{event[:40]}{where}", frame)

    def _note(self, name: str, value: Any) -> None:
        known = self._seen.get(name)
        if known is not None:
            self._seen[name] = merge(known, shape_of(value))
        elif len(self._seen) < _MOST_SHAPES:
            self._seen[name] = shape_of(value)


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str() if _ID.fullmatch(value):
            return "id"
        case str() if _MOMENT.fullmatch(value):
            return f"moment {_DIGIT.sub('0', value)}"
        case _:
            return "text"


def _key_differences(one: list[str], other: list[str], place: str) -> Iterator[ShapeDifference]:
    for key in one:
        if key not in other:
            yield ShapeDifference(f"{place}.{key}" if place else key, "there", "missing")
    for key in other:
        if key not in one:
            yield ShapeDifference(f"{place}.{key}" if place else key, "missing", "there")
    both, same = [key for key in one if key in other], [key for key in other if key in one]
    if both != same:
        yield ShapeDifference(place, f"keys {', '.join(both)}", f"keys {', '.join(same)}")
