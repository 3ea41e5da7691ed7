"""Probes of every way in which typing ends, each with one is_typing:false (contract 3.2)."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from tribe_ws.check.frames import message, typing
from tribe_ws.check.probe import Need, probe
from tribe_ws.check.probes.typing_seen import listener_in, say_typing
from tribe_ws.check.socket import Socket
from tribe_ws.check.stage import Stage
from tribe_ws.check.verdict import CannotTell, Failed

_PAIR = (Need.SECOND, Need.WRITE)
_LAPSE = 6.0
_EARLIEST = 5.5
_ONE_END = "one is_typing:false, not two"


@probe(
    "typing.lapse",
    needs=(*_PAIR, Need.TIME),
    takes=8.0,
    advice="send is_typing:false by yourself 6 s after the last is_typing:true",
)
async def typing_lapses(stage: Stage) -> None:
    """Type and say nothing more."""
    room = await stage.room()
    listener, typist = await listener_in(stage, room), await stage.open(stage.first)
    began = await _type(typist, room, listener)
    latest = _LAPSE + stage.pace.deadline
    frame = await listener.expect(typing(False), within=latest, what=f"is_typing:false after {_LAPSE:.0f} s")
    took = frame.at - began
    if took < _EARLIEST:
        raise Failed(f"is_typing:false was to come after {_LAPSE:.0f} s, and came after {took:.1f} s")
    asked = time.monotonic()
    await typist.marker()
    await listener.marker()
    slowness = time.monotonic() - asked
    if took > latest + slowness:
        raise Failed(f"is_typing:false was to come after {_LAPSE:.0f} s, and came after {took:.1f} s")
    await listener.silence(typing(False), what=_ONE_END)


@probe(
    "typing.ends-on-unsubscribe",
    needs=_PAIR,
    advice="send is_typing:false when a typist unsubscribes from the conversation",
)
async def unsubscribing_ends_typing(stage: Stage) -> None:
    """Type on a subscribed connection, and unsubscribe."""
    room = await stage.room()
    listener, typist = await listener_in(stage, room), await stage.open(stage.first)
    await typist.subscribe(room)
    began = await _type(typist, room, listener)

    async def unsubscribe() -> None:
        await typist.say("unsubscribe", conversation_id=room)

    await _ends_typing(listener, unsubscribe, began)


@probe(
    "typing.ends-on-disconnect",
    needs=_PAIR,
    advice="send is_typing:false when the connection of a typist ends, however it ends",
)
async def disconnecting_ends_typing(stage: Stage) -> None:
    """Type and close the connection; type again and cut it."""
    room = await stage.room()
    listener, typist = await listener_in(stage, room), await stage.open(stage.first)
    began = await _type(typist, room, listener)
    await _ends_typing(listener, typist.close, began)
    again = await stage.open(stage.first)
    began = await _type(again, room, listener)
    await _ends_typing(listener, again.cut, began)


@probe(
    "typing.ends-on-message",
    needs=_PAIR,
    advice="send is_typing:false when a message of the typist is stored",
)
async def a_message_ends_typing(stage: Stage) -> None:
    """Type, and send a message."""
    room = await stage.room()
    listener, typist = await listener_in(stage, room), await stage.open(stage.first)
    began = await _type(typist, room, listener)

    async def send() -> None:
        await stage.send(stage.first, room)

    await _ends_typing(listener, send, began)


@probe("typing.false-once", needs=_PAIR, advice="send is_typing:false only to end an is_typing:true")
async def nothing_ends_that_never_began(stage: Stage) -> None:
    """Unsubscribe, send a message and go away without ever having typed; then type after all."""
    room = await stage.room()
    listener, typist = await listener_in(stage, room), await stage.open(stage.first)
    await typist.subscribe(room)
    await typist.say("unsubscribe", conversation_id=room)
    await typist.marker()
    words = stage.words()
    await stage.send(stage.first, room, words)
    await listener.need(message(words))
    await typist.close()
    await listener.silence("typing", what="no is_typing:false where nobody typed")
    again = await stage.open(stage.first)
    await say_typing(again, room, is_typing=True)
    await listener.need("typing")


async def _type(typist: Socket, room: str, listener: Socket) -> float:
    """Let somebody type, wait until the listener knows, and tell when it was said."""
    began = time.monotonic()
    await say_typing(typist, room, is_typing=True)
    await listener.need(typing(True))
    return began


async def _ends_typing(listener: Socket, ends: Callable[[], Awaitable[None]], began: float) -> None:
    """Make sure that it ends typing: once, and not because typing would have lapsed anyway."""
    await ends()
    lapses_at = began + _EARLIEST
    frame = await listener.hear(typing(False), within=lapses_at - time.monotonic() - 0.5)
    if frame is None:
        await listener.marker()
        frame = await listener.hear(typing(False), within=0)
    if (time.monotonic() if frame is None else frame.at) > lapses_at:
        raise CannotTell("the server took so long that typing may have lapsed by itself")
    if frame is None:
        raise Failed(f"{listener.who} was to get is_typing:false at once, and got none for seconds")
    await listener.silence(typing(False), what=_ONE_END)
