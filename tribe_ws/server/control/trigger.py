"""``POST trigger``: puts any event of the contract on the wire of somebody, with edits.

What goes out is checked against the contract and goes the way of every frame, so a profile that does not
carry it holds it back. With ``"raw": true`` it goes out as it stands, however wrong: for clients that must
bear that.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tribe_ws import __version__
from tribe_ws.clock import format_timestamp, new_id
from tribe_ws.errors import NotFound
from tribe_ws.hub.connection import Connection
from tribe_ws.hub.hub import Hub
from tribe_ws.hub.packet import make_packet
from tribe_ws.protocol.codec import (
    decode_server_frame,
    decode_server_frame_v2,
    explain_server_frame,
    explain_server_frame_v2,
)
from tribe_ws.protocol.frames import Frame
from tribe_ws.protocol.profiles import Profile, carries
from tribe_ws.server.control.requests import Body, Control, control_of, read
from tribe_ws.server.failures import Unprocessable
from tribe_ws.storage.records import User

V2_ONLY = frozenset({"unsubscribed", "error", "authenticated", "token.expiring"})
Decode = Callable[[dict[str, Any]], Frame | None]


class TriggerBody(Body):
    """Which event goes to whom: a user, a conversation, or one connection; ``set`` edits it by path."""

    event: str
    to: str
    sender: str = Field("", alias="from")
    set: dict[Annotated[str, Field(min_length=1)], Any] = Field(default_factory=dict)
    raw: bool = False


@dataclass(frozen=True, slots=True)
class _Target:
    """Whom it goes to: exactly the ``connections``, now; ``conversation_id`` where it is a conversation."""

    connections: tuple[Connection, ...]
    user: User | None = None
    conversation_id: str | None = None


async def trigger(request: Request) -> JSONResponse:
    """Push an event; tells the frame and how many connections it went to."""
    control = control_of(request)
    body = await read(request, TriggerBody)
    target = await _find(control, body.to)
    plain, wide = await _samples_of(control, body, target)
    for path, value in body.set.items():
        _edit(plain, path, value)
        _edit(wide, path, value)
    shown = wide if body.event in V2_ONLY else plain
    if body.raw:
        count = _push_raw(control, shown, target)
    else:
        v2 = _checked(wide, decode_server_frame_v2, explain_server_frame_v2)
        known = None if body.event in V2_ONLY else _checked(plain, decode_server_frame, explain_server_frame)
        count = _push(control.services.hub, known, v2, target)
    return JSONResponse({"frame": shown, "connections": count})


def _push_raw(control: Control, frame: dict[str, Any], target: _Target) -> int:
    payload = json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode()
    return control.services.hub.push(target.connections, make_packet(payload, str(frame.get("event", ""))))


def _checked(value: dict[str, Any], decode: Decode, explain: Callable[[dict[str, Any]], str]) -> Frame:
    frame = decode(value)
    if frame is None:
        raise Unprocessable([("set", explain(value))])
    return frame


def _push(hub: Hub, plain: Frame | None, v2: Frame, target: _Target) -> int:
    """Send it to each connection as its profile spells it; ``plain`` is not there for what only v2 knows."""
    chosen = [(one, v2 if one.profile is Profile.V2 else plain) for one in target.connections]
    if (
        target.conversation_id is not None
        and plain is not None
        and all(frame is plain for _, frame in chosen)
    ):
        hub.publish(target.conversation_id, plain)
    else:
        for connection, frame in chosen:
            if frame is not None:
                hub.send(connection, frame)
    return sum(frame is not None and carries(connection.profile, frame) for connection, frame in chosen)


async def _find(control: Control, text: str) -> _Target:
    """Find whom a text names: a connection by its id, a conversation, or a user."""
    live = control.services.hub.connections
    for connection in live:
        if connection.id == text:
            return _Target((connection,), await control.services.storage.users.by_id(connection.user_id))
    try:
        user = await control.user(text)
    except NotFound:
        conversation_id = _conversation(control, text)
        listening = tuple(one for one in live if conversation_id in one.subscriptions)
        return _Target(listening, conversation_id=conversation_id)
    return _Target(tuple(one for one in control.services.hub.connections if one.user_id == user.id), user)


def _conversation(control: Control, text: str) -> str:
    try:
        return control.conversation_id(text)
    except NotFound:
        raise NotFound(f"there is no user, conversation or connection {text[:100]!r}") from None


async def _samples_of(
    control: Control, body: TriggerBody, target: _Target
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Make the event as it might happen to the target, without and with what v2 adds.

    An unknown event starts with its name alone.
    """
    conversation_id = target.conversation_id or await _some_conversation(control, target.user)
    sender = await _sender(control, body.sender, target.user)
    time = control.services.clock.now()
    now, later = format_timestamp(time), format_timestamp(time + timedelta(minutes=1))
    samples = _samples(conversation_id, sender, now)
    additions = _additions(conversation_id, sender, later, control.services.storage.epoch)
    if body.event not in samples.keys() | additions.keys() and not body.raw:
        known = ", ".join(sorted(samples.keys() | additions.keys()))
        raise Unprocessable([("event", f"expected one of {known}; any other needs raw")])
    plain = {"event": body.event} | copy.deepcopy(samples.get(body.event, {}))
    wide = copy.deepcopy(plain)
    for key, value in additions.get(body.event, {}).items():
        wide[key] = wide.get(key, {}) | value if isinstance(value, dict) else value
    return plain, wide


