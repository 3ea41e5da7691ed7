"""What a value must be like: literals, partial objects, and the ``$`` matchers; each tells every difference.

Plain values stand for themselves; an object is *partial* (it may have more keys), an array must have exactly
the items given. A matcher never raises on what it is shown, and never takes long: see ``Regex``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tribe_ws.scenario.place import Place
from tribe_ws.scenario.substitution import Variables


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


class Matcher(Protocol):
    """Says of any JSON value (or ``ABSENT``) whether it is what a scenario wants."""

    def differences(self, value: Any, variables: Variables, path: str = "") -> tuple[Difference, ...]:
        """Tell every difference; none means that it matches."""
        ...

    def match(self, value: Any, variables: Variables) -> Outcome:
        """Compare a value."""
        ...

    def describe(self, variables: Variables | None = None) -> str:
        """Say in a few words what is wanted, as ``message.new`` would be wanted by ``event``."""
        ...


@dataclass(frozen=True, slots=True)
class Capture:
    """What to remember: the value found by a jmespath, under a name."""

    place: Place
    name: str
    expression: str


def shown(value: Any, most: int = 200) -> str:
    """Write a value for a person to read, on one line, not too long."""
    if value is ABSENT:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else text[: most - 1] + "…"
