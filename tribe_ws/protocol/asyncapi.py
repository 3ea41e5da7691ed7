"""The AsyncAPI 3.0 document of the socket, made from the very models that read and write its frames.

Directions are the server's: it *receives* what clients say and *sends* what its profile knows.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pydantic.json_schema import models_json_schema

from tribe_ws.protocol.frames import CLIENT_FRAMES, Frame
from tribe_ws.protocol.profiles import FRAMES_OF, Profile
from tribe_ws.protocol.urls import SOCKET_PATH

_OPTIONAL = {"Subscribe": {"channel"}}
"""Which fields a frame may leave out, by model; every other field is on the wire."""


def asyncapi_document(*, version: str, socket_url: str, profile: Profile) -> dict[str, Any]:
    """Describe the endpoint at ``socket_url`` as a connection of that profile sees it."""
    frames = sorted(FRAMES_OF[profile], key=lambda frame: frame.__name__)
    address = urlsplit(socket_url)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tribe real-time events",
            "version": version,
            "description": f"Wire profile {profile.value}: text frames, one JSON object each.",
        },
        "defaultContentType": "application/json",
        "servers": {"here": {"host": address.netloc, "protocol": address.scheme or "ws"}},
        "channels": {"socket": _channel((*CLIENT_FRAMES, *frames))},
        "operations": {
            "receive": _operation("receive", "What a client may say.", CLIENT_FRAMES),
            "send": _operation("send", "What the server says.", frames),
        },
        "components": {
            "messages": {frame.__name__: _message(frame) for frame in (*CLIENT_FRAMES, *frames)},
            "schemas": _schemas((*CLIENT_FRAMES, *frames)),
        },
    }


def _channel(frames: tuple[type[Frame], ...]) -> dict[str, Any]:
    return {
        "address": SOCKET_PATH,
        "servers": [{"$ref": "#/servers/here"}],
        "messages": {frame.__name__: {"$ref": f"#/components/messages/{frame.__name__}"} for frame in frames},
        "bindings": {
            "ws": {
                "method": "GET",
                "query": {
                    "type": "object",
                    "properties": {"token": {"type": "string", "description": "An access token (JWT)."}},
                },
            }
        },
    }


def _operation(
    action: str, summary: str, frames: tuple[type[Frame], ...] | list[type[Frame]]
) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": "#/channels/socket"},
        "messages": [{"$ref": f"#/channels/socket/messages/{frame.__name__}"} for frame in frames],
    }


def _message(frame: type[Frame]) -> dict[str, Any]:
    return {
        "name": str(frame.model_fields["event"].default),
        "title": frame.__name__,
        "summary": (frame.__doc__ or "").split("\n", 1)[0],
        "payload": {"$ref": f"#/components/schemas/{frame.__name__}"},
    }


def _schemas(frames: tuple[type[Frame], ...]) -> dict[str, Any]:
    _, document = models_json_schema(
        [(frame, "serialization") for frame in frames], ref_template="#/components/schemas/{model}"
    )
    schemas: dict[str, Any] = document["$defs"]
    for name, schema in schemas.items():
        optional = _OPTIONAL.get(name, set())
        schema["required"] = [key for key in schema["properties"] if key not in optional]
    return schemas
