"""What a value must be like: literals, partial objects, and the ``$`` matchers; each tells every difference.

Plain values stand for themselves; an object is *partial* (it may have more keys), an array must have exactly
the items given. A matcher never raises for what it is shown, and never takes long: see ``Regex``.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from tribe_ws.scenario.place import Place
from tribe_ws.scenario.substitution import Template, Variables

MOST_DIFFERENCES = 50
"""A matcher stops looking after so many; nobody reads more."""


class _Absent:
    """The mark for what is not there; it is equal to nothing but itself."""

    def __repr__(self) -> str:
        return "nothing"


ABSENT = _Absent()


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where a value is not as wanted: its path, what was wanted there, and what was got."""

    path: str
    wanted: str
    got: Any = ABSENT

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        return f"{where}wanted {self.wanted}, got {shown(self.got)}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a value matched; if not every difference, if so what was captured of it."""

    ok: bool
    differences: tuple[Difference, ...] = ()
    captured: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Capture:
    """What to remember: the value found by a jmespath, under a name."""

    place: Place
    name: str
    expression: str


class Matcher(ABC):
    """Says of any JSON value (or ``ABSENT``) whether it is what a scenario wants."""

    __slots__ = ()

    def match(self, value: Any, variables: Variables, captures: tuple[Capture, ...] = ()) -> Outcome:
        """Compare a value and take the captures; raises ``ScenarioError`` for an unknown variable."""
        found = self.differences(value, variables)
        return Outcome(False, found) if found else take(captures, value)

    @abstractmethod
    def differences(self, value: Any, variables: Variables, path: str = "") -> tuple[Difference, ...]:
        """Tell every difference; none means that it matches."""

    @abstractmethod
    def describe(self, variables: Variables | None = None) -> str:
        """Say in a few words what is wanted, with the values of the variables if they are given."""

    def parts(self) -> Iterator[Matcher]:
        """Yield the matchers this one is made of."""
        yield from ()

    def templates(self) -> Iterator[Template]:
        """Yield every substitution in here, those of the parts too."""
        for part in self.parts():
            yield from part.templates()


@dataclass(frozen=True, slots=True)
class Literal(Matcher):
    """Exactly this value, all the way down: ``true`` is not 1, but 1 is 1.0."""

    value: Any

    def differences(self, value: Any, variables: Variables, path: str = "") -> tuple[Difference, ...]:
        """Compare with the value itself."""
        if is_same(variables.resolve(self.value), value):
            return ()
        return (Difference(path, self.describe(variables), value),)

    def describe(self, variables: Variables | None = None) -> str:
        """Write the value."""
        if variables is not None:
            return shown(variables.resolve(self.value))
        return str(self.value) if isinstance(self.value, Template) else shown(_without_templates(self.value))

    def templates(self) -> Iterator[Template]:
        """Yield the substitutions within the value."""
        from tribe_ws.scenario.substitution import templates_in

        yield from templates_in(self.value)


@dataclass(frozen=True, slots=True)
class Keys(Matcher):
    """An object with these keys, and no others where ``closed``, each with a value as wanted."""

    entries: Mapping[str, Matcher]
    closed: bool = False

    def differences(self, value: Any, variables: Variables, path: str = "") -> tuple[Difference, ...]:
        """Compare key by key."""
        if not isinstance(value, dict):
            return (Difference(path, "an object", value),)
        found: list[Difference] = []
        for key, matcher in self.entries.items():
            found += matcher.differences(value.get(key, ABSENT), variables, _below(path, key))
            if len(found) >= MOST_DIFFERENCES:
                break
        if self.closed:
            extra = [key for key in value if key not in self.entries][:MOST_DIFFERENCES]
            found += [Difference(_below(path, key), "no such key", value[key]) for key in extra]
        return tuple(found)

    def describe(self, variables: Variables | None = None) -> str:
        """Write the object as a pattern."""
        inner = ", ".join(f"{key}: {matcher.describe(variables)}" for key, matcher in self.entries.items())
        return _cut(f"{{{inner}}}" if self.closed or not inner else f"{{{inner}, …}}")

    def parts(self) -> Iterator[Matcher]:
        """Yield what is wanted of the values."""
        yield from self.entries.values()


@dataclass(frozen=True, slots=True)
class Items(Matcher):
    """An array with exactly these items, in this order."""

    items: tuple[Matcher, ...]

    def differences(self, value: Any, variables: Variables, path: str = "") -> tuple[Difference, ...]:
        """Compare item by item."""
        if not isinstance(value, list):
            return (Difference(path, "an array", value),)
        if len(value) != len(self.items):
            return (Difference(path, f"an array of {len(self.items)}", value),)
        found: list[Difference] = []
        for number, (matcher, item) in enumerate(zip(self.items, value, strict=True)):
            found += matcher.differences(item, variables, f"{path}[{number}]")
        return tuple(found[:MOST_DIFFERENCES])

    def describe(self, variables: Variables | None = None) -> str:
        """Write the array as a pattern."""
        return _cut(f"[{', '.join(item.describe(variables) for item in self.items)}]")

    def parts(self) -> Iterator[Matcher]:
        """Yield what is wanted of the items."""
        yield from self.items


def take(captures: tuple[Capture, ...], value: Any) -> Outcome:
    """Look up what is to be remembered; where there is nothing, that is a difference."""
    captured: dict[str, Any] = {}
    missing = []
    for capture in captures:
        try:
            found = jmespath.search(capture.expression, value)
        except JMESPathError as error:
            missing.append(
                Difference(capture.expression, f"a value for {capture.name} ({_first_line(error)})", value)
            )
            continue
        if found is None:
            missing.append(Difference(capture.expression, f"a value for {capture.name}"))
        captured[capture.name] = found
    return Outcome(False, tuple(missing)) if missing else Outcome(True, captured=captured)


def is_same(wanted: Any, got: Any) -> bool:
    """Compare two JSON values; a boolean is no number, the order of keys does not matter."""
    if isinstance(wanted, dict):
        return (
            isinstance(got, dict)
            and wanted.keys() == got.keys()
            and all(is_same(value, got[key]) for key, value in wanted.items())
        )
    if isinstance(wanted, list):
        return (
            isinstance(got, list)
            and len(wanted) == len(got)
            and all(is_same(one, other) for one, other in zip(wanted, got, strict=True))
        )
    if isinstance(wanted, bool) or isinstance(got, bool):
        return wanted is got
    return bool(wanted == got)


def shown(value: Any, most: int = 200) -> str:
    """Write a value for a person to read, on one line, not too long."""
    if value is ABSENT:
        return "nothing"
    try:
        return _cut(json.dumps(value, ensure_ascii=False), most)
    except (RecursionError, TypeError, ValueError):
        return f"a {type(value).__name__} that cannot be shown"


def _without_templates(value: Any) -> Any:
    if isinstance(value, Template):
        return str(value)
    if isinstance(value, Mapping):
        return {key: _without_templates(inner) for key, inner in value.items()}
    return [_without_templates(inner) for inner in value] if isinstance(value, list | tuple) else value


def _below(path: str, key: str) -> str:
    step = key if key.replace("_", "a").isalnum() else json.dumps(key, ensure_ascii=False)
    return f"{path}.{step}" if path else step


def _cut(text: str, most: int = 200) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
