"""Probes of what a confused or hostile client sends: it is ignored, and the connection lives on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from tribe_ws.check.frames import message
from tribe_ws.check.probe import Need, probe
from tribe_ws.check.socket import Socket
from tribe_ws.check.stage import Stage
from tribe_ws.check.verdict import Failed

_UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"
_NOT_JSON = ("", " ", "hello", "{", '{"event":"ping"', "{'event':'ping'}", "\x00")
_NO_OBJECTS = ("[]", "null", "true", "7", '"ping"', '[{"event":"ping"}]')
_UNKNOWN_EVENTS = ("dance", "message.new", "connected", "PING", "", "x" * 5000)
_BAD_FIELDS: tuple[dict[str, Any], ...] = (
    {},
    {"event": None},
    {"event": ["ping"]},
    {"event": "subscribe"},
    {"event": "subscribe", "conversation_id": None},
    {"event": "subscribe", "conversation_id": 7},
    {"event": "subscribe", "conversation_id": "general"},
    {"event": "subscribe", "conversation_id": _UNKNOWN, "channel": 7},
    {"event": "unsubscribe", "conversation_id": {}},
    {"event": "typing", "conversation_id": _UNKNOWN},
    {"event": "typing", "conversation_id": _UNKNOWN, "is_typing": "true"},
    {"event": "typing", "conversation_id": _UNKNOWN, "is_typing": 1},
    {"event": "presence"},
    {"event": "presence", "status": "asleep"},
)
_BINARY = (b"", b'{"event":"ping"}', b"\xff\x00", bytes(4096))
_HOSTILE = (
    r'{"event":"ping","x":"\ud800"}',
    r'{"event":"ping","\udfff":1}',
    r'{"event":"\ud800"}',
    '{"event":"ping","x":NaN}',
    '{"event":"ping","x":-Infinity}',
    '{"event":"ping","x":1e999}',
    '{"event":"ping","x":' + "7" * 5000 + "}",
    '{"event":"ping","event":"ping"}',
)
_KIB_64 = 65536
_IGNORE = "ignore the frame, answer nothing, and keep the connection open"


@probe("frames.not-json", advice=_IGNORE)
async def what_is_not_json_is_ignored(stage: Stage) -> None:
    """Send texts that are no JSON."""
    await _all_are_ignored(stage, _NOT_JSON)


@probe("frames.not-object", advice=_IGNORE)
async def what_is_no_object_is_ignored(stage: Stage) -> None:
    """Send JSON that is no object."""
    await _all_are_ignored(stage, _NO_OBJECTS)


@probe("frames.unknown-event", advice=_IGNORE)
async def unknown_events_are_ignored(stage: Stage) -> None:
    """Send events which nobody knows, or which only a server sends."""
    await _all_are_ignored(stage, (json.dumps({"event": event}) for event in _UNKNOWN_EVENTS))


@probe("frames.bad-field", advice=_IGNORE)
async def bad_fields_are_ignored(stage: Stage) -> None:
    """Send known events with a field missing or malformed."""
    await _all_are_ignored(stage, map(json.dumps, _BAD_FIELDS))


@probe("frames.binary", advice=_IGNORE)
async def binary_frames_are_ignored(stage: Stage) -> None:
    """Send binary frames, also one that holds a ping."""
    await _all_are_ignored(stage, _BINARY)


@probe("frames.hostile-json", advice=_IGNORE)
async def hostile_json_is_ignored(stage: Stage) -> None:
    """Send JSON which parsers disagree on."""
    await _all_are_ignored(stage, _HOSTILE)


@probe("limit.depth", advice="refuse JSON deeper than 32 levels without parsing it to its end")
async def deep_json_is_refused(stage: Stage) -> None:
    """Send a ping of 32 levels, one of 33, and brackets by the thousand."""
    socket = await stage.open(stage.first)
    socket.mark_without_pings()
    await socket.send(_nested(31))
    if await socket.hear("pong") is None:
        await socket.say("ping")
        await socket.need("pong", what="a pong for any ping")
        raise Failed(f"{socket.who} got no pong for a ping of 32 levels, though one for a plain ping")
    for text in (_nested(32), "[" * 32_000, '{"a":' * 12_000):
        await _is_ignored(socket, text)


@probe("frames.unknown-field", needs=(Need.SECOND, Need.WRITE), advice="ignore fields that you do not know")
async def unknown_fields_are_ignored(stage: Stage) -> None:
    """Send each event with fields of nobody's, and look at its usual effect."""
    room = await stage.shared_room()
    socket = await stage.open(stage.second)
    more = {"ref": "1", "more": {"a": [1]}, "data": None}
    await socket.say("subscribe", channel="conversation", conversation_id=room, **more)
    if stage.habits.acknowledges:
        await socket.expect("subscribed", what='"subscribed" in spite of unknown fields')
    if stage.habits.marker == "pong":
        await socket.say("ping", **more)
        await socket.expect("pong", what='"pong" in spite of unknown fields')
    words = stage.words()
    await stage.send(stage.first, room, words, more=1)
    await socket.need(message(words))
    if await _ends(stage, socket, room, {}):
        await socket.subscribe(room)
        is_ended = await _ends(stage, socket, room, more)
        stage.check(is_ended, "an unsubscribe with unknown fields does nothing, though one without them does")


