"""The matchers that are written with a ``$``: types, forms of text, ranges, and ways to combine others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from tribe_ws.capture.expressions import BadExpression, Expression
from tribe_ws.durations import format_duration
from tribe_ws.scenario.matchers import ABSENT, Difference, Matcher, shown
from tribe_ws.scenario.place import Place, ScenarioError
from tribe_ws.scenario.substitution import Template, Variables

TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
}
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z")


class _Plain(Matcher):
    """A matcher whose judgement is one yes or no."""

    __slots__ = ()

    def accepts(self, value: Any, variables: Variables) -> bool:
        raise NotImplementedError

    def differences(self, value: Any, variables: Variables, path: str = "") -> tuple[Difference, ...]:
        """Tell the one difference there can be."""
        if value is not ABSENT and self.accepts(value, variables):
            return ()
        return (Difference(path, self.describe(variables), value),)


@dataclass(frozen=True, slots=True)
class Anything(_Plain):
    """Whatever is there, null too."""

    def accepts(self, value: Any, variables: Variables) -> bool:  # noqa: ARG002 - all accept alike
        """Accept."""
        return True

    def describe(self, variables: Variables | None = None) -> str:  # noqa: ARG002
        """Say so."""
        return "anything"


@dataclass(frozen=True, slots=True)
class Absent(Matcher):
    """No such key."""

    def differences(self, value: Any, variables: Variables, path: str = "") -> tuple[Difference, ...]:  # noqa: ARG002
        """Find fault with whatever is there."""
        return () if value is ABSENT else (Difference(path, "no such key", value),)

    def describe(self, variables: Variables | None = None) -> str:  # noqa: ARG002
        """Say so."""
        return "no such key"


@dataclass(frozen=True, slots=True)
class OfType(_Plain):
    """A value of one JSON type; an integer is a number too, a boolean is neither."""

    name: str

    def accepts(self, value: Any, variables: Variables) -> bool:  # noqa: ARG002
        """Look at the type."""
        return TYPES[self.name](value)

    def describe(self, variables: Variables | None = None) -> str:  # noqa: ARG002
        """Name the type."""
        article = "an" if self.name[0] in "aio" else "a"
        return "null" if self.name == "null" else f"{article} {self.name}"


@dataclass(frozen=True, slots=True)
class Uuid(_Plain):
    """A hyphenated UUID in lower case, as contract 3.2 has every id sent."""

    def accepts(self, value: Any, variables: Variables) -> bool:  # noqa: ARG002
        """Look at the form."""
        return isinstance(value, str) and _UUID.fullmatch(value) is not None

    def describe(self, variables: Variables | None = None) -> str:  # noqa: ARG002
        """Name the form."""
        return "a UUID (hyphens, lower case)"


@dataclass(frozen=True, slots=True)
class Time(_Plain):
    """An RFC 3339 time in UTC with ``Z``; with ``near`` one that is at most so many seconds from now."""

    near: float | None = None

    def accepts(self, value: Any, variables: Variables) -> bool:
        """Look at the form, then at the clock."""
        if not isinstance(value, str) or _TIME.fullmatch(value) is None:
            return False
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return False
        return self.near is None or abs((variables.now() - moment).total_seconds()) <= self.near

    def describe(self, variables: Variables | None = None) -> str:  # noqa: ARG002
        """Name the form."""
        form = "a UTC time with Z (RFC 3339)"
        return form if self.near is None else f"{form} within {format_duration(self.near)} of now"


@dataclass(frozen=True, slots=True)
class Regex(Matcher):
    """A text in which the regular expression is found; an expression that takes too long finds nothing."""

    pattern: str | Template
    place: Place

    def differences(self, value: Any, variables: Variables, path: str = "") -> tuple[Difference, ...]:
        """Search, for a limited time."""
        expression = compiled(variables.text(self.pattern), self.place)
        if isinstance(value, str) and expression.is_in(value):
            return ()
        given_up = " (given up: it takes too long)" if expression.is_given_up else ""
        return (Difference(path, self.describe(variables) + given_up, value),)

    def describe(self, variables: Variables | None = None) -> str:
        """Write the expression between slashes."""
        return f"a text like /{variables.text(self.pattern) if variables else self.pattern}/"

    def templates(self) -> Iterator[Template]:
        """Yield the pattern, where it is one."""
        if isinstance(self.pattern, Template):
            yield self.pattern


@dataclass(frozen=True, slots=True)
class Range(_Plain):
    """A number between two others, which belong to it; either may be missing."""

    least: float | None = None
    most: float | None = None

    def accepts(self, value: Any, variables: Variables) -> bool:  # noqa: ARG002
        """Compare the number with the ends."""
        if not TYPES["number"](value):
            return False
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)

    def describe(self, variables: Variables | None = None) -> str:  # noqa: ARG002
        """Name the ends."""
        if self.most is None:
            return f"a number from {self.least} on"
        return (
            f"a number up to {self.most}"
            if self.least is None
            else f"a number from {self.least} to {self.most}"
        )


@dataclass(frozen=True, slots=True)
class OrderedKeys(_Plain):
    """An object with exactly these keys in exactly this order, whatever their values."""

    keys: tuple[str, ...]

    def accepts(self, value: Any, variables: Variables) -> bool:  # noqa: ARG002
        """Look at the keys."""
        return isinstance(value, dict) and tuple(value) == self.keys

    def describe(self, variables: Variables | None = None) -> str:  # noqa: ARG002
        """Name the keys."""
        return f"the keys {', '.join(self.keys)} in this order"


@dataclass(frozen=True, slots=True)
class AllOf(Matcher):
    """What every part wants."""

    matchers: tuple[Matcher, ...]

    def differences(self, value: Any, variables: Variables, path: str = "") -> tuple[Difference, ...]:
        """Collect what each part finds."""
        return tuple(found for one in self.matchers for found in one.differences(value, variables, path))

    def describe(self, variables: Variables | None = None) -> str:
        """Describe every part."""
        return " and ".join(one.describe(variables) for one in self.matchers)

    def parts(self) -> Iterator[Matcher]:
        """Yield the parts."""
        yield from self.matchers


@dataclass(frozen=True, slots=True)
class AnyOf(Matcher):
    """What at least one part wants."""

    matchers: tuple[Matcher, ...]

    def differences(self, value: Any, variables: Variables, path: str = "") -> tuple[Difference, ...]:
        """Tell that no part is content."""
        if any(not one.differences(value, variables, path) for one in self.matchers):
            return ()
        return (Difference(path, self.describe(variables), value),)

    def describe(self, variables: Variables | None = None) -> str:
        """Describe every part."""
        return " or ".join(one.describe(variables) for one in self.matchers)

    def parts(self) -> Iterator[Matcher]:
        """Yield the parts."""
        yield from self.matchers


@dataclass(frozen=True, slots=True)
class Not(Matcher):
    """Something, but not what the part wants; a missing key is not it either, so it is content with that."""

    matcher: Matcher

    def differences(self, value: Any, variables: Variables, path: str = "") -> tuple[Difference, ...]:
        """Find fault where the part finds none."""
        if self.matcher.differences(value, variables, path):
            return ()
        return (Difference(path, self.describe(variables), value),)

    def describe(self, variables: Variables | None = None) -> str:
        """Deny the part."""
        return f"not {self.matcher.describe(variables)}"

    def parts(self) -> Iterator[Matcher]:
        """Yield the part."""
        yield self.matcher


@dataclass(frozen=True, slots=True)
class Length(Matcher):
    """A text, array or object whose length is as wanted (characters, items, keys)."""

    matcher: Matcher

    def differences(self, value: Any, variables: Variables, path: str = "") -> tuple[Difference, ...]:
        """Measure, then compare."""
        if not isinstance(value, str | list | dict):
            return (Difference(path, self.describe(variables), value),)
        if not self.matcher.differences(len(value), variables):
            return ()
        return (Difference(path, f"{self.describe(variables)} (it is {len(value)})", value),)

    def describe(self, variables: Variables | None = None) -> str:
        """Describe the length."""
        return f"a length of {self.matcher.describe(variables)}"

    def parts(self) -> Iterator[Matcher]:
        """Yield what the length must be."""
        yield self.matcher


@dataclass(frozen=True, slots=True)
class Contains(Matcher):
    """An array with at least one item as wanted."""

    matcher: Matcher

    def differences(self, value: Any, variables: Variables, path: str = "") -> tuple[Difference, ...]:
        """Look for one item that is as wanted."""
        items = value if isinstance(value, list) else []
        if any(not self.matcher.differences(item, variables) for item in items):
            return ()
        return (Difference(path, self.describe(variables), value),)

    def describe(self, variables: Variables | None = None) -> str:
        """Describe the item."""
        return f"an array with {self.matcher.describe(variables)} in it"

    def parts(self) -> Iterator[Matcher]:
        """Yield what the item must be."""
        yield self.matcher


@dataclass(frozen=True, slots=True)
class Each(Matcher):
    """An array of which every item is as wanted; an empty one is."""

    matcher: Matcher

    def differences(self, value: Any, variables: Variables, path: str = "") -> tuple[Difference, ...]:
        """Look at every item."""
        if not isinstance(value, list):
            return (Difference(path, self.describe(variables), value),)
        for number, item in enumerate(value):
            if found := self.matcher.differences(item, variables, f"{path}[{number}]"):
                return found
        return ()

    def describe(self, variables: Variables | None = None) -> str:
        """Describe the items."""
        return f"an array of {self.matcher.describe(variables)}"

    def parts(self) -> Iterator[Matcher]:
        """Yield what the items must be."""
        yield self.matcher


def compiled(pattern: str, place: Place) -> Expression:
    """Compile a regular expression; raises ``ScenarioError`` where it is none, or costs too much."""
    try:
        return _compile(pattern)
    except BadExpression as error:
        raise ScenarioError(place, f"not a regular expression: {shown(pattern)}: {error}") from None


@lru_cache(maxsize=256)
def _compile(pattern: str) -> Expression:
    return Expression(pattern)
