"""The AsyncAPI 3.0 document of the socket, made from the very models that read and write its frames.

Directions are the server's: it *receives* what clients say and *sends* what its profile knows. The one
address has two channels: a client that offers the subprotocol ``tribe.v2`` gets the second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

from pydantic.json_schema import models_json_schema

from tribe_ws.protocol.examples import EXAMPLES
from tribe_ws.protocol.frames import CLIENT_FRAMES, Frame, Subscribe
from tribe_ws.protocol.frames_v2 import CLIENT_FRAMES_V2
from tribe_ws.protocol.profiles import FRAMES_OF, SUBPROTOCOL_V2, Profile
from tribe_ws.protocol.urls import SOCKET_PATH

_V2 = "V2"
"""How the second channel and its operations are marked."""
_SECURITY = {
    "queryToken": {
        "type": "httpApiKey",
        "in": "query",
        "name": "token",
        "description": "The access token of a login (JWT), in the address: what a browser can do.",
    },
    "bearerToken": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "The same token in the Authorization header, for clients that can set it.",
    },
}


def asyncapi_document(*, version: str, socket_url: str, profile: Profile) -> dict[str, Any]:
    """Describe the endpoint at ``socket_url`` as a connection of that profile sees it."""
    frames, frames_v2 = _sent(profile), _sent(Profile.V2)
    everything = tuple(dict.fromkeys((*CLIENT_FRAMES, *frames, *CLIENT_FRAMES_V2, *frames_v2)))
    address = urlsplit(socket_url)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tribe real-time events",
            "version": version,
            "description": f"Wire profile {profile.value}: text frames, one JSON object each.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "here": {
                "host": address.netloc,
                "protocol": address.scheme or "ws",
                "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in _SECURITY],
            }
        },
        "channels": {
            "socket": _channel((*CLIENT_FRAMES, *frames)),
            f"socket{_V2}": _channel((*CLIENT_FRAMES_V2, *frames_v2), SUBPROTOCOL_V2),
        },
        "operations": {
            "receive": _operation("receive", "What a client may say.", CLIENT_FRAMES),
            "send": _operation("send", "What the server says.", frames),
            f"receive{_V2}": _operation(
                "receive", f"What a client may say that asked for {SUBPROTOCOL_V2}.", CLIENT_FRAMES_V2, _V2
            ),
            f"send{_V2}": _operation(
                "send", f"What the server says to a client that asked for {SUBPROTOCOL_V2}.", frames_v2, _V2
            ),
        },
        "components": {
            "messages": {frame.__name__: _message(frame) for frame in everything},
            "schemas": frame_schemas(everything, "#/components/schemas/{model}"),
            "securitySchemes": _SECURITY,
        },
    }


def _sent(profile: Profile) -> list[type[Frame]]:
    return sorted(FRAMES_OF[profile], key=lambda frame: frame.__name__)


def _channel(frames: tuple[type[Frame], ...], subprotocol: str | None = None) -> dict[str, Any]:
    headers = {"properties": {"Sec-WebSocket-Protocol": {"const": subprotocol}}, "type": "object"}
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
                **({} if subprotocol is None else {"headers": headers}),
            }
        },
    }


def _operation(
    action: str, summary: str, frames: tuple[type[Frame], ...] | list[type[Frame]], mark: str = ""
) -> dict[str, Any]:
    return {
        "action": action,
        "summary": summary,
        "channel": {"$ref": f"#/channels/socket{mark}"},
        "messages": [{"$ref": f"#/channels/socket{mark}/messages/{frame.__name__}"} for frame in frames],
    }


def _message(frame: type[Frame]) -> dict[str, Any]:
    return {
        "name": str(frame.model_fields["event"].default),
        "title": frame.__name__,
        "summary": (frame.__doc__ or "").split("\n", 1)[0],
        "payload": {"$ref": f"#/components/schemas/{frame.__name__}"},
        "examples": [{"payload": example} for example in EXAMPLES[frame]],
    }


def frame_schemas(frames: Iterable[type[Frame]], ref_template: str) -> dict[str, Any]:
    """Describe frames, and whatever they are made of, as JSON Schemas by their names."""
    _, document = models_json_schema(
        [(frame, "serialization") for frame in frames], ref_template=ref_template
    )
    schemas: dict[str, Any] = document["$defs"]
    optional = {frame.__name__: set(optional_keys(frame)) for frame in _with_parts(frames)}
    for name, schema in schemas.items():
        schema["required"] = [key for key in schema["properties"] if key not in optional[name]]
    return schemas


def optional_keys(frame: type[Frame]) -> list[str]:
    """Tell which keys a frame may leave out; every other key is on the wire."""
    return [
        name
        for name, field in frame.model_fields.items()
        if field.exclude_if is not None or (name == "channel" and issubclass(frame, Subscribe))
    ]


def _with_parts(frames: Iterable[type[Frame]]) -> Iterator[type[Frame]]:
    for frame in frames:
        yield frame
        parts = (field.annotation for field in frame.model_fields.values())
        yield from _with_parts(part for part in parts if isinstance(part, type) and issubclass(part, Frame))
