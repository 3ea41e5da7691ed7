"""What may stand after a key of a step: how it is read, and the JSON Schema that tells an editor the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tribe_ws.protocol.urls import API_PREFIX
from tribe_ws.scenario.language import reading
from tribe_ws.scenario.language.document import MappingNode, Node, ScalarNode, SequenceNode, kind_of
from tribe_ws.scenario.language.matcher_forms import PATTERN, Schema, read_matcher
from tribe_ws.scenario.language.reading import Reading, refuse
from tribe_ws.scenario.matchers import Capture, Keys, Literal, Matcher
from tribe_ws.scenario.place import ScenarioError, did_you_mean, listed
from tribe_ws.scenario.substitution import Template, complaint_about, is_name, parse_text
from tribe_ws.scenario.tokens import BROKEN_TOKENS, TokenPlan

if TYPE_CHECKING:
    from tribe_ws.scenario.model import Step

SUBSTITUTION: Schema = {"$ref": "#/$defs/substitution"}
DURATION_SCHEMA: Schema = {"$ref": "#/$defs/duration"}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of value: its name in the documentation, its reader, its schema."""

    name: str
    read: Callable[[Node, Reading], Any]
    schema: Schema


def choice(*words: str) -> Kind:
    """Give the kind of one of these words."""
    return Kind(
        " or ".join(f"`{word}`" for word in words),
        lambda node, context: context.choice(node, words),
        {"anyOf": [{"enum": list(words)}, SUBSTITUTION]},
    )


def integer(least: int, most: int) -> Kind:
    """Give the kind of a whole number between two others."""
    return Kind(
        "whole number",
        lambda node, context: context.integer(node, least, most),
        {"anyOf": [{"type": "integer", "minimum": least, "maximum": most}, SUBSTITUTION]},
    )


def _value(node: Node, _context: Reading) -> Any:
    return reading.value(node)


def _text(node: Node, _context: Reading) -> str | Template:
    return reading.text(node)


def _fixed_text(node: Node, _context: Reading) -> str:
    return reading.fixed_text(node)


def _one_or_more(node: Node, _context: Reading) -> tuple[str | Template, ...]:
    if isinstance(node, SequenceNode):
        if not node.items:
            refuse(node, "a conversation, or several")
        return tuple(_filled_text(item, _context) for item in node.items)
    return (_filled_text(node, _context),)


def _filled_text(node: Node, _context: Reading) -> str | Template:
    given = reading.text(node)
    if given == "":
        refuse(node, "a name")
    return given


def _texts(node: Node, _context: Reading) -> dict[str, str | Template]:
    found = reading.mapping(node, "a mapping of names to texts")
    return {key.name: reading.text(inner) for key, inner in found}


def _switch(node: Node, _context: Reading) -> Any:
    given = reading.value(node)
    switch = {"on": True, "off": False, True: True, False: False}
    if isinstance(given, Template):
        return given
    if not isinstance(given, str | bool) or given not in switch:
        refuse(node, "on or off")
    return switch[given]


def _status_word(node: Node, _context: Reading) -> str | Template:
    given = reading.text(node)
    if not isinstance(given, Template) and given not in _STATUSES:
        refuse(node, "online, away or offline", hint=did_you_mean(given, _STATUSES))
    return given


def _captures(node: Node, _context: Reading) -> tuple[Capture, ...]:
    found = []
    for key, inner in reading.mapping(node, "names and where their values are found: {id: data.id}"):
        if not is_name(key.name):
            raise ScenarioError(key.place, f'"{key.name}" cannot be a name', hint=_NAME_RULE)
        expression = reading.fixed_text(inner, "a jmespath")
        if complaint := complaint_about(expression):
            raise ScenarioError(inner.place, f"not a jmespath: {complaint}", hint="https://jmespath.org")
        found.append(Capture(key.place, key.name, expression))
    return tuple(found)


def _actor(node: Node, context: Reading) -> str:
    name = reading.fixed_text(node, "an actor")
    if name not in context.actors:
        hint = did_you_mean(name, context.actors, otherwise=f"there are: {listed(context.actors)}")
        raise ScenarioError(node.place, f'there is no actor "{name}"', hint=hint)
    return name


def _token(node: Node, context: Reading) -> TokenPlan:
    if isinstance(node, MappingNode):
        return _described_token(node, context)
    given = reading.text(node)
    if isinstance(given, Template):
        return TokenPlan("given", text=given)
    if given in {"own", "none"}:
        return TokenPlan("own" if given == "own" else "none")
    if given not in BROKEN_TOKENS:
        words = ("own", "none", *BROKEN_TOKENS)
        refuse(
            node, f"one of {', '.join(words)}", hint=did_you_mean(given, words, otherwise=_HOW_TO_WRITE_ONE)
        )
    return TokenPlan("broken", broken=given)


