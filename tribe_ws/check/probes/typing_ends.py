"""Probes of every way in which typing ends, each with one is_typing:false (contract 3.2)."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from tribe_ws.check.frames import message, typing
from tribe_ws.check.probe import Need, probe
from tribe_ws.check.probes.typing_seen import listener_in, say_typing
from tribe_ws.check.socket import Socket
from tribe_ws.check.stage import Stage
from tribe_ws.check.verdict import Failed

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
    _, listener, typist = await _begun(stage)
    began = time.monotonic()
    within = _LAPSE + stage.pace.deadline
    await listener.expect(typing(False), within=within, what=f"is_typing:false after {_LAPSE:.0f} s")
    took = time.monotonic() - began
    if took < _EARLIEST:
        raise Failed(f"is_typing:false was to come after {_LAPSE:.0f} s, and came after {took:.1f} s")
    await typist.marker()
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
    await say_typing(typist, room, is_typing=True)
    await listener.need(typing(True))

    async def unsubscribe() -> None:
        await typist.say("unsubscribe", conversation_id=room)

    await _ends_typing(stage, listener, unsubscribe)


@probe(
    "typing.ends-on-disconnect",
    needs=_PAIR,
    advice="send is_typing:false when the connection of a typist ends, however it ends",
)
async def disconnecting_ends_typing(stage: Stage) -> None:
    """Type and close the connection; type again and cut it."""
    room, listener, typist = await _begun(stage)
    await _ends_typing(stage, listener, typist.close)
    again = await stage.open(stage.first)
    await say_typing(again, room, is_typing=True)
    await listener.need(typing(True))
    await _ends_typing(stage, listener, again.cut)


@probe(
    "typing.ends-on-message",
    needs=_PAIR,
    advice="send is_typing:false when a message of the typist is stored",
)
async def a_message_ends_typing(stage: Stage) -> None:
    """Type, and send a message."""
    room, listener, _ = await _begun(stage)

    async def send() -> None:
        await stage.send(stage.first, room)

    await _ends_typing(stage, listener, send)


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


async def _begun(stage: Stage) -> tuple[str, Socket, Socket]:
    """Let the first person type before the second one."""
    room = await stage.room()
    listener, typist = await listener_in(stage, room), await stage.open(stage.first)
    await say_typing(typist, room, is_typing=True)
    await listener.need(typing(True))
    return room, listener, typist


async def _ends_typing(stage: Stage, listener: Socket, ends: Callable[[], Awaitable[None]]) -> None:
    """Make sure that it ends typing: once, and not because typing would have lapsed anyway."""
    began = time.monotonic()
    await ends()
    within = min(stage.pace.deadline, _EARLIEST - 1)
    if await listener.hear(typing(False), within=within) is None:
        stage.require(time.monotonic() - began < _EARLIEST, "it took so long that typing may have lapsed")
        await listener.expect(typing(False), within=0, what="is_typing:false at once")
    await listener.silence(typing(False), what=_ONE_END)