async def _ends(stage: Stage, socket: Socket, room: str, more: dict[str, Any]) -> bool:
    """Unsubscribe with these fields besides, and tell whether that ended the subscription."""
    await socket.say("unsubscribe", channel="conversation", conversation_id=room, **more)
    await socket.marker()
    unheard = stage.words()
    await stage.send(stage.first, room, unheard)
    return not await socket.settle(message(unheard))


@probe("frames.invalid-utf8", advice="close with 1007 on a text frame which is no UTF-8")
async def invalid_utf8_is_closed(stage: Stage) -> None:
    """Send text frames that are no UTF-8."""
    for data in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b'{"a":"\xe2\x82'):
        socket = await stage.open(stage.first)
        await socket.send(data, as_text=True)
        await _is_closed(socket, 1007, f"invalid UTF-8 ({data.hex(' ')})")


@probe("frames.too-big", advice="take frames of up to 64 KiB, and close with 1009 on a longer one")
async def too_big_is_closed(stage: Stage) -> None:
    """Send a ping of 64 KiB, and a byte more."""
    socket = await stage.open(stage.first)
    await socket.send('{"event":"ping"}'.ljust(_KIB_64))
    await socket.lives_on()
    await socket.send("x" * (_KIB_64 + 1))
    await _is_closed(socket, 1009, "a frame of 64 KiB and a byte")


async def _all_are_ignored(stage: Stage, frames: Iterable[str | bytes]) -> None:
    """Send all of these on one connection, and see that nothing comes of any.

    A second attempt looks after each of them, and so finds out which it was.
    """
    socket = await stage.open(stage.first)
    if stage.habits.acknowledges and stage.first.id in stage.visit.homes:
        socket.mark_without_pings()
    for data in frames:
        if stage.pace.attempt > 1:
            await _is_ignored(socket, data)
        else:
            await socket.send(data)
    await socket.lives_on()
    await socket.silence(what="no answer to what is to be ignored")


async def _is_ignored(socket: Socket, data: str | bytes) -> None:
    await socket.send(data)
    await socket.lives_on()
    if answers := socket.unread():
        shown = data[:60] if isinstance(data, str) else f"{len(data)} bytes"
        raise Failed(f"{shown!r} was to be ignored, and got {answers[0].text[:200]}")


async def _is_closed(socket: Socket, code: int, what: str) -> None:
    close = await socket.end()
    if close is None:
        await socket.marker()
        raise Failed(f"{what} was to be closed with {code}, and the connection lives on")
    if close.code != code:
        raise Failed(f"{what} was to be closed with {code}, and got {close}")


def _nested(levels: int) -> str:
    return '{"event":"ping","x":' + "[" * levels + "]" * levels + "}"
