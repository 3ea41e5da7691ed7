"""Reads who takes part in a scenario and in which conversations they talk."""

from __future__ import annotations

from dataclasses import replace

from tribe_ws.scenario.language import reading
from tribe_ws.scenario.language.document import Key, MappingNode, Node, ScalarNode, SequenceNode
from tribe_ws.scenario.language.reading import Reading, refuse
from tribe_ws.scenario.language.steps import RESERVED
from tribe_ws.scenario.model import Actor, ConnectionName, ConversationPlan
from tribe_ws.scenario.place import ScenarioError, did_you_mean, listed
from tribe_ws.scenario.substitution import is_name

MOST_ACTORS = 1_000
BUILT_IN_VARIABLES = ("conversations", "env", "run")
"""The names of variables that every scenario has; no actor may be called so."""
ACTOR_KEYS = ("user", "password", "register", "connections")
_FORMS = "write  actors: [alice, bob]  or  actors: {alice: alice, bob: ben}"


def read_actors(node: Node, context: Reading) -> dict[str, Actor]:
    """Read ``actors:``: a list of names, or a mapping of names to users or to further words about them."""
    actors: dict[str, Actor] = {}
    for key, value in _entries(node):
        name, dot, label = key.name.partition(".")
        _check_name(Key(name, key.place))
        known = actors.get(name) or Actor(key.place, name, name)
        if not dot:
            if name in actors and any(one.label == "" for one in known.connections):
                raise ScenarioError(key.place, f'"{name}" is declared twice')
            actors[name] = _read_actor(known, value, context)
            continue
        actors[name] = _with_connection(known, Key(label, key.place), value)
    if not actors:
        refuse(node, "at least one actor", hint=_FORMS)
    if len(actors) > MOST_ACTORS:
        raise ScenarioError(node.place, f"more than {MOST_ACTORS:,} actors")
    return actors


def read_conversations(node: Node, context: Reading) -> dict[str, ConversationPlan]:
    """Read ``conversations:``: each is made for the run (a list of its members), or is there already."""
    plans = {}
    for key, value in reading.mapping(node, "a mapping of names to members: {team: [alice, bob]}"):
        if not is_name(key.name):
            raise ScenarioError(key.place, f'"{key.name}" cannot be a name', hint="letters, digits and _")
        plans[key.name] = _read_conversation(key, value, context)
    return plans


def _entries(node: Node) -> list[tuple[Key, Node | None]]:
    if isinstance(node, SequenceNode):
        return [(Key(reading.fixed_text(item, "a name"), item.place), None) for item in node.items]
    if not isinstance(node, MappingNode):
        refuse(node, "who takes part", hint=_FORMS)
    return list(node.entries)


def _check_name(key: Key) -> None:
    if not is_name(key.name):
        raise ScenarioError(
            key.place, f'nobody can be called "{key.name}"', hint="letters, digits and _, no digit first"
        )
    if key.name in RESERVED or key.name in BUILT_IN_VARIABLES:
        raise ScenarioError(
            key.place, f'nobody can be called "{key.name}": it means something else in a scenario'
        )


def _read_actor(actor: Actor, node: Node | None, context: Reading) -> Actor:
    plain = replace(actor, connections=_joined(actor.connections, ConnectionName(actor.name)))
    if node is None or (isinstance(node, ScalarNode) and node.value is None):
        return plain
    if isinstance(node, ScalarNode):
        return replace(plain, user=reading.text(node))
    if not isinstance(node, MappingNode):
        refuse(node, "a user, or {user: …, password: …, register: …, connections: […]}")
    reading.know(node, ACTOR_KEYS, "an actor")
    user, password, register = node.get("user"), node.get("password"), node.get("register")
    described = replace(
        plain,
        user=actor.name if user is None else reading.text(user),
        password=None if password is None else reading.text(password),
        registers=False if register is None else context.flag(register),
    )
    return _with_connections(described, node.get("connections"))


def _with_connections(actor: Actor, node: Node | None) -> Actor:
    if node is None:
        return actor
    if not isinstance(node, SequenceNode):
        refuse(node, "a list of names: [phone, web]")
    for item in node.items:
        actor = _with_connection(actor, Key(reading.fixed_text(item, "a name"), item.place), None)
    return actor


def _with_connection(actor: Actor, key: Key, value: Node | None) -> Actor:
    if value is not None and not (isinstance(value, ScalarNode) and value.value is None):
        hint = f"{actor.name}: {{user: …, connections: [{key.name}]}}"
        refuse(value, f"nothing: a connection of {actor.name} has the same user", hint=hint)
    if not is_name(key.name):
        raise ScenarioError(
            key.place, f'"{key.name}" cannot be the name of a connection', hint="letters, digits and _"
        )
    name = ConnectionName(actor.name, key.name)
    if name in actor.connections:
        raise ScenarioError(key.place, f'"{name}" is declared twice')
    return replace(actor, connections=(*actor.connections, name))


def _joined(connections: tuple[ConnectionName, ...], name: ConnectionName) -> tuple[ConnectionName, ...]:
    return connections if name in connections else (name, *connections)


def _read_conversation(key: Key, node: Node, context: Reading) -> ConversationPlan:
    if isinstance(node, SequenceNode):
        return ConversationPlan(key.place, key.name, _members(node, context, least=1))
    if isinstance(node, MappingNode):
        reading.know(node, ("direct",), "a conversation")
        direct = node.get("direct")
        if not isinstance(direct, SequenceNode):
            refuse(node, "{direct: [alice, bob]}")
        members = _members(direct, context, least=2)
        if len(members) != 2:
            refuse(direct, "exactly two members")
        return ConversationPlan(key.place, key.name, members, direct=True)
    existing = reading.text(node)
    if existing == "":
        refuse(node, "its members, or the name of one that is there")
    return ConversationPlan(key.place, key.name, existing=existing)


def _members(node: SequenceNode, context: Reading, least: int) -> tuple[str, ...]:
    members: dict[str, None] = {}
    for item in node.items:
        name = reading.fixed_text(item, "an actor")
        if name not in context.actors:
            hint = did_you_mean(name, context.actors, otherwise=f"there are: {listed(context.actors)}")
            raise ScenarioError(item.place, f'there is no actor "{name}"', hint=hint)
        members[name] = None
    if len(members) < least:
        refuse(node, f"at least {least} members")
    return tuple(members)