def _described_token(node: MappingNode, context: Reading) -> TokenPlan:
    reading.know(node, ("ttl", "text"), "a token")
    ttl, text = node.get("ttl"), node.get("text")
    if ttl is not None and text is None:
        return TokenPlan("minted", ttl=context.duration(ttl, least=1.0, most=LONGEST_TTL))
    if text is not None and ttl is None:
        return TokenPlan("given", text=reading.text(text))
    raise ScenarioError(node.place, "a token has either a ttl or a text", hint=_HOW_TO_WRITE_ONE)


def _matcher(node: Node, context: Reading) -> Matcher:
    return read_matcher(node, context)


def _number_matcher(node: Node, context: Reading) -> Matcher:
    if isinstance(node, ScalarNode) and (
        isinstance(node.value, bool) or not isinstance(node.value, int | str)
    ):
        refuse(node, "a whole number or a matcher")
    matcher = read_matcher(node, context)
    if isinstance(matcher, Literal) and isinstance(matcher.value, str):
        refuse(node, "a whole number or a matcher")
    return matcher


def _patterns(node: Node, context: Reading) -> tuple[Matcher, ...]:
    """Read the frames that are expected: one, or a list of them."""
    if isinstance(node, SequenceNode):
        if not 1 <= len(node.items) <= MOST_PATTERNS:
            refuse(node, f"one frame or a list of at most {MOST_PATTERNS}")
        return tuple(frame_pattern(item, context) for item in node.items)
    return (frame_pattern(node, context),)


def frame_pattern(node: Node, context: Reading) -> Matcher:
    """Read one expected frame: the name of its event, or a pattern of the whole frame."""
    match node:
        case ScalarNode(value=str(text)) if text and not text.startswith("$"):
            return Keys({"event": Literal(text)})
        case ScalarNode(value=str(text)) if text.startswith("$"):
            return read_matcher(node, context)
        case MappingNode(entries=entries) if entries:
            return read_matcher(node, context)
    raise ScenarioError(
        node.place,
        f"here must stand a frame, not {kind_of(node)}",
        hint="write {event: message.new}, or message.new",
    )


def _rest_call(node: Node, _context: Reading) -> tuple[str, str | Template]:
    """Read ``GET /auth/me``; gives the method and the path from the server's root."""
    written = reading.scalar(node)
    found = _REST_CALL.fullmatch(written) if isinstance(written, str) else None
    if found is None:
        refuse(node, "a method and a path", hint="write GET /auth/me; methods: " + ", ".join(_METHODS))
    path = found[2] if found[2].startswith(_FROM_THE_ROOT) else API_PREFIX + found[2]
    return found[1], parse_text(path, node.place)


def is_end(node: Node) -> bool:
    """Tell whether an ``expect`` or ``never`` speaks of the end of the connection rather than of a frame."""
    if isinstance(node, MappingNode):
        return node.get("closed") is not None
    return isinstance(node, ScalarNode) and node.value == "closed"


def _closed(node: Node, context: Reading) -> dict[str, Matcher]:
    if not isinstance(node, MappingNode):
        return {}
    reading.know(node, ("closed", "reason"), "the end of a connection")
    found = {}
    code, reason = node.get("closed"), node.get("reason")
    if isinstance(code, ScalarNode | MappingNode) and getattr(code, "value", 0) is not None:
        found["code"] = _number_matcher(code, context)
    if reason is not None:
        found["reason"] = read_matcher(reason, context)
    return found


def _closed_at_all(node: Node, _context: Reading) -> None:
    if not isinstance(node, ScalarNode):
        refuse(node, "closed alone", hint="a close with a certain code is expected, not denied")


def _name(node: Node, _context: Reading) -> str:
    name = reading.fixed_text(node, "a name")
    if not is_name(name):
        raise ScenarioError(node.place, f'"{name}" cannot be a name', hint=_NAME_RULE)
    return name


def _variables(node: Node, _context: Reading) -> dict[str, Any]:
    found = {}
    for key, inner in reading.mapping(node, "a mapping of names to values"):
        if not is_name(key.name):
            raise ScenarioError(key.place, f'"{key.name}" cannot be a name', hint=_NAME_RULE)
        found[key.name] = reading.value(inner)
    return found


def _steps(node: Node, context: Reading) -> tuple[Step, ...]:
    return context.read_steps(node, context)


def _branches(node: Node, context: Reading) -> tuple[tuple[Step, ...], ...]:
    if not isinstance(node, SequenceNode) or not node.items:
        refuse(node, "a list of steps")
    return tuple(
        context.read_steps(
            item if isinstance(item, SequenceNode) else SequenceNode((item,), item.place), context
        )
        for item in node.items
    )


