"""The JSON Schema (2020-12) of a scenario file, for editors; made from the tables by which files are read.

What it refuses the loader refuses too. The loader knows more: names, places, times.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tribe_ws.scenario.language.kinds import CONVERSATION, DURATION_SCHEMA, TEXT, VARIABLES
from tribe_ws.scenario.language.matcher_forms import PATTERN, Schema, pattern_schema
from tribe_ws.scenario.language.steps import RESERVED, SERVER
from tribe_ws.scenario.language.verbs import ACTOR_VERBS, CLOSE_VERBS, FLOW_VERBS, SERVER_VERBS, Option, Verb

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_NAME = "^[A-Za-z_][A-Za-z0-9_]*$"
_CONNECTION = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)?$"
_NAMES: Schema = {"type": "array", "items": {"type": ["string", "number"]}}


def scenario_schema() -> Schema:
    """Give the schema of a whole scenario file."""
    return {
        "$schema": DIALECT,
        "title": "tribe-ws scenario",
        "description": "A scripted conversation of several people; see docs/scenarios.md.",
        "type": "object",
        "properties": _top_level(),
        "required": ["name", "actors", "steps"],
        "additionalProperties": False,
        "$defs": {
            "substitution": {"type": "string", "pattern": r"\$\{\{.*\}\}"},
            "duration": {
                "description": "250ms, 5s, 2m, or seconds",
                "anyOf": [
                    {"type": "number", "minimum": 0},
                    {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*([mM]?[sS]|[mMhHdD])?\s*$"},
                    {"$ref": "#/$defs/substitution"},
                ],
            },
            "pattern": pattern_schema(),
            "frame": {
                "description": "An event by its name, or a pattern of the whole frame.",
                "anyOf": [
                    {"type": "string", "minLength": 1, "pattern": r"^[^$]"},
                    {"type": ["string", "object"], "minProperties": 1} | PATTERN,
                ],
            },
            "steps": {"type": "array", "items": {"$ref": "#/$defs/step"}},
            "step": _step(),
            "actor_deed": _deed(ACTOR_VERBS, CLOSE_VERBS.values()),
            "server_deed": _deed(SERVER_VERBS),
        },
    }


def _top_level() -> dict[str, Any]:
    return {
        "name": TEXT.schema | {"description": "what happens, in a sentence"},
        "description": TEXT.schema,
        "tags": _NAMES,
        "profile": {"enum": ["documented", "app", "v2"], "description": "what the server must speak"},
        "timeout": DURATION_SCHEMA | {"description": "when the whole scenario has failed"},
        "within": DURATION_SCHEMA
        | {"description": "how long every wait lasts at most, where a step does not say"},
        "variables": VARIABLES.schema,
        "env": _NAMES,
        "actors": _actors(),
        "conversations": _conversations(),
        "steps": {"$ref": "#/$defs/steps", "minItems": 1},
    }


def _actors() -> Schema:
    described = {
        "type": "object",
        "properties": {
            "user": TEXT.schema,
            "password": TEXT.schema,
            "register": {"anyOf": [{"type": "boolean"}, {"$ref": "#/$defs/substitution"}]},
            "connections": _NAMES,
        },
        "additionalProperties": False,
    }
    return {
        "description": "who takes part: a list of names, or names with users",
        "anyOf": [
            {"type": "array", "items": {"type": "string", "pattern": _CONNECTION}, "minItems": 1},
            {
                "type": "object",
                "propertyNames": {"pattern": _CONNECTION, "not": {"enum": sorted(RESERVED)}},
                "additionalProperties": {"anyOf": [{"type": ["string", "number", "null"]}, described]},
                "minProperties": 1,
            },
        ],
    }


def _conversations() -> Schema:
    members = {"type": "array", "items": {"type": "string"}, "minItems": 1}
    direct = {
        "type": "object",
        "properties": {"direct": members | {"minItems": 2}},
        "required": ["direct"],
        "additionalProperties": False,
    }
    return {
        "description": "a list of members makes a conversation; a text names one that is there",
        "type": "object",
        "propertyNames": {"pattern": _NAME},
        "additionalProperties": {"anyOf": [members, direct, CONVERSATION.schema]},
    }


def _step() -> Schema:
    """Give the schema of a step: a verb of the scenario, or who acts and what they do."""
    deed = {"$ref": "#/$defs/actor_deed"}
    somebody = {
        "type": "object",
        "properties": {
            "name": TEXT.schema,
            SERVER: {"$ref": "#/$defs/server_deed"},
            **{verb.name: False for verb in FLOW_VERBS},
        },
        "additionalProperties": deed,
        "propertyNames": {"pattern": _CONNECTION},
        "minProperties": 1,
        "maxProperties": 2,
    }
    return {"anyOf": [somebody, *(_with_options(verb, {"name": TEXT.schema}) for verb in FLOW_VERBS)]}


def _deed(verbs: Iterable[Verb], further: Iterable[Verb] = ()) -> Schema:
    """Give the schema of what somebody does: a bare verb, a verb with options, or a list of these."""
    known = tuple(verbs)
    one = {
        "anyOf": [
            {"enum": [verb.name for verb in known if not verb.needs_argument]},
            *(_with_options(verb) for verb in (*known, *further)),
        ]
    }
    return {"anyOf": [*one["anyOf"], {"type": "array", "items": one, "minItems": 1}]}


def _with_options(verb: Verb, extra: dict[str, Any] | None = None) -> Schema:
    argument = {"type": "null"} if verb.argument is None else verb.argument.kind.schema
    options = {option.name: _described(option) for option in verb.options}
    return {
        "type": "object",
        "properties": {verb.name: argument | {"description": verb.says}, **options, **(extra or {})},
        "required": [verb.name, *(option.name for option in verb.options if option.required)],
        "additionalProperties": False,
    }


def _described(option: Option) -> Schema:
    return option.kind.schema | {"description": option.says}