def _samples(conversation_id: str, sender: dict[str, Any], now: str) -> dict[str, dict[str, Any]]:
    message_id, user_id = new_id(), sender["id"]
    return {
        "connected": {"message": "WebSocket connection established"},
        "subscribed": {"conversation_id": conversation_id},
        "pong": {},
        "message.new": {
            "conversation_id": conversation_id,
            "data": {
                "id": message_id,
                "conversation_id": conversation_id,
                "sender": sender,
                "content": "Hello from the control API",
                "message_type": "text",
                "created_at": now,
            },
        },
        "typing": {
            "conversation_id": conversation_id,
            "data": {"user_id": user_id, "user_name": sender["full_name"], "is_typing": True},
        },
        "presence": {
            "data": {"user_id": user_id, "is_online": True, "status": "online", "last_seen_at": now}
        },
        "message.read": {
            "conversation_id": conversation_id,
            "data": {"user_id": user_id, "read_at": now, "last_read_message_id": message_id},
        },
    }


def _additions(
    conversation_id: str, user: dict[str, Any], later: str, epoch: str
) -> dict[str, dict[str, Any]]:
    """Give what v2 adds to the samples, and the events that only v2 knows."""
    welcome = {
        "connection_id": new_id(),
        "user": user,
        "server": f"tribe-ws/{__version__}",
        "epoch": epoch,
        "heartbeat_interval": 30,
        "expires_at": later,
    }
    problem = {"code": "internal", "message": "Something went wrong", "retryable": True}
    return {
        "connected": {"data": welcome},
        "subscribed": {"data": {"seq": 0, "epoch": epoch, "online": []}},
        "message.new": {"data": {"seq": 1, "client_message_id": None}},
        "unsubscribed": {"conversation_id": conversation_id, "data": {"reason": "removed"}},
        "error": {"conversation_id": conversation_id, "data": problem},
        "authenticated": {"data": {"expires_at": later}},
        "token.expiring": {"data": {"expires_at": later}},
    }


async def _some_conversation(control: Control, user: User | None) -> str:
    """Give a user's conversation with the newest activity; where there is none, one that does not exist."""
    if user is not None:
        page = await control.services.storage.conversations.list(user.id, 0, 1)
        if page.items:
            return page.items[0].id
    return new_id()


async def _sender(control: Control, text: str, target: User | None) -> dict[str, Any]:
    """Give who it seems to come from: the one who was named, else somebody of the world but the target."""
    names = [name for name in control.world.usernames if target is None or name != target.username]
    if not text and not names:
        return {"id": new_id(), "username": "nobody", "full_name": "Nobody", "profile_image_url": None}
    user = await control.user(text or names[0])
    return {
        "id": user.id,
        "username": user.username,
        "full_name": user.full_name,
        "profile_image_url": user.profile_image_url,
    }


def _edit(frame: dict[str, Any], path: str, value: Any) -> None:
    """Set what lies at a path of names, as ``data.sender.id``; objects on the way are made where missing."""
    *parents, last = path.split(".")
    place = frame
    for name in parents:
        child = place.setdefault(name, {})
        if not isinstance(child, dict):
            raise Unprocessable([("set", f"{path}: {name} is no object")])
        place = child
    place[last] = value


ROUTES = (Route("/__tribe__/trigger", trigger, methods=["POST"]),)
