"""Probes of how connections end, of limits, and of what a documented client never gets (contract 2, 3.6)."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tribe_ws.check.frames import message
from tribe_ws.check.probe import Need, probe
from tribe_ws.check.socket import Refusal, Socket
from tribe_ws.check.stage import Stage
from tribe_ws.check.verdict import CannotTell, Failed

_PAIR = (Need.SECOND, Need.WRITE)
_WINDOW_FRAMES = 300
_WINDOW = 10.0
_MOST_CONNECTIONS = 20
_SILENT_FOR = 80.0


@probe("close.normal", advice="answer a close with 1000 by a close with 1000")
async def a_normal_close_is_answered(stage: Stage) -> None:
    """Close with 1000 and look at the answer."""
    socket = await stage.open(stage.first)
    await socket.marker()
    with suppress(TimeoutError):
        async with asyncio.timeout(stage.pace.deadline):
            await socket.connection.close(1000, "bye")
    close = await socket.end()
    stage.require(close is not None, "the connection did not end in time")
    assert close is not None
    stage.same("the code of the close frame that answers ours", close.code, 1000)


@probe(
    "close.token-expires",
    needs=(Need.CONTROL, Need.TIME),
    takes=6.0,
    advice="close a connection with 4401 token_expired when its token ends",
)
async def the_end_of_a_token_ends_its_connection(stage: Stage) -> None:
    """Connect with a token of a few seconds, and wait."""
    token = await stage.control.token(stage.first.username, ttl=3)
    socket = await stage.dial(token=token, who=stage.first)
    if isinstance(socket, Refusal):
        raise CannotTell(f"the connection was refused: {socket}")
    await socket.marker()
    close = await socket.end(within=10.0 + stage.pace.deadline)
    stage.same("the close at the end of the token", str(close), "4401 token_expired")


@probe(
    "document.presence", "document.client-presence", needs=(Need.WRITE,), advice="take presence, and go on"
)
async def presence_is_taken(stage: Stage) -> None:
    """Say each status; it gets no answer of its own, and the connection lives on."""
    socket = await stage.open(stage.first)
    for status in ("offline", "away", "online"):
        await socket.send(f'{{"event": "presence", "status": "{status}"}}')
        await socket.lives_on()
    await socket.silence(what="no answer to presence")


@probe(
    "presence.stored",
    needs=(*_PAIR, Need.TIME),
    alone=True,
    advice="set the user's last_seen_at when presence comes",
)
async def presence_updates_last_seen(stage: Stage) -> None:
    """Say that one is here, and see last_seen_at move on."""
    await stage.shared_room()
    socket = await stage.open(stage.second)
    await socket.marker()
    before = await _last_seen(stage)
    await asyncio.sleep(0.05)
    await socket.say("presence", status="online")
    await socket.marker()
    for _ in range(10):
        if await _last_seen(stage) != before:
            return
        await asyncio.sleep(stage.pace.deadline / 10)
    raise Failed(f"last_seen_at was to move on with presence, and stays {before}")


@probe(
    "profile.documented",
    needs=_PAIR,
    takes=5.0,
    levels=("documented",),
    advice="send neither presence nor message.read to a client that did not ask for them",
)
async def a_documented_connection_gets_documented_events(stage: Stage) -> None:
    """Do what would cause presence and message.read, before somebody who shares the conversation."""
    room = await stage.shared_room()
    listener, other = await stage.open(stage.second), await stage.open(stage.first)
    await listener.subscribe(room)
    words = stage.words()
    await stage.send(stage.second, room, words)
    await other.say("presence", status="away")
    await other.say("presence", status="online")
    await other.marker()
    read = await stage.call(stage.first, "POST", f"/conversations/{room}/read", body={})
    await other.close()
    await asyncio.sleep(stage.pace.grace)
    again = stage.words()
    await stage.send(stage.first, room, again)
    await listener.need(message(again))
    await listener.marker()
    events = {frame.event for frame in listener.frames}
    known = {"connected", "message.new", "typing", "subscribed", "pong", "error"}
    if unknown := events - known:
        raise Failed(f"only documented events were to come, and {', '.join(sorted(unknown))} came")
    stage.require(read.status in {200, 204}, f"the conversation could not be read: {read}")


@probe(
    "flood.ignored",
    needs=(Need.THOROUGH, Need.TIME),
    takes=12.0,
    advice="take 300 frames in 10 s from a connection, and ignore the rest",
)
async def a_flood_is_ignored(stage: Stage) -> None:
    """Send 310 pings in a moment and count the pongs."""
    socket = await stage.open(stage.first)
    stage.require(stage.habits.marker == "pong", "this server answers no ping")
    socket.mark_without_pings()
    await _flood(socket, _WINDOW_FRAMES + 10)
    await asyncio.sleep(_WINDOW + 1)
    await socket.marker()
    pongs = sum(frame.event == "pong" for frame in socket.frames)
    stage.same("the pongs for 310 pings", pongs, _WINDOW_FRAMES)


@probe(
    "flood.closed",
    needs=(Need.THOROUGH, Need.TIME),
    takes=25.0,
    advice="close a connection with 4429 in the third flooded window in a row",
)
async def the_third_flood_is_closed(stage: Stage) -> None:
    """Flood three windows in a row."""
    socket = await stage.open(stage.first)
    for _ in range(2):
        await _flood(socket, _WINDOW_FRAMES + 10)
        stage.require(await socket.end(within=_WINDOW + 0.3) is None, f"it ended early: {socket.close_seen}")
    with suppress(CannotTell):
        await _flood(socket, _WINDOW_FRAMES + 10)
    close = await socket.end()
    stage.same("the close after the third flood", str(close), "4429 rate_limited")


@probe(
    "close.no-timeout",
    needs=(Need.THOROUGH,),
    takes=_SILENT_FOR,
    advice="do not close a client that is silent for 75 s: the app pings every 30 s",
)
async def a_silent_client_is_left_alone(stage: Stage) -> None:
    """Say nothing for longer than the app ever does."""
    socket = await stage.open(stage.first)
    if (close := await socket.end(within=_SILENT_FOR)) is not None:
        raise Failed(f"a silent client was to be left alone, and was closed with {close}")
    await socket.lives_on()


@probe(
    "limit.connections",
    needs=(Need.THOROUGH, Need.SEVERAL),
    alone=True,
    takes=3.0,
    advice="close the newest of more than 20 connections of a user with 4409 too_many_connections",
)
async def a_user_has_twenty_connections(stage: Stage) -> None:
    """Open one connection after the other."""
    for _ in range(_MOST_CONNECTIONS):
        await stage.open(stage.first)
    socket = await stage.dial(token=stage.first.token, who=stage.first)
    if isinstance(socket, Refusal):
        raise Failed(f"the 21st connection was to be closed with 4409, and was refused by {socket}")
    stage.same("the close of the 21st connection", str(await socket.end()), "4409 too_many_connections")


async def _flood(socket: Socket, count: int) -> None:
    for _ in range(count):
        await socket.say("ping")


async def _last_seen(stage: Stage) -> object:
    answer = await stage.call(stage.first, "GET", f"/users/{stage.second.id}")
    stage.require("last_seen_at" in answer.object, f"the profile tells no last_seen_at: {answer}")
    return answer.object["last_seen_at"]
