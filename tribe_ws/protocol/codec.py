"""The only door between JSON and frames, for both directions and every face.

Whatever comes in, only ``ProtocolViolation`` goes out: never a ``ValueError``, ``RecursionError`` or
``UnicodeEncodeError`` from a parser (reliability 0.4).
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from pydantic import TypeAdapter, ValidationError

from tribe_ws.errors import ProtocolViolation
from tribe_ws.protocol.frames import CLIENT_FRAMES, ClientFrame, Frame, ServerFrame
from tribe_ws.protocol.frames_v2 import CLIENT_FRAMES_V2, MAX_REF, ClientFrameV2, ServerFrameV2

MAX_DEPTH = 32
"""How deeply JSON may nest (contract 3.6, limits)."""

_CLIENT: TypeAdapter[Any] = TypeAdapter(ClientFrame)
_CLIENT_V2: TypeAdapter[Any] = TypeAdapter(ClientFrameV2)
_SERVER: TypeAdapter[Any] = TypeAdapter(ServerFrame)
_SERVER_V2: TypeAdapter[Any] = TypeAdapter(ServerFrameV2)
_CLIENT_EVENTS = frozenset(str(frame.model_fields["event"].default) for frame in CLIENT_FRAMES)
_CLIENT_EVENTS_V2 = frozenset(str(frame.model_fields["event"].default) for frame in CLIENT_FRAMES_V2)
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_NOT_A_BRACKET = re.compile(r"[^][{}]+")
_SURROGATE = re.compile("[\ud800-\udfff]")


def parse_json(text: str) -> Any:
    """Read one JSON text the strict way.

    Refuses what parsers disagree about or break on: NaN and infinities, numbers of thousands of digits,
    doubled keys, lone surrogates, nesting beyond ``MAX_DEPTH``. Raises ``ProtocolViolation``
    (``invalid_json``).
    """
    if _is_too_deep(text):
        raise ProtocolViolation("invalid_json", f"JSON nests deeper than {MAX_DEPTH} levels")
    try:
        value = json.loads(
            text, parse_constant=_refuse_constant, parse_float=_finite_float, object_pairs_hook=_unique_keys
        )
    except (ValueError, RecursionError) as error:
        raise ProtocolViolation("invalid_json", f"not JSON: {error}") from None
    if _holds_lone_surrogate(text, value):
        raise ProtocolViolation("invalid_json", "not JSON: a lone surrogate is not a character")
    return value


def object_in(text: str | bytes) -> dict[str, Any]:
    """Read a JSON object leniently, for whoever only looks at it; empty where there is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def decode_client_frame(text: str) -> Any:
    """Read a client's frame; the result is one of the models of ``ClientFrame``.

    Raises ``ProtocolViolation`` with ``invalid_json``, ``invalid_frame`` (not an object, no event name),
    ``unknown_event`` or ``invalid_payload`` (contract 3.2, 3.5).
    """
    return _decode(text, _CLIENT, _CLIENT_EVENTS)


def decode_client_frame_v2(text: str) -> Any:
    """Read the frame of a client that asked for ``tribe.v2``: one of the models of ``ClientFrameV2``.

    Raises as ``decode_client_frame`` does, with the ``ref`` of the frame where it has a usable one.
    """
    return _decode(text, _CLIENT_V2, _CLIENT_EVENTS_V2)


def find_ref(text: str) -> str | None:
    """Tell what the client called a frame that is not going to be read; ``None`` where it did not say."""
    if '"ref"' not in text:
        return None
    try:
        value = parse_json(text)
    except ProtocolViolation:
        return None
    return _ref_of(value) if isinstance(value, dict) else None


def decode_server_frame_v2(value: dict[str, Any]) -> Any | None:
    """Read a server's frame on a connection for which it selected ``tribe.v2``; ``None`` as below."""
    try:
        return _SERVER_V2.validate_python(value)
    except ValidationError:
        return None


def explain_server_frame_v2(value: dict[str, Any]) -> str:
    """Tell in one phrase why ``decode_server_frame_v2`` did not recognise that frame; empty if it does."""
    try:
        _SERVER_V2.validate_python(value)
    except ValidationError as error:
        return first_complaint(error)
    return ""


def decode_server_frame(value: dict[str, Any]) -> Any | None:
    """Read a server's frame from its parsed JSON; ``None`` where no model of ours describes it.

    A foreign server may send more than the document knows, or send it differently; the caller still has
    ``value``.
    """
    try:
        return _SERVER.validate_python(value)
    except ValidationError:
        return None


def explain_server_frame(value: dict[str, Any]) -> str:
    """Tell in one phrase why ``decode_server_frame`` did not recognise that frame; empty if it does."""
    try:
        _SERVER.validate_python(value)
    except ValidationError as error:
        return first_complaint(error)
    return ""


def encode(frame: Frame) -> bytes:
    """Write a frame as compact JSON in UTF-8, keys in the order of the document."""
    return frame.__pydantic_serializer__.to_json(frame)


def first_complaint(error: ValidationError) -> str:
    """Say the first thing that is wrong, by field, without quoting what was sent."""
    details = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(str(part) for part in details["loc"][1:]) or "frame"
    return f"{where}: {details['msg']}"


def _decode(text: str, models: TypeAdapter[Any], events: frozenset[str]) -> Any:
    value = parse_json(text)
    if not isinstance(value, dict):
        raise ProtocolViolation("invalid_frame", f"expected a JSON object, got {_json_type(value)}")
    event, ref = value.get("event"), _ref_of(value)
    if not isinstance(event, str):
        raise ProtocolViolation("invalid_frame", 'expected an "event" that is a string', ref=ref)
    conversation_id = value.get("conversation_id")
    about = conversation_id if isinstance(conversation_id, str) else None
    if event not in events:
        raise ProtocolViolation("unknown_event", f"unknown event {event!r}", conversation_id=about, ref=ref)
    try:
        return models.validate_python(value)
    except ValidationError as error:
        raise ProtocolViolation(
            "invalid_payload", f"{event}: {first_complaint(error)}", conversation_id=about, ref=ref
        ) from None


def _ref_of(value: dict[str, Any]) -> str | None:
    ref = value.get("ref")
    return ref if isinstance(ref, str) and len(ref) <= MAX_REF else None


def _is_too_deep(text: str) -> bool:
    depth = 0
    for bracket in _NOT_A_BRACKET.sub("", _STRING.sub("", text)):
        depth += 1 if bracket in "[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _holds_lone_surrogate(text: str, value: Any) -> bool:
    if "\\u" in text:
        return _SURROGATE.search(json.dumps(value, ensure_ascii=False)) is not None
    return not text.isascii() and _SURROGATE.search(text) is not None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite_float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError("number out of range")
    return number


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("an object names a key twice")
    return result


def _json_type(value: object) -> str:
    names = {list: "an array", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(value), "null")
