"""Loads scenario files: what comes out is understood; what is not raises ``ScenarioError`` with its place.

Nothing is run and nobody is asked; the files that are included are read too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tribe_ws.scenario.language import kinds, reading
from tribe_ws.scenario.language.document import LONGEST_FILE, MappingNode, Node, SequenceNode, read_document
from tribe_ws.scenario.language.kinds import Kind
from tribe_ws.scenario.language.people import BUILT_IN_VARIABLES, read_actors, read_conversations
from tribe_ws.scenario.language.reading import Included, Reading, StepCount
from tribe_ws.scenario.language.steps import read_steps
from tribe_ws.scenario.limits import DEFAULT_TIMEOUT, DEFAULT_WITHIN, LONGEST_TIMEOUT
from tribe_ws.scenario.model import Profile, Scenario
from tribe_ws.scenario.place import Place, ScenarioError, did_you_mean, listed
from tribe_ws.scenario.substitution import Variables, is_name, templates_in

DEEPEST_INCLUDE = 8
SCENARIO_KEYS = (
    "name", "description", "tags", "profile", "timeout", "within", "variables", "env", "actors",
    "conversations", "steps",
)  # fmt: skip
FRAGMENT_KEYS = ("name", "description", "variables", "steps")
_PROFILES: dict[str, Profile] = {"documented": "documented", "app": "app", "v2": "v2"}
_TIMEOUT = Kind(
    "duration", lambda node, context: context.duration(node, most=LONGEST_TIMEOUT), kinds.DURATION_SCHEMA
)


def load_scenario(path: Path, *, variables: Mapping[str, str] | None = None) -> Scenario:
    """Read a scenario file; ``variables`` are those of the command line, over those of the file.

    Raises ``ScenarioError``, for a file that cannot be read too.
    """
    text = _read_file(path, Place(str(path), 1, 1))
    return _Loader(_Chain((path,))).scenario(text, path, variables or {})


def parse_scenario(
    text: str, name: str = "scenario", *, variables: Mapping[str, str] | None = None
) -> Scenario:
    """Read a scenario from a text that is in no file; ``name`` stands for the path in errors."""
    return _Loader(_Chain((), name)).scenario(text, None, variables or {})


def parse_assignment(text: str) -> tuple[str, str]:
    """Read ``name=value`` as ``--var`` takes it; raises ``ValueError`` with a sentence."""
    name, equals, value = text.partition("=")
    if not equals or not is_name(name):
        raise ValueError(f"not an assignment: {text!r} (write name=value)")
    return name, value


@dataclass(frozen=True, slots=True)
class _Chain:
    """The files that include one another down to the one that is being read."""

    files: tuple[Path, ...]
    name: str = ""

    @property
    def here(self) -> str:
        return str(self.files[-1]) if self.files else self.name


@dataclass
class _Loader:
    """Reads one file and, through others of its kind, those that it includes."""

    chain: _Chain
    steps: StepCount = field(default_factory=StepCount)

    def scenario(self, text: str, path: Path | None, given: Mapping[str, str]) -> Scenario:
        root = self._root(text, SCENARIO_KEYS, "a scenario")
        for needed, example in (("name", "What happens"), ("actors", "[alice, bob]"), ("steps", "[…]")):
            if root.get(needed) is None:
                raise ScenarioError(
                    root.place, f'a scenario needs "{needed}"', hint=f"write  {needed}: {example}"
                )
        variables = _override(_variables(root), given, root)
        context = Reading(settled=settled(variables), read_steps=read_steps, steps=self.steps)
        context.include = None if path is None else self._includer(context)
        context.within = _read(root, "within", kinds.DURATION, context, DEFAULT_WITHIN)
        context.actors = read_actors(_need(root, "actors"), context)
        self._no_clash(root, context)
        conversations = root.get("conversations")
        return Scenario(
            name=_title(root),
            path=path,
            description=_read(root, "description", kinds.FIXED_TEXT, context, ""),
            actors=context.actors,
            conversations={} if conversations is None else read_conversations(conversations, context),
            variables=variables,
            environment=_names(root, "env"),
            steps=self._steps(root, context),
            place=root.place,
            profile=_PROFILES[_read(root, "profile", kinds.choice(*_PROFILES), context, "documented")],
            timeout=_read(root, "timeout", _TIMEOUT, context, DEFAULT_TIMEOUT),
            tags=_names(root, "tags"),
            settled_names=frozenset(context.settled_names),
            variable_places=_variable_places(root),
        )

    def fragment(self, text: str, outer: Reading, given: Mapping[str, Any]) -> Included:
        root = self._root(text, FRAGMENT_KEYS, "an included file")
        variables = {**_variables(root), **given}
        for name in given:
            if root.get("variables") is not None and name not in _variables(root):
                hint = did_you_mean(name, _variables(root), otherwise=f"it has: {listed(_variables(root))}")
                raise ScenarioError(root.place, f'this file has no variable "{name}" to be given', hint=hint)
        context = replace(outer, settled=settled(variables, outer.settled))
        context.include = self._includer(context)
        return Included(self._steps(root, context), variables)

    def _root(self, text: str, known: tuple[str, ...], what: str) -> MappingNode:
        root = read_document(text, self.chain.here)
        if not isinstance(root, MappingNode):
            reading.refuse(root, what, hint="begin with:  name: What happens")
        reading.know(root, known, what)
        return root

    def _steps(self, root: MappingNode, context: Reading) -> Any:
        node = root.get("steps")
        if node is None:
            raise ScenarioError(root.place, 'this file has no "steps"')
        if isinstance(node, SequenceNode) and not node.items:
            reading.refuse(node, "at least one step")
        return read_steps(node, context)

    def _includer(self, context: Reading) -> Any:
        def include(source: str, place: Place, given: Mapping[str, Any]) -> Included:
            path = self.chain.files[-1].parent / source
            self._check_chain(path, place)
            loader = _Loader(_Chain((*self.chain.files, path)), self.steps)
            return loader.fragment(_read_file(path, place), context, given)

        return include

    def _check_chain(self, path: Path, place: Place) -> None:
        real = path.resolve()
        if any(file.resolve() == real for file in self.chain.files):
            chain = " → ".join(file.name for file in (*self.chain.files, path))
            raise ScenarioError(place, "this file includes itself", hint=chain)
        if len(self.chain.files) >= DEEPEST_INCLUDE:
            raise ScenarioError(place, f"files include files {DEEPEST_INCLUDE} deep; no further")

    def _no_clash(self, root: MappingNode, context: Reading) -> None:
        variables = root.get("variables")
        for key, _value in variables if isinstance(variables, MappingNode) else ():
            if key.name in context.actors or key.name in BUILT_IN_VARIABLES:
                owner = "an actor" if key.name in context.actors else "a variable of every scenario"
                raise ScenarioError(key.place, f'"{key.name}" is the name of {owner} already')


def settled(variables: Mapping[str, Any], outer: Variables | None = None) -> Variables:
    """Give those variables whose value is known before anything runs, one built on the other."""
    known = dict(outer.values) if outer else {}
    for name, value in variables.items():
        try:
            known[name] = Variables(known).resolve(value)
        except ScenarioError:
            continue
    return Variables(known)


def _read_file(path: Path, place: Place) -> str:
    try:
        with path.open("rb") as file:
            return file.read(4 * LONGEST_FILE + 1).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ScenarioError(place, f"{path} is not UTF-8") from None
    except (OSError, ValueError) as error:
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise ScenarioError(place, f"cannot read {path}: {why}") from None


def _need(root: MappingNode, name: str) -> Node:
    node = root.get(name)
    assert node is not None
    return node


def _read(root: MappingNode, name: str, kind: Kind, context: Reading, default: Any) -> Any:
    node = root.get(name)
    return default if node is None else kind.read(node, context)


def _title(root: MappingNode) -> str:
    return reading.fixed_text(_need(root, "name"), "a name")


def _variables(root: MappingNode) -> dict[str, Any]:
    node = root.get("variables")
    return {} if node is None else dict(kinds.VARIABLES.read(node, Reading()))


def _variable_places(root: MappingNode) -> dict[str, Place]:
    node = root.get("variables")
    return {key.name: key.place for key, _value in node} if isinstance(node, MappingNode) else {}


def _names(root: MappingNode, key: str) -> tuple[str, ...]:
    node = root.get(key)
    if node is None:
        return ()
    if not isinstance(node, SequenceNode):
        reading.refuse(node, "a list of names")
    return tuple(reading.fixed_text(item, "a name") for item in node.items)


def _override(variables: dict[str, Any], given: Mapping[str, str], root: MappingNode) -> dict[str, Any]:
    """Put the values of the command line in place of the file's, each with the type it had there."""
    for name, text in given.items():
        if name not in variables:
            hint = did_you_mean(name, variables, otherwise=f"it has: {listed(variables) or 'none'}")
            raise ScenarioError(root.place, f'this scenario has no variable "{name}"', hint=hint)
        variables[name] = _typed(text, variables[name])
    return variables


def _typed(text: str, example: Any) -> Any:
    if isinstance(example, str) or example is None or any(templates_in(example)):
        return text
    try:
        node = read_document(text, "--var")
    except ScenarioError:
        return text
    return reading.value(node)
