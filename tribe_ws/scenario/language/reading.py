"""Takes single values out of nodes: texts, numbers, durations; each refusal says what is wanted there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from tribe_ws.durations import format_duration, parse_duration
from tribe_ws.scenario.language.document import Key, MappingNode, Node, ScalarNode, SequenceNode, kind_of
from tribe_ws.scenario.limits import DEFAULT_WITHIN, LONGEST_WAIT, MOST_STEPS
from tribe_ws.scenario.place import Place, ScenarioError, did_you_mean, listed
from tribe_ws.scenario.substitution import Template, Variables, parse_text

if TYPE_CHECKING:
    from tribe_ws.scenario.model import Actor, ConnectionName, Step

DURATION_FORMS = "write 250ms, 5s or 2m"


@dataclass
class Reading:
    """What is known while one file is read: its variables so far, its people, its default patience."""

    settled: Variables = field(default_factory=Variables)
    within: float = DEFAULT_WITHIN
    actors: Mapping[str, Actor] = field(default_factory=dict)
    read_steps: Callable[[Node, Reading], tuple[Step, ...]] = lambda _node, _context: ()
    include: Callable[[str, Place, Mapping[str, Any]], Included] | None = None
    settled_names: set[str] = field(default_factory=set)
    steps: StepCount = field(default_factory=lambda: StepCount())

    def connection(self, key: Key) -> ConnectionName | None:
        """Tell which declared connection a key names, if any; an actor's plain name always does."""
        from tribe_ws.scenario.model import ConnectionName

        name, dot, label = key.name.partition(".")
        actor = self.actors.get(name)
        if actor is None or (dot and ConnectionName(name, label) not in actor.connections):
            return None
        return ConnectionName(name, label)

    def settle(self, node: Node) -> Any:
        """Give a scalar that must be known before anything runs: only the file's variables are seen."""
        given = scalar(node)
        if not isinstance(given, str):
            return given
        template = parse_text(given, node.place)
        if isinstance(template, Template):
            self.settled_names.update(expression.name for expression in template.expressions)
        try:
            return self.settled.resolve(template)
        except ScenarioError as error:
            if not error.problem.startswith("nothing is called"):
                raise
            problem = error.problem.replace(" here", " before the scenario runs")
            hint = "here only variables: of this file can stand, nothing that is captured"
            raise ScenarioError(node.place, problem, hint=hint) from None

    def duration(self, node: Node, *, least: float = 0.001, most: float = LONGEST_WAIT) -> float:
        """Read a duration, in seconds."""
        given = self.settle(node)
        if isinstance(given, bool) or not isinstance(given, str | int | float):
            refuse(node, "a duration", hint=DURATION_FORMS)
        try:
            seconds = parse_duration(given if isinstance(given, str) else f"{given:f}")
        except ValueError:
            raise ScenarioError(node.place, f"not a duration: {given!r}", hint=DURATION_FORMS) from None
        if seconds > most:
            raise ScenarioError(node.place, f"too long: {given}", hint=f"at most {format_duration(most)}")
        if seconds < least:
            raise ScenarioError(node.place, f"too short: {given}", hint=DURATION_FORMS)
        return seconds

    def integer(self, node: Node, least: int, most: int) -> int:
        """Read a whole number between two others."""
        given = self.settle(node)
        if isinstance(given, bool) or not isinstance(given, int):
            refuse(node, "a whole number")
        if not least <= given <= most:
            raise ScenarioError(node.place, f"{given:,} is not between {least:,} and {most:,}")
        return given

    def flag(self, node: Node) -> bool:
        """Read ``true`` or ``false``."""
        given = self.settle(node)
        if not isinstance(given, bool):
            refuse(node, "true or false")
        return given

    def choice(self, node: Node, words: Collection[str]) -> str:
        """Read one of some words."""
        given = self.settle(node)
        if given not in words or not isinstance(given, str):
            hint = did_you_mean(str(given), words, otherwise=f"there are: {listed(words)}")
            refuse(node, f"one of {listed(words)}", hint=hint)
        return given


@dataclass(frozen=True, slots=True)
class Included:
    """What another file brings: its steps and its variables, those that were given to it among them."""

    steps: tuple[Step, ...]
    variables: Mapping[str, Any]


@dataclass
class StepCount:
    """How many steps a scenario has come to, every repetition counted; there is an end to it."""

    total: int = 0
    factor: int = 1

    def add(self, place: Place) -> None:
        """Count one step as often as it will run."""
        self.total += self.factor
        if self.total > MOST_STEPS:
            raise ScenarioError(place, f"more than {MOST_STEPS:,} steps, every repetition counted")


def scalar(node: Node) -> str | int | float | bool | None:
    """Give the value of a node that must be a single one."""
    if not isinstance(node, ScalarNode):
        refuse(node, "a single value", hint="a text that begins with { or [ needs quotes")
    return node.value


def value(node: Node) -> Any:
    """Give any JSON value, with a ``Template`` for each text that holds a substitution."""
    match node:
        case ScalarNode(value=str(text)):
            return parse_text(text, node.place)
        case ScalarNode(value=given):
            return given
        case SequenceNode(items=items):
            return [value(item) for item in items]
        case MappingNode(entries=entries):
            return {key.name: value(inner) for key, inner in entries}


def text(node: Node) -> str | Template:
    """Give a text; a number is read as what was written."""
    given = scalar(node)
    if given is None or isinstance(given, bool):
        refuse(
            node, "a text", hint=f'in quotes it is one: "{str(given).lower()}"' if given is not None else ""
        )
    return parse_text(str(given), node.place)


def fixed_text(node: Node, what: str = "a text") -> str:
    """Give a text without substitutions."""
    given = text(node)
    if isinstance(given, Template):
        raise ScenarioError(node.place, f"{what} cannot hold ${{{{ }}}} here")
    if not given.strip():
        refuse(node, what)
    return given


def mapping(node: Node, what: str) -> MappingNode:
    """Give a node that must be a mapping."""
    if not isinstance(node, MappingNode):
        refuse(node, what)
    return node


def know(node: MappingNode, known: Iterable[str], what: str) -> None:
    """Raise ``ScenarioError`` for the first key that means nothing here."""
    names = tuple(known)
    for key, _value in node:
        if key.name not in names:
            hint = did_you_mean(key.name, names, otherwise=f"it knows: {listed(names)}")
            raise ScenarioError(key.place, f'{what} knows no "{key.name}"', hint=hint)


def refuse(node: Node, wanted: str, *, hint: str = "") -> NoReturn:
    """Raise ``ScenarioError``: something else is wanted here."""
    raise ScenarioError(node.place, f"here must stand {wanted}, not {kind_of(node)}", hint=hint)
