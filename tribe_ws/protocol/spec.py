"""The wire contract for other programs: the list of events, and a JSON Schema of every frame.

Both are made from the models that read and write the frames, so neither can say anything else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pydantic import BaseModel

from tribe_ws.protocol.asyncapi import frame_schemas, optional_keys
from tribe_ws.protocol.frames import CLIENT_FRAMES, Frame
from tribe_ws.protocol.frames_v2 import CLIENT_FRAMES_V2
from tribe_ws.protocol.profiles import FRAMES_OF, Profile

SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def client_frames(profile: Profile) -> tuple[type[Frame], ...]:
    """Tell what a client of that profile may say."""
    return CLIENT_FRAMES_V2 if profile is Profile.V2 else CLIENT_FRAMES


def server_frames(profile: Profile) -> tuple[type[Frame], ...]:
    """Tell what a server says to a connection of that profile."""
    return tuple(sorted(FRAMES_OF[profile], key=lambda frame: (_event(frame), frame.__name__)))


def events_document(profile: Profile, *, version: str) -> dict[str, Any]:
    """List the events of a profile: direction, keys in their order, which may be missing, meaning."""
    return {
        "version": version,
        "profile": profile.value,
        "events": [
            *(_described("client", frame) for frame in client_frames(profile)),
            *(_described("server", frame) for frame in server_frames(profile)),
        ],
    }


def jsonschema_document(profile: Profile, *, version: str) -> dict[str, Any]:
    """Describe every frame of a profile as JSON Schema.

    ``#/$defs/ClientFrame`` is what a client may say, ``#/$defs/ServerFrame`` what it may be told. Unknown
    fields are allowed, because both sides ignore them.
    """
    spoken, told = client_frames(profile), server_frames(profile)
    definitions = frame_schemas(dict.fromkeys((*spoken, *told)), "#/$defs/{model}")
    return {
        "$schema": SCHEMA_DIALECT,
        "title": "Tribe real-time frames",
        "description": f"Wire profile {profile.value} of tribe-ws {version}.",
        "anyOf": [{"$ref": "#/$defs/ClientFrame"}, {"$ref": "#/$defs/ServerFrame"}],
        "$defs": definitions | {"ClientFrame": _any_of(spoken), "ServerFrame": _any_of(told)},
    }


def _any_of(frames: Sequence[type[Frame]]) -> dict[str, Any]:
    return {"anyOf": [{"$ref": f"#/$defs/{frame.__name__}"} for frame in frames]}


def _described(sender: str, frame: type[Frame]) -> dict[str, Any]:
    return {
        "event": _event(frame),
        "from": sender,
        "keys": [path for path in _paths(frame) if path != "event"],
        "optional": optional_keys(frame),
        "meaning": _meaning(frame),
    }


def _event(frame: type[Frame]) -> str:
    return str(frame.model_fields["event"].default)


def _meaning(frame: type[Frame]) -> str:
    line = (frame.__doc__ or "").strip().splitlines()[0]
    return line.split(" (contract")[0].replace("``", '"').rstrip(".")


def _paths(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = _model_in(field.annotation)
        if inner is None:
            yield name
        else:
            yield from (f"{name}.{path}" for path in _paths(inner))


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Find the model that a field holds, beside ``None`` perhaps."""
    candidates: Iterable[Any] = (annotation, *getattr(annotation, "__args__", ()))
    return next((one for one in candidates if isinstance(one, type) and issubclass(one, BaseModel)), None)
