"""How matchers are written: ``$uuid`` where there is no argument, ``{$regex: …}`` where there is one."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tribe_ws.scenario.language import reading
from tribe_ws.scenario.language.document import MappingNode, Node, ScalarNode, SequenceNode
from tribe_ws.scenario.language.reading import Reading, refuse
from tribe_ws.scenario.limits import LONGEST_WAIT
from tribe_ws.scenario.matchers import Items, Keys, Literal, Matcher
from tribe_ws.scenario.place import ScenarioError, did_you_mean, listed
from tribe_ws.scenario.special_matchers import (
    Absent,
    AllOf,
    AnyOf,
    Anything,
    Contains,
    Each,
    Length,
    Not,
    OfType,
    OrderedKeys,
    Range,
    Regex,
    Time,
    Uuid,
    compiled,
)
from tribe_ws.scenario.substitution import Template

Schema = dict[str, Any]
PATTERN: Schema = {"$ref": "#/$defs/pattern"}
_WORD = re.compile(r"\$[a-z_]+")

WORDS: dict[str, tuple[Matcher, str]] = {
    "$anything": (Anything(), "any value, null too; the key must be there"),
    "$absent": (Absent(), "the key must not be there"),
    "$string": (OfType("string"), "any text"),
    "$integer": (OfType("integer"), "any whole number"),
    "$number": (OfType("number"), "any number"),
    "$boolean": (OfType("boolean"), "true or false"),
    "$object": (OfType("object"), "any object"),
    "$array": (OfType("array"), "any array"),
    "$uuid": (Uuid(), "an id as the server sends it: a UUID with hyphens in lower case"),
    "$time": (Time(), "a UTC time with Z (RFC 3339)"),
}
"""The matchers that take no argument, and what each wants."""


@dataclass(frozen=True, slots=True)
class Form:
    """One matcher with an argument: how it is read, what its argument may be, what it wants, an example."""

    read: Callable[[Node, Reading, bool], Matcher]
    schema: Schema
    says: str
    example: str


def read_matcher(node: Node, context: Reading, closed: bool = False) -> Matcher:
    """Read what a value must be like; ``closed`` objects may have no further keys."""
    match node:
        case ScalarNode(value=str(text)) if _WORD.fullmatch(text):
            return _word(node, text)
        case ScalarNode():
            return Literal(reading.value(node))
        case SequenceNode(items=items):
            return Items(tuple(read_matcher(item, context, closed) for item in items))
        case MappingNode(entries=entries):
            if any(key.name.startswith("$") for key, _value in entries):
                return _form(node, context, closed)
            return Keys({key.name: read_matcher(inner, context, closed) for key, inner in entries}, closed)


def _word(node: Node, text: str) -> Matcher:
    if text in WORDS:
        return WORDS[text][0]
    if text in FORMS:
        raise ScenarioError(node.place, f"{text} needs an argument", hint=f"write {FORMS[text].example}")
    hint = did_you_mean(text, (*WORDS, *FORMS), otherwise=f"there are: {listed((*WORDS, *FORMS), most=30)}")
    literally = f'the text itself: {{$equals: "{text}"}}'
    raise ScenarioError(node.place, f'there is no matcher "{text}"', hint=f"{hint}  {literally}")


def _form(node: MappingNode, context: Reading, closed: bool) -> Matcher:
    key, argument = next(entry for entry in node if entry[0].name.startswith("$"))
    if key.name in WORDS and key.name not in FORMS:
        raise ScenarioError(key.place, f"{key.name} takes no argument", hint=f"write it alone: {key.name}")
    if key.name not in FORMS:
        hint = did_you_mean(key.name, FORMS, otherwise=f"there are: {listed(FORMS, most=30)}")
        raise ScenarioError(key.place, f'there is no matcher "{key.name}"', hint=hint)
    if len(node.entries) > 1:
        raise ScenarioError(
            node.place, f"{key.name} must stand alone in its braces", hint="several at once: {$all_of: [ … ]}"
        )
    return FORMS[key.name].read(argument, context, closed)


def _equals(node: Node, _context: Reading, _closed: bool) -> Matcher:
    return Literal(reading.value(node))


def _exact(node: Node, context: Reading, _closed: bool) -> Matcher:
    if not isinstance(node, MappingNode | SequenceNode):
        refuse(node, "an object or an array")
    return read_matcher(node, context, closed=True)


def _keys(node: Node, _context: Reading, _closed: bool) -> Matcher:
    names = tuple(reading.fixed_text(item, "a key") for item in _list(node, least=1))
    return OrderedKeys(names)


def _regex(node: Node, _context: Reading, _closed: bool) -> Matcher:
    pattern = reading.text(node)
    if not isinstance(pattern, Template):
        compiled(pattern, node.place)
    return Regex(pattern, node.place)


def _time(node: Node, context: Reading, _closed: bool) -> Matcher:
    return Time(context.duration(node, most=LONGEST_WAIT * 144))


def _range(node: Node, context: Reading, _closed: bool) -> Matcher:
    items = _list(node, least=2)
    if len(items) != 2:
        refuse(node, "two numbers", hint="{$range: [1, 10]}; null for no end")
    least, most = (_end(item, context) for item in items)
    if least is None and most is None:
        raise ScenarioError(node.place, "a range needs at least one end", hint="any number is $number")
    if least is not None and most is not None and least > most:
        raise ScenarioError(node.place, f"nothing is between {least} and {most}")
    return Range(least, most)


def _end(node: Node, context: Reading) -> float | None:
    given = context.settle(node)
    if given is not None and (isinstance(given, bool) or not isinstance(given, int | float)):
        refuse(node, "a number, or null for no end")
    return given


def _any_of(node: Node, context: Reading, closed: bool) -> Matcher:
    return AnyOf(tuple(read_matcher(item, context, closed) for item in _list(node, least=1)))


def _all_of(node: Node, context: Reading, closed: bool) -> Matcher:
    return AllOf(tuple(read_matcher(item, context, closed) for item in _list(node, least=1)))


def _length(node: Node, context: Reading, _closed: bool) -> Matcher:
    if isinstance(node, ScalarNode):
        return Length(Literal(context.integer(node, 0, 10_000_000)))
    matcher = read_matcher(node, context)
    if not isinstance(matcher, Range):
        refuse(node, "a whole number or {$range: [ … ]}")
    return Length(matcher)


def _list(node: Node, least: int) -> tuple[Node, ...]:
    if not isinstance(node, SequenceNode) or len(node.items) < least:
        refuse(node, "a list" if least < 2 else f"a list of {least}")
    return node.items


_SEVERAL: Schema = {"type": "array", "items": PATTERN, "minItems": 1}
_NUMBER_OR_NULL: Schema = {"anyOf": [{"type": ["number", "null"]}, {"$ref": "#/$defs/substitution"}]}

FORMS: dict[str, Form] = {
    "$equals": Form(
        _equals, {}, "exactly this value, no key more; nothing in it is a matcher", "{$equals: {a: 1}}"
    ),
    "$exact": Form(
        _exact,
        {"type": ["object", "array"]} | PATTERN,
        "an object with these keys and no others, all the way down",
        "{$exact: {event: pong}}",
    ),
    "$keys": Form(
        _keys,
        {"type": "array", "items": {"type": "string"}, "minItems": 1},
        "an object with exactly these keys in this order",
        "{$keys: [event, message]}",
    ),
    "$regex": Form(
        _regex,
        {"type": ["string", "number"]},
        "a text in which the expression is found; ^ and $ are its ends",
        '{$regex: "^Hello"}',
    ),
    "$time": Form(
        _time, {"$ref": "#/$defs/duration"}, "a UTC time with Z, at most so far from now", "{$time: 5s}"
    ),
    "$range": Form(
        _range,
        {"type": "array", "items": _NUMBER_OR_NULL, "minItems": 2, "maxItems": 2},
        "a number from the first to the second, both included; null for no end",
        "{$range: [1, 10]}",
    ),
    "$length": Form(
        _length,
        {
            "anyOf": [
                {"type": "integer", "minimum": 0},
                {"$ref": "#/$defs/substitution"},
                {"type": "object", "required": ["$range"]} | PATTERN,
            ]
        },
        "a text, array or object of that length, or of a length in a range",
        "{$length: 3}",
    ),
    "$any_of": Form(_any_of, _SEVERAL, "what fits at least one of these", "{$any_of: [text, image]}"),
    "$all_of": Form(_all_of, _SEVERAL, "what fits every one of these", "{$all_of: [$string, {$length: 5}]}"),
    "$not": Form(
        lambda node, context, closed: Not(read_matcher(node, context, closed)),
        PATTERN,
        "what does not fit this; a missing key does not either",
        '{$not: ""}',
    ),
    "$contains": Form(
        lambda node, context, closed: Contains(read_matcher(node, context, closed)),
        PATTERN,
        "an array with at least one item that fits this",
        "{$contains: {username: bob}}",
    ),
    "$each": Form(
        lambda node, context, closed: Each(read_matcher(node, context, closed)),
        PATTERN,
        "an array in which every item fits this",
        "{$each: {id: $uuid}}",
    ),
}
"""The matchers that take an argument."""


def pattern_schema() -> Schema:
    """Give the JSON Schema of a pattern: what ``read_matcher`` understands."""
    forms = [
        {
            "type": "object",
            "properties": {name: form.schema},
            "required": [name],
            "additionalProperties": False,
            "description": form.says,
        }
        for name, form in FORMS.items()
    ]
    return {
        "description": "What a value must be like: itself, a partial object, or a matcher.",
        "anyOf": [
            {"enum": list(WORDS)},
            {"type": "string", "not": {"pattern": r"^\$[a-z_]+$"}},
            {"type": ["number", "boolean", "null"]},
            {"type": "array", "items": PATTERN},
            {
                "type": "object",
                "propertyNames": {"not": {"pattern": r"^\$"}},
                "additionalProperties": PATTERN,
            },
            *forms,
        ],
    }
