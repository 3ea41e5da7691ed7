"""Reads the steps of a scenario by the tables of verbs; one line of a file may come to several steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tribe_ws.scenario.language import kinds, reading
from tribe_ws.scenario.language.document import (
    Key,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    kind_of,
    plain,
)
from tribe_ws.scenario.language.reading import Reading, refuse
from tribe_ws.scenario.language.verbs import (
    ACTOR_VERBS,
    CLOSE_VERBS,
    FLOW_VERBS,
    SERVER_VERBS,
    Given,
    Verb,
)
from tribe_ws.scenario.language.writing import flow
from tribe_ws.scenario.model import Include, Step
from tribe_ws.scenario.place import ScenarioError, did_you_mean, listed
from tribe_ws.scenario.substitution import Template

SERVER = "server"
_LONGEST_WRITTEN = 200
_FLOW = {verb.name: verb for verb in FLOW_VERBS}
_ACTOR = {verb.name: verb for verb in ACTOR_VERBS}
_SERVER = {verb.name: verb for verb in SERVER_VERBS}
RESERVED = frozenset({SERVER, "name", *_FLOW})
"""What no actor may be called."""


def read_steps(node: Node, context: Reading) -> tuple[Step, ...]:
    """Read a list of steps."""
    if not isinstance(node, SequenceNode):
        refuse(node, "a list of steps", hint="each begins with a dash:  - alice: {send: Hello, to: general}")
    return tuple(step for item in node.items for step in _read_entry(item, context))


def _read_entry(node: Node, context: Reading) -> tuple[Step, ...]:
    """Read one entry of a list of steps: who does what, or a verb of the scenario itself."""
    if not isinstance(node, MappingNode) or not node.entries:
        refuse(node, "a step", hint="write  alice: {send: Hello, to: general}")
    names = [key.name for key, _value in node]
    flow_name = next((name for name in names if name in _FLOW), None)
    common: Given = {"name": _name_of(node), "written": written(node)}
    if flow_name is not None:
        return (_read_flow(_FLOW[flow_name], node, common | {"place": node.place}, context),)
    key, value = _whose(node, context)
    if key.name == SERVER:
        return _read_deeds(key, value, _SERVER, common, context)
    connection = context.connection(key)
    if connection is None:
        raise ScenarioError(key.place, f'there is no actor "{key.name}"', hint=_actor_hint(key.name, context))
    return _read_deeds(key, value, _ACTOR, common | {"connection": connection}, context)


def _whose(node: MappingNode, context: Reading) -> tuple[Key, Node]:
    """Find the one key that says who acts."""
    candidates = [entry for entry in node if entry[0].name != "name"]
    if not candidates:
        refuse(node, "somebody who acts beside the name", hint="write  alice: {send: Hello, to: general}")
    known = [entry for entry in candidates if entry[0].name == SERVER or context.connection(entry[0])]
    if len(candidates) > 1:
        stray = next((key for key, _value in candidates if (key, _value) not in known), candidates[1][0])
        hint = f"its options belong into the braces:  {candidates[0][0].name}: {{…, {stray.name}: …}}"
        if len(known) == len(candidates):
            hint = f"one step each, with a dash of its own:  - {stray.name}: …"
        raise ScenarioError(
            stray.place, f'"{stray.name}" does not belong beside "{candidates[0][0].name}"', hint=hint
        )
    return candidates[0]


def _actor_hint(name: str, context: Reading) -> str:
    connections = [str(one) for actor in context.actors.values() for one in actor.connections]
    known = sorted({*context.actors, *connections, SERVER, *_FLOW})
    person = name.partition(".")[0]
    if "." in name and person in context.actors:
        labels = [one for one in connections if one.startswith(f"{person}.")]
        return did_you_mean(name, labels, otherwise=f"declare the connection:  actors: [{person}, {name}]")
    return did_you_mean(name, known, otherwise=f"there are: {listed(known)}")


def _read_deeds(
    key: Key, node: Node, verbs: Mapping[str, Verb], common: Given, context: Reading
) -> tuple[Step, ...]:
    """Read what one actor does: a verb, a verb with options, or a list of these."""
    if isinstance(node, SequenceNode):
        if not node.items:
            refuse(node, "something to do")
        return tuple(
            _read_deed(Key(key.name, item.place), item, verbs, _single(key, item, common), context)
            for item in node.items
        )
    return (_read_deed(key, node, verbs, common, context),)


def _single(key: Key, node: Node, common: Given) -> Given:
    return common | {"written": cut(flow({key.name: plain(node)}, braces=False))}


def _read_deed(key: Key, node: Node, verbs: Mapping[str, Verb], common: Given, context: Reading) -> Step:
    if isinstance(node, ScalarNode) and isinstance(node.value, str):
        verb = _verb(Key(node.value, node.place), verbs)
        if verb.needs_argument:
            problem = f'"{verb.name}" alone says too little'
            raise ScenarioError(node.place, problem, hint=f"write  {verb.example}")
        return _make(verb, Key(verb.name, key.place), None, (), common, context)
    if not isinstance(node, MappingNode) or not node.entries:
        refuse(node, "what is done", hint=f"{key.name} can: {listed(verbs, most=30)}")
    named, argument = next((entry for entry in node if entry[0].name in verbs), node.entries[0])
    others = tuple(entry for entry in node if entry[0] is not named)
    verb = _ending(_verb(named, verbs), argument)
    return _make(verb, Key(verb.name, key.place), argument, others, common, context)


def _verb(key: Key, verbs: Mapping[str, Verb]) -> Verb:
    if key.name in verbs:
        return verbs[key.name]
    hint = did_you_mean(key.name, verbs, otherwise=f"there are: {listed(verbs, most=30)}")
    raise ScenarioError(key.place, f'nobody can "{key.name}"', hint=hint)


def _ending(verb: Verb, argument: Node) -> Verb:
    """Give what the verb is where it speaks of the end of a connection."""
    return CLOSE_VERBS[verb.name] if verb.name in CLOSE_VERBS and kinds.is_end(argument) else verb


def _make(
    verb: Verb,
    key: Key,
    argument: Node | None,
    options: tuple[tuple[Key, Node], ...],
    common: Given,
    context: Reading,
) -> Step:
    given: Given = {**common, "place": key.place, "verb": verb.name}
    context.steps.add(key.place)
    if any(option.name == "within" for option in verb.options):
        given["within"] = context.within
    given |= _read_argument(verb, key, argument, context)
    given |= _read_options(verb, key, options, context)
    return verb.make(given)


def _read_argument(verb: Verb, key: Key, node: Node | None, context: Reading) -> Given:
    if verb.argument is None:
        if node is not None and not (isinstance(node, ScalarNode) and node.value is None):
            hint = (
                f"write  {verb.example}"
                if not verb.options
                else f"options follow it:  {verb.name}: , within: 2s"
            )
            raise ScenarioError(
                node.place, f'"{verb.name}" takes nothing here, not {kind_of(node)}', hint=hint
            )
        return {}
    if node is None or (isinstance(node, ScalarNode) and node.value is None):
        raise ScenarioError(
            key.place, f'"{verb.name}" says too little: {verb.argument.says}?', hint=f"write  {verb.example}"
        )
    return {verb.argument.field: verb.argument.kind.read(node, context)}


def _read_options(verb: Verb, key: Key, nodes: tuple[tuple[Key, Node], ...], context: Reading) -> Given:
    known = {option.name: option for option in verb.options}
    given: Given = {}
    for name, node in nodes:
        option = known.get(name.name)
        if option is None:
            raise ScenarioError(
                name.place, f'"{verb.name}" knows no "{name.name}"', hint=_option_hint(verb, name.name)
            )
        given[option.field] = option.kind.read(node, context)
    for option in verb.options:
        if option.required and option.field not in given:
            raise ScenarioError(
                key.place, f'"{verb.name}" needs "{option.name}"', hint=f"write  {verb.example}"
            )
    return given


def _option_hint(verb: Verb, name: str) -> str:
    if name in _ACTOR or name in _SERVER:
        return "one thing for each step: give it a line of its own"
    known = [option.name for option in verb.options]
    there_are = f"it knows: {listed(known)}" if known else f"write  {verb.example}"
    if name in {"in", "to"} and {"in", "to"} & set(known):
        return f'did you mean "{"to" if name == "in" else "in"}"?'
    return did_you_mean(name, known, otherwise=there_are)


def _read_flow(verb: Verb, node: MappingNode, common: Given, context: Reading) -> Step:
    key, argument = next(entry for entry in node if entry[0].name == verb.name)
    others = tuple(entry for entry in node if entry[0].name not in {verb.name, "name"})
    if verb.name == "include":
        return _include(verb, key, argument, others, common, context)
    if verb.name != "repeat":
        return _make(verb, key, argument, others, common, context)
    given = _read_argument(verb, key, argument, context)
    factor, context.steps.factor = context.steps.factor, context.steps.factor * given["count"]
    try:
        return _make(verb, key, argument, others, common, context)
    finally:
        context.steps.factor = factor


def _include(
    verb: Verb,
    key: Key,
    argument: Node,
    others: tuple[tuple[Key, Node], ...],
    common: Given,
    context: Reading,
) -> Step:
    step = _make(verb, key, argument, others, common, context)
    assert isinstance(step, Include)
    if context.include is None:
        raise ScenarioError(key.place, "nothing can be included here: this text is no file")
    included = context.include(step.source, argument.place, step.variables)
    return replace(step, steps=included.steps, variables=included.variables)


def _name_of(node: MappingNode) -> str:
    name = node.get("name")
    if name is None:
        return ""
    given = reading.text(name)
    return str(given) if isinstance(given, Template) else given


def written(node: Node) -> str:
    """Give a step as it was written, on one line."""
    return cut(flow(plain(node), braces=False))


def cut(text: str) -> str:
    """Shorten a line to what a report has room for."""
    return text if len(text) <= _LONGEST_WRITTEN else text[: _LONGEST_WRITTEN - 1] + "…"
