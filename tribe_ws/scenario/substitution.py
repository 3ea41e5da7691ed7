"""``${{ name }}`` in the texts of a scenario, and the variables that are put in their place.

A text that is one substitution and nothing else keeps the type of its value; within a longer text the value
is written out. What follows the name is jmespath: ``${{ message.sender.username }}``, ``${{ users[0].id }}``.
``$${{`` stands for ``${{`` itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError

from tribe_ws.scenario.place import Place, ScenarioError, did_you_mean, listed

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_OPENING = re.compile(r"\$?\$\{\{")
LONGEST_TEXT = 1_000_000
"""No text grows beyond this by what is put into it."""


@dataclass(frozen=True, slots=True)
class Expression:
    """What stands between ``${{`` and ``}}``: a variable's name and, after it, a jmespath into its value."""

    name: str
    path: str
    place: Place

    def __str__(self) -> str:
        return f"${{{{ {self.name}{self.path} }}}}"


@dataclass(frozen=True, slots=True)
class Template:
    """A text with at least one substitution in it, cut into its literal pieces and its expressions."""

    parts: tuple[str | Expression, ...]
    place: Place

    def __str__(self) -> str:
        return "".join(
            part.replace("${{", "$${{") if isinstance(part, str) else str(part) for part in self.parts
        )

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """The substitutions, in their order."""
        return tuple(part for part in self.parts if isinstance(part, Expression))


def parse_text(text: str, place: Place) -> str | Template:
    """Read a text of a scenario; raises ``ScenarioError`` for a substitution that cannot be understood."""
    parts: list[str | Expression] = []
    at = 0
    while opening := _OPENING.search(text, at):
        _add_literal(parts, text[at : opening.start()])
        if opening[0].startswith("$$"):
            _add_literal(parts, "${{")
            at = opening.end()
            continue
        end = text.find("}}", opening.end())
        if end < 0:
            raise ScenarioError(
                place, '"${{" is never closed', hint="write ${{ name }}, or $${{ for the text itself"
            )
        parts.append(_expression(text[opening.end() : end].strip(), place))
        at = end + 2
    _add_literal(parts, text[at:])
    if all(isinstance(part, str) for part in parts):
        return "".join(str(part) for part in parts)
    return Template(tuple(parts), place)


def templates_in(value: Any) -> Iterator[Template]:
    """Yield every template within a value."""
    if isinstance(value, Template):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from templates_in(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from templates_in(inner)


def is_name(text: str) -> bool:
    """Tell whether a variable can be called that: letters, digits and underscores, no digit first."""
    return _NAME.fullmatch(text) is not None


@dataclass(frozen=True)
class Variables:
    """The variables as one step sees them; what is captured is seen by all that were made from the same.

    ``now`` is the clock that time matchers compare with.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    _captured: dict[str, Any] = field(default_factory=dict)
    _local: Mapping[str, Any] = field(default_factory=dict)

    def capture(self, name: str, value: Any) -> None:
        """Remember a value for the steps to come, in place of an older one of that name."""
        self._captured[name] = value

    def scoped(self, local: Mapping[str, Any]) -> Variables:
        """Give the variables as a ``repeat`` or ``include`` sees them inside; ``local`` is resolved."""
        inner = {**self._local, **self.resolve(dict(local))}
        return Variables(self.values, self.now, self._captured, inner)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that means something here."""
        return tuple(sorted({*self.values, *self._captured, *self._local}))

    def resolve(self, value: Any) -> Any:
        """Give the value with every substitution made; raises ``ScenarioError`` for a name nobody set."""
        if isinstance(value, Template):
            return self._whole(value)
        if isinstance(value, Mapping):
            return {key: self.resolve(inner) for key, inner in value.items()}
        if isinstance(value, list | tuple):
            return [self.resolve(inner) for inner in value]
        return value

    def text(self, value: Any) -> str:
        """Give the value as a text: what is no text is written as JSON."""
        return as_text(self.resolve(value))

    def evaluate(self, expression: Expression) -> Any:
        """Give the value of one expression."""
        for layer in (self._local, self._captured, self.values):
            if expression.name in layer:
                return _look_into(layer[expression.name], expression)
        raise ScenarioError(
            expression.place,
            f'nothing is called "{expression.name}" here',
            hint=unknown_name_hint(expression.name, self.names),
        )

    def _whole(self, template: Template) -> Any:
        if len(template.parts) == 1 and isinstance(template.parts[0], Expression):
            return self.evaluate(template.parts[0])
        pieces = [part if isinstance(part, str) else as_text(self.evaluate(part)) for part in template.parts]
        if sum(map(len, pieces)) > LONGEST_TEXT:
            raise ScenarioError(template.place, f"this text becomes longer than {LONGEST_TEXT:,} characters")
        return "".join(pieces)


def as_text(value: Any) -> str:
    """Write a value into a text: a text as it is, all else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def unknown_name_hint(name: str, known: tuple[str, ...]) -> str:
    """Say what was probably meant by an unknown variable, or what there is."""
    there_are = f"there are: {listed(known)}" if known else "declare it under variables: or capture it first"
    return did_you_mean(name, known, otherwise=there_are)


def _add_literal(parts: list[str | Expression], text: str) -> None:
    if not text:
        return
    if parts and isinstance(parts[-1], str):
        parts[-1] += text
    else:
        parts.append(text)


def _expression(source: str, place: Place) -> Expression:
    name = _NAME.match(source)
    if name is None:
        raise ScenarioError(
            place, f'"${{{{ {source} }}}}" names no variable', hint="write ${{ name }} or ${{ name.key }}"
        )
    path = source[name.end() :].strip()
    if path:
        if path[0] not in ".[|":
            raise ScenarioError(
                place,
                f'after the name "{name[0]}" comes "{path[:20]}"',
                hint="only a path may follow: .key, [0] or a jmespath after |",
            )
        complaint = complaint_about(f"@{path}")
        if complaint:
            raise ScenarioError(place, f'"{path}" is no path: {complaint}', hint="https://jmespath.org")
    return Expression(name[0], path, place)


def complaint_about(expression: str) -> str:
    """Tell what is wrong with a jmespath expression; empty if nothing is."""
    if len(expression) > 1000:
        return "longer than 1,000 characters"
    try:
        jmespath.compile(expression)
    except JMESPathError as error:
        return str(error).splitlines()[0]
    except (RecursionError, ValueError) as error:
        return str(error)
    return ""


def _look_into(value: Any, expression: Expression) -> Any:
    if not expression.path:
        return value
    try:
        found = jmespath.search(f"@{expression.path}", value)
    except JMESPathError as error:
        raise ScenarioError(expression.place, f"{expression}: {str(error).splitlines()[0]}") from None
    if found is None:
        keys = listed(value) if isinstance(value, dict) else type(value).__name__
        raise ScenarioError(
            expression.place,
            f'"{expression.name}" holds nothing at {expression.path.lstrip(".")}',
            hint=f'"{expression.name}" holds: {keys}',
        )
    return found
