"""Probes of who sees that somebody types, and in which words (contract 3.2; the document's typing)."""

from __future__ import annotations

import time

from tribe_ws.check.frames import keys, typing
from tribe_ws.check.probe import Need, probe
from tribe_ws.check.socket import Socket
from tribe_ws.check.stage import Stage
from tribe_ws.check.verdict import Failed

_PAIR = (Need.SECOND, Need.WRITE)
_COALESCED_WITHIN = 0.9


async def say_typing(socket: Socket, room: str, *, is_typing: bool) -> None:
    """Say that the user began or stopped typing."""
    await socket.say("typing", conversation_id=room, is_typing=is_typing)


async def listener_in(stage: Stage, room: str) -> Socket:
    """Open a subscribed connection of the second person."""
    socket = await stage.open(stage.second)
    await socket.subscribe(room)
    return socket


@probe(
    "document.typing",
    "document.client-typing",
    needs=_PAIR,
    advice="pass typing on to the subscribers of the conversation, both its start and its stop",
)
async def start_and_stop_are_passed_on(stage: Stage) -> None:
    """Type and stop, in the document's own spelling."""
    room = await stage.room()
    listener, typist = await listener_in(stage, room), await stage.open(stage.first)
    for is_typing in (True, False):
        word = str(is_typing).lower()
        await typist.send(f'{{"event": "typing", "conversation_id": "{room}", "is_typing": {word}}}')
        await listener.expect(typing(is_typing), what=f"typing with is_typing {word}")


@probe(
    "typing.relayed",
    needs=(*_PAIR, Need.SEVERAL),
    advice="send typing to each connection that is subscribed to the conversation",
)
async def every_subscribed_connection_gets_it(stage: Stage) -> None:
    """Type before two connections of one listener and, where there is one, one of another."""
    others = stage.visit.people[2:3]
    room = await stage.room(stage.second, *others)
    typist = await stage.open(stage.first)
    listeners = [await stage.open(person) for person in (stage.second, stage.second, *others)]
    for listener in listeners:
        await listener.subscribe(room)
    await say_typing(typist, room, is_typing=True)
    for listener in listeners:
        await listener.expect(typing(True), what="typing on each subscribed connection")
    await say_typing(typist, room, is_typing=False)


@probe("document.server-typing", needs=_PAIR, advice="send typing with exactly the documented keys, in order")
async def typing_is_spelt_as_documented(stage: Stage) -> None:
    """Compare the keys of typing with the document's."""
    room = await stage.room()
    listener, typist = await listener_in(stage, room), await stage.open(stage.first)
    for is_typing in (True, False):
        await say_typing(typist, room, is_typing=is_typing)
        frame = await listener.need("typing")
        stage.same("the keys of typing", keys(frame.value), ["event", "conversation_id", "data"])
        stage.same("the keys of data", keys(frame.inner), ["user_id", "user_name", "is_typing"])
        stage.same("conversation_id", frame.value["conversation_id"], room)
        stage.same("user_id", frame.inner["user_id"], stage.first.id)
        if not isinstance(frame.inner["is_typing"], bool):
            raise Failed(f"is_typing was to be true or false, and is {frame.inner['is_typing']!r}")


@probe("typing.full-name", needs=_PAIR, advice="put the typist's full_name into user_name")
async def the_typist_is_named_in_full(stage: Stage) -> None:
    """Compare user_name with the profile."""
    room = await stage.room()
    listener, typist = await listener_in(stage, room), await stage.open(stage.first)
    await say_typing(typist, room, is_typing=True)
    frame = await listener.need("typing")
    stage.require("user_name" in frame.inner, "typing has no user_name")
    stage.same("user_name", frame.inner["user_name"], stage.first.full_name)
    await say_typing(typist, room, is_typing=False)


@probe("typing.not-to-oneself", needs=_PAIR, advice="leave out all connections of the typist")
async def the_typist_does_not_get_it(stage: Stage) -> None:
    """Type on a subscribed connection, before another one of the same user where one may have several."""
    room = await stage.room()
    listener, typist = await listener_in(stage, room), await stage.open(stage.first)
    own = [typist, await stage.open(stage.first)] if stage.habits.keeps_several else [typist]
    for socket in own:
        await socket.subscribe(room)
    await say_typing(typist, room, is_typing=True)
    await listener.need(typing(True))
    for socket in own:
        await socket.silence("typing", what="no typing of one's own")
    await say_typing(typist, room, is_typing=False)


@probe(
    "typing.participants-only",
    needs=(*_PAIR, Need.THIRD),
    advice="look up whether the typist is a participant, and drop the frame if not",
)
async def a_strangers_typing_goes_nowhere(stage: Stage) -> None:
    """Type as a stranger, then as a participant."""
    room = await stage.room()
    listener, typist = await listener_in(stage, room), await stage.open(stage.first)
    stranger = await stage.open(stage.third)
    await say_typing(stranger, room, is_typing=True)
    await stranger.marker()
    await listener.silence("typing", what="no typing of a stranger")
    await say_typing(typist, room, is_typing=True)
    await listener.need(typing(True, user_id=stage.first.id))
    await listener.silence("typing", what="no typing of a stranger")


@probe("typing.without-subscription", needs=_PAIR, advice="take typing from participants, subscribed or not")
async def the_typist_need_not_be_subscribed(stage: Stage) -> None:
    """Type on a connection that has subscribed to nothing, then on one that has."""
    room = await stage.room()
    listener, typist = await listener_in(stage, room), await stage.open(stage.first)
    await say_typing(typist, room, is_typing=True)
    frame = await listener.hear(typing(True))
    if frame is None:
        await typist.marker()
        frame = await listener.hear(typing(True))
    if frame is None:
        await typist.subscribe(room)
        await say_typing(typist, room, is_typing=False)
        await say_typing(typist, room, is_typing=True)
        await listener.need(typing(True))
        raise Failed("typing was passed on only after the typist had subscribed")


@probe("typing.coalesced", needs=_PAIR, advice="drop a repetition of the same state within a second")
async def repeats_are_coalesced(stage: Stage) -> None:
    """Say three times in a moment that one types."""
    room = await stage.room()
    listener, typist = await listener_in(stage, room), await stage.open(stage.first)
    began = time.monotonic()
    for _ in range(3):
        await say_typing(typist, room, is_typing=True)
    await typist.marker()
    took = time.monotonic() - began
    await listener.need(typing(True))
    stage.require(took < _COALESCED_WITHIN, f"sending took {took:.1f} s, so these were no quick repeats")
    await listener.silence(typing(True), what="typing once for quick repeats")