LONGEST_TTL = 86400.0 * 30
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_REST_CALL = re.compile(rf"({'|'.join(_METHODS)}) +(/\S*(?: *\S+)*)")
_FROM_THE_ROOT = ("/api/", "/health", "/metrics", "/docs")
MOST_PATTERNS = 1_000
_STATUSES = ("online", "away", "offline")
_NAME_RULE = "letters, digits and _, no digit first"
_HOW_TO_WRITE_ONE = "write expired, none, {ttl: 3s} or {text: abc}"
_NAMES: Schema = {"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}
_ANY_TEXT: Schema = {"type": ["string", "number"]}

VALUE = Kind("any value", _value, {})
TEXT = Kind("text", _text, _ANY_TEXT)
FIXED_TEXT = Kind("text", _fixed_text, _ANY_TEXT)
TEXTS = Kind("names and texts", _texts, {"type": "object", "additionalProperties": _ANY_TEXT})
CONVERSATION = Kind("conversation", _filled_text, _ANY_TEXT)
CONVERSATIONS = Kind(
    "conversation or list",
    _one_or_more,
    {"anyOf": [_ANY_TEXT, {"type": "array", "items": _ANY_TEXT, "minItems": 1}]},
)
DURATION = Kind("duration", lambda node, context: context.duration(node), DURATION_SCHEMA)
LONG_DURATION = Kind(
    "duration", lambda node, context: context.duration(node, most=LONGEST_TTL), DURATION_SCHEMA
)
PAUSE = Kind("duration", lambda node, context: context.duration(node, least=0.0), DURATION_SCHEMA)
FLAG = Kind(
    "`true` or `false`",
    lambda node, context: context.flag(node),
    {"anyOf": [{"type": "boolean"}, SUBSTITUTION]},
)
SWITCH = Kind("`on` or `off`", _switch, {"anyOf": [{"enum": ["on", "off", True, False]}, SUBSTITUTION]})
STATUS_WORD = Kind(
    "`online`, `away` or `offline`", _status_word, {"anyOf": [{"enum": list(_STATUSES)}, SUBSTITUTION]}
)
CAPTURES = Kind(
    "names and jmespaths",
    _captures,
    {
        "type": "object",
        "propertyNames": _NAMES,
        "additionalProperties": _ANY_TEXT,
    },
)
ACTOR = Kind("actor", _actor, _ANY_TEXT)
TOKEN = Kind(
    "token",
    _token,
    {
        "anyOf": [
            {"enum": ["own", "none", *BROKEN_TOKENS]},
            SUBSTITUTION,
            {
                "type": "object",
                "properties": {"ttl": DURATION_SCHEMA},
                "required": ["ttl"],
                "additionalProperties": False,
            },
            {
                "type": "object",
                "properties": {"text": _ANY_TEXT},
                "required": ["text"],
                "additionalProperties": False,
            },
        ]
    },
)
PATTERN_KIND = Kind("pattern", _matcher, PATTERN)
NUMBER_PATTERN = Kind(
    "number or pattern",
    _number_matcher,
    {"anyOf": [{"type": "integer"}, {"type": ["string", "object", "array"]} | PATTERN]},
)
FRAMES = Kind(
    "frame or list of frames",
    _patterns,
    {
        "anyOf": [
            {"$ref": "#/$defs/frame"},
            {"type": "array", "items": {"$ref": "#/$defs/frame"}, "minItems": 1},
        ]
    },
)
REST_CALL = Kind("method and path", _rest_call, {"type": "string", "pattern": rf"^({'|'.join(_METHODS)}) +/"})
CLOSED = Kind(
    "`closed`",
    _closed,
    {
        "anyOf": [
            {"const": "closed"},
            {
                "type": "object",
                "properties": {
                    "closed": {"anyOf": [{"type": "null"}, NUMBER_PATTERN.schema]},
                    "reason": PATTERN,
                },
                "required": ["closed"],
                "additionalProperties": False,
            },
        ]
    },
)
CLOSED_AT_ALL = Kind("`closed`", _closed_at_all, {"const": "closed"})
NAME = Kind("name", _name, {"type": "string"} | _NAMES)
VARIABLES = Kind("names and values", _variables, {"type": "object", "propertyNames": _NAMES})
STEPS = Kind("list of steps", _steps, {"$ref": "#/$defs/steps"})
BRANCHES = Kind(
    "list of steps",
    _branches,
    {
        "type": "array",
        "minItems": 1,
        "items": {"anyOf": [{"$ref": "#/$defs/step"}, {"$ref": "#/$defs/steps"}]},
    },
)
CLOSE_CODE = integer(1000, 4999)
REPEATED = integer(1, 10_000)
