"""Compares a server's frame with the model of its event: missing, extra and misplaced keys, wrong types.

The models themselves are the measure; nothing about a frame is written down here a second time but the
clause that each part of it stands under.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from typing import Any

from pydantic import BaseModel, ValidationError

from tribe_ws.capture.violation import Violation
from tribe_ws.protocol.clause import Level
from tribe_ws.protocol.frames import APP_FRAMES, Frame
from tribe_ws.protocol.frames_v2 import V2_FRAMES

LONGEST_QUOTE = 60
"""How much of a wrong value is quoted."""

ClauseAt = Callable[[str], str]

_CLAUSES: dict[str, str] = {
    "connected": "document.server-connected",
    "message.new": "document.server-message-new",
    "typing": "document.server-typing",
    "subscribed": "document.server-subscribed",
    "pong": "document.server-pong",
    "presence": "presence.shape",
    "message.read": "read.shape",
    "unsubscribed": "v2.unsubscribed-requested",
    "error": "v2.error",
    "authenticated": "v2.auth",
    "token.expiring": "v2.token-expiring",
}
_V2_PARTS: dict[tuple[str, str], str] = {
    ("connected", "data"): "v2.connected",
    ("subscribed", "data"): "v2.subscribed",
    ("message.new", "data.seq"): "v2.message",
    ("message.new", "data.client_message_id"): "v2.message",
}
_WANTED = {
    "string_type": "a string",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "list_type": "an array",
    "model_type": "an object",
    "model_attributes_type": "an object",
}


@cache
def models_of(level: Level) -> dict[str, type[Frame]]:
    """Give the model of every event which a connection of that level may see, by its name.

    What only the profile ``app`` sends is known at the level ``documented`` too: whether it may be sent there
    is another clause than how it is spelt.
    """
    frames = V2_FRAMES if level == "v2" else APP_FRAMES
    return {str(frame.model_fields["event"].default): frame for frame in frames}


def clause_of(event: str, path: str = "", *, is_v2: bool = False) -> str:
    """Name the clause under which a part of an event's frame stands."""
    if is_v2 and path == "ref":
        return "v2.ref"
    for (name, start), clause in _V2_PARTS.items():
        if is_v2 and name == event and (path == start or path.startswith(f"{start}.")):
            return clause
    if event == "message.new" and path.startswith("data."):
        return "message.keys"
    return _CLAUSES[event]


def compare(value: dict[str, Any], model: type[Frame]) -> Iterator[Violation]:
    """Tell everything in which a frame differs from its model."""
    event = str(model.model_fields["event"].default)
    clause = partial(clause_of, event, is_v2=model in V2_FRAMES)
    try:
        model.model_validate(value)
    except ValidationError as error:
        for details in error.errors(include_url=False):
            yield _wrong(clause, details)
    yield from _keys(clause, value, model, "")


def quote(value: Any) -> str:
    """Show a wrong value in a few characters."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        text = f"a {type(value).__name__}"
    return text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1]}…"


def _wrong(clause_at: ClauseAt, details: Mapping[str, Any]) -> Violation:
    path = ".".join(str(step) for step in details["loc"])
    clause = clause_at(path)
    if details["type"] == "missing":
        return Violation(clause, path, "is missing")
    got = quote(details["input"])
    want = _WANTED.get(details["type"], "")
    if details["type"] == "literal_error":
        want = str(details.get("ctx", {}).get("expected", "")).replace("'", '"')
    return Violation(clause, path, f"expected {want or details['msg']}, got {got}", got, want)


def _keys(
    clause_at: ClauseAt, value: dict[str, Any], model: type[BaseModel], path: str
) -> Iterator[Violation]:
    known = _keys_of(model)
    for key in value:
        if key not in known:
            place = f"{path}{key}"
            yield Violation(
                clause_at(place), place, "the contract has no such key", quote(value[key]), "nothing"
            )
    present = [key for key in value if key in known]
    wanted = [key for key in known if key in value]
    if present != wanted:
        place = path.rstrip(".")
        got, want = ", ".join(present), ", ".join(wanted)
        yield Violation(clause_at(path), place, f"the keys are in the order {got}", got, want)
    for key in present:
        inner = _model_in(model, key)
        if inner is not None and isinstance(value[key], dict):
            yield from _keys(clause_at, value[key], inner, f"{path}{key}.")


@cache
def _keys_of(model: type[BaseModel]) -> dict[str, None]:
    """Give the keys of a model in their order; asking the model each time costs a third of the judging."""
    return dict.fromkeys(model.model_fields)


@cache
def _model_in(model: type[BaseModel], key: str) -> type[BaseModel] | None:
    annotation = model.model_fields[key].annotation
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None
